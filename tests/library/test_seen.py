"""Where claimed files came from is known before they are moved."""

from __future__ import annotations

import pytest

from hotfolder.errors import NotFound
from hotfolder.library.seen import Origin, SeenStore


@pytest.fixture
def seen(database):
    return SeenStore(database)


def test_the_path_of_each_claimed_file_is_known_by_its_job(seen):
    seen.record_claims({"job-1": Origin("a.yaml"), "job-2": Origin("shots/b.yaml")})

    assert [seen.find_path(each) for each in ("job-1", "job-2", "job-3")] == ["a.yaml", "shots/b.yaml", None]


def ids(seen, **wanted):
    return [job_id for job_id, _ in seen.find_jobs(mtime_ns=0, **wanted)]


def test_a_file_is_untouched_while_inode_and_time_are_what_they_were(seen):
    seen.record_claims({"job-1": Origin("a.yaml", 7, 42, 3, 4, 5)})

    assert seen.find_jobs(device=7, inode=42, mtime_ns=4, sha256="") == [("job-1", True)]
    assert seen.find_jobs(device=7, inode=42, mtime_ns=9, sha256="") == [("job-1", False)]


def test_a_claim_that_is_noted_again_replaces_what_was_there(database, seen, clock):
    seen.record_claims({"job-1": Origin("a.yaml")})
    clock.advance(1)
    seen.record_claims({"job-1": Origin("moved/a.yaml")})

    assert seen.find_path("job-1") == "moved/a.yaml"
    rows = database.query("SELECT outcome, seen_at FROM seen_files")
    assert [tuple(row) for row in rows] == [("claimed", "2026-11-21T03:00:01.000Z")]


def test_two_jobs_may_have_come_from_the_same_place(seen):
    seen.record_claims({"job-1": Origin("a.yaml")})
    seen.record_claims({"job-2": Origin("a.yaml")})

    assert seen.find_path("job-1") == seen.find_path("job-2") == "a.yaml"


def test_claims_are_noted_all_or_none(seen):
    with pytest.raises(UnicodeEncodeError):
        seen.record_claims({"job-1": Origin("a.yaml"), "job-2": Origin("caf\udce9.yaml")})

    assert seen.find_path("job-1") is None


def test_each_try_is_counted_and_on_the_disk_at_once(database, seen):
    seen.record_claims({"job-1": Origin("a.yaml"), "job-2": Origin("b.yaml")})

    assert [seen.count_try("job-1") for _ in range(3)] == [1, 2, 3]
    assert not database.connection().in_transaction
    assert [row["tries"] for row in database.query("SELECT tries FROM seen_files ORDER BY job_id")] == [3, 0]


def test_a_claim_that_is_noted_again_keeps_its_tries(seen):
    seen.record_claims({"job-1": Origin("a.yaml")})
    seen.count_try("job-1")
    seen.record_claims({"job-1": Origin("a.yaml")})

    assert seen.count_try("job-1") == 2


def test_a_try_of_a_claim_that_was_not_noted_is_an_error(seen):
    with pytest.raises(NotFound):
        seen.count_try("job-1")


def test_a_claim_that_is_noted_again_without_a_look_at_the_file_keeps_what_the_file_was(seen):
    seen.record_claims({"job-1": Origin("a.yaml", 7, 42, 3, 4, 5)})
    seen.record_claims({"job-1": Origin("a.yaml")})

    assert ids(seen, device=7, inode=42, sha256="") == ["job-1"]


def test_a_job_is_found_by_its_file_or_by_what_was_in_it(seen):
    seen.record_claims({"job-1": Origin("a.yaml", 7, 42), "job-2": Origin("b.yaml", 7, 43)})
    seen.record_contents([("job-1", "job-1", "aa")])
    seen.record_contents([("job-2", "job-2", "bb")])

    assert ids(seen, device=7, inode=42, sha256="cc") == ["job-1"]
    assert ids(seen, device=7, inode=99, sha256="bb") == ["job-2"]
    assert ids(seen, device=8, inode=42, sha256="cc") == []


def test_the_job_of_the_very_file_goes_before_newer_ones_with_the_same_content(seen, clock):
    for number in range(30):
        seen.record_claims({f"job-{number}": Origin(f"{number}.yaml", 7, number)})
        seen.record_contents([(f"job-{number}", f"job-{number}", "aa")])
        clock.advance(1)

    found = ids(seen, device=7, inode=0, sha256="aa")

    assert found[:3] == ["job-0", "job-29", "job-28"]


def test_a_file_that_stands_for_an_id_of_its_own_is_known_by_that_id(seen):
    seen.record_claims({"claim": Origin("shots/a.yaml", 7, 42)})
    seen.record_contents([("claim", "own-id", "aa")])

    assert [seen.find_path(each) for each in ("claim", "own-id")] == [None, "shots/a.yaml"]
    assert ids(seen, device=7, inode=42, sha256="") == ["own-id"]


def test_the_last_of_several_files_for_a_job_is_the_one_that_is_known(seen):
    seen.record_claims({"claim-1": Origin("a.yaml", 7, 42), "claim-2": Origin("b.yaml", 7, 43)})
    seen.record_contents([("claim-1", "own-id", "aa")])
    seen.record_contents([("claim-2", "own-id", "bb")])

    assert seen.find_path("own-id") == "b.yaml"
    assert ids(seen, device=7, inode=42, sha256="aa") == []


def test_tries_begin_anew_once_a_file_was_read_through(seen):
    seen.record_claims({"job-1": Origin("a.yaml")})
    seen.count_try("job-1")
    seen.record_contents([("job-1", "job-1", "aa")])

    assert seen.count_try("job-1") == 1


def test_a_used_picture_is_known_by_its_place_and_a_later_one_there_replaces_it(seen):
    assert seen.find_used("shots/bay.png") is None

    seen.record_used("shots/bay.png", Origin("shots/bay.png", 7, 42), "aa")
    seen.record_used("shots/bay.png", Origin("shots/bay.png", 7, 43), "bb")

    assert seen.find_used("shots/bay.png") == (43, "bb")
    assert seen.find_used("bay.png") is None


def test_a_used_picture_is_no_job(seen):
    seen.record_used("bay.png", Origin("bay.png", 7, 42), "aa")

    assert ids(seen, device=7, inode=42, sha256="aa") == []


def test_jobs_are_looked_up_by_indexes_alone(database):
    plan = database.query(
        "EXPLAIN QUERY PLAN SELECT job_id FROM seen_files "
        "WHERE job_id IS NOT NULL AND (inode = ? AND device = ? OR sha256 = ?)",
        (1, 1, ""),
    )

    assert not [row["detail"] for row in plan if row["detail"].startswith("SCAN")]
