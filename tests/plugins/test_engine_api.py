"""The engine over the API while no sidecar runs: what is wanted of it, by whom, and how it is."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from hotfolder.database import Database
from hotfolder.events import ENGINE_STATUS
from hotfolder.library.control import WANTED_MODEL, ControlStore
from tests.plugins.house import House, open_house

SETTINGS = "models: {sets: {flux2-klein-4b: {diffusion_model: four.gguf}, nine: {diffusion_model: n.gguf}}}\n"
LOAD, UNLOAD, STATUS = "/-/api/engine/load", "/-/api/engine/unload", "/-/api/status"
FOUR = {"modelSet": "flux2-klein-4b"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose settings name two model sets."""
    with open_house(tmp_path_factory.mktemp("engine") / "library", settings=SETTINGS) as made:
        yield made


@pytest.fixture
def database(house: House) -> Iterator[Database]:
    """The service's hand on the library."""
    opened = Database(house.root / "library.db")
    yield opened
    opened.close()


@pytest.mark.parametrize("way", ["token", "login"])
def test_a_wish_is_written_down_with_who_has_it_for_the_service_to_grant(
    house: House, database: Database, way: str
) -> None:
    client = house.program("admin", "carl") if way == "token" else house.browser("admin", "carl")
    seq = client.get(STATUS).json()["seq"]

    answers = [client.post(LOAD, json={"modelSet": "sdcpp/nine"}), client.post(LOAD, json=FOUR)]

    assert [each.status_code for each in answers] == [202, 202]
    found = ControlStore(database).find(WANTED_MODEL)
    assert found is not None
    assert (found.value, found.actor) == ("flux2-klein-4b", "carl")
    wanted = {**FOUR, "actor": "carl", "at": found.at}
    assert answers[1].json() == client.get(STATUS).json()["wanted"] == wanted
    events = client.get("/-/api/events", params={"after": seq}).json()["events"]
    assert [(each["topic"], each["actor"]) for each in events] == [("control.changed", "carl")] * 2


def test_an_unload_is_a_wish_for_no_model(house: House, database: Database) -> None:
    answer = house.program("admin", "dora").post(UNLOAD)

    assert answer.status_code == 202
    assert (answer.json()["modelSet"], answer.json()["actor"]) == (None, "dora")
    found = ControlStore(database).find(WANTED_MODEL)
    assert found is not None
    assert found.value == ""


@pytest.mark.parametrize("scope", ["read", "rate", "review", "submit"])
def test_only_an_admin_steers_what_is_everybodys(house: House, scope: str) -> None:
    client = house.program(scope)
    seq = client.get(STATUS).json()["seq"]

    for path, body in ((LOAD, FOUR), (UNLOAD, None)):
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "web.scope_missing")
        assert house.visitor().post(path, json=body).status_code == 401
    assert client.get(STATUS).json()["seq"] == seq


def test_a_set_that_the_settings_do_not_name_is_refused_with_those_that_they_do(admin: httpx.Client) -> None:
    answer = admin.post(LOAD, json={"modelSet": "flux2-klein-9b"})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "web.invalid_request")
    assert error["hint"] == "`models.sets` has: flux2-klein-4b, nine."


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (LOAD, {}), (LOAD, {"modelSet": None}), (LOAD, {"modelSet": ["nine"]}), (LOAD, {"modelSet": ""}),
        (LOAD, {"modelSet": "procedural"}), (LOAD, {"modelSet": "nothing/nine"}), (LOAD, {**FOUR, "x": 1}),
        (UNLOAD, FOUR),
    ],
)  # fmt: skip
def test_a_request_that_makes_no_sense_is_refused(admin: httpx.Client, path: str, body: object) -> None:
    seq = admin.get(STATUS).json()["seq"]

    answer = admin.post(path, json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "web.invalid_request")
    assert admin.get(path).status_code == 405
    assert admin.get(STATUS).json()["seq"] == seq


def test_what_is_wrong_with_the_engine_and_when_it_is_tried_again_is_told(
    house: House, database: Database
) -> None:
    data = {
        "state": "error",
        "kind": "cn-engine",
        "modelInfo": None,
        "problem": "the engine did not start: it ended",
        "retryAt": "2026-11-21T03:00:08.000Z",
    }
    with database.transaction() as tx:
        tx.event(ENGINE_STATUS, "engine", "cn-engine", data)

    found = house.visitor().get(STATUS).json()["engine"]

    assert found.pop("at").endswith("Z")
    assert found == data
