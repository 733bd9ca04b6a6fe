"""Pictures over the API: pages, filters, ratings, and requests that make no sense."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.plugins.furniture import (
    GENERATION,
    GONE,
    HARM,
    HARMFUL,
    HOSTILE,
    JOBS,
    MADE,
    PICTURES,
    PLAIN,
    RATED,
)
from tests.plugins.house import House, page_data

ITEM = {
    *(
        "mediaId",
        "fileName",
        "originalName",
        "title",
        "origin",
        "mimeType",
        "review",
        "width",
        "height",
        "bytes",
        "rating",
        "status",
    ),
    *(
        "number",
        "owner",
        "endpointKey",
        "preset",
        "hasRefs",
        "deletedAt",
        "label",
        "createdAt",
        "path",
        "sha256",
        "thumbnailUrl",
        "originalUrl",
    ),
}


@pytest.fixture(scope="module")
def rater(house: House) -> httpx.Client:
    return house.program("rate", "anna")


def ids_of(page: dict[str, Any]) -> list[str]:
    return [each["mediaId"] for each in page["items"]]


def test_a_page_holds_the_newest_pictures_with_all_their_keys(visitor: httpx.Client) -> None:
    page = visitor.get("/-/api/media").json()

    assert ids_of(page) == sorted(PICTURES, reverse=True)
    assert all(set(each) == ITEM for each in page["items"])
    assert (page["total"], page["libraryTotal"], page["next"], page["previous"]) == (8, 8, None, None)
    assert page["seq"] >= 8


@pytest.mark.parametrize("limit", [1, 3, 8])
def test_pages_follow_each_other_in_both_directions(visitor: httpx.Client, limit: int) -> None:
    def get(**params: Any) -> Any:
        return visitor.get("/-/api/media", params={"limit": limit, **params}).json()

    page, seen = get(), []
    seen.append(ids_of(page))
    while page["next"]:
        page = get(after=page["next"])
        seen.append(ids_of(page))
    assert [each for ids in seen for each in ids] == sorted(PICTURES, reverse=True)
    for expected in reversed(seen[:-1]):
        page = get(before=page["previous"])
        assert ids_of(page) == expected
    assert page["previous"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"minRating": 4}, {RATED}), ({"minRating": 5}, set()), ({"rating": 4}, {RATED}),
        ({"status": "selected"}, {RATED}),
        ({"status": "rejected"}, set()), ({"status": "none"}, {*PICTURES} - {RATED}),
        ({"origin": "generation"}, {MADE}),
        ({"origin": "import", "rating": 0}, {*PICTURES} - {RATED, MADE}), ({"minRating": 0}, {*PICTURES}),
        ({"minRating": ""}, {*PICTURES}), ({"preset": "night"}, {MADE}), ({"preset": "day"}, set()),
    ],
)  # fmt: skip
def test_a_filter_gives_what_matches_and_counts_it_on_the_page_too(
    visitor: httpx.Client, query: dict[str, Any], expected: set[str]
) -> None:
    page = visitor.get("/-/api/media", params=query).json()
    data = page_data(visitor.get("/-/library", params=query).text)

    assert set(ids_of(page)) == expected
    assert (page["total"], page["libraryTotal"]) == (len(expected), 8)
    assert set(ids_of(data["firstPage"])) == expected


@pytest.mark.parametrize(
    "query",
    [
        "rating=6", "rating=-1", "rating=x", "rating=4.0", "rating=٣", "rating=1e0", "minRating=9",
        "status=none2", "status=SELECTED",
        "origin=x", "limit=0", "limit=501", "limit=x", "limit=" + "9" * 400, "after=x", "after=~",
        "before=~x", "after=a~b&before=a~b",
        "after=" + "~" * 300, "after=4294967296", "after=6.1", "before=%00", "type=x", "to=x",
        "from=2026-13-01", "sort=x", "order=up", "label=pink", "refs=1", "orientation=x", "review=x",
        "q=" + "x" * 501, "offset=-1", "deleted=all",
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused_in_words(visitor: httpx.Client, query: str) -> None:
    answer = visitor.get(f"/-/api/media?{query}")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "web.invalid_request"


@pytest.mark.parametrize(
    "query",
    ["after=0", "after=99999", "before=0", "before=4000000000", "x=1", "rating=", "keyword=\ud83d", "q=%00"],
)
def test_a_place_that_is_nowhere_is_between_two_pictures_all_the_same(
    visitor: httpx.Client, query: str
) -> None:
    raw = query.encode("utf-8", "surrogatepass")

    assert (
        visitor.get(visitor.base_url.copy_with(raw_path=b"/-/api/media?" + _quoted(raw))).status_code == 200
    )


def _quoted(raw: bytes) -> bytes:
    return b"".join(bytes([each]) if each < 128 else f"%{each:02x}".encode() for each in raw)


def test_a_picture_is_told_with_all_that_is_known_of_it(visitor: httpx.Client) -> None:
    found = visitor.get(f"/-/api/media/{MADE}").json()

    assert set(found) == ITEM | {
        *("originalPath", "description", "keywords", "generation", "inputs"),
        *("made", "ratingHistory", "sidecar", "deliveries"),
    }
    generation = found["generation"]
    assert (generation["generationId"], generation["jobId"], generation["seed"]) == (
        GENERATION,
        JOBS["anna", "completed"],
        5,
    )
    assert (generation["steps"], generation["prompt"], generation["params"]["note"]) == (
        2,
        HARM,
        f"{HARM}\ud800",
    )
    (given,) = found["inputs"]
    assert (given["position"], given["role"], given["thumbnailUrl"]) == (
        0,
        HARM,
        f"/media/inputs/{GENERATION}/0?v={'a' * 12}",
    )
    assert visitor.get(given["thumbnailUrl"]).status_code == 200


def test_hostile_words_come_as_they_are_and_as_json(visitor: httpx.Client) -> None:
    answer = visitor.get(f"/-/api/media/{HARMFUL}")

    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    found = answer.json()
    assert [found[each] for each in ("title", "description", "label", "originalName", "originalPath")] == [
        HARM
    ] * 5
    assert set(found["keywords"]) == set(HOSTILE)


def test_a_picture_whose_file_is_gone_is_still_told_of(visitor: httpx.Client) -> None:
    assert visitor.get(f"/-/api/media/{GONE}").status_code == 200


@pytest.mark.parametrize("media_id", ["none", "..%2f..", "%00", PLAIN.upper() + "x", "'", "x" * 2000])
def test_a_picture_that_is_not_there_is_not_found(house: House, rater: httpx.Client, media_id: str) -> None:
    address = httpx.URL(house.url).copy_with(raw_path=f"/-/api/media/{media_id}".encode())

    for answer in (rater.get(address), rater.post(address, json={"rating": 1})):
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "library.not_found"


def test_a_rating_is_kept_and_told(rater: httpx.Client) -> None:
    answer = rater.post(f"/-/api/media/{PLAIN}", json={"rating": 5, "status": "rejected"})

    assert answer.status_code == 200
    assert set(answer.json()) == ITEM
    assert rater.get("/-/api/media", params={"rating": 5, "status": "rejected"}).json()["total"] == 1
    assert rater.post(f"/-/api/media/{PLAIN}", json={"rating": 0, "status": None}).json()["status"] is None


def test_words_of_people_are_kept_as_they_are(rater: httpx.Client) -> None:
    changes = {"title": HARM, "label": "red", "keywords": ["bay", HARM], "description": "\u202e"}

    rater.post(f"/-/api/media/{PLAIN}", json=changes)

    found = rater.get(f"/-/api/media/{PLAIN}").json()
    assert {key: found[key] for key in ("title", "label", "description")} == {
        key: changes[key] for key in ("title", "label", "description")
    }
    assert set(found["keywords"]) == {"bay", HARM}


@pytest.mark.parametrize(
    "body",
    [
        b'{"rating": true}', b'{"rating": 4.0}', b'{"rating": "4"}', b'{"rating": NaN}', b'{"rating": 6}',
        b'{"rating": -1}', b'{"rating": null}',
        b'{"rating": 1e999}', b'{"rating": [1]}', b'{"status": "none"}', b'{"status": ["selected"]}',
        b'{"stars": 3}', b'{"deleted_at": "x"}',
        b'{"rating": 1, "file_path": "/etc/passwd"}', b'{"title": "\\ud800"}', b'{"keywords": "bay"}',
        b'{"keywords": ["\\udfff"]}',
        b"{}", b"", b" ", b"[]", b"null", b"4", b'"x"', b"{", b"{'rating': 4}", b'{"rating": 4}x',
        b"\xff\xfe{", b"\x00", b"[" * 100_000,
        b'{"rating": ' + b"9" * 10_000 + b"}", b'{"a":' * 5000,
    ],
)  # fmt: skip
def test_a_body_that_makes_no_sense_is_refused_and_changes_nothing(rater: httpx.Client, body: bytes) -> None:
    before = rater.get("/-/api/status").json()["seq"]

    answer = rater.post(f"/-/api/media/{PLAIN}", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400, answer.text
    assert set(answer.json()["error"]) >= {"code", "message", "hint"}
    assert len(answer.content) < 1000
    assert rater.get("/-/api/status").json()["seq"] == before


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_body_of_another_type_is_refused(rater: httpx.Client, content_type: str) -> None:
    answer = rater.post(
        f"/-/api/media/{PLAIN}", content=b'{"rating": 4}', headers={"Content-Type": content_type}
    )

    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]["message"]


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 20 * 1024 * 1024])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_whatever_it_says_of_its_size(
    house: House, rater: httpx.Client, size: int, chunked: bool
) -> None:
    body = json.dumps({"title": "x" * size}).encode()
    content = (body[at : at + 65536] for at in range(0, len(body), 65536)) if chunked else body

    answer = rater.post(
        f"/-/api/media/{PLAIN}", content=content, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "web.body_too_large"


def test_a_body_as_large_as_allowed_is_read(rater: httpx.Client) -> None:
    body = b'{"rating": 0}' + b" " * (1024 * 1024 - 13)

    answer = rater.post(f"/-/api/media/{PLAIN}", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "method"),
    [("/-/api/media", "DELETE"), ("/-/api/media", "OPTIONS"), (f"/-/api/media/{PLAIN}", "OPTIONS")],
)
def test_other_methods_are_refused_in_words(rater: httpx.Client, path: str, method: str) -> None:
    answer = rater.request(method, path)

    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "web.method_refused"


def test_status_and_health_tell_of_a_library_without_a_sidecar(visitor: httpx.Client) -> None:
    status, health = visitor.get("/-/api/status").json(), visitor.get("/-/healthz")

    assert status["sidecar"]["running"] is False
    assert status["queue"] == {"waiting": 3, "running": 0}
    assert (status["engine"], status["actor"]) == (None, None)
    assert (health.status_code, health.json()["status"]) == (503, "failing")
