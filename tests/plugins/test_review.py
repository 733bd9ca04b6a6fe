"""The review queue over the API: who may decide, what a decision does, and what makes no sense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import httpx
import pytest

from hotfolder.clock import new_id
from hotfolder.database import Database
from hotfolder.files.images import write_thumbnail
from hotfolder.library.collections import CollectionStore
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.media import Media, MediaStore
from tests.pictures import write_png
from tests.plugins.furniture import GENERATION, JOBS, NOWHERE, PLAIN
from tests.plugins.house import House

LIST = "/-/api/review"
Make = Callable[[], str]


@pytest.fixture
def database(house: House) -> Iterator[Database]:
    """The service's hand on the library."""
    opened = Database(house.root / "library.db")
    yield opened
    opened.close()


@pytest.fixture
def make(database: Database) -> Make:
    """Makes a picture that awaits its review, and gives its id."""
    positions = count(len(database.query("SELECT 1 FROM generations")) + 100)

    def make_one() -> str:
        generation_id, media_id = new_id(), new_id()
        generations = GenerationStore(database)
        generation = Generation(
            generation_id, JOBS["anna", "completed"], next(positions), "local", "local.procedural.image",
            "text-to-image", {"prompt": "A bay"}, 64, 48, 5, "pending", "",
        )  # fmt: skip
        place = f"originals/2026/11/{media_id}.png"
        media = Media(
            media_id, place, f"thumbnails/{media_id}.jpg", f"{media_id}.png", "generation", 64, 48, 7,
            "image/png", media_id, media_id, None, "2026-11-21T03:00:00.000Z", generation_id,
            review="awaiting",
        )  # fmt: skip
        with database.transaction() as tx:
            generations.insert(tx, generation, [])
            generations.set_status(tx, generation_id, "processing")
            MediaStore(database).insert(tx, media, ())
            generations.set_status(tx, generation_id, "awaiting_review")
        return media_id

    return make_one


def waiting(client: httpx.Client) -> list[str]:
    answer = client.get(LIST, params={"limit": 500})
    assert answer.status_code == 200
    assert answer.json()["total"] == len(answer.json()["items"])
    return [each["mediaId"] for each in answer.json()["items"]]


@pytest.mark.parametrize("way", ["token", "login"])
def test_accepted_picture_joins_its_collection_and_waits_no_longer(
    house: House, database: Database, make: Make, way: str
) -> None:
    media_id = make()
    client = house.program("review", "rita") if way == "token" else house.browser("review", "rita")
    assert media_id in waiting(client)
    (item,) = [each for each in client.get(LIST).json()["items"] if each["mediaId"] == media_id]
    assert (item["review"], item["thumbnailUrl"][:7]) == ("awaiting", "/media/")
    seq = client.get(LIST).json()["seq"]

    answer = client.post(f"{LIST}/{media_id}", json={"decision": "accept", "collection": f"Best {way}"})

    assert (answer.status_code, answer.json()["review"]) == (200, "accepted")
    assert media_id not in waiting(client)
    assert CollectionStore(database).list_media(f"Best {way}") == [media_id]
    events = client.get("/-/api/events", params={"after": seq}).json()["events"]
    assert ("library.updated", media_id, "rita") in [
        (each["topic"], each["subjectId"], each["actor"]) for each in events
    ]


def test_discarded_picture_is_no_longer_there(house: House, database: Database, make: Make) -> None:
    media_id = make()
    client = house.program("review")

    answer = client.post(f"{LIST}/{media_id}", json={"decision": "discard"})

    assert (answer.status_code, answer.json()["review"]) == (200, "discarded")
    assert client.get(f"/-/api/media/{media_id}").status_code == 404
    assert media_id not in waiting(client)
    sql = "SELECT lane, status FROM work_queue WHERE task_type = 'media.discard' AND correlation_id = ?"
    assert [tuple(each) for each in database.query(sql, (media_id,))] == [("io", "pending")]


def test_same_decision_again_is_answered_alike_and_another_is_refused(house: House, make: Make) -> None:
    address = f"{LIST}/{make()}"
    client = house.program("review")

    first, again, other = (
        client.post(address, json={"decision": each}) for each in ("accept", "accept", "discard")
    )

    assert first.json() == again.json()
    assert (other.status_code, other.json()["error"]["code"]) == (409, "library.review_decided")


