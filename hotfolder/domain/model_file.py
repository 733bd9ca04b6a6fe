"""Which content of a model file something was found out about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelFileKey:
    """A file as it was at one time: its absolute path without links, and what the system said of it."""

    path: str
    size: int
    mtime_ns: int
