"""Care of the library over the API: many pictures at once, trash, collections, keywords, import folders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hotfolder.database import Database
from hotfolder.files.images import write_thumbnail
from hotfolder.library.changes import CHUNK
from hotfolder.library.media import Media, MediaStore
from hotfolder.library.trash import MEDIA_FILES, MEDIA_PURGE
from tests.pictures import write_png
from tests.plugins.furniture import HARM, NOWHERE
from tests.plugins.house import House

BULK, TRASH, COLLECTIONS = "/-/api/media/bulk", "/-/api/trash", "/-/api/collections"
KEYWORDS, FOLDERS = "/-/api/keywords", "/-/api/import-folders"


@pytest.fixture
def database(house: House) -> Iterator[Database]:
    opened = Database(house.root / "library.db")
    yield opened
    opened.close()


@pytest.fixture
def make(database: Database, request: pytest.FixtureRequest) -> Any:
    """Makes so many pictures of this test's own, and gives their ids."""

    def make_some(count: int, *keywords: str, review: str = "none") -> list[str]:
        name = f"{abs(hash(request.node.name)):x}"
        have = database.query("SELECT count(*) AS n FROM media")[0]["n"]
        ids = [f"{name}-{have + each:06}" for each in range(count)]
        with database.transaction() as tx:
            for each in ids:
                media = Media(
                    each, f"originals/{each}.png", f"thumbnails/{each}.jpg", f"{each}.png", "import", 64, 48,
                    7, "image/png", each, each, None, "2026-11-21T03:00:00.000Z", review=review,  # type: ignore[arg-type]
                )  # fmt: skip
                MediaStore(database).insert(tx, media, keywords)
        return ids

    return make_some


