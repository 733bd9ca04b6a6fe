"""An owner with as many jobs waiting as may is told to come back; dropped files are never refused."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from hotfolder.app import open_library
from hotfolder.config import load_settings
from tests.plugins.house import House, open_house
from tests.plugins.test_job_control import add_job

SETTINGS = "limits: {owners: {anna: {active_jobs: 1, backlog: 2}}}\n"
BODY = {"endpointKey": "local.procedural.image", "params": {"prompt": "A bay", "size": "64*64"}}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house in which anna has one job in the queue and two that wait for it."""
    with open_house(tmp_path_factory.mktemp("backlog") / "library", settings=SETTINGS) as made:
        library = open_library(made.root, load_settings(made.root, {}))
        for _ in range(2):  # behind one of the furniture
            add_job(library, "anna")
        assert library.limits.count_backlog("anna") == 2
        library.close()
        yield made


@pytest.fixture
def anna(house: House) -> httpx.Client:
    return house.program("submit", "anna")


def test_a_submission_too_many_is_answered_with_when_to_come_back(anna: httpx.Client, house: House) -> None:
    answer = anna.post("/-/api/jobs", json=BODY)

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "queue.backlog_full"
    assert int(answer.headers["Retry-After"]) >= 1
    assert list((house.root / "inbox").glob("*.json")) == []


def test_the_image_api_says_that_the_server_is_busy(anna: httpx.Client) -> None:
    answer = anna.post(
        "/v1/images/generations", json={"prompt": "A bay", "endpointKey": "local.procedural.image"}
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVER_BUSY")
    assert int(answer.headers["Retry-After"]) >= 1


def test_another_owner_is_not_concerned(house: House) -> None:
    assert house.program("submit", "ben").post("/-/api/jobs", json=BODY).status_code == 201
