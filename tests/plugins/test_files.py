"""Originals and thumbnails over HTTP: kept by browsers, read in parts, never taken for a page."""

from __future__ import annotations

import httpx
import pytest

from tests.plugins.furniture import EMPTY, GENERATION, GONE, HARMFUL, HTML, PLAIN, SCRIPTED, SVG
from tests.plugins.house import House

ORIGINAL = f"/media/{PLAIN}/original"


@pytest.fixture(scope="module")
def content(house: House) -> bytes:
    return (house.root / "originals" / "2026" / "11" / f"{PLAIN}.png").read_bytes()


def test_the_whole_original_is_what_lies_on_the_disk(visitor: httpx.Client, content: bytes) -> None:
    answer = visitor.get(ORIGINAL)

    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("path", [f"/media/{PLAIN}/thumbnail", f"/media/inputs/{GENERATION}/0"])
def test_thumbnails_are_jpegs(visitor: httpx.Client, path: str) -> None:
    answer = visitor.get(path)

    assert (answer.status_code, answer.headers["content-type"], answer.content[:2]) == (
        200,
        "image/jpeg",
        b"\xff\xd8",
    )


@pytest.mark.parametrize("path", [ORIGINAL, f"/media/{PLAIN}/thumbnail", f"/media/inputs/{GENERATION}/0"])
def test_head_tells_what_get_would_and_sends_nothing(visitor: httpx.Client, path: str) -> None:
    head, whole = visitor.head(path), visitor.get(path)

    assert (head.status_code, head.content) == (200, b"")
    same = ("content-type", "content-length", "etag", "cache-control", "content-disposition")
    assert [head.headers[each] for each in same] == [whole.headers[each] for each in same]


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("0-0", 0, 0),
        ("0-9", 0, 9),
        ("5-", 5, None),
        ("-1", -1, None),
        ("-7", -7, None),
        ("10-999999", 10, None),
    ],
)
def test_a_part_is_sent_with_its_place(
    visitor: httpx.Client, content: bytes, wanted: str, first: int, last: int | None
) -> None:
    answer = visitor.get(ORIGINAL, headers={"Range": f"bytes={wanted}"})

    part = content[first:] if last is None else content[first : last + 1]
    start = first % len(content)
    assert (answer.status_code, answer.content) == (206, part)
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(part) - 1}/{len(content)}"
    assert answer.headers["content-length"] == str(len(part))


def test_the_last_byte_alone_can_be_asked_for(visitor: httpx.Client, content: bytes) -> None:
    last = len(content) - 1

    assert visitor.get(ORIGINAL, headers={"Range": f"bytes={last}-{last}"}).content == content[-1:]


@pytest.mark.parametrize("wanted", ["bytes=999999-", "bytes=-0", "bytes=99999999999-99999999999"])
def test_a_part_behind_the_end_is_refused_with_the_size(
    visitor: httpx.Client, content: bytes, wanted: str
) -> None:
    answer = visitor.get(ORIGINAL, headers={"Range": wanted})

    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{len(content)}"


@pytest.mark.parametrize("wanted", ["bytes=0-1,4-5", "bytes=9-2", "lines=1-2", "bytes=", "bytes=x"])
def test_several_parts_and_odd_ones_get_the_whole(visitor: httpx.Client, content: bytes, wanted: str) -> None:
    answer = visitor.get(ORIGINAL, headers={"Range": wanted})

    assert (answer.status_code, answer.content) == (200, content)


def test_a_part_is_sent_only_of_the_version_that_is_half_there(visitor: httpx.Client, content: bytes) -> None:
    tag = visitor.head(ORIGINAL).headers["etag"]

    def status_with(if_range: str) -> int:
        return visitor.get(ORIGINAL, headers={"Range": "bytes=0-1", "If-Range": if_range}).status_code

    assert status_with(tag) == 206
    assert {status_with(each) for each in ('"other"', f"W/{tag}", "Sat, 21 Nov 2026 03:00:00 GMT")} == {200}


def test_head_takes_no_notice_of_a_range(visitor: httpx.Client, content: bytes) -> None:
    answer = visitor.head(ORIGINAL, headers={"Range": "bytes=0-1"})

    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(content)))


