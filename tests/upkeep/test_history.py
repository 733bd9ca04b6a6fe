"""History: what ended long ago goes, what has not ended stays, and nobody waits for that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hotfolder.database import Database
from hotfolder.domain.work import NewWork
from hotfolder.events import ENGINE_STATUS, GENERATION_PROGRESS, LIBRARY_UPDATED
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.migrations import migrate
from hotfolder.queue.store import WorkStore
from hotfolder.upkeep.history import EVENTS_SQL, PROGRESS_SQL, WORK_SQL, History
from tests.upkeep.conftest import HandClock

DAY_S = 86_400.0


class House:
    """A database on a clock moved by hand, with jobs of one picture in it."""

    def __init__(self, database: Database, clock: HandClock) -> None:
        self.database, self.clock = database, clock
        self.jobs, self.generations = JobStore(database), GenerationStore(database)
        self.work = WorkStore(database)

    def add(self, job_id: str) -> str:
        """A job with a picture and its work; gives the id of the work."""
        with self.database.transaction() as tx:
            self.jobs.insert(tx, Job(job_id, "received", f"{job_id}.yaml", f"{job_id}.yaml", b"", tx.at))
            self.jobs.set_status(tx, job_id, "queued")
            values = ("local", "local.image", "text-to-image", {}, 64, 64, 5, "pending", tx.at)
            self.generations.insert(tx, Generation(f"{job_id}-g", job_id, 0, *values), [])
            return self.work.enqueue(tx, NewWork("paint", "gpu", {}, "tests", f"{job_id}-g"))

    def finish(self, job_id: str) -> None:
        """Make the picture that is next, and end the job."""
        item = self.work.claim("gpu")
        assert item is not None
        with self.database.transaction() as tx:
            self.work.complete(tx, item)
            self.generations.set_status(tx, item.correlation_id, "processing")
            tx.event(GENERATION_PROGRESS, "generation", item.correlation_id, {"jobId": job_id})
            self.generations.set_status(tx, item.correlation_id, "completed")
            self.jobs.set_status(tx, job_id, "running")
            self.jobs.set_status(tx, job_id, "completed")

    def tell(self, topic: str, kind: str, subject: str, **data: Any) -> None:
        with self.database.transaction() as tx:
            tx.event(topic, kind, subject, data)

    def subjects(self) -> set[str]:
        """Of whom there are events."""
        return {each.subject_id for each in self.database.list_events(0, 10_000)}

    def rows(self) -> set[str]:
        """The ids of the work."""
        return {row["id"] for row in self.database.query("SELECT id FROM work_queue")}

    def history(self, *, days: float = 30, events_max: int = 100_000, batch: int = 3) -> History:
        return History(self.database, days=days, events_max=events_max, batch=batch, pause_s=0.0)


@pytest.fixture
def house(tmp_path: Path, clock: HandClock) -> Iterator[House]:
    migrate(tmp_path / "library.db")
    database = Database(tmp_path / "library.db", clock=clock.instant)
    yield House(database, clock)
    database.close()


def prune(history: History) -> tuple[int, int]:
    return history.prune(threading.Event())


def test_job_that_ended_long_ago_leaves_no_work_and_no_events(house: House) -> None:
    house.add("old")
    house.finish("old")
    house.clock.advance(31 * DAY_S)
    young = house.add("young")

    work, events = prune(house.history())

    assert (work, events) == (1, 10)
    assert house.rows() == {young}
    assert house.subjects() == {"young", young}
    assert house.jobs.get("old").status == "completed", "what it made is no history"


def test_job_that_has_not_ended_keeps_its_whole_history(house: House) -> None:
    made, open_work = house.add("long"), house.add("other")
    item = house.work.claim("gpu")
    assert item is not None
    with house.database.transaction() as tx:
        house.work.complete(tx, item)
    before = house.database.list_events(0)
    house.clock.advance(400 * DAY_S)

    assert prune(house.history(events_max=1)) == (0, 0)

    assert house.database.list_events(0) == before
    assert house.rows() == {made, open_work}


def test_history_of_a_job_goes_as_a_whole_when_it_has_been_over_for_long_enough(house: House) -> None:
    work_id = house.add("long")
    house.clock.advance(40 * DAY_S)
    house.finish("long")
    house.clock.advance(29 * DAY_S)

    assert prune(house.history()) == (0, 0)
    assert house.rows() == {work_id}

    house.clock.advance(2 * DAY_S)
    house.tell("any.news", "thing", "a")
    assert prune(house.history())[0] == 1
    assert house.subjects() == {"a"}


def test_of_too_many_events_the_oldest_go_first_but_none_of_what_has_not_ended(house: House) -> None:
    unfinished = house.add("unfinished")
    for number in range(20):
        house.add(f"job{number:02}")
        item = house.work.claim("gpu")  # the oldest first: that of the unfinished job is never completed
        assert item is not None
        house.clock.advance(1)
    for number in range(20):
        end(house, f"job{number:02}")

    before = house.database.list_events(0, 10_000)

    prune(house.history(events_max=100))

    unfinished_ones = [each for each in before if each.subject_id in ("unfinished", unfinished)]
    others = [each for each in before if each not in unfinished_ones]
    left = 90 - len(unfinished_ones)  # a tenth more is gone than had to be
    assert len(before) > 120
    assert house.database.list_events(0, 10_000) == [*unfinished_ones, *others[-left:]]


def end(house: House, job_id: str) -> None:
    with house.database.transaction() as tx:
        house.generations.set_status(tx, f"{job_id}-g", "failed")
        house.jobs.set_status(tx, job_id, "failed")
        for item in house.work.list_of(f"{job_id}-g"):
            if item.status == "processing":
                house.work.end(tx, item, "failed", "no")
            else:
                house.work.cancel_waiting(tx, f"{job_id}-g", "paint")


def test_latest_word_of_an_engine_is_kept_however_old_it_is(house: House) -> None:
    for state in ("starting", "ready"):
        house.tell(ENGINE_STATUS, "engine", "cn-engine", state=state)
    house.tell(LIBRARY_UPDATED, "media", "m", added="x")
    house.clock.advance(400 * DAY_S)
    house.tell("any.news", "thing", "a")

    prune(house.history())

    assert [each.data for each in house.database.list_events(0)] == [{"state": "ready"}, {}]


def test_newest_event_stays_so_that_followers_know_where_they_are(house: House) -> None:
    house.add("old")
    house.finish("old")
    newest = house.database.last_event_seq()
    house.clock.advance(400 * DAY_S)

    prune(house.history(events_max=1))
    house.history().prune_progress(threading.Event())

    assert house.database.last_event_seq() == newest


def test_progress_of_pictures_that_have_ended_goes_soon(house: House) -> None:
    house.add("ended")
    house.finish("ended")
    house.add("other")
    house.tell(GENERATION_PROGRESS, "generation", "other-g", jobId="other")
    history = house.history()
    assert history.prune_progress(threading.Event()) == 0, "onlookers may not have seen it yet"

    house.clock.advance(61)

    assert history.prune_progress(threading.Event()) == 1
    left = [each.subject_id for each in house.database.list_events(0) if each.topic == GENERATION_PROGRESS]
    assert left == ["other-g"]


def test_other_work_goes_once_it_has_ended_long_ago(house: House) -> None:
    with house.database.transaction() as tx:
        house.work.enqueue(tx, NewWork("import", "cpu", {}, "imports", "m1"))
        waiting = house.work.enqueue(tx, NewWork("import", "cpu", {}, "imports", "m2"))
    item = house.work.claim("cpu")
    assert item is not None
    with house.database.transaction() as tx:
        house.work.complete(tx, item)
    house.clock.advance(31 * DAY_S)
    house.tell("any.news", "thing", "a")

    assert prune(house.history())[0] == 1

    assert house.rows() == {waiting}
    assert house.subjects() == {waiting, "a"}


def test_prune_ends_soon_when_told_to_stop(house: House) -> None:
    house.add("old")
    house.finish("old")
    house.clock.advance(31 * DAY_S)
    stop = threading.Event()
    stop.set()

    assert house.history().prune(stop) == (0, 0)
    assert house.history().prune_progress(stop) == 0


def test_writers_get_their_turn_while_much_is_removed(house: House) -> None:
    with house.database.transaction() as tx:
        for number in range(20_000):
            tx.event(LIBRARY_UPDATED, "media", f"m{number}", {})
    house.clock.advance(timedelta(days=31).total_seconds())
    stop = threading.Event()
    history = History(house.database, days=30, events_max=100_000)
    pruning = threading.Thread(target=history.prune, args=(stop,))
    pruning.start()

    with house.database.transaction(wait_s=2.0) as tx:  # raises when it has to wait longer
        tx.event("any.news", "thing", "a", {})

    was_at_it = pruning.is_alive()
    stop.set()
    pruning.join(10.0)
    assert was_at_it
    assert len(house.database.list_events(0, 30_000)) > 10_000


VALUES = {"ended": "2026", "number": 0, "newest": 9, "batch": 5}


@pytest.mark.parametrize(
    ("sql", "start"),
    [
        (WORK_SQL, "SEARCH w USING INTEGER PRIMARY KEY (rowid>?)"),
        (EVENTS_SQL, "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (PROGRESS_SQL, "SEARCH e USING INDEX idx_events_topic (topic=? AND seq<?)"),
    ],
)
def test_a_batch_is_found_without_reading_a_table_from_end_to_end(house: House, sql: str, start: str) -> None:
    plan = [row["detail"] for row in house.database.query("EXPLAIN QUERY PLAN " + sql, VALUES)]

    assert plan[0].startswith(start), plan
    assert not any(each.startswith("SCAN") or "TEMP B-TREE" in each for each in plan), plan


def test_changes_of_pictures_are_kept_as_far_as_somebody_may_follow_them(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hotfolder.upkeep.history.CHANGES_KEPT", 10)
    with house.database.transaction() as tx:
        for number in range(1, 1201):
            tx.execute("INSERT INTO media_changes (number) VALUES (?)", (number,))

    removed = History(house.database, days=1, events_max=1000, batch=500, pause_s=0).prune_changes(
        threading.Event()
    )

    assert removed == 1190
    rows = house.database.query("SELECT seq FROM media_changes ORDER BY seq")
    assert [row[0] for row in rows] == list(range(1191, 1201))