@pytest.mark.parametrize("scope", ["read", "rate", "submit"])
def test_only_a_reviewer_decides(house: House, make: Make, scope: str) -> None:
    address, body = f"{LIST}/{make()}", {"decision": "accept"}

    answer = house.program(scope).post(address, json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "web.scope_missing")
    assert house.visitor().post(address, json=body).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {}, {"decision": None}, {"decision": "maybe"}, {"decision": True}, {"decision": ["accept"]},
        {"decision": "accept", "x": 1}, {"decision": "accept", "collection": 7},
        {"decision": "discard", "collection": "Best"}, {"decision": "accept", "collection": "a\nb"},
        {"decision": "accept", "collection": "a\u202eb"},
    ],
)  # fmt: skip
def test_decision_that_makes_no_sense_is_refused(admin: httpx.Client, make: Make, body: object) -> None:
    media_id = make()

    answer = admin.post(f"{LIST}/{media_id}", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in ("web.invalid_request", "library.invalid_value")
    assert media_id in waiting(admin)


def test_picture_is_accepted_into_no_live_collection_and_waits_on(admin: httpx.Client, make: Make) -> None:
    media_id, name = make(), "Five stars"
    made = admin.post("/-/api/collections", json={"name": name, "query": "rating=5"})
    assert made.status_code == 201
    body = {"decision": "accept", "collection": name.upper()}

    one = admin.post(f"{LIST}/{media_id}", json=body)
    many = admin.post(LIST, json={"mediaIds": [media_id], **body})

    for each in (one, many):
        assert (each.status_code, each.json()["error"]["code"]) == (400, "library.invalid_value")
    assert "live collection" in one.json()["error"]["message"]
    assert media_id in waiting(admin)


def test_picture_trashed_by_mistake_is_back_in_the_review_queue_after_an_undo(
    house: House, admin: httpx.Client, make: Make
) -> None:
    media_id = make()

    trashed = admin.delete(f"/-/api/media/{media_id}").json()
    assert media_id not in waiting(admin)
    undone = admin.post(f"/-/api/changes/{trashed['changeId']}/undo")

    assert undone.json()["restored"] == 1
    assert media_id in waiting(admin)
    assert house.visitor().get(f"/-/api/media/{media_id}").status_code == 404


def test_visitor_is_offered_no_keyword_of_a_picture_that_awaits_its_review(
    house: House, database: Database, make: Make
) -> None:
    media_id = make()
    with database.transaction() as tx:
        MediaStore(database).add_keywords(tx, media_id, ["unseen"])

    def offered(client: httpx.Client) -> list[str]:
        items = client.get("/-/api/keywords", params={"prefix": "unse"}).json()["items"]
        return [each["keyword"] for each in items]

    assert (offered(house.program("read")), offered(house.visitor())) == (["unseen"], [])


def test_what_awaits_no_review_cannot_be_decided(admin: httpx.Client) -> None:
    body = {"decision": "accept"}

    known, unknown = (admin.post(f"{LIST}/{each}", json=body) for each in (PLAIN, NOWHERE))

    assert (known.status_code, known.json()["error"]["code"]) == (409, "library.not_in_review")
    assert unknown.status_code == 404
    assert admin.get(f"{LIST}/{PLAIN}").status_code == 409
    assert admin.post(LIST, json=body).status_code == 400  # it does not say which
    assert GENERATION not in waiting(admin)


def test_many_pictures_are_decided_at_once_and_those_that_await_none_are_left(
    admin: httpx.Client, make: Make
) -> None:
    ids = [make(), make()]

    answer = admin.post(
        LIST, json={"mediaIds": [*ids, PLAIN, NOWHERE], "decision": "accept", "collection": "Best"}
    )

    assert answer.json() == {"decided": 2, "skipped": 2}
    assert not {*ids} & {*waiting(admin)}


def test_visitor_gets_no_picture_before_it_was_accepted(house: House, make: Make) -> None:
    media_id, member, visitor = make(), house.program("read"), house.visitor()
    original = house.root / "originals" / "2026" / "11" / f"{media_id}.png"
    original.parent.mkdir(parents=True, exist_ok=True)
    write_thumbnail(write_png(original), house.root / "thumbnails" / f"{media_id}.jpg")
    ways = [f"/-/api/media/{media_id}", *(f"/media/{media_id}/{each}" for each in ("original", "thumbnail"))]

    def seen_by(client: httpx.Client) -> tuple[list[int], bool, bool, bool]:
        """By address, in the list, on the page, and among the pictures of its job."""
        page, job = client.get("/-/library").text, JOBS["anna", "completed"]
        pictures = client.get(f"/-/api/jobs/{job}").json()["pictures"]
        listed = client.get("/-/api/jobs").json()["items"]
        assert pictures == next(each["pictures"] for each in listed if each["jobId"] == job)
        found = client.get("/-/api/media", params={"limit": 500}).json()
        assert len(found["items"]) == found["total"] == found["libraryTotal"]
        return (
            [client.get(each).status_code for each in ways],
            media_id in {each["mediaId"] for each in found["items"]},
            media_id in page,
            media_id in {each["mediaId"] for each in pictures},
        )

    assert seen_by(member) == ([200] * 3, True, True, True)
    assert member.get(ways[0]).json()["review"] == "awaiting"
    assert seen_by(visitor) == ([404] * 3, False, False, False)
    assert visitor.get(LIST).status_code == 401

    house.program("review").post(f"{LIST}/{media_id}", json={"decision": "accept"})

    assert seen_by(visitor) == ([200] * 3, True, True, True)
