"""Every error that a user may meet, as one tree.

    HotfolderError(message, code, hint)
      ConfigError                     settings or command line
      JobFileError(problems)          a job file that cannot be accepted
      CatalogError                    endpoint descriptions
      EngineError
        EngineProtocolError  EngineCrashed  EngineTimeout  EngineBusy  EngineCancelled
      ProviderError                   a request that a provider refused or lost
      LibraryError
        NotFound  ContentMissing
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

    def __init__(
        self, message: str, *, code: str | None = None, hint: str | None = None, retryable: bool | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
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


class QueueError(HotfolderError):
    """A work item was not in the state that the caller believed, or its lease is gone."""

    default_code = "queue.lease_lost"


class DeliveryError(HotfolderError):
    """A result could not be handed over."""

    default_code = "delivery.failed"
    default_retryable = True
