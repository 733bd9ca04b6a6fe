"""hotfolder queue: the lanes as they are wanted, and what stands in them."""

from __future__ import annotations

from typing import Any

import pytest

from hotfolder.app import Library
from hotfolder.cli.opening import user_name
from hotfolder.domain.work import NewWork
from hotfolder.queue.lanes import LaneBook
from tests.cli.conftest import Command
from tests.cli.test_jobs import add_job
from tests.dead_work import let_die
from tests.scenarios.service import JOB


def events(library: Library) -> list[tuple[str, str | None]]:
    return [(each.topic, each.actor) for each in library.database.list_events(0)]


def lanes_of(on: Command) -> dict[str, dict[str, Any]]:
    return {each["lane"]: each for each in on("queue", "show", "--json").json["lanes"]}


def test_show_tells_of_each_lane_its_state_its_slots_and_what_stands_in_it(
    on: Command, library: Library
) -> None:
    add_job(library, 1)

    lines = on("queue", "show").out.splitlines()

    assert lines[0].split("  ")[0] == "Lane"
    assert [line.split()[:6] for line in lines[1:3]] == [
        ["gpu", "running", "1", "1", "0", "0"],
        ["cpu", "running", str(library.settings.queue.lanes.cpu), "0", "0", "0"],
    ]
    assert "a.yaml" in lines[6]


def test_show_of_nothing_says_so(on: Command) -> None:
    assert "No job is next." in on("queue", "show").out


def test_show_as_json_says_what_the_database_says(on: Command, library: Library) -> None:
    job_id, dead_id = add_job(library, 1), add_job(library, 2, name="b.yaml", text=JOB + "priority: 9\n")
    let_die(library, dead_id)

    found = on("queue", "show", "--json").json

    gpu = found["lanes"][0]
    (row,) = library.database.query("SELECT since FROM work_queue WHERE status = 'pending' AND lane = 'gpu'")
    assert (gpu["pending"], gpu["dead"], gpu["oldestSince"]) == (1, 1, row["since"])
    assert 0 <= gpu["oldestAgeS"] < 60
    assert found["jobs"] == {"queued": 1}
    assert [each["jobId"] for each in found["next"]] == [job_id]
    (dead,) = found["dead"]
    assert (dead["jobId"], dead["deadWork"], dead["code"]) == (dead_id, 1, "engine.crashed")


@pytest.mark.parametrize(("verb", "state"), [("pause", "paused"), ("drain", "draining")])
def test_a_wish_without_a_lane_is_for_all_of_them_and_resume_takes_it_back(
    on: Command, library: Library, verb: str, state: str
) -> None:
    add_job(library, 1)

    told = on("queue", verb)

    assert (told.code, told.out.splitlines()[0]) == (0, f"gpu: {state}")
    assert {each["state"] for each in lanes_of(on).values()} <= {state, "paused"}
    assert on("queue", "resume").out.splitlines() == ["gpu: running", "cpu: running", "io: running"]
    assert {each["state"] for each in lanes_of(on).values()} == {"running"}


def test_a_paused_lane_is_told_with_who_and_since_when_and_the_others_run(
    on: Command, library: Library
) -> None:
    assert on("queue", "pause", "--lane", "gpu").out == "gpu: paused\n"

    found, wish = lanes_of(on), LaneBook(library.database).find("gpu")
    assert (found["gpu"]["state"], found["gpu"]["actor"], found["gpu"]["since"]) == (
        "paused",
        user_name(),
        wish.at,
    )
    assert (found["cpu"]["state"], found["cpu"]["actor"]) == ("running", None)
    assert f"paused by {user_name()} since {wish.at}" in on("queue", "show").out


def test_what_is_so_already_is_said_and_stays_as_it_is(on: Command, library: Library) -> None:
    on("queue", "pause", "--lane", "gpu")
    before, wish = events(library), LaneBook(library.database).find("gpu")

    again = on("queue", "pause", "--lane", "gpu")

    assert (again.code, again.out) == (0, f"gpu: paused already (by {user_name()} since {wish.at})\n")
    assert (events(library), LaneBook(library.database).find("gpu")) == (before, wish)
    assert on("queue", "resume", "--lane", "io").out == "io: running already\n"


def test_a_lane_that_there_is_not_is_a_usage_error_that_names_those_there_are(on: Command) -> None:
    for verb in ("pause", "resume", "drain"):
        outcome = on("queue", verb, "--lane", "tpu")
        assert (outcome.code, outcome.out) == (2, "")
        assert "'gpu', 'cpu', 'io'" in outcome.err


def test_drain_pauses_at_once_where_nothing_is_left_to_finish(on: Command) -> None:
    told = on("queue", "drain").out.splitlines()

    assert told == [f"{lane}: paused, nothing was left to finish" for lane in ("gpu", "cpu", "io")]


def test_drain_waits_in_all_lanes_for_what_is_still_to_pass_through_them(
    on: Command, library: Library
) -> None:
    add_job(library, 1)

    told = on("queue", "drain").out.splitlines()

    assert told == ["gpu: draining", "cpu: draining", "io: draining"]
    assert on("queue", "drain", "--lane", "gpu").out.startswith("gpu: draining already")
    assert library.work.claim("gpu") is not None
    add_job(library, 2, name="late.yaml")
    assert library.work.claim("gpu") is None


def test_every_change_is_an_event_with_who_made_it(on: Command, library: Library) -> None:
    add_job(library, 1)
    before = len(events(library))

    for verb in ("pause", "drain", "resume"):
        on("queue", verb, "--lane", "gpu")

    assert events(library)[before:] == [("queue.lane", user_name())] * 3


def test_the_next_jobs_stand_in_the_order_in_which_they_are_claimed(on: Command, library: Library) -> None:
    for number, more in enumerate(("", "priority: 1\n", "priority: 50\ncount: 3\n", "priority: -20\n"), 1):
        add_job(library, number, name=f"{number}.yaml", text=JOB.replace("seed: 5", f"seed: {number}") + more)

    told = [each["jobId"] for each in on("queue", "show", "--json").json["next"]]

    claimed = []
    while (item := library.work.claim("gpu")) is not None:
        claimed.append(library.generations.get(item.correlation_id).job_id)
    assert told == list(dict.fromkeys(claimed))
    assert len(told) == 4


def test_dead_work_without_a_job_is_shown_and_tried_again(on: Command, library: Library) -> None:
    with library.database.transaction() as tx:
        work = NewWork("media.discard", "io", {"mediaId": "m"}, "media", "m", max_attempts=1)
        work_id = library.work.enqueue(tx, work)
    with library.database.transaction() as tx:
        item = library.work.take(tx, "io")
        assert item is not None
        library.work.end(tx, item, "dead", "No room.")
    job_id = add_job(library, 1)
    (generation,) = library.generations.list_of_job(job_id)
    (own,) = library.work.list_of(generation.generation_id)
    shown = on("queue", "show").out
    assert f"{work_id}  media.discard  m" in shown
    assert "hotfolder queue requeue ITEM" in shown

    again, of_job, unknown = (on("queue", "requeue", each) for each in (work_id, own.work_id, "none"))

    assert (again.code, again.out) == (0, f"{work_id}: pending\n")
    assert (of_job.code, f"hotfolder jobs requeue {job_id}" in of_job.err) == (1, True)
    assert unknown.code == 1
    assert on("queue", "show", "--json").json["deadItems"] == []
