"""Instants and ids as text: UTC ISO 8601 with milliseconds, and UUIDs of version 7."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

_RANDOM_BITS = 74
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def format_instant(at: datetime) -> str:
    """An aware datetime as `2026-11-21T03:11:38.123Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_instant(text: str) -> datetime:
    """The inverse of format_instant; raises ValueError on anything that names no time zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone; end it with Z")
    return at.astimezone(UTC)


def elapsed_ms(start: str | None, end: str | None) -> int | None:
    """Whole milliseconds between two instants; None when one of them is missing."""
    if start is None or end is None:
        return None
    return round((parse_instant(end) - parse_instant(start)).total_seconds() * 1000)


def uuid7(unix_ms: int, random_bits: int) -> str:
    """A UUID of version 7 (RFC 9562, section 5.7) from a time in milliseconds and 74 random bits."""
    random_bits &= (1 << _RANDOM_BITS) - 1
    high, low = random_bits >> 62, random_bits & ((1 << 62) - 1)
    text = f"{(unix_ms << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def instant_of_id(text: str) -> datetime:
    """The millisecond in which a UUID of version 7 was made; raises ValueError for any other text."""
    made = uuid.UUID(text)
    if made.version != 7:
        raise ValueError(f"{text!r} does not say when it was made")
    return _EPOCH + timedelta(milliseconds=made.int >> 80)


def derived_id(parent_id: str, label: str) -> str:
    """The same child id for the same parent and label, however often a step is repeated after a crash."""
    parent = uuid.UUID(parent_id)
    digest = hashlib.sha256(f"{parent}/{label}".encode()).digest()
    return uuid7(parent.int >> 80, int.from_bytes(digest[:10], "big"))


def is_uuid(text: str) -> bool:
    """Whether a submitter's id is a UUID in its usual 36-character form."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
