"""A library database on a clock that is moved by hand, and the queue in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hotfolder.database import Database
from hotfolder.domain.work import NewWork
from hotfolder.events import WORK_UPDATED, Doorbell
from hotfolder.migrations import migrate
from hotfolder.queue.store import WorkStore


class HandClock:
    """Stands still until it is moved."""

    def __init__(self):
        self.now = datetime(2026, 11, 21, 3, tzinfo=UTC)

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)


class Queue:
    """The store with the transactions around it, one a call, and a look at the rows."""

    def __init__(self, database, store):
        self.database = database
        self.store = store

    def put(self, subject="s", *, lane="gpu", task_type="paint", priority=0, max_attempts=3, payload=None):
        work = NewWork(task_type, lane, payload or {}, "tests", subject, priority, max_attempts)
        with self.database.transaction() as tx:
            return self.store.enqueue(tx, work)

    def claim(self, lane="gpu"):
        return self.store.claim(lane)

    def do(self, name, *values):
        """Call a method of the store that wants a transaction."""
        with self.database.transaction() as tx:
            return getattr(self.store, name)(tx, *values)

    def row(self, work_id):
        return dict(self.database.query_one("SELECT * FROM work_queue WHERE id = ?", (work_id,)))

    def status(self, work_id):
        return self.row(work_id)["status"]

    def changes(self, work_id):
        """The statuses that the events of an item tell, in order."""
        events = [each for each in self.database.list_events(0) if each.topic == WORK_UPDATED]
        return [event.data["status"] for event in events if event.subject_id == work_id]


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def doorbell():
    return Doorbell()


@pytest.fixture
def database(tmp_path, clock, doorbell):
    migrate(tmp_path / "library.db")
    opened = Database(tmp_path / "library.db", clock=clock, on_commit=doorbell.ring)
    yield opened
    opened.close()


@pytest.fixture
def queue(database):
    return Queue(database, WorkStore(database, lease_s=60.0))