def post(client: httpx.Client, address: str, body: object) -> Any:
    answer = client.post(address, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def column(database: Database, name: str, ids: list[str]) -> list[Any]:
    rows = {row["id"]: row[name] for row in database.query(f"SELECT id, {name} FROM media")}
    return [rows[each] for each in ids]


def events_since(database: Database, seq: int) -> list[Any]:
    found = database.list_events(seq)
    return [each for each in found if each.subject_type in ("change", "media", "collection", "keyword")]


def test_many_pictures_change_in_pieces_with_one_event_and_are_put_back(
    house: House, database: Database, make: Any
) -> None:
    ids, client = make(CHUNK + 5), house.program("rate", "rita")
    seq = database.last_event_seq()
    changes = {"rating": 4, "status": "selected", "addKeywords": ["bulk"]}

    made = post(client, BULK, {"mediaIds": [*ids, ids[0], NOWHERE], "changes": changes})

    assert made["changed"] == CHUNK + 5
    assert set(column(database, "rating", ids)) == {4}
    (event,) = events_since(database, seq)
    assert (event.topic, event.subject_id, event.actor) == ("rating.changed", made["changeId"], "rita")
    assert (event.data["count"], event.data["changes"]) == (CHUNK + 5, changes)
    post(client, f"/-/api/media/{ids[0]}", {"rating": 1})

    undone = post(client, f"/-/api/changes/{made['changeId']}/undo", None)

    assert undone["restored"] == CHUNK + 5
    assert column(database, "rating", ids[:2]) == [1, 0]
    assert set(column(database, "status", ids)) == {None}
    assert post(client, f"/-/api/changes/{made['changeId']}/undo", None)["restored"] == 0
    found = client.get(KEYWORDS, params={"prefix": "bulk"}).json()["items"]
    assert [(each["keyword"], each["n"]) for each in found] == [("bulk", 0)]


def test_change_that_breaks_off_half_way_says_what_was_done_and_how_to_take_it_back(
    house: House, database: Database, make: Any
) -> None:
    ids, client = make(CHUNK + 5), house.program("rate", "rita")
    seq, broken = database.last_event_seq(), f"BEFORE UPDATE OF rating ON media WHEN new.id = '{ids[-1]}'"
    with database.transaction() as tx:
        tx.execute(f"CREATE TRIGGER broken {broken} BEGIN SELECT RAISE(ABORT, 'a worn disk'); END")
    try:
        answer = client.post(BULK, json={"mediaIds": ids, "rating": 4})
    finally:
        with database.transaction() as tx:
            tx.execute("DROP TRIGGER broken")

    assert error_of(answer) == (500, "internal.unexpected")
    error = answer.json()["error"]
    assert (error["changed"], error["skipped"]) == (CHUNK, 0)
    (event,) = events_since(database, seq)
    assert (event.subject_id, event.data["count"]) == (error["changeId"], CHUNK)
    undo = f"/-/api/changes/{error['changeId']}/undo"
    assert undo in error["hint"]
    assert post(client, undo, None)["restored"] == CHUNK
    assert set(column(database, "rating", ids)) == {0}


def test_picture_that_is_full_of_keywords_is_skipped_and_the_others_change(
    house: House, database: Database, make: Any
) -> None:
    ids, client = make(CHUNK + 5), house.program("rate")
    with database.transaction() as tx:
        MediaStore(database).add_keywords(tx, ids[CHUNK], [f"full-{each}" for each in range(500)])

    made = post(client, BULK, {"mediaIds": ids, "rating": 4, "addKeywords": ["one more"]})

    assert (made["changed"], made["skipped"]) == (CHUNK + 4, 1)
    assert column(database, "rating", ids[CHUNK - 1 : CHUNK + 2]) == [4, 0, 4]
    assert client.post(BULK, json={"mediaIds": ids, "label": "Red"}).status_code == 400


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/-/api/review", {"mediaIds": ["\ud800"], "decision": "accept"}),
        ("/-/api/review", {"mediaIds": ["a"], "decision": "accept", "collection": "\ud800"}),
        (f"/-/api/review/{NOWHERE}", {"decision": "accept", "collection": "\ud800"}),
        ("/-/api/download", {"mediaIds": ["\ud800"]}), (BULK, {"mediaIds": ["\ud800"], "rating": 3}),
        (BULK, {"mediaIds": ["a"], "addKeywords": ["\ud800"]}), (BULK, {"mediaIds": ["a"], "\ud800": 1}),
        (BULK, {"mediaIds": ["a"], "label": "\ud800"}), (TRASH, {"mediaIds": ["\ud800"]}),
        (COLLECTIONS, {"name": "\ud800"}), (COLLECTIONS, {"name": "n", "query": "q=\ud800"}),
        (f"{COLLECTIONS}/x", {"name": "\ud800"}), (f"{COLLECTIONS}/x/order", {"mediaIds": ["\ud800"]}),
        (f"{KEYWORDS}/x", {"keyword": "\ud800"}), (f"{KEYWORDS}/x/merge", {"into": "\ud800"}),
    ],
)  # fmt: skip
def test_half_a_character_is_refused_and_is_no_failure_of_the_server(
    house: House, address: str, body: dict[str, Any]
) -> None:
    kind = {"Content-Type": "application/json"}
    answer = house.program("admin").post(address, content=json.dumps(body), headers=kind)

    assert answer.status_code == 400, answer.text


def test_all_of_a_view_but_a_few_change(house: House, database: Database, make: Any) -> None:
    ids, client = make(3, "viewed"), house.program("rate")
    view = client.get("/-/api/media", params={"keyword": "viewed"}).json()["view"]

    made = post(client, BULK, {"view": view, "except": ids[:1], "label": "red"})

    assert made["changed"] == 2
    assert column(database, "label", ids) == [None, "red", "red"]


