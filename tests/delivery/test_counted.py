"""Deliveries are counted by how they end, and jobs of a flood by sharing its report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from hotfolder.app import Library, create_library, open_library
from hotfolder.clock import new_id
from hotfolder.config import load_settings
from hotfolder.delivery.flood import LIMIT
from hotfolder.delivery.results import ResultHandler
from hotfolder.generation.claimed import ClaimedFile
from hotfolder.generation.closing import DELIVER_RESULT
from hotfolder.library.metrics import MetricsStore
from hotfolder.metrics import DELIVERIES, REPORTS_SHARED
from hotfolder.queue.worker import Worker


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    create_library(tmp_path / "library")
    library = open_library(tmp_path / "library", load_settings(tmp_path / "library", {}))
    yield library
    library.close()


@pytest.fixture
def worker(library: Library) -> Worker:
    handler = ResultHandler(library.database, library.paths, library.jobs, library.generations, library.media)
    return Worker(
        *(library.database, library.work, {DELIVER_RESULT: handler}, {"io": 1}, library.doorbell),
        lease_s=60.0,
        jitter=lambda: 0.0,
    )


def count(library: Library, name: str, **labels: str) -> float:
    counters = MetricsStore(library.database).read().counters
    return sum(each.value for each in counters if (each.name, each.labels) == (name, labels))


def refuse(library: Library, number: int) -> None:
    """A job file that names no endpoint, taken in."""
    name, text = f"{number}.yaml", b"params: {prompt: A bay}\n"
    file = ClaimedFile(new_id(), name, PurePosixPath(name), text)
    library.service.take_in(file)


def test_a_result_in_its_place_is_a_completed_delivery(library: Library, worker: Worker) -> None:
    refuse(library, 1)

    while worker.run_one("io"):
        pass

    assert count(library, DELIVERIES, kind="result", outcome="completed") == 1
    assert count(library, REPORTS_SHARED) == 0


def test_a_result_that_cannot_be_written_is_a_failed_delivery(library: Library, worker: Worker) -> None:
    refuse(library, 1)
    library.paths.failed.rmdir()
    library.paths.failed.write_text("no folder")

    while worker.run_one("io"):
        pass
    with library.database.transaction() as tx:  # its pauses are over
        tx.execute("UPDATE work_queue SET run_at = NULL, status = 'pending' WHERE status = 'scheduled'")
    while worker.run_one("io"):
        pass

    ended = [count(library, DELIVERIES, kind="result", outcome=each) for each in ("failed", "dead")]
    assert sum(ended) == 1


def test_jobs_beyond_the_limit_of_a_minute_share_a_report(library: Library, worker: Worker) -> None:
    for number in range(LIMIT + 3):
        refuse(library, number)

    while worker.run_one("io"):
        pass

    assert count(library, DELIVERIES, kind="result", outcome="completed") == LIMIT + 3
    assert count(library, REPORTS_SHARED) == 3
