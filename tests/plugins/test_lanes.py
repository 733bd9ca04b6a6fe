"""The queue over the API while no sidecar runs: looked at by all, steered by admins, in their names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hotfolder.app import Library, open_library
from hotfolder.config import load_settings
from hotfolder.domain.work import NewWork
from hotfolder.queue.lanes import LaneBook
from hotfolder.queue.overview import QueueOverview
from tests.plugins.furniture import JOBS, NOWHERE, PLAIN
from tests.plugins.house import House, page_data

QUEUE = "/-/api/queue"


@pytest.fixture
def library(house: House) -> Iterator[Library]:
    """The same library in another program; every lane runs again afterwards."""
    opened = open_library(house.root, load_settings(house.root, {}))
    yield opened
    for lane in ("gpu", "cpu", "io"):
        LaneBook(opened.database).put(lane, "running", "test")
    opened.close()


def lane_of(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in found["lanes"] if each["lane"] == name)


def without_age(found: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on the moment of asking."""
    lanes = [{**each, "oldestAgeS": None} for each in found["lanes"]]
    return {**found, "lanes": lanes, "seq": None}


def test_everybody_who_may_look_sees_what_the_command_line_shows(
    visitor: httpx.Client, library: Library
) -> None:
    found = visitor.get(QUEUE).json()

    slots = library.settings.queue.lanes.model_dump()
    assert without_age(found) == without_age(QueueOverview(library.database, slots).describe())
    assert [each["lane"] for each in found["lanes"]] == ["gpu", "cpu", "io"]
    assert lane_of(found, "gpu")["pending"] == 3
    assert lane_of(found, "gpu")["oldestAgeS"] >= 0
    assert {each["jobId"] for each in found["next"]} == {
        JOBS[owner, "queued"] for owner in ("anna", "ben", None)
    }
    assert found["seq"] == library.database.last_event_seq()


def test_the_page_begins_with_the_same(visitor: httpx.Client) -> None:
    assert without_age(page_data(visitor.get("/-/queue").text)["queue"]) == without_age(
        visitor.get(QUEUE).json()
    )


@pytest.mark.parametrize("way", ["token", "login"])
def test_an_admin_pauses_a_lane_and_lets_it_go_on(house: House, library: Library, way: str) -> None:
    client = house.program("admin", "carl") if way == "token" else house.browser("admin", "carl")
    before = library.database.last_event_seq()

    answers = [client.post(f"/-/api/lanes/gpu/{verb}") for verb in ("pause", "drain", "resume")]

    assert [each.status_code for each in answers] == [200] * 3
    states = [lane_of(each.json(), "gpu")["state"] for each in answers]
    assert states == ["paused", "draining", "running"]
    events = library.database.list_events(before)
    assert [(each.topic, each.subject_id, each.actor, each.data["state"]) for each in events] == [
        ("queue.lane", "gpu", "carl", state) for state in states
    ]


def test_nobody_forecasts_an_end_while_the_lane_of_pictures_stands_still(
    house: House, visitor: httpx.Client, library: Library
) -> None:
    job_id = JOBS["anna", "queued"]
    progress = {"etaSeconds": 20, "etaRangeSeconds": [10, 30], "queuePosition": 0}
    (house.root / "status" / f"{job_id}.json").write_text(json.dumps({"progress": progress}))
    with house.held():
        assert visitor.get(f"/-/api/jobs/{job_id}").json()["progress"] == progress

        house.program("admin", "carl").post("/-/api/lanes/gpu/pause")

        told = visitor.get(f"/-/api/jobs/{job_id}").json()["progress"]
    assert told == {**progress, "etaSeconds": None, "etaRangeSeconds": None}


def test_a_wish_that_was_made_already_stays_with_who_made_it_first(house: House, library: Library) -> None:
    first = house.program("admin", "carl").post("/-/api/lanes/gpu/pause").json()

    second = house.program("admin", "dora").post("/-/api/lanes/gpu/pause").json()

    assert without_age(second) == without_age(first)
    assert second["seq"] == first["seq"]
    assert lane_of(second, "gpu")["actor"] == LaneBook(library.database).find("gpu").actor == "carl"


def test_a_lane_with_nothing_in_it_is_drained_at_once(house: House, library: Library) -> None:
    found = house.program("admin", "carl").post("/-/api/lanes/io/drain").json()

    assert (lane_of(found, "io")["state"], lane_of(found, "io")["actor"]) == ("paused", "carl")


@pytest.mark.parametrize(("scope", "status"), [(None, 401), ("read", 403), ("submit", 403), ("review", 403)])
def test_nobody_else_steers_a_lane(house: House, library: Library, scope: str | None, status: int) -> None:
    client = house.visitor() if scope is None else house.program(scope, "anna")

    for verb in ("pause", "resume", "drain"):
        assert client.post(f"/-/api/lanes/gpu/{verb}").status_code == status
    assert LaneBook(library.database).find("gpu").state == "running"


def test_a_lane_that_there_is_not_is_not_found_and_the_others_are_named(admin: httpx.Client) -> None:
    answer = admin.post("/-/api/lanes/tpu/pause")

    assert answer.status_code == 404
    assert "gpu, cpu, io" in answer.json()["error"]["hint"]


def test_a_request_that_makes_no_sense_is_refused(admin: httpx.Client) -> None:
    assert admin.get("/-/api/lanes/gpu/pause").status_code == 405
    assert admin.post(QUEUE).status_code == 405
    assert admin.post("/-/api/lanes/gpu/stop").status_code == 404
    assert admin.post("/-/api/lanes/gpu/pause", json={"for": "ever"}).status_code == 400


@pytest.fixture
def dead_id(library: Library) -> str:
    """Work without a job that used up its attempts."""
    with library.database.transaction() as tx:
        work = NewWork("media.discard", "io", {"mediaId": PLAIN}, "media", PLAIN, max_attempts=1)
        work_id = library.work.enqueue(tx, work)
    with library.database.transaction() as tx:
        item = library.work.take(tx, "io")
        assert item is not None
        library.work.end(tx, item.failed_with("library.disk_full", "No room."), "dead", "No room.")
    return work_id


def test_dead_work_without_a_job_is_seen_by_all_and_tried_again_by_an_admin(
    house: House, library: Library, dead_id: str
) -> None:
    (told,) = house.visitor().get(QUEUE).json()["deadItems"]
    known = (told["workId"], told["taskType"], told["subject"], told["message"])
    assert known == (dead_id, "media.discard", PLAIN, "No room.")
    address = f"{QUEUE}/{dead_id}/requeue"
    assert house.visitor().post(address).status_code == 401
    assert house.program("submit", "anna").post(address).status_code == 403

    answer = house.program("admin", "carl").post(address)

    assert (answer.status_code, answer.json()["deadItems"]) == (200, [])
    assert [each.status for each in library.work.list_of(PLAIN)][-1:] == ["pending"]
    assert library.database.list_events(answer.json()["seq"] - 1)[-1].actor == "carl"
    again = house.program("admin", "carl").post(address)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "job.not_dead")
    assert house.program("admin", "carl").post(f"{QUEUE}/{NOWHERE}/requeue").status_code == 404


def test_work_of_a_job_is_not_requeued_by_itself(house: House, library: Library) -> None:
    job_id = JOBS["anna", "queued"]
    (generation,) = library.generations.list_of_job(job_id)
    (item,) = library.work.list_of(generation.generation_id)

    answer = house.program("admin", "carl").post(f"{QUEUE}/{item.work_id}/requeue")

    assert (answer.status_code, job_id in answer.json()["error"]["hint"]) == (409, True)
