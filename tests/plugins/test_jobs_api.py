"""Jobs over the API while no sidecar runs: one door, checked at once, each job its owner's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
import pytest

from hotfolder.app import open_library
from hotfolder.clock import new_id
from hotfolder.config import load_settings
from hotfolder.generation.claimed import ClaimedFile
from tests.plugins.furniture import HARM, JOB_FILE, JOBS, NOWHERE, PLAIN
from tests.plugins.house import House

JOB: dict[str, Any] = {
    "endpointKey": "local.procedural.image",
    "params": {"prompt": "A quiet bay", "size": "64*64"},
}
KEYS = {
    *(
        "jobId",
        "jobFile",
        "title",
        "status",
        "owner",
        "priority",
        "endpointKey",
        "createdAt",
        "startedAt",
        "completedAt",
        "progress",
    ),
    *("error", "pictures", "totalPictures", "canCancel", "canRetry", "waitsFor"),
    *("waitReason", "held", "notBefore", "deadWork", "canHold", "canRelease", "canPrioritize", "canRequeue"),
}


@pytest.fixture(scope="module")
def anna(house: House) -> httpx.Client:
    return house.program("submit", "anna")


@pytest.fixture(scope="module")
def ben(house: House) -> httpx.Client:
    return house.program("submit", "ben")


@pytest.fixture(autouse=True)
def empty_inbox(house: House) -> Iterator[None]:
    """Each test begins and ends with nothing in the inbox."""
    yield
    for each in (house.root / "inbox").rglob("*.*"):
        each.unlink()


def take_in(house: House, claimed: Path) -> None:
    """What a sidecar does with a file that it has claimed."""
    library = open_library(house.root, load_settings(house.root, {}))
    try:
        name = claimed.name.partition("--")[2]
        library.service.take_in(
            ClaimedFile(claimed.name.partition("--")[0], name, PurePosixPath(name), claimed.read_bytes())
        )
    finally:
        library.close()


def files_in(house: House) -> list[str]:
    return sorted(each.name for each in (house.root / "inbox").rglob("*") if each.is_file())


def test_a_job_becomes_a_file_in_the_inbox_with_its_id_and_its_owner(
    house: House, anna: httpx.Client
) -> None:
    answer = anna.post("/-/api/jobs", json={**JOB, "title": HARM})

    made = answer.json()
    assert (answer.status_code, made["status"], made["jobFile"]) == (201, "received", f"{made['jobId']}.json")
    assert files_in(house) == [made["jobFile"]]
    text = json.loads((house.root / "inbox" / made["jobFile"]).read_bytes())
    assert text == {**JOB, "title": HARM, "id": made["jobId"], "owner": "anna"}
    found = anna.get(f"/-/api/jobs/{made['jobId'].upper()}").json()
    assert set(found) == KEYS
    assert (found["status"], found["createdAt"], found["canCancel"]) == ("received", made["createdAt"], True)
    listed = anna.get("/-/api/jobs", params={"state": "active"}).json()
    assert {"jobFile": made["jobFile"], "status": "received"} in listed["waiting"]


def test_an_id_of_ones_own_becomes_the_jobs(house: House, anna: httpx.Client) -> None:
    job_id = new_id()

    assert anna.post("/-/api/jobs", json={**JOB, "id": job_id.upper()}).json()["jobId"] == job_id
    assert files_in(house) == [f"{job_id}.json"]


@pytest.mark.parametrize(
    "job_id", ["../../x", "order-7", 7, ["x"], "%2e%2e", PLAIN + "\n", PLAIN + "/x", True]
)
def test_an_id_that_is_none_is_refused(house: House, anna: httpx.Client, job_id: object) -> None:
    assert anna.post("/-/api/jobs", json={**JOB, "id": job_id}).status_code == 400
    assert files_in(house) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"endpointKey": "local.nothing"}, "job.unknown_endpoint"), ({"params": {}}, "job.invalid_params"),
        ({"params": {"prompt": "x", "steps": "many"}}, "job.invalid_params"),
        ({"nonsense": 1}, "job.unknown_key"),
        ({"refs": [{"media": "none"}]}, "job.ref_missing"),
        ({"refs": [{"sha256": "0" * 64}]}, "job.ref_missing"),
    ],
)  # fmt: skip
def test_a_job_that_the_inbox_would_refuse_is_refused_at_once_with_its_problems(
    house: House, anna: httpx.Client, change: dict[str, Any], code: str
) -> None:
    answer = anna.post("/-/api/jobs", json={**JOB, **change})

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert code in {each["code"] for each in error["problems"]}, error
    assert files_in(house) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"x",
        b'{"endpointKey": "\\ud800"}',
        b'{"params": {"prompt": "\\ud800"}}',
        b'{"id": NaN}',
    ],
)
def test_a_body_that_is_no_job_is_refused(house: House, anna: httpx.Client, body: bytes) -> None:
    answer = anna.post("/-/api/jobs", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400, answer.text
    assert files_in(house) == []


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "ben"}, {"owner": None}, {"owner": "Anna"}, {"owner": ["anna"]},
        {"deliver": [{"folder": "outbox/x"}]}, {"deliver": None},
        {"deliver": "anna"}, {"refs": ["../../../etc/passwd"]}, {"refs": ["/etc/passwd"]},
        {"refs": ["sketch.png"]}, {"refs": "sketch.png"},
        {"refs": [{"path": "/etc/passwd"}]}, {"refs": {"path": "x"}},
        {"refs": [{"media": PLAIN, "path": "x"}]}, {"refs": [None]},
    ],
)  # fmt: skip
def test_only_an_admin_names_another_owner_delivers_or_reaches_for_files(
    house: House, anna: httpx.Client, change: dict[str, Any]
) -> None:
    answer = anna.post("/-/api/jobs", json={**JOB, **change})

    assert answer.status_code == 403, answer.text
    assert answer.json()["error"]["code"] == "web.scope_missing"
    assert files_in(house) == []


def test_an_admin_names_another_owner(house: House, admin: httpx.Client) -> None:
    made = admin.post("/-/api/jobs", json={**JOB, "owner": "ben"}).json()

    assert json.loads((house.root / "inbox" / made["jobFile"]).read_bytes())["owner"] == "ben"


def test_no_admin_reaches_outside_the_library(house: House, admin: httpx.Client) -> None:
    for path in ("/etc/passwd", "../../../etc/passwd", "../auth.db", "../library.db"):
        assert admin.post("/-/api/jobs", json={**JOB, "refs": [path]}).status_code == 400
    assert files_in(house) == []


@pytest.mark.parametrize(("owner", "status"), [("ben", "queued"), ("ben", "failed"), (None, "queued")])
def test_a_job_of_somebody_else_is_left_alone(anna: httpx.Client, owner: str | None, status: str) -> None:
    before = anna.get(f"/-/api/jobs/{JOBS[owner, status]}").json()

    for verb in ("cancel", "retry"):
        answer = anna.post(f"/-/api/jobs/{JOBS[owner, status]}/{verb}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "web.not_owner")

    assert anna.get(f"/-/api/jobs/{JOBS[owner, status]}").json() == before


def test_nobody_takes_over_a_job_by_its_id(house: House, anna: httpx.Client) -> None:
    for job_id in (JOBS["ben", "failed"], JOBS["ben", "queued"], JOBS[None, "queued"]):
        answer = anna.post("/-/api/jobs", json={**JOB, "id": job_id})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "web.not_owner")

    assert files_in(house) == []


def test_a_file_of_somebody_else_is_not_withdrawn_before_it_is_claimed(
    house: House, anna: httpx.Client, ben: httpx.Client
) -> None:
    job_id = ben.post("/-/api/jobs", json=JOB).json()["jobId"]

    assert anna.post(f"/-/api/jobs/{job_id}/cancel").status_code == 403
    assert anna.delete(f"/v1/images/generations/{job_id}").status_code == 403
    assert anna.post("/-/api/jobs", json={**JOB, "id": job_id}).status_code == 403
    assert files_in(house) == [f"{job_id}.json"]

    answer = ben.post(f"/-/api/jobs/{job_id}/cancel")

    assert (answer.status_code, answer.json()["status"], answer.json()["owner"]) == (200, "cancelled", "ben")
    assert files_in(house) == []
    assert ben.get(f"/-/api/jobs/{job_id}").json()["status"] == "cancelled"
    assert ben.post(f"/-/api/jobs/{job_id}/cancel").status_code == 409


@pytest.mark.parametrize("text", [b"not json", b"[]", b"{}", b'{"owner": 7}', b"\xff"])
def test_a_file_that_tells_no_owner_is_withdrawn_by_an_admin_alone(
    house: House, anna: httpx.Client, admin: httpx.Client, text: bytes
) -> None:
    job_id = new_id()
    (house.root / "inbox" / f"{job_id}.json").write_bytes(text)

    assert anna.post(f"/-/api/jobs/{job_id}/cancel").status_code == 403
    assert admin.post(f"/-/api/jobs/{job_id}/cancel").status_code == 200


def test_a_file_that_has_just_been_claimed_is_still_the_job(house: House, anna: httpx.Client) -> None:
    job_id = anna.post("/-/api/jobs", json=JOB).json()["jobId"]
    claimed = house.root / "processing" / f"{new_id()}--{job_id}.json"
    (house.root / "inbox" / f"{job_id}.json").rename(claimed)

    assert anna.get(f"/-/api/jobs/{job_id}").json()["status"] == "received"
    assert anna.get(f"/v1/images/generations/{job_id}").json()["status"] == "pending"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(anna.post, f"/-/api/jobs/{job_id}/cancel")
        take_in(house, claimed)
        assert (answer.result(10).status_code, answer.result().json()["status"]) == (200, "cancelled")


def test_what_waits_is_cancelled_at_once_and_what_has_ended_is_not(anna: httpx.Client) -> None:
    made = anna.post(f"/-/api/jobs/{JOBS['anna', 'queued']}/cancel")
    assert made.status_code == 200, made.text
    assert made.json()["status"] in ("cancelled", "cancelling")

    answer = anna.post(f"/-/api/jobs/{JOBS['anna', 'completed']}/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "job.already_ended")
    answer = anna.post(f"/-/api/jobs/{JOBS['anna', 'completed']}/retry")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "job.not_retryable")


def test_what_failed_is_tried_again_for_its_owner_and_the_event_tells_who_did_it(anna: httpx.Client) -> None:
    seq = anna.get("/-/api/status").json()["seq"]

    answer = anna.post(f"/-/api/jobs/{JOBS['anna', 'failed']}/retry")

    assert (answer.status_code, answer.json()["status"]) == (200, "queued")
    events = anna.get("/-/api/events", params={"after": seq}).json()["events"]
    assert ("job.changed", "anna") in {(each["topic"], each["actor"]) for each in events}


def test_nobody_knows_an_end_while_no_sidecar_works_towards_it(house: House, anna: httpx.Client) -> None:
    job_id = JOBS["ben", "queued"]
    progress = {"percentage": 0.0, "queuePosition": 1, "etaSeconds": 12.0, "etaRangeSeconds": [10.0, 30.0]}
    status = {"jobId": job_id, "progress": progress}
    (house.root / "status" / f"{job_id}.json").write_text(json.dumps(status), encoding="utf-8")
    told = {**progress, "etaSeconds": None, "etaRangeSeconds": None}
    addresses = (f"/-/api/jobs/{job_id}", f"/v1/images/generations/{job_id}")

    assert [anna.get(each).json()["progress"] for each in addresses] == [told, told]
    with house.held():
        assert [anna.get(each).json()["progress"] for each in addresses] == [progress, progress]


@pytest.mark.parametrize("job_id", ["none", "..%2f..%2fhotfolder", "%00", "0" * 36, NOWHERE, "x" * 2000])
def test_a_job_that_is_not_there_is_not_found(house: House, anna: httpx.Client, job_id: str) -> None:
    def address(path: str) -> httpx.URL:
        return httpx.URL(house.url).copy_with(raw_path=path.encode())

    assert anna.get(address(f"/-/api/jobs/{job_id}")).status_code == 404
    for verb in ("cancel", "retry"):
        assert anna.post(address(f"/-/api/jobs/{job_id}/{verb}")).status_code == 404


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_a_request_without_a_body_is_one(anna: httpx.Client, verb: str) -> None:
    answer = anna.post(f"/-/api/jobs/{JOBS['anna', 'completed']}/{verb}", json={"x": 1})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "web.invalid_request")
    assert anna.get(f"/-/api/jobs/{JOBS['anna', 'completed']}/{verb}").status_code == 405


@pytest.mark.parametrize(
    ("state", "expected"),
    [("active", {"queued", "cancelled"}), ("ended", {"failed", "completed", "cancelled"})],
)
def test_jobs_are_listed_by_state(visitor: httpx.Client, state: str, expected: set[str]) -> None:
    page = visitor.get("/-/api/jobs", params={"state": state}).json()

    assert page["items"]
    assert {each["status"] for each in page["items"]} <= expected
    assert all(set(each) == KEYS for each in page["items"])
    assert state == "active" or page["waiting"] == []


@pytest.mark.parametrize("query", ["state=x", "limit=0", "limit=501", "limit=-1", "limit=x"])
def test_a_list_that_makes_no_sense_is_refused(visitor: httpx.Client, query: str) -> None:
    assert visitor.get(f"/-/api/jobs?{query}").status_code == 400


@pytest.mark.parametrize("state", ["active", "ended"])
def test_a_limit_is_kept(visitor: httpx.Client, state: str) -> None:
    assert len(visitor.get(f"/-/api/jobs?limit=1&state={state}").json()["items"]) == 1


def test_a_request_that_comes_twice_is_one_job(house: House, anna: httpx.Client) -> None:
    body = {**JOB, "id": new_id()}

    first, second = anna.post("/-/api/jobs", json=body), anna.post("/-/api/jobs", json=body)

    assert first.json() == second.json()
    assert files_in(house) == [f"{body['id']}.json"]


def test_another_job_under_a_used_id_is_refused(house: House, anna: httpx.Client) -> None:
    body = {**JOB, "id": new_id()}
    anna.post("/-/api/jobs", json=body)

    for job_id in (body["id"], JOBS["anna", "completed"]):
        answer = anna.post("/-/api/jobs", json={**JOB, "id": job_id, "title": "another"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "job.duplicate_id")
    assert files_in(house) == [f"{body['id']}.json"]


def test_the_words_of_a_job_come_as_they_are_half_characters_too(visitor: httpx.Client) -> None:
    found = visitor.get(f"/-/api/jobs/{JOBS['ben', 'failed']}").json()

    assert (found["title"], found["error"]["message"], found["error"]["hint"]) == (
        HARM,
        f"{HARM}\ud800",
        HARM,
    )
    assert (found["canCancel"], found["canRetry"]) == (False, True)
    assert found["jobFile"] == JOB_FILE


def test_file_names_that_are_no_text_are_listed_all_the_same(house: House, visitor: httpx.Client) -> None:
    (house.root / "inbox" / "\udcff<script>.yaml").write_text("x")
    (house.root / "inbox" / "hold" / "a.yaml").write_text("x")

    waiting = visitor.get("/-/api/jobs").json()["waiting"]

    assert {"jobFile": "\udcff<script>.yaml", "status": "received"} in waiting
    assert {"jobFile": "hold/a.yaml", "status": "held"} in waiting
    assert visitor.get("/-/queue").status_code == 200
