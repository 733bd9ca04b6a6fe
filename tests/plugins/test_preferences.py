"""What the pages remember: for each who is logged in, small, and merged key by key."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from hotfolder.app import create_library
from hotfolder.database import Database
from hotfolder.errors import LibraryError
from hotfolder.library.preferences import MAX_BYTES, MAX_DEPTH, PreferenceStore
from tests.plugins.house import House

PREFERENCES = "/-/api/preferences"


@pytest.fixture
def store(tmp_path: Path) -> PreferenceStore:
    create_library(tmp_path / "library")
    return PreferenceStore(Database(tmp_path / "library" / "library.db"))


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def send(client: httpx.Client, preferences: Any) -> httpx.Response:
    body = json.dumps({"preferences": preferences})
    return client.post(PREFERENCES, content=body, headers={"Content-Type": "application/json"})


def test_what_was_sent_is_there_again_for_the_same_name_only(house: House) -> None:
    anna, ben = house.program("read", "anna"), house.browser("rate", "ben")
    assert anna.get(PREFERENCES).json() == {"preferences": {}}

    kept = {"panels": {"left": True}, "size": 180, "note": "Fähre \u2028<script>", "half": "\ud800"}
    assert send(anna, kept).json() == {"preferences": kept}
    assert send(ben, {"size": 90}).json() == {"preferences": {"size": 90}}

    assert house.browser("admin", "anna").get(PREFERENCES).json() == {"preferences": kept}


def test_keys_are_replaced_whole_and_null_forgets_one(house: House) -> None:
    carl = house.program("read", "carl")
    send(carl, {"a": {"x": 1}, "b": 2, "c": 3})

    assert send(carl, {"a": {"y": 1}, "b": None}).json() == {"preferences": {"a": {"y": 1}, "c": 3}}
    assert send(carl, {}).json() == carl.get(PREFERENCES).json()


def test_visitors_have_no_preferences(visitor: httpx.Client) -> None:
    assert visitor.get(PREFERENCES).status_code == 401
    assert send(visitor, {"a": 1}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"a": 1}',
        '{"preferences": [1]}',
        '{"preferences": {}, "owner": "ben"}',
        '{"preferences": {"a": NaN}}',
        '{"preferences": {"a": 1e999}}',
        '{"preferences": {"a": %s}}' % ("[" * 5000 + "]" * 5000),
        '{"preferences": {"a": "%s"}}' % ("x" * MAX_BYTES),
        "[1]",
    ],
)
def test_what_is_no_small_object_is_refused_and_nothing_changes(house: House, body: str) -> None:
    dora = house.program("read", "dora")
    send(dora, {"kept": 1})

    answer = dora.post(PREFERENCES, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert dora.get(PREFERENCES).json() == {"preferences": {"kept": 1}}


def test_all_that_is_kept_for_somebody_together_has_a_limit(store: PreferenceStore) -> None:
    store.merge("anna", {"a": "x" * (MAX_BYTES // 2)})

    with pytest.raises(LibraryError) as caught:
        store.merge("anna", {"b": "x" * (MAX_BYTES // 2)})

    assert caught.value.code == "library.invalid_value"
    assert list(store.get("anna")) == ["a"]


def test_objects_are_kept_to_a_depth(store: PreferenceStore) -> None:
    store.merge("anna", {"a": nested(MAX_DEPTH - 1)})

    with pytest.raises(LibraryError):
        store.merge("anna", {"a": nested(MAX_DEPTH)})
    assert store.get("anna") == {"a": nested(MAX_DEPTH - 1)}


def test_row_that_somebody_spoiled_counts_as_nothing(store: PreferenceStore) -> None:
    with store._database.transaction() as tx:
        for name, value in (("anna", "{"), ("ben", "[1]"), ("carl", None)):
            tx.execute("INSERT INTO app_settings VALUES (?, ?)", (f"web.preferences/{name}", value))

    assert [store.get(name) for name in ("anna", "ben", "carl")] == [{}, {}, {}]
    assert store.merge("anna", {"a": 1}) == store.get("anna") == {"a": 1}


def test_two_tabs_that_write_at_once_lose_nothing_of_each_other(store: PreferenceStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: store.merge("anna", {f"{number}": number}), range(40)))

    assert store.get("anna") == {f"{number}": number for number in range(40)}


@pytest.mark.parametrize(
    ("view", "place"),
    [
        ("?minRating=4&sort=name&at=x", "?minRating=4&sort=name&at=x"),
        ("?q=Fähre am%20Kai#01-a", "?q=F%C3%A4hre+am+Kai#01-a"),
        ("", ""),
        ("https://evil.example/?q=a", "?q=a"),
        ("?q=a\r\nSet-Cookie: b=c#\r\n<script>", "?q=aSet-Cookie%3A+b%3Dc#%3Cscript%3E"),
        ("//[", ""),
        ("?q=\ud800", ""),
        (["?q=a"], ""),
        (7, ""),
    ],
)
def test_bare_address_leads_to_the_remembered_view_of_the_library_and_nowhere_else(
    house: House, view: Any, place: str
) -> None:
    emil = house.browser("rate", "emil")
    send(emil, {"view": view})

    answer = emil.get("/", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (302, f"/-/library{place}")
