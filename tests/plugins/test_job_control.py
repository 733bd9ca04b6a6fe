"""Jobs steered over the API: by their owner or an admin, as often as they like, signed with their names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import httpx
import pytest

from hotfolder.app import Library, open_library
from hotfolder.clock import new_id
from hotfolder.config import load_settings
from hotfolder.generation.claimed import ClaimedFile
from tests.dead_work import let_die
from tests.plugins.furniture import JOBS, NOWHERE
from tests.plugins.house import House, open_house

SETTINGS = "limits: {owners: {anna: {priority_max: 5}}}\n"
VERBS = ("hold", "release", "requeue")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose settings let anna ask for a priority of five."""
    with open_house(tmp_path_factory.mktemp("control") / "library", settings=SETTINGS) as made:
        yield made


@pytest.fixture
def library(house: House) -> Iterator[Library]:
    """The same library in another program."""
    opened = open_library(house.root, load_settings(house.root, {}))
    yield opened
    opened.close()


@pytest.fixture
def anna(house: House) -> httpx.Client:
    return house.program("submit", "anna")


def add_job(library: Library, owner: str, **more: Any) -> str:
    """A job in the queue, ahead of the furniture unless it says otherwise."""
    job = {"endpointKey": "local.procedural.image", "params": {"prompt": "A bay", "size": "64*64"}}
    text = json.dumps({**job, "owner": owner, **more}).encode()
    job_id = new_id()
    library.service.take_in(ClaimedFile(job_id, "a.json", PurePosixPath("a.json"), text))
    return job_id


def post(client: httpx.Client, job_id: str, verb: str, body: Any = None) -> httpx.Response:
    return client.post(f"/-/api/jobs/{job_id}/{verb}", json=body)


def test_its_owner_holds_a_job_and_lets_it_go_on(anna: httpx.Client, library: Library) -> None:
    job_id = add_job(library, "anna")
    before = library.database.last_event_seq()

    held, released = (post(anna, job_id, verb).json() for verb in ("hold", "release"))

    assert (held["status"], held["held"], held["waitReason"]) == ("held", True, "held by anna")
    assert (held["canHold"], held["canRelease"], held["canCancel"]) == (False, True, True)
    assert (released["status"], released["held"], released["waitReason"]) == ("queued", False, None)
    assert (released["canHold"], released["canRelease"]) == (True, False)
    told = [each for each in library.database.list_events(before) if each.subject_id == job_id]
    assert [each.data["status"] for each in told if "status" in each.data] == ["held", "queued"]
    assert {each.actor for each in told} == {"anna"}


@pytest.mark.parametrize("wish", [("hold", None), ("release", None), ("priority", {"priority": 3})])
def test_what_is_so_already_is_answered_and_changes_nothing(
    anna: httpx.Client, library: Library, wish: tuple[str, Any]
) -> None:
    job_id = add_job(library, "anna")
    first = post(anna, job_id, *wish)
    before = library.database.last_event_seq()

    second = post(anna, job_id, *wish)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()
    assert library.database.last_event_seq() == before


def test_a_job_with_a_higher_priority_is_listed_first(anna: httpx.Client, library: Library) -> None:
    ids = [add_job(library, "anna", params={"prompt": each, "size": "64*64"}) for each in ("one", "two")]

    assert post(anna, ids[1], "priority", {"priority": 4}).json()["priority"] == 4

    listed = [each["jobId"] for each in anna.get("/-/api/jobs?state=active").json()["items"]]
    told = [each["jobId"] for each in anna.get("/-/api/queue").json()["next"]]
    assert listed.index(ids[1]) < listed.index(ids[0])
    assert told.index(ids[1]) < told.index(ids[0])


def test_a_priority_above_the_owners_highest_is_given_by_an_admin_alone(
    house: House, anna: httpx.Client, library: Library
) -> None:
    job_id = add_job(library, "anna")

    refused = post(anna, job_id, "priority", {"priority": 6})

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "web.scope_missing")
    assert "above 5" in refused.json()["error"]["message"]
    assert library.jobs.get(job_id).priority == 0
    assert post(anna, job_id, "priority", {"priority": 5}).json()["priority"] == 5
    assert post(anna, job_id, "priority", {"priority": -50}).json()["priority"] == -50
    assert post(house.program("admin", "root"), job_id, "priority", {"priority": 90}).json()["priority"] == 90


