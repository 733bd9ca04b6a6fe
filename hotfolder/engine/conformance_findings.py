"""What an examination finds: each check passed, differs (how), or was not possible (why)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hotfolder.engine.conformance_talk import describe
from hotfolder.engine.messages import Failure, Message

Verdict = Literal["passed", "differs", "not possible"]


class Differs(Exception):
    """How the program differs from cn-engine."""


class NotPossible(Exception):
    """Why a check could not be made."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to try: `run` gives a word on it, or raises; `needed` by a sidecar, or only good to know."""

    name: str
    run: Callable[[], str]
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    name: str
    verdict: Verdict
    detail: str
    needed: bool
    took_ms: float

    @property
    def hinders(self) -> bool:
        """Whether a sidecar cannot work with such a program."""
        return self.needed and self.verdict == "differs"


def require_failure(message: Message, code: str | None) -> str:
    """The message must be this error; gives what it says."""
    if not isinstance(message, Failure):
        raise Differs(f"{describe(message)} instead of {code or 'an error'}")
    if message.code != code:
        raise Differs(f"{describe(message)} instead of {code or 'an error without a code'}")
    return describe(message)
