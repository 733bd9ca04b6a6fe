"""The status folder tells the truth soon, also with a long queue, a full disk and a sudden stop."""

from __future__ import annotations

import errno
import json
import threading
import time

import pytest

from hotfolder.app import create_library
from hotfolder.database import Database
from hotfolder.delivery import status as status_module
from hotfolder.delivery.status import StatusWriter
from hotfolder.domain.work import NewWork
from hotfolder.events import ENGINE_STATUS, GENERATION_PROGRESS, Doorbell
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import write_json
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.queue.store import WorkStore

LIMIT_S = 20.0
MANY = 3_000


class Reports:
    """A library with a status writer, and jobs put straight into it."""

    def __init__(self, root):
        create_library(root)
        self.paths = LibraryPaths(root)
        self.doorbell = Doorbell()
        self.database = Database(self.paths.database, on_commit=self.doorbell.ring)
        self.jobs = JobStore(self.database)
        self.generations = GenerationStore(self.database)
        self.work = WorkStore(self.database)
        self.writer = self.new_writer()

    def new_writer(self):
        return StatusWriter(self.database, self.paths, self.jobs, self.generations, self.work, self.doorbell)

    def queue(self, *job_ids, status="queued"):
        with self.database.transaction() as tx:
            for job_id in job_ids:
                name = f"{job_id}.yaml"
                self.jobs.insert(tx, Job(job_id, "received", name, name, b"prompt: a tree", tx.at))
                self.jobs.set_status(tx, job_id, status)
                self.generations.insert(tx, _generation(job_id, tx.at), [])
                self.work.enqueue(tx, NewWork("paint", "gpu", {}, "tests", f"{job_id}-g"))

    def set_status(self, job_id, status):
        with self.database.transaction() as tx:
            self.jobs.set_status(tx, job_id, status)

    def run(self, job_id):
        self.set_status(job_id, "running")
        with self.database.transaction() as tx:
            self.generations.set_status(tx, f"{job_id}-g", "processing")

    def run_engine(self, state):
        with self.database.transaction() as tx:
            tx.event(ENGINE_STATUS, "engine", "cn-engine", {"state": state})

    def progress(self, job_id, step):
        data = {"jobId": job_id, "stage": "sampling", "currentStep": step, "totalSteps": 9}
        with self.database.transaction() as tx:
            tx.event(GENERATION_PROGRESS, "generation", f"{job_id}-g", data)

    def learn(self, seconds):
        """A picture of the same endpoint was made, and took so long."""
        with self.database.transaction() as tx:
            self.jobs.insert(tx, Job("earlier", "received", "e.yaml", "e.yaml", b"", tx.at))
            self.generations.insert(tx, _generation("earlier", tx.at), [])
            sql = "UPDATE generations SET status = 'completed', completed_at = ?, total_time_ms = ?"
            tx.execute(sql, (tx.at, 1000 * seconds))

    def eta_s(self, job_id):
        """What is left of a job as its file says; None when it does not."""
        found = self.read(job_id)
        return found and found["progress"]["etaSeconds"]

    def read(self, job_id):
        """What a job's file says; None without one."""
        try:
            return json.loads(self.paths.status_json(job_id).read_text())
        except FileNotFoundError:
            return None

    def says(self, job_id, status):
        found = self.read(job_id)
        return found is not None and found["status"] == status

    def count(self):
        return sum(1 for _ in (self.paths.root / "status").glob("*.json"))

    def is_gone(self, job_id):
        return not self.paths.status_json(job_id).exists() and not self.paths.status_text(job_id).exists()


def _generation(job_id, at):
    return Generation(
        generation_id=f"{job_id}-g",
        job_id=job_id,
        position=0,
        provider="local",
        endpoint_key="local.test",
        mode="text-to-image",
        params={"prompt": "a tree"},
        width=64,
        height=64,
        seed=1,
        status="pending",
        created_at=at,
    )


def until(promise, limit_s=LIMIT_S):
    """Whether something becomes true within the limit."""
    pause = threading.Event()
    deadline = time.monotonic() + limit_s
    while not promise():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.01)
    return True


@pytest.fixture
def reports(tmp_path):
    made = Reports(tmp_path / "library")
    yield made
    made.writer.stop()
    made.database.close()


@pytest.fixture
def writes(monkeypatch):
    """The real writing of JSON files, with the moments of the writes of each job."""
    moments = {}

    def write_noting(path, value):
        write_json(path, value)
        moments.setdefault(path.stem, []).append(time.monotonic())

    monkeypatch.setattr(status_module, "write_json", write_noting)
    return moments


