"""The queues that bench_queue compares: ours twice, and three from the package index, behind one interface.

All keep their items in a SQLite file in WAL mode with synchronous = NORMAL, take the same JSON text and give
the value it stands for. A turn writes down the end of one item and claims the next:

hotfolder           WorkStore's complete and take in one transaction, as its lanes do while there is work;
                    with leases, fencing tokens and events
hotfolder, bare     claim and end alone in our table, by its indexes: no events, leases, tokens, lane states
huey                puts a result into the result store, then dequeues, which forgets the item
huey, no results    dequeues alone: nothing is left of an item, whatever becomes of it
litequeue           done and pop
persist-queue       ack and get
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from hotfolder.clock import new_id
from hotfolder.database import Database, connect
from hotfolder.domain.work import NewWork, WorkItem
from hotfolder.events import Doorbell
from hotfolder.migrations import migrate
from hotfolder.queue.statements import INSERT_SQL
from hotfolder.queue.store import WorkStore

NORMAL = "PRAGMA synchronous = NORMAL"
_COUNTED = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?)"
_AT = "2026-01-01T00:00:00.000Z"
BARE_HEAD = """
    SELECT rowid, payload_json FROM work_queue WHERE status = 'pending' AND lane = 'io'
    ORDER BY rank, rowid LIMIT 1
"""
BARE_TAKE = """
    UPDATE work_queue
    SET status = 'processing', attempt_count = attempt_count + 1, started_at = ? WHERE rowid = ?
"""
BARE_COMPLETE = """
    UPDATE work_queue SET status = 'completed', completed_at = ? WHERE rowid = ? AND status = 'processing'
