"""The timeline of a job: every step with its time and attempt, and where the time of its pictures went."""

from __future__ import annotations

from hotfolder.database import Database
from hotfolder.domain.work import NewWork, WorkItem
from hotfolder.events import GENERATION_MADE, GENERATION_PROGRESS
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.library.timeline import PictureTime, Timeline, read_timeline
from hotfolder.queue.store import WorkStore


class Studio:
    """A job of one picture that is made step by step, while a clock is moved by hand."""

    def __init__(self, database: Database, clock) -> None:
        self.database, self.clock = database, clock
        self.jobs, self.generations = JobStore(database), GenerationStore(database)
        self.work = WorkStore(database)
        self._stages: dict[str, str] = {}
        with database.transaction() as tx:
            self.jobs.insert(tx, Job("j", "received", "spring/bay.yaml", "bay.yaml", b"", tx.at))
            self.jobs.set_status(tx, "j", "queued")
            values = ("local", "local.image", "text-to-image", {}, 64, 64, 5, "pending", tx.at)
            self.generations.insert(tx, Generation("g", "j", 0, *values), [])
            self.work.enqueue(tx, NewWork("make", "gpu", {}, "tests", "g", max_attempts=3))

    def claim(self, lane: str = "gpu") -> WorkItem:
        item = self.work.claim(lane)
        assert item is not None
        return item

    def reach(self, stage: str) -> None:
        self._stages.setdefault(stage, self.database.now())
        with self.database.transaction() as tx:
            tx.event(GENERATION_PROGRESS, "generation", "g", {"stages": self._stages})

    def fail(self, item: WorkItem, delay_s: float) -> None:
        self._stages = {}
        failed = item.failed_with("engine.crashed", "The engine crashed.")
        with self.database.transaction() as tx:
            self.work.retry(tx, failed, delay_s, "The engine crashed.\nIts last words: ...")

    def made(self, item: WorkItem) -> None:
        with self.database.transaction() as tx:
            self.work.complete(tx, item)
            tx.event(GENERATION_MADE, "generation", "g", {"stages": self._stages})
            tx.execute("DELETE FROM events WHERE topic = ?", (GENERATION_PROGRESS,))
            self.work.enqueue(tx, NewWork("save", "cpu", {}, "tests", "g"))

    def saved(self, item: WorkItem) -> None:
        with self.database.transaction() as tx:
            self.work.complete(tx, item)
            self.generations.set_status(tx, "g", "processing")
            self.generations.set_status(tx, "g", "completed")
            self.jobs.set_status(tx, "j", "running")
            self.jobs.set_status(tx, "j", "completed", actor="somebody")

    def timeline(self) -> Timeline:
        return read_timeline(self.database, "j")

    def picture(self) -> PictureTime:
        (picture,) = self.timeline().pictures
        return picture

    def seconds(self) -> list[tuple[str, float]]:
        return [(each.phase, each.ms / 1000) for each in self.picture().spans]


def test_picture_tells_how_long_it_waited_was_loading_sampled_and_saved(database, clock) -> None:
    studio = Studio(database, clock)
    clock.advance(10)
    item = studio.claim()
    clock.advance(2)  # it stands in line for the engine
    for stage, seconds in (("loading", 3), ("conditioning", 1), ("sampling", 20), ("saving", 0.5)):
        studio.reach(stage)
        clock.advance(seconds)
    studio.made(item)
    clock.advance(1)
    saving = studio.claim("cpu")
    clock.advance(0.25)
    studio.saved(saving)
    clock.advance(3600)

    assert studio.seconds() == [("waited", 12), ("loading", 3), ("sampling", 21), ("saving", 1.75)]
    assert studio.picture().total_ms() == 37_750
    assert studio.picture().total_ms("sampling") == 21_000


