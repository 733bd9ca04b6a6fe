"""What the worker counts: attempts that are followed by another, and leases that were lost."""

from __future__ import annotations

import pytest

from hotfolder.domain.work import NewWork
from hotfolder.errors import HotfolderError
from hotfolder.library.metrics import MetricsStore
from hotfolder.metrics import LEASE_LOSSES, WORK_ENDED, WORK_RETRIES
from hotfolder.queue.store import WorkStore
from hotfolder.queue.worker import Done, Worker


class Painter:
    """Does what the test says, and takes notes of nothing."""

    def __init__(self, act):
        self._act = act

    def execute(self, item, interrupt):
        self._act()
        return Done(lambda tx: None)

    def returned(self, tx, item):
        pass

    def ended(self, tx, item, status, error):
        pass


@pytest.fixture
def paint(database, doorbell):
    """Runs one new piece of work in the lane gpu, whose doing is given; gives all counters."""
    store = WorkStore(database)

    def run(act):
        worker = Worker(
            database, store, {"paint": Painter(act)}, {"gpu": 1}, doorbell, lease_s=60.0, jitter=lambda: 0.0
        )
        with database.transaction() as tx:
            store.enqueue(tx, NewWork("paint", "gpu", {}, "tests", "s", max_attempts=2))
        while worker.run_one("gpu"):
            pass
        return {
            (each.name, *each.labels.values()): each.value for each in MetricsStore(database).read().counters
        }

    return run


def test_a_failed_attempt_is_a_retry_and_the_last_one_is_not(paint):
    def fail():
        raise HotfolderError("no", retryable=True)

    counted = paint(fail)

    assert counted == {(WORK_RETRIES, "gpu"): 1, (WORK_ENDED, "gpu", "dead"): 1}


def test_work_that_waits_for_what_is_nobodys_fault_is_no_retry(paint):
    class FullDisk(HotfolderError):
        spends_attempt = False

    def wait():
        raise FullDisk("full", retryable=True)

    assert paint(wait) == {}


def test_a_lease_that_was_lost_is_counted(paint, database):
    def lose():
        with database.transaction() as tx:
            tx.execute("UPDATE work_queue SET lease_token = 'of another'")

    assert paint(lose) == {(LEASE_LOSSES, "gpu"): 1}