"""


class Queue(Protocol):
    """One contestant in a folder of its own."""

    name: str
    is_peer: bool
    keeps_ended: bool

    def put(self, text: str) -> object:
        """Add one item, committed."""

    def put_many(self, texts: Iterable[str]) -> bool:
        """Add many in one transaction; False where that cannot be done."""

    def claim(self) -> tuple[Any, Any]:
        """What the end has to be written down for, and the value."""

    def turn(self, claimed: Any) -> tuple[Any, Any]:
        """Write down the end of a claimed item and claim the next."""

    def fill(self, count: int, text: str, *, finished: bool) -> None:
        """Make so many finished or pending items, quickly."""

    def close(self) -> None:
        """Close the file."""


class Ours:
    """The store as the program uses it."""

    name = "hotfolder"
    is_peer = False
    keeps_ended = True

    def __init__(self, folder: Path) -> None:
        path = folder / "library.db"
        migrate(path)
        self._database = Database(path, on_commit=Doorbell().ring)
        self._store = WorkStore(self._database)

    def put(self, text: str) -> object:
        return self.put_many([text])

    def put_many(self, texts: Iterable[str]) -> bool:
        with self._database.transaction(durable=False) as tx:
            for text in texts:
                work = NewWork("bench.work", "io", json.loads(text), "bench", "subject")
                self._store.enqueue(tx, work)
        return True

    def claim(self) -> tuple[WorkItem, Any]:
        item = self._store.claim("io")
        assert item is not None
        return item, item.payload

    def turn(self, claimed: WorkItem) -> tuple[WorkItem, Any]:
        with self._database.transaction(durable=False) as tx:
            self._store.complete(tx, claimed)
            item = self._store.take(tx, "io")
        assert item is not None
        return item, item.payload

    def fill(self, count: int, text: str, *, finished: bool) -> None:
        fill_ours(self._database.connection(), count, text, finished=finished)

    def close(self) -> None:
        self._database.close()


class OursBare:
    """What our table and its indexes allow: an end and a claim in one transaction, nothing around them."""

    name = "hotfolder, bare"
    is_peer = False
    keeps_ended = True

    def __init__(self, folder: Path) -> None:
        migrate(folder / "library.db")
        self._connection = connect(folder / "library.db")
        self._connection.execute(NORMAL)
        self._rank = 0

    def put(self, text: str) -> object:
        return self._connection.execute(INSERT_SQL, self._values(text))

    def put_many(self, texts: Iterable[str]) -> bool:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(INSERT_SQL, map(self._values, texts))
        self._connection.execute("COMMIT")
        return True

    def _values(self, text: str) -> tuple[Any, ...]:
        self._rank += 1
        kind = ("bench.work", "io", "pending", 0, text, "subject", "bench", 3)
        given = (new_id(), *kind, _AT, _AT, self._rank)
        return given + (None,) * (INSERT_SQL.count("?") - len(given))

    def claim(self) -> tuple[int, Any]:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._take()

    def turn(self, claimed: int) -> tuple[int, Any]:
        self._connection.execute("BEGIN IMMEDIATE")
        done = self._connection.execute(BARE_COMPLETE, (_AT, claimed))
        assert done.rowcount == 1
        return self._take()

    def _take(self) -> tuple[int, Any]:
        execute = self._connection.execute
        place, text = execute(BARE_HEAD).fetchone()
        execute(BARE_TAKE, (_AT, place))
        execute("COMMIT")
        return place, json.loads(text)

    def fill(self, count: int, text: str, *, finished: bool) -> None:
        fill_ours(self._connection, count, text, finished=finished)

    def close(self) -> None:
        self._connection.close()


def fill_ours(connection: sqlite3.Connection, count: int, text: str, *, finished: bool) -> None:
    """With an event for each item: more than retention would leave of finished ones."""
    status, done = ("completed", _AT) if finished else ("pending", None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        f"""
        {_COUNTED} INSERT INTO work_queue
            (id, task_type, lane, status, priority, payload_json, correlation_id, owner_module, max_attempts,
             created_at, since, rank, completed_at)
        SELECT printf('0197%08x-%016x', n, n), 'bench.work', 'io', ?, 0, ?, 'subject', 'bench', 3,
            ?, ?, n - 1000000000, ?
        FROM c
        """,
        (count, status, text, _AT, _AT, done),
    )
    connection.execute(
        f"""
        {_COUNTED} INSERT INTO events (at, topic, subject_type, subject_id, data_json)
        SELECT ?, 'workQueue.updated', 'work', printf('0197%08x-%016x', n, n), ? FROM c
        """,
        (count, _AT, json.dumps({"status": status, "taskType": "bench.work"})),
    )
    connection.execute("COMMIT")


class Huey:
    """SqliteHuey."""

    name = "huey"
    is_peer = True
    keeps_ended = True

    def __init__(self, folder: Path) -> None:
        from huey import SqliteHuey

        self._storage = SqliteHuey(filename=str(folder / "huey.db")).storage
        self._storage.conn.execute(NORMAL)
        self._count = 0

    def put(self, text: str) -> object:
        return self._storage.enqueue(text.encode())

    def put_many(self, texts: Iterable[str]) -> bool:  # noqa: ARG002 - the protocol
        return False

    def claim(self) -> tuple[str, Any]:
        data = self._storage.dequeue()
        self._count += 1
        return f"{self._count:036}", json.loads(data)

    def turn(self, claimed: str) -> tuple[str, Any]:
        self._storage.put_data(claimed, b"true", is_result=True)
        return self.claim()

    def fill(self, count: int, text: str, *, finished: bool) -> None:
        table = "kv (queue, key, value) SELECT 'huey', printf('%064d', n), CAST('true' AS BLOB)"
        if not finished:
            text = text.replace("'", "''")
            table = f"task (queue, data, priority) SELECT 'huey', CAST('{text}' AS BLOB), 0"
        with self._storage.db(commit=True) as cursor:
            cursor.execute(f"{_COUNTED} INSERT INTO {table} FROM c", (count,))

    def close(self) -> None:
        self._storage.close()


class HueyForgetting(Huey):
    """SqliteHuey whose tasks give no results."""

    name = "huey, no results"
    keeps_ended = False

    def turn(self, claimed: str) -> tuple[str, Any]:  # noqa: ARG002 - the protocol
        return self.claim()


class Litequeue:
    """LiteQueue."""

    name = "litequeue"
    is_peer = True
    keeps_ended = True

    def __init__(self, folder: Path) -> None:
        from litequeue import LiteQueue

        self._queue = LiteQueue(str(folder / "lite.db"))
        self._queue.conn.execute(NORMAL)

    def put(self, text: str) -> object:
        return self._queue.put(text)

    def put_many(self, texts: Iterable[str]) -> bool:
        with self._queue.transaction():
            for text in texts:
                self._queue.put(text)
        return True

    def claim(self) -> tuple[str, Any]:
        message = self._queue.pop()
        return message.message_id, json.loads(message.data)

    def turn(self, claimed: str) -> tuple[str, Any]:
        self._queue.done(claimed)
        return self.claim()

    def fill(self, count: int, text: str, *, finished: bool) -> None:
        from litequeue import MessageStatus

        status = MessageStatus.DONE if finished else MessageStatus.READY
        sql = f"""
            {_COUNTED} INSERT INTO Queue (data, message_id, status, in_time)
            SELECT ?, printf('0197%08x-%016x', n, n), ?, n FROM c
        """
        with self._queue.transaction():
            self._queue.conn.execute(sql, (count, text, status.value))

    def close(self) -> None:
        self._queue.close()


class PersistQueue:
    """SQLiteAckQueue, which commits by itself."""

    name = "persist-queue"
    is_peer = True
    keeps_ended = True

    def __init__(self, folder: Path) -> None:
        from persistqueue import SQLiteAckQueue
        from persistqueue.serializers import json as as_json

        self._queue = SQLiteAckQueue(str(folder), serializer=as_json, auto_commit=True)
        self._queue._putter.execute(NORMAL)
        self._queue._getter.execute(NORMAL)

    def put(self, text: str) -> object:
        return self._queue.put(json.loads(text))

    def put_many(self, texts: Iterable[str]) -> bool:  # noqa: ARG002 - the protocol
        return False

    def claim(self) -> tuple[Any, Any]:
        found = self._queue.get(block=False, raw=True)
        return found["pqid"], found["data"]

    def turn(self, claimed: Any) -> tuple[Any, Any]:
        self._queue.ack(id=claimed)
        return self.claim()

    def fill(self, count: int, text: str, *, finished: bool) -> None:
        sql = f"{_COUNTED} INSERT INTO ack_queue_default (data, timestamp, status) SELECT ?, n, ? FROM c"
        with self._queue._putter as connection:
            connection.execute(sql, (count, text.encode(), 5 if finished else 1))

    def close(self) -> None:
        self._queue.close()


ALL: tuple[type[Queue], ...] = (Ours, OursBare, Huey, HueyForgetting, Litequeue, PersistQueue)