class TestTheForecast:
    def test_job_that_has_just_come_in_is_told_its_own_time_and_the_wait_before_it(self, reports):
        reports.learn(4)
        reports.writer.start()

        reports.queue("a")
        assert until(lambda: reports.eta_s("a") == 4.0)
        reports.queue("b")

        assert until(lambda: reports.eta_s("b") == 8.0, limit_s=5.0)
        assert reports.read("b")["progress"]["etaRangeSeconds"] == [4.0, 16.0]

    def test_nobody_is_told_an_end_while_the_engine_is_out_of_order(self, reports):
        reports.learn(4)
        reports.writer.start()
        reports.run_engine("error")

        reports.queue("a")
        assert until(lambda: reports.says("a", "queued"))
        assert reports.eta_s("a") is None
        reports.run_engine("ready")
        reports.queue("b")

        assert until(lambda: reports.eta_s("b") == 8.0)


class TestALongQueue:
    def test_start_returns_at_once_and_a_change_is_seen_during_the_first_round(self, reports):
        reports.queue(*(f"job-{number:05}" for number in range(MANY)))
        last = f"job-{MANY - 1:05}"

        began_at_s = time.monotonic()
        reports.writer.start()
        start_s = time.monotonic() - began_at_s
        assert until(lambda: reports.count() > 0)
        reports.set_status(last, "running")
        is_seen = until(lambda: reports.says(last, "running"), 2.0)
        files = reports.count()

        assert start_s < 0.5
        assert is_seen
        assert 0 < files < MANY

    def test_a_stop_during_the_first_round_ends_it_promptly(self, reports):
        reports.queue(*(f"job-{number:05}" for number in range(MANY)))
        reports.writer.start()
        assert until(lambda: reports.count() > 0)

        began_at_s = time.monotonic()
        reports.writer.stop()
        stop_s = time.monotonic() - began_at_s

        assert stop_s < 2.0
        assert reports.count() < MANY
        assert not [each for each in threading.enumerate() if each.name == "status"]

    def test_only_the_head_of_the_queue_is_kept_up_to_date(self, reports, writes, monkeypatch):
        monkeypatch.setattr(status_module, "WAITING_INTERVAL_S", 0.2)
        monkeypatch.setattr(status_module, "NEXT_ITEMS", 2)
        reports.queue("a", "b", "c", "d", "e")
        reports.writer.start()
        assert until(lambda: reports.count() == 5)

        reports.work.claim("gpu")

        assert until(lambda: reports.read("b")["progress"]["queuePosition"] == 0)
        assert until(lambda: reports.read("c")["progress"]["queuePosition"] == 1)
        assert [reports.read(each)["progress"]["queuePosition"] for each in "de"] == [3, 4]
        assert [len(writes[each]) for each in "de"] == [1, 1]


class TestTheFolderAtTheStart:
    def test_what_an_earlier_run_left_is_put_right(self, reports):
        reports.queue("ended", "waiting", "stale")
        folder = reports.paths.root / "status"
        for name in ("ended.json", "ended.txt", "unknown.json", "only-a-line.txt", ".half.json.tmp"):
            (folder / name).write_text("{}")
        (folder / "stale.json").write_text('{"status": "running"}')
        reports.set_status("ended", "cancelled")

        reports.writer.start()

        expected = {"waiting.json", "waiting.txt", "stale.json", "stale.txt"}
        assert until(lambda: {each.name for each in folder.iterdir()} == expected)
        assert until(lambda: reports.says("stale", "queued"))

    def test_a_file_that_is_right_is_not_written_again(self, reports, writes):
        reports.queue("old")
        reports.writer.start()
        assert until(lambda: "old" in writes)
        reports.writer.stop()
        reports.queue("new")

        reports.writer = reports.new_writer()
        reports.writer.start()
        reports.queue("marker")

        assert until(lambda: "marker" in writes and "new" in writes)
        reports.writer.stop()
        assert {job_id: len(moments) for job_id, moments in writes.items()} == dict.fromkeys(
            ("old", "new", "marker"), 1
        )


