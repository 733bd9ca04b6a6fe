"""Who may use the web: login links, sessions and tokens in auth.db; of each secret only the SHA-256."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hotfolder.accounts.passwords import PasswordStore
from hotfolder.accounts.schema import ACCOUNTS, prepare_file
from hotfolder.accounts.scopes import Actor, check_name, check_scopes
from hotfolder.accounts.sessions import (
    Session,
    hash_secret,
    later,
    open_session,
    scopes_of,
    scopes_text,
)
from hotfolder.clock import Clock, NewId, new_id, utc_now
from hotfolder.database import Database, Row
from hotfolder.errors import DiskFull, LibraryBusy, NotFound
from hotfolder.migrations import migrate

FILE: Final = "auth.db"
"""Its name in the library folder."""
LINK_VALID_S: Final = 3600.0
LAST_USED_STEP_S: Final = 60.0
TOKEN_PREFIX: Final = "hf_"  # noqa: S105 - tells what a found text is, and is in every token

FIND_SESSION_SQL: Final = """
    SELECT actor, scopes FROM sessions
    WHERE id_sha256 = ? AND expires_at > ?
"""
FIND_TOKEN_SQL: Final = """
    SELECT * FROM tokens
    WHERE token_sha256 = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)
"""  # noqa: S105 - the name says what is looked for


@dataclass(frozen=True, slots=True)
class Token:
    """What may be told of a token; its secret is given once, by the one who made it."""

    token_id: str
    name: str
    scopes: frozenset[str]
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class AccountStore:
    """Links, sessions and tokens; the clock is the database's, secrets and ids come from outside."""

    def __init__(self, database: Database, make_secret: Callable[[], str], make_id: NewId) -> None:
        self._database = database
        self._make_secret = make_secret
        self._make_id = make_id
        self.passwords = PasswordStore(database, make_secret)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def create_login_link(self, name: str, scopes: Iterable[str], valid_s: float = LINK_VALID_S) -> str:
        """The secret of a new login link; it opens one session."""
        actor, words = check_name(name), scopes_text(check_scopes(scopes))
        secret = self._make_secret()
        with self._database.transaction() as tx:
            tx.execute(
                """
                DELETE FROM login_links
                WHERE expires_at < ? AND NOT EXISTS (
                    SELECT 1 FROM sessions WHERE login_link_sha256 = token_sha256
                )
                """,
                (tx.at,),
            )
            tx.execute(
                """
                INSERT INTO login_links (token_sha256, actor, scopes, created_at, expires_at)
                VALUES (?, ?, ?, ?, ?)
                """,
                (hash_secret(secret), actor, words, tx.at, later(tx.at, valid_s)),
            )
        return secret

    def spend_login_link(self, secret: str) -> Session | None:
        """The session that a link opens, once; None when it is unknown, spent or too old."""
        session_id = self._make_secret()
        with self._database.transaction() as tx:
            spent = tx.execute(
                """
                UPDATE login_links SET used_at = :now
                WHERE token_sha256 = :link AND used_at IS NULL AND expires_at > :now
                RETURNING token_sha256, actor, scopes
                """,
                {"now": tx.at, "link": hash_secret(secret)},
            ).fetchall()
            if not spent:
                return None
            link = spent[0]
            return open_session(tx, session_id, link["actor"], link["scopes"], link["token_sha256"])

    def find_session(self, session_id: str) -> Actor | None:
        """Who a cookie stands for; None when its session is unknown, ended or too old."""
        id_sha256 = hash_secret(session_id)
        row = self._database.query_one(FIND_SESSION_SQL, (id_sha256, self._database.now()))
        return Actor(row["actor"], scopes_of(row["scopes"]), "session", id_sha256) if row else None

    def end_session(self, session_id: str) -> None:
        """Log out; nothing happens when the session has ended already."""
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM sessions WHERE id_sha256 = ?", (hash_secret(session_id),))

    def end_sessions_of(self, name: str) -> int:
        """Log somebody out everywhere; says how many sessions that ended."""
        with self._database.transaction() as tx:
            return tx.execute("DELETE FROM sessions WHERE actor = ?", (check_name(name),)).rowcount

    def create_token(
        self, name: str, scopes: Iterable[str], created_by: str, valid_s: float | None = None
    ) -> tuple[Token, str]:
        """A new token and its secret, which cannot be read again later."""
        actor, checked = check_name(name), check_scopes(scopes)
        secret = TOKEN_PREFIX + self._make_secret()
        with self._database.transaction() as tx:
            expires_at = None if valid_s is None else later(tx.at, valid_s)
            token = Token(self._make_id(), actor, checked, tx.at, created_by, expires_at, None, None)
            tx.execute(
                """
                INSERT INTO tokens (id, name, token_sha256, scopes, created_at, created_by, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                (
                    token.token_id,
                    actor,
                    hash_secret(secret),
                    scopes_text(checked),
                    tx.at,
                    created_by,
                    expires_at,
                ),
            )
        return token, secret

    def find_token(self, secret: str) -> Actor | None:
        """Who a token stands for; None when it is unknown, revoked or too old."""
        now = self._database.now()
        row = self._database.query_one(FIND_TOKEN_SQL, (hash_secret(secret), now))
        if row is None:
            return None
        self._note_use(row, now)
        return Actor(row["name"], scopes_of(row["scopes"]), "token", row["id"])

    def list_tokens(self) -> list[Token]:
        """All tokens, also revoked ones, newest first."""
        rows = self._database.query("SELECT * FROM tokens ORDER BY created_at DESC, id DESC")
        return [_to_token(row) for row in rows]

    def revoke_token(self, id_or_name: str) -> list[Token]:
        """Revoke the token of this id, or all of this name; raises NotFound when none is left to revoke."""
        wanted = check_name(id_or_name)
        with self._database.transaction() as tx:
            rows = tx.execute(
                """
                UPDATE tokens SET revoked_at = :now
                WHERE :wanted IN (id, name) AND revoked_at IS NULL
                RETURNING *
                """,
                {"now": tx.at, "wanted": wanted},
            ).fetchall()
        if not rows:
            raise NotFound(
                f"There is no token {wanted} that could be revoked.",
                hint="`hotfolder token list` shows them.",
            )
        return [_to_token(row) for row in rows]

    def _note_use(self, row: Row, now: str) -> None:
        """Keep when a token was last used, roughly: most requests should write nothing."""
        before = later(now, -LAST_USED_STEP_S)
        if row["last_used_at"] is not None and row["last_used_at"] > before:
            return
        # Whoever has a token is let in, even while nothing can be written.
        with suppress(LibraryBusy, DiskFull), self._database.transaction(wait_s=0) as tx:
            tx.execute("UPDATE tokens SET last_used_at = ? WHERE id = ?", (now, row["id"]))


def new_secret() -> str:
    """256 random bits as text that a URL and a cookie can carry."""
    return secrets.token_urlsafe(32)


def open_accounts(
    path: Path,
    *,
    clock: Clock = utc_now,
    make_secret: Callable[[], str] = new_secret,
    make_id: NewId = new_id,
) -> AccountStore:
    """Open auth.db, made on first use; raises LibraryError when something else stands in its place."""
    prepare_file(path)
    migrate(path, ACCOUNTS)
    return AccountStore(Database(path, clock=clock), make_secret, make_id)


def _to_token(row: Row) -> Token:
    return Token(
        row["id"],
        row["name"],
        scopes_of(row["scopes"]),
        row["created_at"],
        row["created_by"],
        row["expires_at"],
        row["revoked_at"],
        row["last_used_at"],
    )
