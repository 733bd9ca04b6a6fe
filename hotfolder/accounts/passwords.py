"""Passwords, for those who want them: kept as Argon2 hashes; a check takes as long for an unknown name."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from hotfolder.accounts.scopes import check_name, check_scopes
from hotfolder.accounts.sessions import Session, open_session, scopes_of, scopes_text
from hotfolder.database import Database, Transaction
from hotfolder.errors import ConfigError, NotFound

if TYPE_CHECKING:
    from argon2 import PasswordHasher

PASSWORD_MIN: Final = 10
PASSWORD_MAX: Final = 1024
_ROUNDS, _MEMORY_KIB = 3, 32 * 1024  # above what OWASP asks for, and little beside the web's own memory


@dataclass(frozen=True, slots=True)
class Password:
    """What may be told of a password."""

    name: str
    scopes: frozenset[str]
    changed_at: str


class PasswordStore:
    """Who may log in by a password; it needs the extra `auth` for all but looking and removing."""

    def __init__(self, database: Database, make_secret: Callable[[], str]) -> None:
        self._database = database
        self._make_secret = make_secret

    def set_password(self, name: str, password: str, scopes: Iterable[str] = ()) -> Password:
        """Give somebody a password, or another one, which ends the sessions of the old one.

        Without scopes those of the old one stay; raises ConfigError when there are none.
        """
        actor, text = check_name(name), _checked(password)
        hashed, given = self._hasher.hash(text), frozenset(scopes)
        with self._database.transaction() as tx:
            old = tx.execute("SELECT scopes FROM passwords WHERE actor = ?", (actor,)).fetchone()
            allowed = check_scopes(given or (scopes_of(old["scopes"]) if old else ()))
            tx.execute(
                """
                INSERT INTO passwords (actor, hash, scopes, changed_at)
                VALUES (?, ?, ?, ?)
                ON CONFLICT (actor) DO UPDATE
                SET hash = excluded.hash, scopes = excluded.scopes, changed_at = excluded.changed_at
                """,
                (actor, hashed, scopes_text(allowed), tx.at),
            )
            _end_sessions(tx, actor)
            return Password(actor, allowed, tx.at)

    def remove_password(self, name: str) -> None:
        """Take it away, and end its sessions; raises NotFound when there is none."""
        actor = check_name(name)
        with self._database.transaction() as tx:
            removed = tx.execute("DELETE FROM passwords WHERE actor = ?", (actor,)).rowcount
            _end_sessions(tx, actor)
        if not removed:
            raise NotFound(f"{actor} has no password.", hint="`hotfolder password list` shows who has one.")

    def list_passwords(self) -> list[Password]:
        """Who has one, by name."""
        rows = self._database.query("SELECT actor, scopes, changed_at FROM passwords ORDER BY actor")
        return [Password(row["actor"], scopes_of(row["scopes"]), row["changed_at"]) for row in rows]

    def has_any(self) -> bool:
        """Whether anybody has one."""
        return self._database.query_one("SELECT 1 FROM passwords LIMIT 1") is not None

    def log_in(self, name: str, password: str) -> Session | None:
        """The session of a name and its password; None when they do not go together, as slowly."""
        actor, nobody = _storable(name.strip()), self._hash_of_nobody
        row = self._database.query_one("SELECT hash FROM passwords WHERE actor = ?", (actor,))
        hashed = nobody if row is None else row["hash"]
        if not self._fits(hashed, password) or row is None:
            return None
        with self._database.transaction() as tx:
            # Checked again: the password may have been changed while this one was looked at.
            same = "SELECT actor, scopes FROM passwords WHERE actor = ? AND hash = ?"
            found = tx.execute(same, (actor, hashed)).fetchone()
            return open_session(tx, self._make_secret(), actor, found["scopes"], None) if found else None

    def require_extra(self) -> None:
        """Raise ConfigError when what checks passwords is not installed."""
        _ = self._hasher

    def _fits(self, hashed: str, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._hasher.verify(hashed, _storable(_normal(password))[: PASSWORD_MAX + 1])
        except (VerificationError, InvalidHashError):
            return False

    @cached_property
    def _hasher(self) -> PasswordHasher:
        try:
            from argon2 import PasswordHasher
        except ImportError as error:
            raise ConfigError(
                "Passwords need something that is not installed.",
                code="config.extra_missing",
                hint="Run: pip install 'hotfolder[auth]'",
            ) from error
        return PasswordHasher(time_cost=_ROUNDS, memory_cost=_MEMORY_KIB, parallelism=1)

    @cached_property
    def _hash_of_nobody(self) -> str:
        """What the password of an unknown name is compared with; no password fits."""
        return self._hasher.hash(secrets.token_urlsafe(32))


def _checked(password: str) -> str:
    """A password as it is hashed; what is refused is not told."""
    text = _normal(password)
    if PASSWORD_MIN <= len(text) <= PASSWORD_MAX and not any(map(_steers, text)):
        return text
    raise ConfigError(
        "This cannot be a password.",
        hint=f"It has {PASSWORD_MIN} to {PASSWORD_MAX} characters, none of which ends a line.",
    )


def _steers(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def _normal(password: str) -> str:
    """The same bytes from every keyboard: an umlaut is one character on some, two on others."""
    return unicodedata.normalize("NFC", password)


def _storable(text: str) -> str:
    """A visitor may send any text at all, also halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _end_sessions(tx: Transaction, actor: str) -> None:
    """Those that a password opened; the ones of login links stay (`hotfolder logout`)."""
    tx.execute("DELETE FROM sessions WHERE actor = ? AND login_link_sha256 IS NULL", (actor,))