class TestFailures:
    def test_a_write_that_fails_once_is_made_good(self, reports, monkeypatch):
        failures = []

        def fail_once(path, value):
            if path.stem == "a" and value["status"] == "held" and not failures:
                failures.append(path)
                raise OSError(errno.ENOSPC, "No space left on device")
            write_json(path, value)

        reports.queue("a")
        reports.writer.start()
        assert until(lambda: reports.says("a", "queued"))
        monkeypatch.setattr(status_module, "write_json", fail_once)

        reports.set_status("a", "held")

        assert until(lambda: reports.says("a", "held"))
        assert len(failures) == 1

    def test_the_files_of_an_ended_job_go_even_if_the_first_removal_fails(self, reports):
        reports.queue("a")
        reports.writer.start()
        assert until(lambda: reports.says("a", "queued"))
        file = reports.paths.status_json("a")
        file.unlink()
        (file / "in the way").mkdir(parents=True)  # a folder cannot be removed as a file

        reports.set_status("a", "cancelled")
        assert until(lambda: "a" in reports.writer._failed)
        (file / "in the way").rmdir()
        file.rmdir()

        assert until(lambda: reports.is_gone("a"))

    def test_a_job_that_cannot_be_written_does_not_hold_up_the_others(self, reports):
        (reports.paths.status_json("a") / "in the way").mkdir(parents=True)
        reports.queue("a", "b")

        reports.writer.start()

        assert until(lambda: reports.says("b", "queued"))
        reports.set_status("b", "held")
        assert until(lambda: reports.says("b", "held"))


class TestHowOften:
    def test_a_running_job_is_written_at_most_twice_a_second(self, reports, writes):
        reports.queue("a")
        reports.run("a")
        reports.writer.start()
        assert until(lambda: "a" in writes)
        steps = iter(range(1, 10_000))

        def is_written_often():
            reports.progress("a", next(steps))
            return len(writes["a"]) >= 3

        assert until(is_written_often)

        gaps_s = [later - earlier for earlier, later in zip(writes["a"], writes["a"][1:], strict=False)]
        assert min(gaps_s) >= status_module.INTERVAL_S * 0.9
        assert max(gaps_s) < 2.0

    def test_an_unchanged_status_costs_no_write(self, reports, writes, monkeypatch):
        monkeypatch.setattr(status_module, "WAITING_INTERVAL_S", 0.1)
        rounds = []
        list_pending = reports.work.list_pending
        monkeypatch.setattr(
            reports.work, "list_pending", lambda *args: rounds.append(args) or list_pending(*args)
        )
        reports.queue("a", "b")

        reports.writer.start()

        assert until(lambda: len(rounds) >= 3)
        assert {job_id: len(moments) for job_id, moments in writes.items()} == {"a": 1, "b": 1}

    def test_a_waiting_job_is_written_at_once_when_its_state_changes(self, reports, writes):
        reports.queue("a")
        reports.writer.start()
        assert until(lambda: "a" in writes)

        reports.set_status("a", "held")

        assert until(lambda: reports.says("a", "held"), 2.0)

    def test_what_is_known_of_a_job_is_forgotten_when_it_ends(self, reports):
        reports.queue("a")
        reports.writer.start()
        assert until(lambda: reports.says("a", "queued"))

        reports.set_status("a", "cancelled")

        assert until(lambda: reports.is_gone("a"))
        reports.writer.stop()
        assert reports.writer._written == {}


class TestTheStop:
    def test_a_change_just_before_the_stop_reaches_its_file(self, reports):
        reports.queue("a")
        reports.writer.start()
        assert until(lambda: reports.says("a", "queued"))

        reports.set_status("a", "held")
        reports.writer.stop()

        assert reports.says("a", "held")

    def test_a_thread_that_hangs_is_left_alone(self, reports, monkeypatch):
        monkeypatch.setattr(status_module, "JOIN_S", 0.05)
        in_hand, go_on, threads = threading.Event(), threading.Event(), set()

        def write_slowly(path, value):
            threads.add(threading.current_thread().name)
            in_hand.set()
            go_on.wait(LIMIT_S)
            write_json(path, value)

        monkeypatch.setattr(status_module, "write_json", write_slowly)
        reports.queue("a", "b")
        reports.writer.start()
        assert in_hand.wait(LIMIT_S)

        reports.set_status("b", "held")
        reports.writer.stop()
        is_untouched = reports.read("b") is None

        monkeypatch.setattr(status_module, "JOIN_S", LIMIT_S)
        go_on.set()
        reports.writer.stop()
        assert is_untouched
        assert threads == {"status"}

    def test_a_writer_that_never_started_can_be_stopped(self, reports):
        reports.writer.stop()

        assert reports.count() == 0
