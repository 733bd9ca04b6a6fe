"""One thing that `doctor` looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; a hint says what to do when it is not ok."""

    name: str
    state: State
    found: str
    hint: str | None = None
