"""Duplicates over the API: groups by kind, page by page; visitors see them, reviewers dismiss them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hotfolder.database import Database
from hotfolder.files.paths import LibraryPaths
from hotfolder.library.duplicates import GROUP_MAX, DuplicateFinder
from hotfolder.library.media import Media, MediaStore
from tests.plugins.house import House

GROUPS, DISMISS, TRASH = "/-/api/duplicates", "/-/api/duplicates/dismiss", "/-/api/trash"
NEAR = 0x0F33_5A3C_6996_C35A


@pytest.fixture(scope="module")
def database(house: House) -> Iterator[Database]:
    opened = Database(house.root / "library.db")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def finder(house: House, database: Database) -> DuplicateFinder:
    """What a sidecar does by and by."""
    found = DuplicateFinder(database, LibraryPaths(house.root))
    found.fill_some(1000)
    return found


@pytest.fixture(scope="module", autouse=True)
def pictures(database: Database, finder: DuplicateFinder) -> None:
    """Two that hold the same, three that look alike, of which one awaits its review."""
    with database.transaction() as tx:
        for name, pixels, review in (
            ("same-0", "p", "none"),
            ("same-1", "p", "none"),
            ("near-0", None, "none"),
            ("near-1", None, "none"),
            ("near-2", None, "awaiting"),
        ):
            media = Media(
                name, f"originals/{name}.png", f"thumbnails/{name}.jpg", f"{name}.png", "import", 64, 48, 7,
                "image/png", name, name, pixels, "2026-11-21T03:00:00.000Z", review=review,  # type: ignore[arg-type]
                rating=3 if name == "same-1" else 0,
            )  # fmt: skip
            MediaStore(database).insert(tx, media, [])
        tx.execute("UPDATE media SET phash = ? + (id = 'near-0') WHERE id LIKE 'near-%'", (NEAR,))
    finder.fill_some(10)


def groups_of(client: httpx.Client, **asked: Any) -> list[list[str]]:
    answer = client.get(GROUPS, params=asked)
    assert answer.status_code == 200, answer.text
    return [[each["mediaId"] for each in group["items"]] for group in answer.json()["groups"]]


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_groups_are_told_by_kind_with_the_one_to_keep(admin: httpx.Client) -> None:
    same = admin.get(GROUPS, params={"kind": "same"}).json()

    assert same["groups"][0]["kind"] == "same"
    assert same["groups"][0]["keep"] == "same-1"  # the best rated
    assert same["groups"][0]["items"][0]["thumbnailUrl"].startswith("/media/same-1/thumbnail")
    assert same["pending"] == 0
    assert groups_of(admin)[0] == ["same-1", "same-0"]
    assert groups_of(admin, kind="near") == [["near-2", "near-1", "near-0"]]


def test_visitor_sees_no_picture_that_awaits_its_review_among_duplicates(visitor: httpx.Client) -> None:
    assert groups_of(visitor, kind="near") == [["near-1", "near-0"]]


def test_pages_go_on_where_the_last_one_ended(admin: httpx.Client) -> None:
    every, found, after = groups_of(admin), [], None

    for _ in every:
        page = admin.get(GROUPS, params={"limit": 1, "after": after or ""}).json()
        found += [[each["mediaId"] for each in group["items"]] for group in page["groups"]]
        after = page["next"]

    assert (found, after) == (every, None)


def test_trashed_picture_leaves_its_group_and_comes_back(admin: httpx.Client) -> None:
    assert admin.post(TRASH, json={"mediaIds": ["same-0"]}).status_code == 200
    assert ["same-1", "same-0"] not in groups_of(admin)

    admin.post(f"{TRASH}/restore", json={"mediaIds": ["same-0"]})

    assert ["same-1", "same-0"] in groups_of(admin)


def test_dismissed_pair_is_not_told_again(house: House, visitor: httpx.Client) -> None:
    body = {"mediaIds": ["near-0", "near-1"]}

    assert error_of(visitor.post(DISMISS, json=body)) == (401, "web.login_needed")
    assert error_of(house.program("rate").post(DISMISS, json=body)) == (403, "web.scope_missing")
    answer = house.program("review").post(DISMISS, json=body)

    assert (answer.status_code, answer.json()) == (200, {"dismissed": 1})
    assert groups_of(visitor, kind="near") == []
    assert groups_of(house.program("rate"), kind="near") == [["near-2", "near-1", "near-0"]]


@pytest.mark.parametrize(
    "asked", [{"kind": "other"}, {"after": "x"}, {"after": "-1"}, {"limit": "0"}, {"limit": "101"}]
)
def test_odd_question_is_refused(visitor: httpx.Client, asked: dict[str, str]) -> None:
    assert error_of(visitor.get(GROUPS, params=asked)) == (400, "web.invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"other": 1},
        {"mediaIds": "near-0"},
        {"mediaIds": ["near-0"]},
        {"mediaIds": [1, 2]},
        {"mediaIds": [str(number) for number in range(GROUP_MAX + 1)]},
    ],
)
def test_odd_dismissal_is_refused(admin: httpx.Client, body: dict[str, Any]) -> None:
    assert error_of(admin.post(DISMISS, json=body)) == (400, "web.invalid_request")
