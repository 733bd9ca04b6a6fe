"""Pictures sent over HTTP: what is taken, under which name, and what leaves nothing behind."""

from __future__ import annotations

import asyncio
import hashlib
import io
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from datasette_hotfolder import upload_views
from datasette_hotfolder.answers import RequestError
from datasette_hotfolder.upload_views import FOLDER, UPLOAD_MAX_BYTES, Upload

from hotfolder.errors import DiskFull, LibraryError
from hotfolder.files.storage import remove_leftovers
from tests import pictures
from tests.plugins.furniture import SCRIPTED
from tests.plugins.house import House, open_house
from tests.plugins.test_picture_names import HOSTILE_NAMES, assert_is_fit
from tests.scenarios.service import wait_for

UPLOAD = "/-/api/upload"


@pytest.fixture(scope="module")
def anna(house: House) -> httpx.Client:
    return house.program("submit", "anna")


@pytest.fixture(scope="module")
def png(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return pictures.write_png(tmp_path_factory.mktemp("pictures") / "a.png").read_bytes()


@pytest.fixture(autouse=True)
def empty_import(house: House) -> Iterator[None]:
    """No sidecar runs, so what arrives stays until the end of the test."""
    yield
    for each in (house.root / "import").iterdir():
        each.unlink()
    assert left_behind(house) == []


def left_behind(house: House) -> list[str]:
    folder = house.root / "work" / FOLDER
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []


def arrived(house: House) -> list[str]:
    return sorted(each.name for each in (house.root / "import").iterdir())


def test_uploaded_picture_lies_in_the_import_folder_whole_and_under_its_own_name(
    house: House, anna: httpx.Client, png: bytes
) -> None:
    answer = anna.post(UPLOAD, params={"name": "Fähre, abends (2).png"}, content=png)

    assert answer.status_code == 201, answer.text
    sha256 = hashlib.sha256(png).hexdigest()
    assert answer.json() == {"sha256": sha256, "name": "Fähre, abends (2).png", "bytes": len(png)}
    assert (house.root / "import" / "Fähre, abends (2).png").read_bytes() == png


def test_second_picture_of_a_name_gets_a_free_one(house: House, anna: httpx.Client, png: bytes) -> None:
    names = [anna.post(UPLOAD, params={"name": "a.png"}, content=png).json()["name"] for _ in range(3)]

    assert names == arrived(house) == ["a.png", "a~2.png", "a~3.png"]


def test_browser_that_is_logged_in_uploads_too(house: House, png: bytes) -> None:
    browser = house.browser("submit", "carl")

    answer = browser.post(
        UPLOAD, params={"name": "b.png"}, content=png, headers={"Content-Type": "image/png"}
    )

    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_whatever_name_is_given_the_file_lies_in_the_import_folder_where_it_is_taken(
    house: House, anna: httpx.Client, png: bytes, name: str
) -> None:
    answer = anna.post(f"{UPLOAD}?name={quote(name, safe='')}", content=png)

    assert answer.status_code == 201, answer.text
    given_name = answer.json()["name"]
    assert arrived(house) == [given_name]
    assert_is_fit(given_name)


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("photo.pic", "photo.pic.png"),
        ("no ending", "no ending.png"),
        ("C:\\photos\\a.JPG", "a.JPG"),
        ("con.png", "_con.png"),
        (".hidden.png", "hidden.png"),
        ("", "picture.png"),
        ("Cafe\u0301.png", "Café.png"),
    ],
)
def test_name_stays_as_like_to_the_given_one_as_is_safe(
    anna: httpx.Client, png: bytes, given_name: str, name: str
) -> None:
    assert anna.post(UPLOAD, params={"name": given_name}, content=png).json()["name"] == name


def as_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "text")
    return buffer.getvalue()


NO_PICTURES = {
    "an svg": SCRIPTED,
    "a page": b"<!doctype html><script>alert(1)</script>",
    "text": b"endpointKey: local.procedural.image\n",
    "a zip": as_zip(),
    "a pdf": b"%PDF-1.7\n\xff\xfe",
    "noise": bytes(range(256)) * 40,
    "a signature alone": b"\x89PNG\r\n\x1a\n",
    "a page behind a signature": b"GIF89a<script>alert(1)</script>",
}


@pytest.mark.parametrize("what", NO_PICTURES)
def test_what_is_no_picture_by_its_content_is_refused(house: House, anna: httpx.Client, what: str) -> None:
    answer = anna.post(UPLOAD, params={"name": "a.png"}, content=NO_PICTURES[what])

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "library.corrupt_image")
    assert answer.json()["error"]["message"].startswith("a.png cannot be used: ")
    assert arrived(house) == []


@pytest.mark.parametrize("write", [pictures.write_truncated_jpeg, pictures.write_bomb_png])
def test_half_a_picture_and_one_that_claims_too_much_are_refused(
    house: House, anna: httpx.Client, tmp_path: Path, write: Any
) -> None:
    answer = anna.post(UPLOAD, params={"name": "a.png"}, content=write(tmp_path / "x").read_bytes())

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "library.corrupt_image")
    assert arrived(house) == []