def test_picture_that_fails_twice_tells_each_attempt_with_its_error_and_its_time(database, clock) -> None:
    studio = Studio(database, clock)
    for _ in range(2):
        item = studio.claim()
        clock.advance(5)
        studio.fail(item, 30)
        clock.advance(30)
    item = studio.claim()
    studio.reach("sampling")
    clock.advance(7)
    studio.made(item)
    studio.saved(studio.claim("cpu"))

    steps = [each for each in studio.timeline().steps if each.task_type == "make"]
    told = [(each.before, each.after, each.attempt, each.code, each.at[14:19]) for each in steps]
    assert told == [
        (None, "pending", None, None, "00:00"),
        ("pending", "processing", 1, None, "00:00"),
        ("processing", "scheduled", 1, "engine.crashed", "00:05"),
        ("scheduled", "pending", None, None, "00:35"),
        ("pending", "processing", 2, None, "00:35"),
        ("processing", "scheduled", 2, "engine.crashed", "00:40"),
        ("scheduled", "pending", None, None, "01:10"),
        ("pending", "processing", 3, None, "01:10"),
        ("processing", "completed", 3, None, "01:17"),
    ]
    assert {each.error for each in steps} == {None, "The engine crashed."}
    assert studio.seconds() == [("lost", 5), ("waited", 30), ("lost", 5), ("waited", 30), ("sampling", 7)]


def test_picture_at_work_is_told_up_to_now(database, clock) -> None:
    studio = Studio(database, clock)
    clock.advance(4)
    assert studio.seconds() == [("waited", 4)]

    studio.claim()
    clock.advance(1)
    studio.reach("loading")
    clock.advance(2)

    assert studio.seconds() == [("waited", 5), ("loading", 2)]


def test_stages_of_an_attempt_that_failed_are_not_taken_for_those_of_the_next(database, clock) -> None:
    studio = Studio(database, clock)
    item = studio.claim()
    studio.reach("sampling")
    clock.advance(5)
    studio.fail(item, 0)
    studio.claim()
    clock.advance(3)

    assert studio.seconds() == [("lost", 5), ("waited", 3)]


def test_steps_of_a_job_name_who_did_what_and_say_more_in_a_note(database, clock) -> None:
    studio = Studio(database, clock)
    with database.transaction() as tx:
        studio.jobs.set_status(tx, "j", "held", actor="eve", reason="held by eve")
        tx.event("delivery.failed", "job", "j", {"code": "x", "message": "No.", "status": "dead"})

    job = [each for each in studio.timeline().steps if each.generation_id is None]

    assert [(each.what, each.before, each.after, each.note, each.actor) for each in job] == [
        ("job.received", None, None, "spring/bay.yaml", None),
        ("job.changed", "received", "queued", None, None),
        ("job.changed", "queued", "held", "held by eve", "eve"),
        ("delivery.failed", None, "dead", None, None),
    ]
    assert (job[-1].error, job[-1].code) == ("No.", "x")


def test_picture_of_an_earlier_run_is_told_too(database, clock) -> None:
    studio = Studio(database, clock)
    with database.transaction() as tx:
        studio.generations.detach(tx, "g")

    assert [each.position for each in studio.timeline().pictures] == [None]
    assert any(each.generation_id == "g" for each in studio.timeline().steps)


def test_job_whose_history_is_gone_has_an_empty_timeline(database, clock) -> None:
    studio = Studio(database, clock)
    with database.transaction() as tx:
        tx.execute("DELETE FROM events")

    assert studio.timeline().steps == ()
    assert studio.picture().spans == ()
    assert read_timeline(database, "nobody") == Timeline("nobody", (), ())


def test_events_are_found_by_their_subject(database) -> None:
    sql = "EXPLAIN QUERY PLAN SELECT * FROM events WHERE subject_id IN (SELECT value FROM json_each(?))"
    plan = [row["detail"] for row in database.query(sql, ("[]",))]

    assert plan[0] == "SEARCH events USING INDEX idx_events_subject (subject_id=?)"
