"""auth.db as a file: its tables, and that only its owner may read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from hotfolder.errors import LibraryError
from hotfolder.migrations import Schema

_PRIVATE: Final = 0o600
_OTHERS: Final = 0o077


def prepare_file(path: Path) -> None:
    """Make the file before SQLite does, or make it private again; raises LibraryError for what is no file.

    SQLite gives `-wal` and `-shm` the mode of the database. A copy of a library may have lost it.
    """
    try:
        _create(path)
        for each in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
            _make_private(each)
    except OSError as error:
        raise LibraryError(
            f"{path} cannot be made or kept private: {error.strerror or error}.",
            code="library.unusable",
            hint="The library, and auth.db in it, must belong to the user who runs hotfolder.",
        ) from error


def _create(path: Path) -> None:
    """An existing file is not opened: closing it again would drop the locks that SQLite holds on it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PRIVATE))
    except FileExistsError:
        return


def _make_private(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise LibraryError(
            f"{path} is a link, a folder or a device; who may log in is kept in a plain file only.",
            code="library.not_a_file",
            hint="Move it away: a new file is made, with which everybody has to log in again.",
        )
    if mode & _OTHERS:
        path.chmod(_PRIVATE)


_INITIAL: Final = (
    """
    CREATE TABLE login_links (
        token_sha256 TEXT PRIMARY KEY,
        actor TEXT NOT NULL,
        scopes TEXT NOT NULL,              -- words with blanks between them, here and below
        created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        used_at TEXT
    )
    """,
    """
    CREATE TABLE sessions (
        id_sha256 TEXT PRIMARY KEY,        -- of what the cookie carries; an ended session has no row
        actor TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        login_link_sha256 TEXT NOT NULL REFERENCES login_links (token_sha256)
    )
    """,
    """
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        token_sha256 TEXT NOT NULL UNIQUE,
        scopes TEXT NOT NULL,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        expires_at TEXT,
        revoked_at TEXT,
        last_used_at TEXT
    )
    """,
)

_PASSWORDS: Final = (
    """
    CREATE TABLE passwords (
        actor TEXT PRIMARY KEY,
        hash TEXT NOT NULL,                -- Argon2, with its salt and costs in it
        scopes TEXT NOT NULL,
        changed_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE sessions_of_any_kind (
        id_sha256 TEXT PRIMARY KEY,
        actor TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        login_link_sha256 TEXT REFERENCES login_links (token_sha256)  -- NULL: a password opened it
    )
    """,
    "INSERT INTO sessions_of_any_kind SELECT * FROM sessions",
    "DROP TABLE sessions",
    "ALTER TABLE sessions_of_any_kind RENAME TO sessions",
)

ACCOUNTS: Final = Schema("accounts", (("m001_initial", _INITIAL), ("m002_passwords", _PASSWORDS)))