def test_deleted_pictures_leave_the_library_and_come_back_by_an_undo_or_a_restore(
    house: House, database: Database, make: Any
) -> None:
    ids, client = make(3), house.program("review", "rita")
    seq = database.last_event_seq()

    first = post(client, TRASH, {"mediaIds": ids[:2]})
    second = client.delete(f"/-/api/media/{ids[2]}")

    assert (first["trashed"], second.status_code, second.json()["trashed"]) == (2, 200, 1)
    assert all(column(database, "deleted_at", ids))
    many, one = events_since(database, seq)
    assert (many.subject_type, many.data) == ("change", {"deleted": True, "count": 2, "mediaIds": ids[:2]})
    assert (one.subject_id, one.actor, one.data) == (ids[2], "rita", {"deleted": True})
    assert client.get(f"/-/api/media/{ids[0]}").status_code == 404
    listed = client.get("/-/api/media", params={"deleted": "only", "limit": 500}).json()["items"]
    assert set(ids) <= {each["mediaId"] for each in listed}
    sql = "SELECT status, payload_json FROM work_queue WHERE task_type = ? AND correlation_id = ?"
    (work,) = database.query(sql, (MEDIA_FILES, first["changeId"]))
    assert work["status"] == "scheduled"

    assert post(client, f"/-/api/changes/{first['changeId']}/undo", None)["restored"] == 2
    assert post(client, f"{TRASH}/restore", {"mediaIds": ids})["restored"] == 1

    assert column(database, "deleted_at", ids) == [None] * 3
    assert client.get(f"/-/api/media/{ids[0]}").status_code == 200
    assert client.delete(f"/-/api/media/{NOWHERE}").status_code == 404


def test_trash_is_emptied_by_an_admin_alone(house: House, database: Database, make: Any) -> None:
    ids, reviewer, admin = make(3), house.program("review"), house.program("admin")
    post(reviewer, TRASH, {"mediaIds": ids[:2]})
    assert error_of(reviewer.post(f"{TRASH}/purge", json={"all": True})) == (403, "web.scope_missing")

    assert post(admin, f"{TRASH}/purge", {"mediaIds": [ids[0], ids[2]]}) == {"purged": 1}
    assert post(admin, f"{TRASH}/purge", {"all": True})["purged"] >= 1

    left = [row["id"] for row in database.query("SELECT id FROM media")]
    assert [each in left for each in ids] == [False, False, True]
    assert database.query("SELECT 1 FROM work_queue WHERE task_type = ?", (MEDIA_PURGE,))
    assert post(admin, f"{TRASH}/purge", {"all": True}) == {"purged": 0}


@pytest.mark.parametrize(
    ("address", "scope", "method"),
    [
        (BULK, "read", "POST"), (f"/-/api/changes/{NOWHERE}/undo", "read", "POST"), (TRASH, "rate", "POST"),
        (f"{TRASH}/restore", "rate", "POST"), (f"{TRASH}/purge", "review", "POST"),
        (f"/-/api/media/{NOWHERE}", "rate", "DELETE"), (COLLECTIONS, "read", "POST"),
        (f"{COLLECTIONS}/x", "submit", "POST"), (f"{COLLECTIONS}/x", "read", "DELETE"),
        (f"{COLLECTIONS}/x/media", "read", "POST"), (f"{COLLECTIONS}/x/order", "read", "POST"),
        (f"{KEYWORDS}/x", "review", "POST"), (f"{KEYWORDS}/x", "review", "DELETE"),
        (f"{KEYWORDS}/x/merge", "review", "POST"), (FOLDERS, "review", "POST"), (FOLDERS, "review", "DELETE"),
        (FOLDERS, "review", "GET"),
    ],
)  # fmt: skip
def test_nobody_writes_without_the_scope(house: House, address: str, scope: str, method: str) -> None:
    member, visitor = house.program(scope), house.visitor()

    assert error_of(member.request(method, address)) == (403, "web.scope_missing")
    assert visitor.request(method, address).status_code == 401


def test_undo_of_a_trash_needs_more_than_that_of_a_rating(house: House, make: Any) -> None:
    trashed = post(house.program("review"), TRASH, {"mediaIds": make(1)})

    refused = house.program("rate").post(f"/-/api/changes/{trashed['changeId']}/undo")

    assert error_of(refused) == (403, "web.scope_missing")
    assert error_of(house.program("rate").post("/-/api/changes/nothing/undo")) == (404, "library.not_found")


