"""The machine's clock and randomness, at one place so that tests can hand in others."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from hotfolder.domain.instants import uuid7

Clock = Callable[[], datetime]
NewId = Callable[[], str]


def utc_now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A new UUIDv7: sorts by the millisecond of its making."""
    return uuid7(int(utc_now().timestamp() * 1000), secrets.randbits(74))


def new_token() -> str:
    """128 random bits that nobody guesses or has by accident."""
    return secrets.token_hex(16)


def new_seed() -> int:
    """A seed for a generation, 0..2147483647."""
    return secrets.randbelow(2**31)
