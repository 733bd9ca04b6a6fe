"""The asynchronous image API while no sidecar runs: requests are files, and errors have its codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.plugins.furniture import JOBS, NOWHERE, PLAIN
from tests.plugins.house import House, open_house

SMALL: dict[str, Any] = {"prompt": "A quiet bay", "width": 64, "height": 96, "steps": 1, "seed": 7}
V1 = "/v1/images/generations"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with an endpoint for those who name none."""
    with open_house(
        tmp_path_factory.mktemp("pending") / "library",
        settings="api: {default_endpoint: local.procedural.image}\n",
    ) as made:
        yield made


@pytest.fixture(scope="module")
def anna(house: House) -> httpx.Client:
    return house.program("submit", "anna")


def state_of(client: httpx.Client, job_id: str) -> dict[str, Any]:
    answer = client.get(f"{V1}/{job_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_request_is_a_job_file_in_the_inbox_and_pending_until_somebody_takes_it(
    house: House, anna: httpx.Client
) -> None:
    answer = anna.post(V1, json={**SMALL, "title": "Bay", "keywords": ["bay"]})

    made = answer.json()
    assert answer.status_code == 201
    assert set(made) == {"id", "status", "createdAt"}
    assert (made["status"], (house.root / "inbox" / f"{made['id']}.json").is_file()) == ("pending", True)
    found = state_of(anna, made["id"])
    assert (found["id"], found["status"], found["createdAt"]) == (made["id"], "pending", made["createdAt"])

    gone = anna.delete(f"{V1}/{made['id']}")

    assert (gone.status_code, gone.json()["id"], gone.json()["status"]) == (200, made["id"], "cancelled")
    assert not (house.root / "inbox" / f"{made['id']}.json").exists()
    assert state_of(anna, made["id"])["status"] == "cancelled"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"prompt": ""}, {"prompt": None}, {"prompt": 7}, {"width": 64},
        {**SMALL, "endpointKey": "local.nothing"}, {**SMALL, "endpointKey": None},
        {**SMALL, "steps": "many"}, {**SMALL, "steps": 10_000}, {**SMALL, "width": -1},
        {**SMALL, "cfgScale": 7}, {**SMALL, "sampler": "x"},
        {**SMALL, "count": 65}, {**SMALL, "count": 0}, {**SMALL, "nonsense": 1}, {**SMALL, "params": []},
        {**SMALL, "params": {"prompt": "twice"}},
        {**SMALL, "id": "../../x"}, {**SMALL, "seed": 2**40}, {**SMALL, "refs": [{"media": "none"}]},
    ],
)  # fmt: skip
def test_a_request_that_makes_no_sense_is_refused_in_words(
    house: House, anna: httpx.Client, body: dict[str, Any]
) -> None:
    answer = anna.post(V1, json=body)

    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == "INVALID_REQUEST"
    assert set(error) == {"code", "message"}
    assert len(error["message"]) > 10
    assert list((house.root / "inbox").glob("*.json")) == []


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'{"prompt": "\\ud800"}', b"null", b"\xff"])
def test_a_body_that_is_no_request_is_refused(anna: httpx.Client, body: bytes) -> None:
    answer = anna.post(V1, content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


def test_errors_have_the_codes_of_this_api(house: House, anna: httpx.Client) -> None:
    def outcome(answer: httpx.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()["error"]["code"]

    assert outcome(anna.post(V1, content=b"x", headers={"Content-Type": "text/plain"})) == (
        400,
        "INVALID_REQUEST",
    )
    assert outcome(anna.post(V1, json={"prompt": "x" * 1024 * 1024})) == (413, "INVALID_REQUEST")
    assert outcome(anna.get(V1)) == (405, "INVALID_REQUEST")
    assert outcome(house.program("read").post(V1, json=SMALL)) == (403, "FORBIDDEN")
    assert outcome(anna.post(V1, json={**SMALL, "owner": "ben"})) == (403, "FORBIDDEN")
    assert outcome(house.visitor().post(V1, json=SMALL)) == (401, "UNAUTHORIZED")
    assert outcome(house.visitor().get(f"{V1}/{PLAIN}")) == (401, "UNAUTHORIZED")
    assert outcome(house.visitor({"Host": "evil.example"}).get(V1)) == (421, "FORBIDDEN")
    assert outcome(anna.delete(f"{V1}/{JOBS['ben', 'queued']}")) == (403, "FORBIDDEN")
    assert outcome(anna.delete(f"{V1}/{JOBS['anna', 'completed']}")) == (409, "ALREADY_TERMINAL")


@pytest.mark.parametrize("job_id", ["none", PLAIN, NOWHERE, "..%2fx", "%00"])
def test_a_generation_that_is_not_there_is_not_found(house: House, anna: httpx.Client, job_id: str) -> None:
    for method in ("GET", "DELETE"):
        answer = anna.request(method, httpx.URL(house.url).copy_with(raw_path=f"{V1}/{job_id}".encode()))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