@pytest.mark.parametrize("path", [ORIGINAL, f"/media/{PLAIN}/thumbnail"])
def test_a_browser_that_has_the_file_is_told_so(visitor: httpx.Client, path: str) -> None:
    tag = visitor.get(path).headers["etag"]

    assert tag.startswith('"')
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = visitor.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert visitor.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_original_and_thumbnail_have_tags_of_their_own(visitor: httpx.Client) -> None:
    assert visitor.head(ORIGINAL).headers["etag"] != visitor.head(f"/media/{PLAIN}/thumbnail").headers["etag"]


@pytest.mark.parametrize("who", ["visitor", "program", "browser"])
def test_a_versioned_address_is_kept_for_good_by_whoever_is_logged_in(house: House, who: str) -> None:
    client = {
        "visitor": house.visitor,
        "program": lambda: house.program("read"),
        "browser": lambda: house.browser("read"),
    }[who]()
    (item,) = [each for each in client.get("/-/api/media").json()["items"] if each["mediaId"] == PLAIN]

    for address in (item["thumbnailUrl"], item["originalUrl"]):
        assert "?v=" in address
        assert client.get(address).headers.get_list("cache-control") == [
            "private, max-age=31536000, immutable"
        ]
    assert client.get(ORIGINAL).headers.get_list("cache-control") == ["private, no-cache"]


@pytest.mark.parametrize("media_id", [SVG, HTML])
@pytest.mark.parametrize(
    "headers", [{}, {"Range": "bytes=0-9"}, {"Range": "bytes=9999-"}, {"If-None-Match": "*"}]
)
def test_what_browsers_would_run_is_never_served_as_such(
    visitor: httpx.Client, media_id: str, headers: dict[str, str]
) -> None:
    answer = visitor.get(f"/media/{media_id}/original", headers=headers)

    assert answer.headers.get_list("content-type") == ["application/octet-stream"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert SCRIPTED.startswith(answer.content)


def test_a_hostile_name_stays_a_name_in_the_header(visitor: httpx.Client) -> None:
    disposition = visitor.get(f"/media/{HARMFUL}/original").headers["content-disposition"]

    kind, plain, whole = disposition.split("; ")
    assert kind == "inline"
    assert plain.startswith('filename="')
    assert plain.endswith('"')
    assert not set(plain[len('filename="') : -1]) & set("\"'<>;/\\\r\n=")
    assert whole.startswith("filename*=UTF-8''")
    assert not set(whole.removeprefix("filename*=UTF-8''")) & set("\"'<>; /\\\r\n=")
    assert disposition.isascii()


@pytest.mark.parametrize("part", ["original", "thumbnail"])
def test_a_file_that_is_gone_is_not_found_and_nobody_keeps_that(visitor: httpx.Client, part: str) -> None:
    answer = visitor.get(f"/media/{GONE}/{part}?v=1")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "library.content_missing"
    assert answer.headers["cache-control"] == "no-store"


def test_an_empty_file_is_sent_as_it_is(visitor: httpx.Client) -> None:
    answer = visitor.get(f"/media/{EMPTY}/original")

    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert visitor.get(f"/media/{EMPTY}/original", headers={"Range": "bytes=0-"}).status_code == 416


@pytest.mark.parametrize(
    "media_id",
    ["none", "..%2f..%2fauth.db", "%2fetc%2fpasswd", "..%5c..", "%00", "%ff", "..", ".", f"{PLAIN}%2f..",
     f"{PLAIN}.png",
     "x" * 3000, "'%20OR%201=1", f"../{PLAIN}", "*"],
)  # fmt: skip
@pytest.mark.parametrize("part", ["original", "thumbnail"])
def test_no_id_leads_out_of_the_library(
    house: House, visitor: httpx.Client, media_id: str, part: str
) -> None:
    raw = httpx.URL(house.url).copy_with(raw_path=f"/media/{media_id}/{part}".encode())

    assert visitor.get(raw).status_code in (401, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/media/inputs/none/0",
        f"/media/inputs/{GENERATION}/1",
        f"/media/inputs/{GENERATION}/999",
        "/media/inputs/..%2f..%2f/0",
    ],
)
def test_a_reference_that_is_not_there_is_not_found(visitor: httpx.Client, path: str) -> None:
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_files_are_only_read(admin: httpx.Client, method: str) -> None:
    assert admin.request(method, ORIGINAL).status_code == 400 + 5
