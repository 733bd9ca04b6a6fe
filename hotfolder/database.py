"""The library's SQLite file: connections, short immediate transactions, and the event writer."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hotfolder.clock import Clock, utc_now
from hotfolder.domain.instants import format_instant
from hotfolder.errors import DiskFull, LibraryBusy, LibraryError
from hotfolder.events import GENERATION_PROGRESS, Event

BUSY_TIMEOUT_S = 15.0
_CHECKPOINT_PAGES = 4000
"""So much is gathered before it is brought into the database itself, which costs two flushes."""
_CACHE_KIB = 8000
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_BUSY_PAUSE_S = 0.01
_LOOK_S = 0.001
Row = sqlite3.Row


class Transaction:
    """One open `BEGIN IMMEDIATE` transaction; everything in it happens at one instant `at`."""

    def __init__(self, connection: sqlite3.Connection, at: str) -> None:
        self._connection = connection
        self.at = at

    def execute(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(sql, values)

    def event(
        self,
        topic: str,
        subject_type: str,
        subject_id: str,
        data: Mapping[str, Any],
        actor: str | None = None,
    ) -> None:
        """Append an event; of a generation's progress only the latest is kept."""
        added = self.execute(
            """
            INSERT INTO events (at, topic, subject_type, subject_id, actor, data_json)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            (self.at, topic, subject_type, subject_id, actor, to_json(data)),
        )
        if topic == GENERATION_PROGRESS:  # afterwards: the newest event is never removed, see schema_queue
            # The plus keeps SQLite off the index of topics, where the progress of every generation stands.
            sql = "DELETE FROM events WHERE subject_id = ? AND +topic = ? AND seq < ?"
            self.execute(sql, (subject_id, topic, added.lastrowid))

    def count(self, name: str, labels: Mapping[str, str] | None = None, by: float = 1) -> None:
        """Add to a counter that outlives the rows it counts; for metrics."""
        text = to_json(dict(sorted(labels.items()))) if labels else ""
        self.execute(
            """
            INSERT INTO counters (name, labels, value) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET value = value + excluded.value
            """,
            (name, text, by),
        )


class Database:
    """One connection a thread; readers never wait, writers wait at most BUSY_TIMEOUT_S for each other."""

    def __init__(
        self, path: Path, *, clock: Clock = utc_now, on_commit: Callable[[], None] | None = None
    ) -> None:
        self.path = path
        self._clock = clock
        self._on_commit = on_commit
        self._cache_kib: int | None = None
        self._is_eager = False
        self._local = threading.local()
        self._connections: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._lock = threading.Lock()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = connect(self.path)
            if self._cache_kib is not None:
                connection.execute(f"PRAGMA cache_size = -{self._cache_kib}")
            self._local.connection = connection
            self._keep(connection)
        return connection

    def limit_cache(self, kib: int) -> None:
        """How much each connection that is made from now on may keep in memory: for who has many of them."""
        self._cache_kib = kib

    def be_eager(self) -> None:
        """Look every millisecond whether another process still writes: for who answers people.

        SQLite itself looks less and less often, and misses the short pauses of who writes all the time.
        """
        self._is_eager = True

    def now(self) -> str:
        """The current instant as the database writes it."""
        return format_instant(self._clock())

    def query(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """All rows of a reading statement."""
        return self.connection().execute(sql, values).fetchall()

    def query_one(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
        """The first row of a reading statement, if any."""
        row: Row | None = self.connection().execute(sql, values).fetchone()
        return row

    @contextmanager
    def transaction(self, *, wait_s: float = BUSY_TIMEOUT_S, durable: bool = True) -> Iterator[Transaction]:
        """A short writing transaction: committed at the end, rolled back on an exception.

        It waits at most `wait_s` for another writer, then raises LibraryBusy. One that is not `durable` is
        not flushed to the disk: it outlives the program, but a power failure may take it back, whole.
        """
        connection = self.connection()
        with told_in_words():
            self._flush(connection, durable=durable)
            _begin(connection, wait_s, is_eager=self._is_eager)
            try:
                yield Transaction(connection, self.now())
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk makes SQLite roll back by itself
                    connection.execute("ROLLBACK")
                raise
        if self._on_commit is not None:
            self._on_commit()

    def _flush(self, connection: sqlite3.Connection, *, durable: bool) -> None:
        """Whether this thread's commits are flushed; SQLite wants to know before a transaction begins."""
        if getattr(self._local, "is_durable", True) != durable:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._local.is_durable = durable

    def list_events(self, after: int, limit: int = 1000) -> list[Event]:
        """Events with a higher sequence number, oldest first."""
        rows = self.query("SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
        return [_to_event(row) for row in rows]

    def last_event(self, topic: str) -> Event | None:
        """The latest event of a topic."""
        row = self.query_one("SELECT * FROM events WHERE topic = ? ORDER BY seq DESC LIMIT 1", (topic,))
        return _to_event(row) if row else None

    def list_tables(self) -> list[str]:
        """The names of all tables and views."""
        return [
            row[0] for row in self.query("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
        ]

    def quick_check(self) -> str:
        """`ok`, or what SQLite finds wrong with the file."""
        return "; ".join(str(row[0]) for row in self.query("PRAGMA quick_check"))

    def last_event_seq(self) -> int:
        """The highest sequence number so far; 0 in a new library."""
        row = self.query_one("SELECT coalesce(max(seq), 0) AS seq FROM events")
        return int(row["seq"]) if row else 0

    def close(self) -> None:
        """Close every thread's connection; the threads must have ended."""
        with self._lock:
            for _, connection in self._connections:
                connection.close()
            self._connections.clear()
        self._local = threading.local()

    def _keep(self, connection: sqlite3.Connection) -> None:
        """Remember this thread's connection, and close those of threads that have ended."""
        with self._lock:
            ended = [each for each in self._connections if not each[0].is_alive()]
            self._connections = [each for each in self._connections if each[0].is_alive()]
            self._connections.append((threading.current_thread(), connection))
        for _, left in ended:
            left.close()


def _begin(connection: sqlite3.Connection, wait_s: float, *, is_eager: bool) -> None:
    if wait_s == BUSY_TIMEOUT_S and not is_eager:
        connection.execute("BEGIN IMMEDIATE")
        return
    connection.execute(f"PRAGMA busy_timeout = {0 if is_eager else round(wait_s * 1000)}")
    try:
        if is_eager:
            _retry_while_busy(connection, "BEGIN IMMEDIATE", wait_s, _LOOK_S)
        else:
            connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")


def _retry_while_busy(connection: sqlite3.Connection, sql: str, wait_s: float, pause_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            connection.execute(sql)
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # the low byte of extended codes
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(pause_s)
        else:
            return


@contextmanager
def told_in_words() -> Iterator[None]:
    """Turn SQLite's `database is locked` and `disk is full` into errors that say what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise LibraryBusy("The database is kept by another program.") from error
        if "full" in str(error):
            raise DiskFull("There is no room left for the database.") from error
        raise


def connect(path: Path) -> sqlite3.Connection:
    """A connection with the settings that every process of a library uses."""
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            _configure(connection)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise LibraryError(
            f"The database {path} cannot be opened: {error}.",
            code="library.database",
            hint="Check that the folder is writable and that the disk is not full.",
        ) from error
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA foreign_keys = ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Several processes may open a new file at once; SQLite does not wait for them here, so this does."""
    _retry_while_busy(connection, "PRAGMA journal_mode = WAL", BUSY_TIMEOUT_S, _BUSY_PAUSE_S)


def to_json(value: Any) -> str:
    """Compact JSON text, as stored in `*_json` columns; lone surrogates of odd file names survive."""
    text = _COMPACT.encode(value)
    return text if _is_encodable(text) else json.dumps(value, separators=(",", ":"))


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _to_event(row: Row) -> Event:
    return Event(
        row["seq"],
        row["at"],
        row["topic"],
        row["subject_type"],
        row["subject_id"],
        row["actor"],
        json.loads(row["data_json"]),
    )
