"""Where claimed files came from is known before they are moved."""

from __future__ import annotations

import pytest

from hotfolder.errors import NotFound
from hotfolder.library.seen import SeenStore


@pytest.fixture
def seen(database):
    return SeenStore(database)


def test_the_path_of_each_claimed_file_is_known_by_its_job(seen):
    seen.record_claims({"job-1": "a.yaml", "job-2": "shots/b.yaml"})

    assert [seen.find_path(each) for each in ("job-1", "job-2", "job-3")] == ["a.yaml", "shots/b.yaml", None]


def test_a_claim_that_is_noted_again_replaces_what_was_there(database, seen, clock):
    seen.record_claims({"job-1": "a.yaml"})
    clock.advance(1)
    seen.record_claims({"job-1": "moved/a.yaml"})

    assert seen.find_path("job-1") == "moved/a.yaml"
    rows = database.query("SELECT outcome, seen_at FROM seen_files")
    assert [tuple(row) for row in rows] == [("claimed", "2026-11-21T03:00:01.000Z")]


def test_two_jobs_may_have_come_from_the_same_place(seen):
    seen.record_claims({"job-1": "a.yaml"})
    seen.record_claims({"job-2": "a.yaml"})

    assert seen.find_path("job-1") == seen.find_path("job-2") == "a.yaml"


def test_claims_are_noted_all_or_none(seen):
    with pytest.raises(UnicodeEncodeError):
        seen.record_claims({"job-1": "a.yaml", "job-2": "caf\udce9.yaml"})

    assert seen.find_path("job-1") is None


def test_each_try_is_counted_and_on_the_disk_at_once(database, seen):
    seen.record_claims({"job-1": "a.yaml", "job-2": "b.yaml"})

    assert [seen.count_try("job-1") for _ in range(3)] == [1, 2, 3]
    assert not database.connection().in_transaction
    assert [row["tries"] for row in database.query("SELECT tries FROM seen_files ORDER BY job_id")] == [3, 0]


def test_a_claim_that_is_noted_again_keeps_its_tries(seen):
    seen.record_claims({"job-1": "a.yaml"})
    seen.count_try("job-1")
    seen.record_claims({"job-1": "a.yaml"})

    assert seen.count_try("job-1") == 2


def test_a_try_of_a_claim_that_was_not_noted_is_an_error(seen):
    with pytest.raises(NotFound):
        seen.count_try("job-1")
