"""What pictures took, learnt from those of the same endpoint."""

from __future__ import annotations

import pytest

from hotfolder.domain.estimate import Estimate
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.library.timings import SAMPLES_SQL, TimingStore

AT = "2026-11-21T03:00:00.000Z"


def picture(number, *, endpoint_key="local.flux2-klein-4b.image"):
    return Generation(
        generation_id=f"g{number}",
        job_id="job",
        position=number,
        provider="local",
        endpoint_key=endpoint_key,
        mode="text-to-image",
        params={"steps": 4},
        width=64,
        height=64,
        seed=1,
        status="pending",
        created_at=AT,
    )


@pytest.fixture
def make(database):
    """Makes pictures that took so many milliseconds and megabytes, one after the other."""
    with database.transaction() as tx:
        JobStore(database).insert(tx, Job("job", "received", "a.yaml", "a.yaml", b"", AT))
    count = iter(range(1000))

    def insert(took_ms, peak_memory_mb=None, *, kind="cn-engine", **values):
        number = next(count)
        with database.transaction() as tx:
            GenerationStore(database).insert(tx, picture(number, **values), [])
            sql = """
                UPDATE generations
                SET status = 'completed', total_time_ms = ?, peak_memory_mb = ?, engine_kind = ?,
                    completed_at = ?
                WHERE id = ?
            """
            at = f"2026-11-21T03:00:{number:02}.000Z"
            tx.execute(sql, (took_ms, peak_memory_mb, kind, at, f"g{number}"))

    return insert


def test_forecast_is_learnt_from_pictures_of_the_same_endpoint_and_engine(database, make):
    make(90_000, kind="procedural")
    make(70_000, endpoint_key="local.flux2-klein-9b.image")
    for took_ms in (4000, 4000, 4000):
        make(took_ms)

    timings = TimingStore(database)

    assert timings.estimate(picture(99)) == Estimate(4.0, 4.0, 4.0)
    assert timings.estimate(picture(99, endpoint_key="local.procedural.image")) is None


def test_first_picture_counts_at_once_and_what_has_been_learnt_is_looked_up_again_after_a_while(
    database, make
):
    now_s = [0.0]
    timings = TimingStore(database, clock=lambda: now_s[0])
    assert timings.estimate(picture(99)) is None

    make(4000)
    assert timings.estimate(picture(99)) == Estimate(2.0, 4.0, 8.0)
    make(6000)
    assert timings.estimate(picture(99)) == Estimate(2.0, 4.0, 8.0)
    now_s[0] = 60.0

    assert timings.estimate(picture(99)) == Estimate(2.5, 5.0, 10.0)


def test_learning_reads_no_more_than_the_latest_pictures(database):
    plan = database.query(f"EXPLAIN QUERY PLAN {SAMPLES_SQL}", ("local.flux2-klein-4b.image", 50))

    assert ["idx_generations_timing" in row["detail"] for row in plan] == [True]


def test_peak_memory_is_that_of_the_latest_picture_of_which_it_is_known(database, make):
    timings = TimingStore(database)
    assert timings.find_peak_memory_mb() is None

    for peak_memory_mb in (900, 5300, None):
        make(4000, peak_memory_mb)

    assert timings.find_peak_memory_mb() == 5300