@pytest.mark.parametrize(
    "body", [None, {}, {"priority": "5"}, {"priority": True}, {"priority": 1.0}, {"priority": None},
             {"priority": 101}, {"priority": -101}, {"priority": 1, "more": 1}],
)  # fmt: skip
def test_a_priority_that_is_none_is_refused(admin: httpx.Client, library: Library, body: Any) -> None:
    job_id = add_job(library, "anna")

    assert post(admin, job_id, "priority", body).status_code == 400
    assert library.jobs.get(job_id).priority == 0


@pytest.mark.parametrize("owner", ["ben", None])
def test_a_job_of_somebody_else_is_left_alone(
    anna: httpx.Client, library: Library, owner: str | None
) -> None:
    before = library.database.last_event_seq()

    for verb, body in (*((each, None) for each in VERBS), ("priority", {"priority": 1})):
        answer = post(anna, JOBS[owner, "queued"], verb, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "web.not_owner")
    assert library.database.last_event_seq() == before


@pytest.mark.parametrize(("scope", "status"), [(None, 401), ("read", 403), ("rate", 403)])
def test_who_may_not_submit_steers_nothing(house: House, scope: str | None, status: int) -> None:
    client = house.visitor() if scope is None else house.program(scope, "anna")

    for verb, body in (*((each, None) for each in VERBS), ("priority", {"priority": 1})):
        assert post(client, JOBS["anna", "queued"], verb, body).status_code == status


def test_an_admin_steers_everybodys_jobs_under_their_own_name(admin: httpx.Client, library: Library) -> None:
    job_id = add_job(library, "ben")
    before = library.database.last_event_seq()

    assert post(admin, job_id, "hold").json()["waitReason"] == "held by root"
    told = [each for each in library.database.list_events(before) if each.subject_id == job_id]
    assert {each.actor for each in told} == {"root"}


def test_a_job_that_has_ended_is_neither_held_nor_moved(anna: httpx.Client) -> None:
    ended = JOBS["anna", "completed"]

    for verb, body in (("hold", None), ("release", None), ("priority", {"priority": 1})):
        answer = post(anna, ended, verb, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "job.already_ended")
    found = anna.get(f"/-/api/jobs/{ended}").json()
    assert not any(found[each] for each in ("canHold", "canRelease", "canPrioritize", "canRequeue"))


def test_dead_work_is_told_and_tried_again(anna: httpx.Client, library: Library) -> None:
    job_id = add_job(library, "anna", priority=5)
    let_die(library, job_id)
    found = anna.get(f"/-/api/jobs/{job_id}").json()
    assert (found["deadWork"], found["canRequeue"]) == (1, True)
    assert [each["jobId"] for each in anna.get("/-/api/queue").json()["dead"]] == [job_id]

    again = post(anna, job_id, "requeue")

    assert (again.status_code, again.json()["status"]) == (200, "queued")
    assert (again.json()["deadWork"], again.json()["canRequeue"]) == (0, False)
    assert anna.get("/-/api/queue").json()["dead"] == []
    twice = post(anna, job_id, "requeue")
    assert (twice.status_code, twice.json()["error"]["code"]) == (409, "job.not_dead")


def test_a_job_that_nobody_has_taken_in_yet_is_steered_in_a_moment(anna: httpx.Client, house: House) -> None:
    job = {"endpointKey": "local.procedural.image", "params": {"prompt": "A bay", "size": "64*64"}}
    made = anna.post("/-/api/jobs", json=job).json()

    answer = post(anna, made["jobId"], "hold")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert not any(made[each] for each in ("canHold", "canRelease", "canPrioritize", "canRequeue"))
    (house.root / "inbox" / made["jobFile"]).unlink()


def test_a_job_that_there_is_not_is_not_found(admin: httpx.Client) -> None:
    for verb, body in (*((each, None) for each in VERBS), ("priority", {"priority": 1})):
        assert post(admin, NOWHERE, verb, body).status_code == 404


def test_a_request_that_makes_no_sense_is_refused(admin: httpx.Client) -> None:
    for verb in VERBS:
        assert post(admin, JOBS["anna", "queued"], verb, {"for": "ever"}).status_code == 400
        assert admin.get(f"/-/api/jobs/{JOBS['anna', 'queued']}/{verb}").status_code == 405