def test_empty_body_is_refused(house: House, anna: httpx.Client) -> None:
    answer = anna.post(UPLOAD, params={"name": "a.png"}, content=b"")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "library.empty_file")
    assert arrived(house) == []


@pytest.mark.parametrize("scope", ["read", "rate", "review"])
def test_only_who_may_submit_may_upload(house: House, png: bytes, scope: str) -> None:
    answer = house.program(scope, "dora").post(UPLOAD, params={"name": "a.png"}, content=png)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "web.scope_missing")
    assert arrived(house) == []


def test_visitors_and_other_methods_are_refused(
    house: House, visitor: httpx.Client, anna: httpx.Client, png: bytes
) -> None:
    assert visitor.post(UPLOAD, params={"name": "a.png"}, content=png).status_code == 401
    assert anna.get(UPLOAD).status_code == 405
    assert arrived(house) == []


def request_head(house: House, token: str, length: int) -> bytes:
    return (
        f"POST {UPLOAD}?name=a.png HTTP/1.1\r\nHost: {house.host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def connect(house: House) -> socket.socket:
    place = urlsplit(house.url)
    return socket.create_connection((place.hostname, place.port), timeout=10)


def test_body_that_is_announced_as_too_large_is_refused_before_it_is_sent(house: House) -> None:
    with connect(house) as connection:
        connection.sendall(request_head(house, house.token("submit"), UPLOAD_MAX_BYTES + 1))
        answer = connection.recv(65536).decode()

    assert " 413 " in answer.splitlines()[0]


def test_client_that_goes_away_leaves_nothing(house: House, png: bytes) -> None:
    with connect(house) as connection:
        connection.sendall(request_head(house, house.token("submit"), len(png) + 10_000_000))
        connection.sendall(png + bytes(2_000_000))
        wait_for(lambda: left_behind(house) != [], "the beginning of the upload")

    wait_for(lambda: left_behind(house) == [], "its end")
    assert arrived(house) == []


def test_start_of_the_web_removes_what_a_crash_left(tmp_path: Path) -> None:
    left = tmp_path / "library" / "work" / FOLDER / ".0193.tmp"

    with open_house(tmp_path / "library") as house:
        left.parent.mkdir(exist_ok=True)
        left.write_bytes(b"half a picture")
        assert house.visitor().get("/-/api/status").status_code == 200
        assert house.stop() == 0
        house.open()
        assert not left.exists()


def test_upload_in_hand_is_no_leftover(tmp_path: Path, png: bytes) -> None:
    upload = Upload(tmp_path / ".a.tmp")
    upload.add(png)

    remove_leftovers(tmp_path)

    assert upload.give("a.png", tmp_path / "import").read_bytes() == png
    upload.close()


def test_upload_that_was_cleared_away_is_to_be_sent_again(tmp_path: Path, png: bytes) -> None:
    upload = Upload(tmp_path / ".a.tmp")
    upload.add(png)
    (tmp_path / ".a.tmp").unlink()

    with pytest.raises(LibraryError) as caught:
        upload.give("a.png", tmp_path / "import")
    upload.close()

    assert caught.value.code == "library.busy"
    assert not (tmp_path / "import").exists()


class Stream:
    """A request whose body comes as it is told; behind that nothing comes any more."""

    def __init__(self, *bodies: bytes) -> None:
        self._bodies = list(bodies)
        self.headers: dict[str, str] = {}

    async def receive(self) -> dict[str, Any]:
        if not self._bodies:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": self._bodies.pop(0), "more_body": True}


def receive(tmp_path: Path, request: Stream, room_bytes: int = 10**12) -> None:
    """As the view does it, on a disk with so much room."""

    async def write(function: Any, *args: Any) -> Any:
        return function(*args)

    def check_room(wanted_bytes: int) -> None:
        if wanted_bytes > room_bytes:
            raise DiskFull("There is too little room.")

    services: Any = SimpleNamespace(host=SimpleNamespace(check_room=check_room), write=write)
    upload = Upload(tmp_path / ".a.tmp")
    try:
        asyncio.run(upload_views._receive(services, request, upload))
    finally:
        upload.close()


def test_body_that_does_not_say_how_long_it_is_is_cut_off_at_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_views, "UPLOAD_MAX_BYTES", 1000)

    with pytest.raises(RequestError) as caught:
        receive(tmp_path, Stream(*[b"x" * 100] * 11))

    assert caught.value.code == "web.body_too_large"


def test_body_that_stops_coming_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_views, "IDLE_LIMIT_S", 0.05)

    with pytest.raises(RequestError) as caught:
        receive(tmp_path, Stream(b"x"))

    assert caught.value.code == "web.body_late"
    assert list(tmp_path.iterdir()) == []


def test_disk_that_gets_full_meanwhile_is_not_filled_to_the_end(tmp_path: Path) -> None:
    with pytest.raises(DiskFull):
        receive(tmp_path, Stream(b"x" * 2_000_000), room_bytes=1_000_000)

    assert list(tmp_path.iterdir()) == []