@pytest.mark.parametrize(
    ("address", "body"),
    [
        (BULK, {}), (BULK, {"mediaIds": ["a"]}), (BULK, {"changes": {"rating": 1}}),
        (BULK, {"mediaIds": ["a"], "changes": {"rating": 9}}), (BULK, {"mediaIds": "a", "changes": {}}),
        (BULK, {"mediaIds": ["a"], "changes": {"rating": 1}, "x": 1}), (BULK, {"mediaIds": [1]}),
        (TRASH, {}), (TRASH, {"all": True}), (TRASH, {"mediaIds": ["a"], "x": 1}),
        (f"{TRASH}/purge", {"all": 1}), (f"{TRASH}/purge", {"all": True, "mediaIds": []}),
        (COLLECTIONS, {}), (COLLECTIONS, {"name": 1}), (COLLECTIONS, {"name": ""}),
        (COLLECTIONS, {"name": "a\nb"}), (COLLECTIONS, {"name": "a", "query": "rating=9"}),
        (COLLECTIONS, {"name": "a", "query": 1}), (COLLECTIONS, {"name": "a", "query": "x" * 5000}),
        (COLLECTIONS, {"name": "a", "x": 1}),
        (FOLDERS, {}), (FOLDERS, {"path": 1}), (FOLDERS, {"path": "not/absolute"}),
        (FOLDERS, {"path": "/tmp", "mode": "eat"}), (FOLDERS, {"path": "/tmp", "recursive": 1}),
        (FOLDERS, {"path": "/tmp", "keywords": "a"}), (FOLDERS, {"path": "/tmp\0x"}),
    ],
)  # fmt: skip
def test_request_that_makes_no_sense_is_refused(house: House, address: str, body: object) -> None:
    answer = house.program("admin").post(address, json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"].split(".")[0] in ("web", "library")


def test_manual_collection_is_filled_ordered_and_shown(house: House, make: Any) -> None:
    ids, client = make(3, review="accepted"), house.program("rate")
    made = post(client, COLLECTIONS, {"name": f"Order {HARM[:40]}"})
    address = f"{COLLECTIONS}/{made['collectionId']}"
    assert (made["kind"], made["n"], made["query"]) == ("manual", 0, None)

    assert post(client, f"{address}/media", {"mediaIds": ids}) == {"joined": 3}
    ordered = post(client, f"{address}/order", {"mediaIds": [ids[2], ids[0]]})

    query = {"collection": made["collectionId"], "sort": "manual"}
    shown = [each["mediaId"] for each in client.get("/-/api/media", params=query).json()["items"]]
    assert (ordered["n"], shown) == (3, [ids[2], ids[1], ids[0]])
    assert post(client, f"{address}/media", {"mediaIds": ids[:1], "remove": True}) == {"left": 1}
    assert post(client, address, {"name": "Renamed"})["name"] == "Renamed"
    (listed,) = [each for each in client.get(COLLECTIONS).json()["items"] if each["name"] == "Renamed"]
    assert listed["n"] == 2
    assert client.delete(address).json() == {"deleted": made["collectionId"]}
    assert client.post(f"{address}/media", json={"mediaIds": ids}).status_code == 404


def test_live_collection_counts_what_fits_its_filter(house: House, make: Any) -> None:
    make(2, "lively")
    client = house.program("rate")

    made = post(client, COLLECTIONS, {"name": "Lively", "query": "?keyword=lively"})

    assert (made["kind"], made["query"], made["n"]) == ("live", "keyword=lively", 2)
    address = f"{COLLECTIONS}/{made['collectionId']}"
    make(1, "lively")
    (listed,) = [each for each in client.get(COLLECTIONS).json()["items"] if each["name"] == "Lively"]
    assert listed["n"] == 3
    assert post(client, address, {"query": "keyword=nothing"})["n"] == 0
    refused = client.post(f"{address}/media", json={"mediaIds": ["a"]})
    assert error_of(refused) == (400, "library.invalid_value")
    taken = client.post(COLLECTIONS, json={"name": "LIVELY"})
    assert error_of(taken) == (409, "library.duplicate_name")


def test_visitor_sees_collections_but_no_number_of_what_awaits_a_review(
    house: House, database: Database, make: Any
) -> None:
    client = house.program("rate")
    made = post(client, COLLECTIONS, {"name": "Waiting"})
    body = {"mediaIds": [*make(1), *make(1, review="awaiting")]}
    post(client, f"{COLLECTIONS}/{made['collectionId']}/media", body)

    counts = [
        next(each["n"] for each in who.get(COLLECTIONS).json()["items"] if each["name"] == "Waiting")
        for who in (client, house.visitor())
    ]

    assert counts == [2, 1]


def test_keywords_are_found_renamed_merged_and_removed(house: House, database: Database, make: Any) -> None:
    ids = [*make(2, "care-a"), *make(1, "care-b")]
    client = house.program("admin")

    def found() -> dict[str, dict[str, Any]]:
        items = client.get(KEYWORDS, params={"prefix": "CARE", "limit": 9}).json()["items"]
        return {each["keyword"]: each for each in items}

    words = found()
    assert list(words) == ["care-a", "care-b"]
    address = f"{KEYWORDS}/{words['care-a']['keywordId']}"
    taken = client.post(address, json={"keyword": "care-b"})
    assert error_of(taken) == (409, "library.duplicate_name")
    assert post(client, address, {"keyword": "care-z"})["n"] == 2
    searched = client.get("/-/api/media", params={"q": "care-z"}).json()["items"]
    assert {each["mediaId"] for each in searched} == set(ids[:2])

    merged = post(client, f"{address}/merge", {"into": words["care-b"]["keywordId"]})

    assert (merged["keyword"], merged["n"]) == ("care-b", 3)
    assert list(found()) == ["care-b"]
    assert client.delete(f"{KEYWORDS}/{merged['keywordId']}").status_code == 200
    assert found() == {}
    assert client.delete(f"{KEYWORDS}/{merged['keywordId']}").status_code == 404
    assert house.visitor().get(KEYWORDS).status_code == 200


def test_import_folders_are_added_and_removed_as_by_the_command(house: House, tmp_path: Path) -> None:
    client = house.program("admin")
    body = {"path": str(tmp_path), "keywords": [" bay ", "bay"], "collection": " Spring "}

    (folder,) = post(client, FOLDERS, body)["items"]

    assert (folder["path"], folder["mode"], folder["state"]) == (str(tmp_path), "copy", "watched")
    assert (folder["keywords"], folder["collection"]) == (["bay"], "Spring")
    for path in (tmp_path, tmp_path / "below", house.root, house.root / "inbox", house.root.parent):
        refused = client.post(FOLDERS, json={"path": str(path)})
        assert error_of(refused) == (400, "library.folder_refused")
    assert client.get(FOLDERS).json()["items"] == [folder]
    gone = client.request("DELETE", FOLDERS, json={"folderId": folder["folderId"]})
    assert (gone.status_code, gone.json()["items"]) == (200, [])
    assert client.request("DELETE", FOLDERS, json={"folderId": "x"}).status_code == 404


def test_deleted_picture_keeps_its_thumbnail_for_the_trash(house: House, make: Any) -> None:
    (media_id,) = make(1)
    write_thumbnail(write_png(house.root / f"{media_id}.png"), house.root / "thumbnails" / f"{media_id}.jpg")
    post(house.program("review"), TRASH, {"mediaIds": [media_id]})

    address = f"/media/{media_id}/thumbnail"
    assert house.program("read").get(address).status_code == 200
    assert house.visitor().get(address).status_code == 404
