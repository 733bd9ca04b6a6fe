"""The Range header of HTTP (RFC 9110, section 14), for one range of bytes (pure)."""

from __future__ import annotations

import re
from typing import NamedTuple

_ONE = re.compile(r"bytes=\s*(?:([0-9]{1,18})\s*-\s*([0-9]{1,18})?|-\s*([0-9]{1,18}))\s*", re.IGNORECASE)


class Range(NamedTuple):
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int


class Unsatisfiable(ValueError):
    """A range that lies behind the end of the file."""


def find_range(header: str | None, size_bytes: int) -> Range | None:
    """The part asked for, or None for the whole: without a header, with several ranges, or an odd one."""
    found = _ONE.fullmatch(header) if header else None
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        start, end = max(0, size_bytes - int(suffix)), size_bytes
    else:
        start, end = int(first), size_bytes if last is None else min(int(last) + 1, size_bytes)
        if last is not None and int(last) < start:
            return None
    if start >= end:
        raise Unsatisfiable
    return Range(start, end)
