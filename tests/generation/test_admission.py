"""Whose a job is, when it waits for limits, and that nobody waits long for somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotfolder.database import Database
from hotfolder.domain.generation import JobStatus
from hotfolder.domain.limits import LimitRules, OwnerRules
from hotfolder.domain.work import NewWork, WorkItem
from hotfolder.errors import BacklogFull, NotFound, QueueError
from hotfolder.generation.admission import Admission, Verdict
from hotfolder.library.jobs import Job, JobStore
from hotfolder.library.owners import OwnerStore
from hotfolder.migrations import migrate
from hotfolder.queue.store import WorkStore


class Studio:
    """Jobs that come, wait, run one at a time and end, on a clock that is moved by hand."""

    def __init__(self, path: Path) -> None:
        self.now = datetime(2026, 11, 21, 3, tzinfo=UTC)
        migrate(path)
        self.database = Database(path, clock=lambda: self.now)
        self.jobs = JobStore(self.database)
        self.work = WorkStore(self.database)
        self.started: list[str] = []
        self.set_rules(LimitRules())

    def set_rules(self, limits: LimitRules) -> None:
        self.admission = Admission(self.database, limits, OwnerStore(self.database))

    def limit(self, *, depth: int | None = None, **owners: OwnerRules) -> None:
        self.set_rules(LimitRules(queue_depth=depth, owners=owners))

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def submit(self, job_id: str, owner: str | None = None, priority: int = 0) -> Verdict:
        with self.database.transaction() as tx:
            self.jobs.insert(
                tx, Job(job_id, "received", "a.yaml", "a.yaml", b"", tx.at, owner=owner, priority=priority)
            )
            verdict = self.admission.decide(tx, job_id, owner)
            status: JobStatus = "queued" if verdict.is_admitted else "backlogged"
            self.jobs.set_status(tx, job_id, status, reason=verdict.reason)
            self.jobs.set_backlog_rank(tx, job_id, self.admission.rank_of(self.jobs.get(job_id)))
            if verdict.is_admitted:
                self.work.enqueue(tx, NewWork("paint", "gpu", {}, "tests", job_id, priority))
        return verdict

    def let_in(self) -> list[str]:
        """What the service does from time to time."""
        return [each for each in self.admission.list_due() if self.ask_again(each).is_admitted]

    def ask_again(self, job_id: str) -> Verdict:
        with self.database.transaction() as tx:
            job = self.jobs.get(job_id)
            verdict = self.admission.decide(tx, job_id, job.owner)
            if verdict.is_admitted:
                self.jobs.set_status(tx, job_id, "queued")
                self.work.enqueue(tx, NewWork("paint", "gpu", {}, "tests", job_id, job.priority))
        return verdict

    def start(self) -> WorkItem | None:
        item = self.work.claim("gpu")
        if item is not None:
            self.started.append(item.correlation_id)
            with self.database.transaction() as tx:
                self.jobs.set_status(tx, item.correlation_id, "running")
        return item

    def end(self, item: WorkItem) -> None:
        with self.database.transaction() as tx:
            self.work.complete(tx, item)
            self.jobs.set_status(tx, item.correlation_id, "completed")

    def run_one(self, seconds: float = 1) -> None:
        """The next job from its start to its end."""
        item = self.start()
        self.wait(seconds)
        if item is not None:
            self.end(item)

    def status(self, job_id: str) -> str:
        return self.jobs.get(job_id).status

    def told(self, topic: str) -> int:
        return len([each for each in self.database.list_events(0) if each.topic == topic])


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(tmp_path / "library.db")
    yield studio
    studio.database.close()


def test_owner_folder_wins_over_the_owner_that_a_job_names(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(folder="anna", priority_max=10))

    assert studio.admission.owner_of(PurePosixPath("anna/spring"), "ben") == "anna"
    assert studio.admission.owner_of(PurePosixPath("spring"), "ben") == "ben"
    assert studio.admission.owner_of(PurePosixPath(), "") is None
    assert studio.admission.priority_of("anna", 50)[0] == 10
    assert studio.admission.priority_of("ben", 50) == (50, None)


def test_everybody_is_let_in_where_nothing_is_limited(studio: Studio) -> None:
    assert all(studio.submit(f"j{each}") == Verdict(True) for each in range(20))
    assert studio.admission.list_due() == []


def test_job_without_a_row_cannot_be_decided(studio: Studio) -> None:
    with pytest.raises(NotFound), studio.database.transaction() as tx:
        studio.admission.decide(tx, "none", None)


def test_jobs_over_the_number_at_one_time_wait_until_one_ends(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(active_jobs=2))

    verdicts = [studio.submit(f"a{each}", "anna") for each in range(4)]

    assert [each.is_admitted for each in verdicts] == [True, True, False, False]
    assert verdicts[2].code == "queue.active_jobs"
    assert verdicts[2].reason == ("over limit: of jobs of anna at most 2 may be queued or run at one time")
    assert studio.let_in() == []
    studio.run_one()
    assert studio.let_in() == ["a2"]
    studio.run_one()
    studio.run_one()
    assert studio.let_in() == ["a3"]
    assert studio.submit("b0", "ben").is_admitted


def test_job_does_not_count_against_itself(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(active_jobs=1))
    studio.submit("a0", "anna")

    with studio.database.transaction() as tx:
        assert studio.admission.decide(tx, "a0", "anna").is_admitted


def test_jobs_over_the_rate_wait_for_the_next_token(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(submissions_per_minute=2))

    verdicts = [studio.submit(f"a{each}", "anna") for each in range(4)]

    assert [each.is_admitted for each in verdicts] == [True, True, False, False]
    assert (verdicts[2].code, verdicts[2].wait_s, verdicts[3].wait_s) == ("queue.rate_limited", 30, 60)
    studio.wait(29)
    assert studio.let_in() == []
    studio.wait(1)
    assert studio.let_in() == ["a2"]
    studio.wait(60)
    assert studio.let_in() == ["a3"]


def test_token_is_spent_only_by_a_job_that_is_let_in(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(submissions_per_minute=2, active_jobs=1))
    studio.submit("a0", "anna")

    for each in range(1, 10):
        assert studio.submit(f"a{each}", "anna").code == "queue.active_jobs"
    studio.run_one(0)

    assert studio.let_in() == ["a1"]


def test_owners_without_rules_of_their_own_share_those_of_default_but_no_tokens(studio: Studio) -> None:
    studio.limit(default=OwnerRules(submissions_per_minute=1, active_jobs=1))

    assert [studio.submit(f"{each}", each).is_admitted for each in ("ben", "carl", None)] == [True] * 3
    assert [studio.submit(f"{each}2", each).is_admitted for each in ("ben", "carl", None)] == [False] * 3
    rows = studio.database.query("SELECT owner FROM owner_rates ORDER BY owner")
    assert [row["owner"] for row in rows] == ["", "ben", "carl"]


def test_clock_that_was_put_back_by_a_year_stops_nobody_for_a_year(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(submissions_per_minute=1))
    studio.submit("a0", "anna")
    studio.submit("a1", "anna")
    studio.wait(-365 * 86_400)

    assert studio.let_in() == []  # it gives nothing
    studio.wait(60)
    assert studio.let_in() == ["a1"]


def test_low_priorities_wait_from_a_full_queue_on_until_half_is_left(studio: Studio) -> None:
    studio.limit(depth=4)
    for each in range(4):
        assert studio.submit(f"j{each}").is_admitted

    low = studio.submit("low", priority=-1)
    assert (low.code, low.is_admitted) == ("queue.depth", False)
    assert low.reason == (
        "over limit: the queue is full; priorities below 0 wait until 2 jobs are left in it"
    )
    assert studio.submit("more").is_admitted
    for _ in range(2):
        studio.run_one()
        assert studio.let_in() == []
    studio.run_one()
    assert studio.let_in() == ["low"]
    assert (studio.told("limits.closed"), studio.told("limits.opened")) == (1, 1)


def test_queue_that_opens_lets_no_more_in_than_it_holds_and_owners_take_turns(studio: Studio) -> None:
    studio.limit(depth=4)
    for each in range(4):
        studio.submit(f"j{each}")
    for owner in ("anna", "ben"):
        for each in range(10):
            studio.wait(1)
            studio.submit(f"{owner}{each}", owner, priority=-1)
    studio.run_one()
    studio.run_one()

    assert studio.admission.list_due() == ["anna0", "ben0"]
    assert studio.let_in() == ["anna0", "ben0"]
    assert studio.let_in() == []


def test_that_the_queue_is_no_longer_full_is_told_when_nobody_waits(studio: Studio) -> None:
    studio.limit(depth=2)
    for each in range(3):
        studio.submit(f"j{each}")
    assert studio.admission.list_due() == []
    assert studio.told("limits.closed") == 1

    for _ in range(3):
        studio.run_one()
    studio.admission.list_due()

    assert studio.told("limits.opened") == 1


def test_queue_that_is_not_limited_any_more_is_open(studio: Studio) -> None:
    studio.limit(depth=2)
    for each in range(2):
        studio.submit(f"j{each}")
    assert not studio.submit("low", priority=-5).is_admitted

    studio.limit()

    assert studio.let_in() == ["low"]
    assert studio.told("limits.opened") == 1


def test_nobody_overtakes_those_of_the_same_owner_that_wait_already(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(active_jobs=1))
    studio.submit("a0", "anna")
    studio.submit("a1", "anna")
    studio.run_one()  # there is room now, but a1 has not been let in yet

    late = studio.submit("a2", "anna")

    assert late.code == "queue.in_line"
    assert late.reason == "over limit: other jobs of anna wait ahead of this one"
    assert studio.submit("urgent", "anna", priority=5).is_admitted
    assert studio.submit("b0", "ben").is_admitted


def test_job_that_waits_for_something_else_keeps_nobody_and_is_asked_again(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(active_jobs=1))
    studio.submit("a0", "anna")
    studio.submit("poor", "anna")
    with studio.database.transaction() as tx:
        tx.execute("UPDATE jobs SET wait_reason = 'no credit' WHERE id = 'poor'")
    studio.submit("a1", "anna")
    studio.run_one()

    assert studio.admission.list_due() == ["a1", "poor"]
    assert studio.submit("urgent", "anna", priority=1).is_admitted


def test_all_that_wait_for_something_else_are_asked_again_in_turn(studio: Studio) -> None:
    with studio.database.transaction() as tx:
        for each in range(120):
            studio.jobs.insert(tx, Job(f"j{each}", "received", "a.yaml", "a.yaml", b"", tx.at))
            studio.jobs.set_status(tx, f"j{each}", "backlogged", reason="no credit")

    rounds = [studio.admission.list_due() for _ in range(4)]

    assert [len(each) for each in rounds] == [50, 50, 20, 50]
    assert {job_id for each in rounds for job_id in each} == {f"j{each}" for each in range(120)}


def test_waiting_jobs_go_by_priority_then_age_and_owner_by_owner(studio: Studio) -> None:
    studio.limit(default=OwnerRules(submissions_per_minute=3))
    for owner in ("zoe", None, "anna"):
        for each in range(3):
            studio.submit(f"first-{owner}{each}", owner)
    for each, priority in enumerate([0, 0, 9, 0]):
        for owner in ("zoe", None, "anna"):
            studio.wait(0.01)
            studio.submit(f"{owner}{each}", owner, priority)
    studio.wait(60)

    turns = ["zoe2", "None2", "anna2", "zoe0", "None0", "anna0", "zoe1", "None1", "anna1"]
    assert studio.admission.list_due() == turns
    assert studio.let_in() == turns


def test_wait_is_told_from_the_pace_of_the_owners_own_jobs(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(active_jobs=1))
    studio.submit("a0", "anna")
    assert studio.submit("a1", "anna").wait_s is None  # nothing is known yet
    studio.submit("a2", "anna")
    for owner in ("ben", "ben", "ben", "ben"):
        studio.submit(f"b{studio.now}", owner)
        studio.wait(0.1)
    for _ in range(20):
        studio.run_one(40 if studio.status("a1") != "completed" else 0)
        studio.let_in()
    studio.submit("a3", "anna")

    ends = [studio.jobs.get(each).completed_at or "" for each in ("a0", "a2")]
    gap_s = (datetime.fromisoformat(ends[1]) - datetime.fromisoformat(ends[0])).total_seconds() / 2
    assert studio.submit("a4", "anna").wait_s == pytest.approx(gap_s)
    assert studio.submit("a5", "anna").wait_s == pytest.approx(gap_s * 2)
    assert studio.submit("urgent", "anna", priority=5).wait_s == pytest.approx(gap_s)
    studio.wait(3601)
    assert studio.submit("a6", "anna").wait_s is None


def test_backlog_that_is_full_says_when_to_come_back(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(submissions_per_minute=2, backlog=2), ben=OwnerRules(active_jobs=1))
    for each in range(3):
        studio.submit(f"a{each}", "anna")
        studio.admission.check_backlog("anna")
    studio.submit("a3", "anna")
    for each in range(20):
        studio.submit(f"b{each}", "ben")

    assert (studio.admission.count_backlog("anna"), studio.admission.count_backlog("ben")) == (2, 19)
    with pytest.raises(BacklogFull, match=r"backlog of jobs of anna is full \(2\)") as full:
        studio.admission.check_backlog("anna")
    assert isinstance(full.value, QueueError)
    assert (full.value.code, full.value.retry_after_s) == ("queue.backlog_full", 30)
    studio.admission.check_backlog("ben")
    assert studio.submit("a4", "anna").code == "queue.rate_limited"  # a file that is dropped just waits


def test_owner_that_may_not_have_jobs_waiting_may_still_have_them_run(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(active_jobs=1, backlog=0))
    studio.admission.check_backlog("anna")
    studio.submit("a0", "anna")

    with pytest.raises(BacklogFull) as full:
        studio.admission.check_backlog("anna")

    assert full.value.retry_after_s == 10  # nothing is known of how long it takes


@pytest.mark.parametrize("mine", [1, 5])
def test_owner_over_its_limit_delays_another_by_no_more_than_one_job(studio: Studio, mine: int) -> None:
    studio.limit(anna=OwnerRules(active_jobs=1))
    for each in range(50):
        studio.submit(f"a{each}", "anna")
    item = studio.start()
    assert item is not None
    studio.wait(1)
    for each in range(mine):
        studio.submit(f"b{each}", "ben")
    studio.end(item)
    while "b0" not in studio.started or studio.status(f"b{mine - 1}") != "completed":
        studio.let_in()
        studio.run_one()

    assert studio.started[0] == "a0"
    assert studio.started[1 : mine + 1] == [f"b{each}" for each in range(mine)]


def test_long_backlog_of_one_owner_does_not_slow_down_another(studio: Studio) -> None:
    """What a submission and a look around cost, in steps of SQLite: with few and with 10,000 waiting."""
    studio.limit(anna=OwnerRules(active_jobs=1), ben=OwnerRules(submissions_per_minute=600, active_jobs=1))
    for each in range(5):
        studio.submit(f"a{each}", "anna")
        studio.submit(f"b{each}", "ben")
    few = steps_of(studio, "b-few")

    with studio.database.transaction() as tx:
        tx.execute(
            """
            WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)
            INSERT INTO jobs (id, status, owner, created_at, job_file, file_name, text, wait_reason)
            SELECT 'x' || n, 'backlogged', 'anna', ?, 'a.yaml', 'a.yaml', x'',
                'over limit: x' FROM number
            """,
            (tx.at,),
        )
    many = steps_of(studio, "b-many")

    assert many <= few + 100  # tens of steps: some rows, not all


def steps_of(studio: Studio, job_id: str) -> int:
    steps = [0]

    def count() -> None:
        steps[0] += 1

    connection = studio.database.connection()
    connection.set_progress_handler(count, 10)
    assert not studio.submit(job_id, "ben").is_admitted
    assert studio.admission.list_due() == []
    connection.set_progress_handler(None, 0)
    return steps[0]


def test_with_ten_thousand_waiting_the_next_is_found_within_a_moment(studio: Studio) -> None:
    studio.limit(anna=OwnerRules(active_jobs=1))
    with studio.database.transaction() as tx:
        tx.execute(
            """
            WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)
            INSERT INTO jobs (id, status, owner, priority, created_at, job_file, file_name, text, wait_reason,
                              backlog_rank)
            SELECT 'x' || n, 'backlogged', 'anna', n = 9999, ?, 'a.yaml', 'a.yaml', x'',
                'over limit: x', ? - (n = 9999) * 600000 FROM number
            """,
            (tx.at, OwnerStore(studio.database).rank_of(tx.at, 0)),
        )

    assert studio.let_in() == ["x9999"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_happens_limits_hold_and_everybody_is_let_in_at_last(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    studio = Studio(tmp_path_factory.mktemp("studio") / "library.db")
    try:
        studio.limit(
            depth=6,
            default=OwnerRules(active_jobs=2),
            anna=OwnerRules(active_jobs=3, submissions_per_minute=6),
        )
        let_in_at: list[datetime] = []
        for number in range(data.draw(st.integers(1, 40))):
            step = data.draw(st.sampled_from(["submit", "submit", "run", "let_in", "wait"]))
            if step == "submit":
                owner = data.draw(st.sampled_from(["anna", "ben", None]))
                if studio.submit(f"j{number}", owner, data.draw(st.integers(-1, 1))).is_admitted:
                    let_in_at += [studio.now] * (owner == "anna")
            elif step == "let_in":
                let_in_at += [studio.now for each in studio.let_in() if studio.jobs.get(each).owner == "anna"]
            elif step == "run":
                studio.run_one()
            else:
                studio.wait(data.draw(st.integers(1, 30)))
            check_limits(studio, let_in_at)
        for _ in range(200):
            studio.wait(10)
            studio.let_in()
            studio.run_one()

        rows = studio.database.query("SELECT 1 FROM jobs WHERE status <> 'completed'")
        assert rows == []
    finally:
        studio.database.close()


def check_limits(studio: Studio, let_in_at: list[datetime]) -> None:
    sql = "SELECT owner, count(*) AS n FROM jobs WHERE status IN ('queued', 'running') GROUP BY owner"
    for row in studio.database.query(sql):
        assert row["n"] <= (3 if row["owner"] == "anna" else 2)
    latest = [each for each in let_in_at if each > studio.now - timedelta(minutes=1)]
    assert len(latest) <= 6 + 6
