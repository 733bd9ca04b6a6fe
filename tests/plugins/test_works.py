"""The image API and the control of jobs, with a real sidecar beside the web."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.plugins.furniture import JOBS
from tests.plugins.house import House, open_house
from tests.scenarios.service import Service, wait_for

SETTINGS = """
api: {default_endpoint: local.procedural.image}
engine: {env: {HOTFOLDER_PROCEDURAL_STEP_MS: '100'}}
"""
SMALL: dict[str, Any] = {"prompt": "A quiet bay", "width": 64, "height": 96, "steps": 1, "seed": 7}
SLOW = {**SMALL, "steps": 10}
V1 = "/v1/images/generations"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with an endpoint for those who name none."""
    with open_house(tmp_path_factory.mktemp("works") / "library", settings=SETTINGS) as made:
        yield made


@pytest.fixture(scope="module")
def sidecar(house: House) -> Iterator[Service]:
    """The sidecar of the house, which runs what lies there already first."""
    made = Service(house.root)
    try:
        made.start()
        made.wait_until_watching()
        yield made
    finally:
        made.kill()


@pytest.fixture(scope="module")
def anna(house: House) -> httpx.Client:
    return house.program("submit", "anna")


def state_of(client: httpx.Client, job_id: str) -> dict[str, Any]:
    answer = client.get(f"{V1}/{job_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def wait_for_status(client: httpx.Client, job_id: str, *statuses: str) -> dict[str, Any]:
    """What the API says of a generation, once it has one of these states."""

    def look() -> dict[str, Any] | None:
        found = state_of(client, job_id)
        return found if found["status"] in statuses else None

    return wait_for(look, f"{job_id} as {statuses}")


def test_a_request_becomes_pictures(house: House, sidecar: Service, anna: httpx.Client) -> None:
    job_id = anna.post(V1, json={**SMALL, "count": 2}).json()["id"]

    found = wait_for_status(anna, job_id, "complete", "error")

    assert set(found) == {"id", "status", "createdAt", "updatedAt", "result"}, found
    result = found["result"]
    assert (result["format"], result["timeTaken"] > 0, len(result["images"])) == ("png", True, 2)
    assert [(each["seed"], each["width"], each["height"]) for each in result["images"]] == [
        (7, 64, 96),
        (8, 64, 96),
    ]
    inline = anna.get(f"{V1}/{job_id}?inline=1").json()["result"]["images"]
    for image, with_data in zip(result["images"], inline, strict=True):
        data = anna.get(image["url"])
        assert data.status_code == 200
        assert base64.b64decode(with_data.pop("image")) == data.content
        assert with_data == image
    (row,) = sidecar.query("SELECT owner, job_file FROM jobs WHERE id = ?", job_id)
    assert row == {"owner": "anna", "job_file": f"{job_id}.json"}
    answer = anna.delete(f"{V1}/{job_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ALREADY_TERMINAL")


def test_the_picture_is_a_picture_of_the_library(house: House, sidecar: Service, anna: httpx.Client) -> None:
    job_id = anna.post(V1, json={**SMALL, "seed": 11}).json()["id"]
    (image,) = wait_for_status(anna, job_id, "complete")["result"]["images"]

    (item,) = [each for each in anna.get("/-/api/media").json()["items"] if each["sha256"] == image["sha256"]]

    assert (item["origin"], item["originalUrl"]) == ("generation", image["url"])
    detail = anna.get(f"/-/api/media/{item['mediaId']}").json()
    assert (detail["generation"]["jobId"], detail["generation"]["prompt"]) == (job_id, SMALL["prompt"])
    with Image.open(house.root / item["path"]) as opened:
        assert opened.size == (64, 96)


def test_a_request_is_known_from_the_first_moment_to_the_last(sidecar: Service, anna: httpx.Client) -> None:
    for seed in range(5):
        job_id = anna.post(V1, json={**SMALL, "seed": 100 + seed}).json()["id"]
        seen = [state_of(anna, job_id)["status"]]
        while seen[-1] not in ("complete", "error", "cancelled"):  # asked without a pause
            seen.append(state_of(anna, job_id)["status"])
        order = ("pending", "in_progress", "complete")
        assert [order.index(each) for each in seen] == sorted(order.index(each) for each in seen)


def test_what_runs_tells_how_far_it_is_and_can_be_cancelled(sidecar: Service, anna: httpx.Client) -> None:
    job_id = anna.post(V1, json={**SLOW, "count": 8}).json()["id"]
    found = wait_for(lambda: (each := state_of(anna, job_id)) and each.get("progress") and each, "progress")
    assert found["status"] in ("pending", "in_progress")
    assert set(found["progress"]) >= {
        "stage",
        "currentStep",
        "totalSteps",
        "percentage",
        "currentImage",
        "totalImages",
    }

    assert anna.delete(f"{V1}/{job_id}").status_code == 200

    assert "result" not in wait_for_status(anna, job_id, "cancelled")
    answer = anna.delete(f"{V1}/{job_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ALREADY_TERMINAL")


def test_what_cannot_be_made_ends_as_an_error_that_says_why(sidecar: Service, anna: httpx.Client) -> None:
    job_id = anna.post(V1, json={**SMALL, "endpointKey": "local.flux2-klein-4b.image"}).json()["id"]

    found = wait_for_status(anna, job_id, "error", "complete")

    assert found["status"] == "error"
    assert found["error"]["code"].startswith("engine.")
    assert found["error"]["message"]


def test_a_running_job_is_cancelled_and_tried_again_over_its_own_routes(
    sidecar: Service, anna: httpx.Client
) -> None:
    body = {
        "endpointKey": "local.procedural.image",
        "params": {"prompt": "x", "size": "64*64", "steps": 10},
        "count": 2,
    }
    job_id = anna.post("/-/api/jobs", json=body).json()["jobId"]

    def status() -> str:
        return str(anna.get(f"/-/api/jobs/{job_id}").json()["status"])

    wait_for(lambda: status() == "running", "the job at work")
    cancelled = anna.post(f"/-/api/jobs/{job_id}/cancel").json()
    assert cancelled["status"] in ("cancelling", "cancelled")
    assert cancelled["canCancel"] is False
    wait_for(lambda: status() in ("cancelled", "partially_completed"), "the job cancelled")

    again = anna.post(f"/-/api/jobs/{job_id}/retry")

    assert again.status_code == 200
    assert again.json()["status"] in ("queued", "running")  # the worker may be quicker than the answer
    wait_for(lambda: status() == "completed", "the job completed")
    done = anna.get(f"/-/api/jobs/{job_id}").json()
    assert (len(done["pictures"]), done["totalPictures"], done["canRetry"], done["progress"]) == (
        2,
        2,
        False,
        None,
    )
    assert anna.get(done["pictures"][0]["thumbnailUrl"]).status_code == 200


def test_jobs_that_waited_in_the_house_have_ended_whoever_owns_them(
    sidecar: Service, anna: httpx.Client
) -> None:
    for owner in ("anna", "ben", None):
        wait_for(
            lambda owner=owner: state_of(anna, JOBS[owner, "queued"])["status"] == "complete",
            f"the job of {owner}",
        )


def test_status_tells_of_the_sidecar_and_the_engine(sidecar: Service, anna: httpx.Client) -> None:
    status = anna.get("/-/api/status").json()

    assert (status["sidecar"]["running"], status["engine"]["kind"]) == (True, "procedural")
    assert anna.get("/-/healthz").status_code == 200
    topics = {each["topic"] for each in anna.get("/-/api/events", params={"after": 0}).json()["events"]}
    assert {"library.updated", "job.received", "job.changed", "generation.changed", "engine.status"} <= topics


def test_one_discarded_picture_does_not_hide_the_others_of_its_job(
    house: House, sidecar: Service, anna: httpx.Client
) -> None:
    job_id = anna.post(V1, json={**SMALL, "count": 2, "review": True}).json()["id"]
    images = wait_for_status(anna, job_id, "complete")["result"]["images"]
    assert [each["review"] for each in images] == ["awaiting"] * 2
    gone, kept = images[0]["url"].split("/")[2], images[1]["url"]

    house.program("review").post(f"/-/api/review/{gone}", json={"decision": "discard"})

    (image,) = state_of(anna, job_id)["result"]["images"]
    assert (image["url"], image["review"]) == (kept, "awaiting")
    assert anna.get(kept).status_code == 200
    inline = anna.get(f"{V1}/{job_id}", params={"inline": 1})
    assert inline.status_code == 200
    (with_file,) = inline.json()["result"]["images"]
    assert base64.b64decode(with_file["image"])[:4] == b"\x89PNG"
