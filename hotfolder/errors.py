"""Every error that a user may meet, as one tree.

    HotfolderError(message, code, hint)
      ConfigError                     settings or command line
      JobFileError(problems)          a job file that cannot be accepted
      CatalogError                    endpoint descriptions
      EngineError
        EngineProtocolError  EngineCrashed  EngineTimeout  EngineBusy  EngineCancelled
      ProviderError                   a request that a provider refused or lost
      LibraryError
        NotFound  ContentMissing  DiskFull  LibraryBusy  LibraryUnwritable
      QueueError                      leases and states of work items
      DeliveryError                   telling others

Raised deep; turned into something else at four borders only: the inbox (failed + report), the worker (retry
or dead), the plugin (HTTP status) and the command line (exit code).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class HotfolderError(Exception):
    """What went wrong, as a sentence; a stable dotted code; and what the user can do."""

    default_code: ClassVar[str] = "internal.unexpected"
    default_retryable: ClassVar[bool] = False
    default_hint: ClassVar[str | None] = None
    spends_attempt: ClassVar[bool] = True
    """False for what is nobody's fault and passes by itself: work that met it has not been tried."""

    def __init__(
        self, message: str, *, code: str | None = None, hint: str | None = None, retryable: bool | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint or self.default_hint
        self.retryable = self.default_retryable if retryable is None else retryable


class ConfigError(HotfolderError):
    """A setting or option that cannot be used."""

    default_code = "config.invalid"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a job file: where (1-based), what was found and expected, and how to mend it."""

    code: str
    message: str
    hint: str | None = None
    line: int | None = None
    column: int | None = None
    path: str | None = None


class JobFileError(HotfolderError):
    """A job file with one or more problems; all that could be found are reported together."""

    default_code = "job.invalid"

    def __init__(self, problems: list[Problem]) -> None:
        if not problems:
            raise ValueError("a JobFileError needs at least one problem")
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(first.message + more, code=first.code, hint=first.hint)
        self.problems = problems


class CatalogError(HotfolderError):
    """An endpoint description that cannot be used."""

    default_code = "catalog.invalid"


class EngineError(HotfolderError):
    """The engine answered with an error, or could not be used."""

    default_code = "engine.failed"


class EngineProtocolError(EngineError):
    """The engine said something that is not in its protocol."""

    default_code = "engine.protocol"
    default_retryable = True


class EngineCrashed(EngineError):
    """The engine process ended while it was needed."""

    default_code = "engine.crashed"
    default_retryable = True


class EngineTimeout(EngineError):
    """The engine did not answer in time; the process is not used again."""

    default_code = "engine.timeout"
    default_retryable = True


class EngineBusy(EngineError):
    """A second command was given while one was running."""

    default_code = "engine.busy"
    default_retryable = True
    spends_attempt = False


class EngineCancelled(EngineError):
    """The caller asked to stop; the engine was terminated to do so."""

    default_code = "queue.cancelled"


class ProviderError(HotfolderError):
    """A request that a provider refused or lost."""

    default_code = "provider.failed"


class LibraryError(HotfolderError):
    """Something in the library folder or its database is not as it should be."""

    default_code = "library.failed"


class NotFound(LibraryError):
    """The named thing is not in the library."""

    default_code = "library.not_found"


class ContentMissing(LibraryError):
    """The row is there, its file is not."""

    default_code = "library.content_missing"


class DiskFull(LibraryError):
    """There is no room for what has to be written."""

    default_code = "library.disk_full"
    default_retryable = True
    default_hint = "Free some space on the disk of the library."
    spends_attempt = False


class LibraryBusy(LibraryError):
    """Another process keeps the database to itself for longer than anybody should."""

    default_code = "library.busy"
    default_retryable = True
    default_hint = "Try again; if it stays, look for a program that has library.db open."
    spends_attempt = False


class LibraryUnwritable(LibraryError):
    """The disk of the library does not let us write: a fault of the machine, which somebody mends."""

    default_code = "library.unwritable"
    default_retryable = True
    default_hint = "Look at the permissions and the health of the disk; `hotfolder doctor` tells more."
    spends_attempt = False


class QueueError(HotfolderError):
    """A work item was not in the state that the caller believed, or its lease is gone."""

    default_code = "queue.lease_lost"


class BacklogFull(QueueError):
    """An owner has as many jobs waiting as it may have; says when to come back."""

    default_code = "queue.backlog_full"
    default_retryable = True

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message, hint=f"Try again in {retry_after_s} s, or drop the job into inbox/.")
        self.retry_after_s = retry_after_s


class DeliveryError(HotfolderError):
    """A result could not be handed over."""

    default_code = "delivery.failed"
    default_retryable = True
