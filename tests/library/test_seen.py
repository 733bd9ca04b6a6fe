"""Where claimed files came from is known before they are moved."""

from __future__ import annotations

import pytest

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
