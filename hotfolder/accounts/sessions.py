"""A login while it lasts, and how its row is written, whichever way somebody came in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from hotfolder.accounts.scopes import Actor
from hotfolder.database import Transaction
from hotfolder.domain.instants import format_instant, parse_instant

SESSION_VALID_S: Final = 30 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Session:
    """A login; `session_id` is what its cookie carries, and is a secret."""

    session_id: str = field(repr=False)
    actor: Actor
    expires_at: str


def open_session(
    tx: Transaction, session_id: str, name: str, scopes: str, link_sha256: str | None
) -> Session:
    """A new session, for what a link or (without one) a password allows."""
    id_sha256, expires_at = hash_secret(session_id), later(tx.at, SESSION_VALID_S)
    tx.execute("DELETE FROM sessions WHERE expires_at <= ?", (tx.at,))
    tx.execute(
        """
        INSERT INTO sessions (id_sha256, actor, scopes, created_at, expires_at, login_link_sha256)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        (id_sha256, name, scopes, tx.at, expires_at, link_sha256),
    )
    return Session(session_id, Actor(name, scopes_of(scopes), "session", id_sha256), expires_at)


def hash_secret(secret: str) -> str:
    """Secrets have 256 random bits, so nobody guesses one from this; a visitor may send any text at all."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def later(at: str, seconds: float) -> str:
    """The instant so much later."""
    return format_instant(parse_instant(at) + timedelta(seconds=seconds))


def scopes_text(scopes: Iterable[str]) -> str:
    """Scopes as a row keeps them."""
    return " ".join(sorted(scopes))


def scopes_of(text: str) -> frozenset[str]:
    """Scopes as a row keeps them, as a set."""
    return frozenset(text.split())
