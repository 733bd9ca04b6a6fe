"""Pictures fetched as one zip: who may, what is in it, and that it is fetched once."""

from __future__ import annotations

import io
import re
import socket
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from datasette_hotfolder.download_views import ORDERS_MAX, PICTURES_MAX, VALID_S, Orders

from hotfolder.app import open_library
from hotfolder.config import load_settings
from hotfolder.errors import NotFound
from tests.plugins.furniture import FILE_NAME, GONE, HARMFUL, NOWHERE, PLAIN, RATED
from tests.plugins.house import House
from tests.scenarios.service import wait_for

DOWNLOAD = "/-/api/download"
LARGE = "01930000-0000-7000-8000-0000000000d1"
LARGE_BYTES = 300_000_000


@pytest.fixture(scope="module")
def anna(house: House) -> httpx.Client:
    return house.program("read", "anna")


@pytest.fixture(scope="module")
def large(house: House) -> str:
    """A picture as large as none is, which takes no room on the disk."""
    library = open_library(house.root, load_settings(house.root, {}))
    try:
        media = replace(
            library.media.get(PLAIN),
            media_id=LARGE,
            file_path=f"originals/2026/11/{LARGE}.png",
            file_name=f"{LARGE}.png",
            file_size=LARGE_BYTES,
            sha256="d1" * 32,
            file_sha256="d1" * 32,
        )
        with library.database.transaction() as tx:
            library.media.insert(tx, media, ())
    finally:
        library.close()
    with (house.root / media.file_path).open("wb") as stream:
        stream.truncate(LARGE_BYTES)
    return LARGE


@pytest.fixture
def sidecars(house: House) -> Iterator[Path]:
    """A picture has both."""
    original = house.root / "originals" / "2026" / "11" / f"{PLAIN}.png"
    both = [original.with_name(original.name + ending) for ending in (".json", ".xmp")]
    for each in both:
        each.write_text(f"the {each.suffix}")
    yield original
    for each in both:
        each.unlink()


looks_into_processes = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


def memory_kb(house: House) -> int:
    """What the web has in memory."""
    assert house.process is not None
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{house.process.pid}/status").read_text())
    assert found
    return int(found[1])


def open_files(house: House) -> list[str]:
    """What the web has open."""
    assert house.process is not None
    folder = Path(f"/proc/{house.process.pid}/fd")
    return [str(each.readlink()) for each in folder.iterdir() if each.is_symlink()]


def order(client: httpx.Client, *media_ids: str, **more: Any) -> dict[str, Any]:
    answer = client.post(DOWNLOAD, json={"mediaIds": list(media_ids), **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def fetch(client: httpx.Client, url: str) -> zipfile.ZipFile:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


def test_chosen_pictures_come_as_one_zip(house: House, anna: httpx.Client) -> None:
    found = order(anna, PLAIN, RATED)
    archive = fetch(anna, found["url"])

    originals = {each: house.root / "originals" / "2026" / "11" / f"{each}.png" for each in (PLAIN, RATED)}
    assert {each.filename: archive.read(each) for each in archive.infolist()} == {
        path.name: path.read_bytes() for path in originals.values()
    }
    assert (found["pictures"], found["bytes"]) == (2, sum(each.stat().st_size for each in originals.values()))
    assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}
    assert archive.infolist()[0].date_time[:3] == (2026, 11, 21)


def test_zip_is_saved_and_never_shown_or_kept(anna: httpx.Client) -> None:
    answer = anna.get(order(anna, PLAIN)["url"])

    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="hotfolder-')
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_sidecars_stand_beside_their_pictures_when_they_are_asked_for(
    anna: httpx.Client, sidecars: Path
) -> None:
    archive = fetch(anna, order(anna, PLAIN, RATED, sidecars=True)["url"])

    name = sidecars.name
    assert archive.namelist() == [name, f"{name}.json", f"{name}.xmp", f"{RATED}.png"]
    assert archive.read(f"{name}.json") == b"the .json"
    assert len(fetch(anna, order(anna, PLAIN)["url"]).namelist()) == 1


def test_sidecar_that_is_a_link_is_told_in_the_zip_and_does_not_break_it(
    anna: httpx.Client, sidecars: Path
) -> None:
    link = sidecars.with_name(f"{sidecars.name}.json")
    link.unlink()
    link.symlink_to("/etc/hostname")

    archive = fetch(anna, order(anna, PLAIN, RATED, sidecars=True)["url"])

    name = sidecars.name
    assert archive.namelist() == [name, f"{name}.xmp", f"{RATED}.png", "MISSING.txt"]
    assert f"{name}.json: " in archive.read("MISSING.txt").decode()


def test_names_of_strangers_become_plain_files(anna: httpx.Client) -> None:
    (info,) = fetch(anna, order(anna, HARMFUL)["url"]).infolist()

    assert info.filename.endswith(".png")
    assert info.filename.isprintable()
    assert not set(info.filename) & set('\\/:*?"<>|')
    assert info.external_attr >> 16 == 0o644
    assert info.filename != FILE_NAME


def test_what_is_not_there_is_told_in_the_zip(anna: httpx.Client) -> None:
    found = order(anna, PLAIN, GONE, NOWHERE)
    archive = fetch(anna, found["url"])

    told = archive.read("MISSING.txt").decode()
    assert archive.namelist() == [f"{PLAIN}.png", "MISSING.txt"]
    assert (GONE in told, NOWHERE in told, len(told.splitlines())) == (True, True, 2)
    assert found["pictures"] == 2


def test_download_is_fetched_once_and_a_look_at_it_does_not_count(anna: httpx.Client) -> None:
    url = order(anna, PLAIN)["url"]

    assert [anna.head(url).status_code for _ in range(2)] == [200, 200]
    assert [anna.get(url).status_code for _ in range(2)] == [200, 404]
    assert anna.head(url).status_code == 404


def test_download_of_somebody_else_is_not_found_and_stays_theirs(
    house: House, anna: httpx.Client, visitor: httpx.Client
) -> None:
    url = order(anna, PLAIN)["url"]

    assert house.program("admin", "ben").get(url).status_code == 404
    assert visitor.get(url).status_code == 401
    assert anna.get(url).status_code == 200


def test_visitors_order_nothing(visitor: httpx.Client) -> None:
    assert visitor.post(DOWNLOAD, json={"mediaIds": [PLAIN]}).status_code == 401


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"mediaIds": [f"{number}" for number in range(PICTURES_MAX + 1)]}, "2,001 pictures"),
        ({"mediaIds": []}, "None of these"),
        ({"mediaIds": [NOWHERE]}, "None of these"),
        ({"mediaIds": [PLAIN], "sidecars": "yes"}, "`sidecars`"),
    ],
)
def test_order_that_makes_no_sense_says_why(anna: httpx.Client, body: dict[str, Any], said: str) -> None:
    answer = anna.post(DOWNLOAD, json=body)

    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize("token", ["x", "..%2f..%2fetc%2fpasswd", "%00", "a" * 3000])
def test_tokens_that_nobody_was_given_lead_nowhere(anna: httpx.Client, token: str) -> None:
    assert anna.get(f"/-/download/{token}").status_code in (400, 404)


@looks_into_processes
def test_large_zip_is_never_in_memory(house: House, anna: httpx.Client, large: str) -> None:
    before, most, length = memory_kb(house), 0, 0

    with anna.stream("GET", order(anna, large)["url"]) as answer:
        for chunk in answer.iter_bytes():
            length += len(chunk)
            most = max(most, memory_kb(house))

    assert length > LARGE_BYTES
    assert most - before < 40_000


@looks_into_processes
def test_client_that_goes_away_frees_what_was_open(house: House, anna: httpx.Client, large: str) -> None:
    url, place = order(anna, large)["url"], urlsplit(house.url)
    head = (
        f"GET {url} HTTP/1.1\r\nHost: {house.host}\r\nAuthorization: {anna.headers['Authorization']}\r\n\r\n"
    )

    def is_open() -> bool:
        return any(large in each for each in open_files(house))

    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000)
        wait_for(is_open, "the picture to be opened")  # and nobody reads on: it waits

    wait_for(lambda: not is_open(), "the picture to be closed")


class Time:
    """A clock that is moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_download_is_kept_for_ten_minutes() -> None:
    time = Time()
    orders = Orders(time, iter("ab").__next__)
    token = orders.put("anna", [PLAIN], with_sidecars=False)

    time.now += VALID_S - 1
    assert orders.find(token, "anna").media_ids == (PLAIN,)
    time.now += 2
    with pytest.raises(NotFound):
        orders.take(token, "anna")


def test_orders_that_nobody_fetches_make_room() -> None:
    orders = Orders(Time(), map(str, range(ORDERS_MAX + 1)).__next__)
    tokens = [orders.put("anna", [PLAIN], with_sidecars=False) for _ in range(ORDERS_MAX + 1)]

    with pytest.raises(NotFound):
        orders.find(tokens[0], "anna")
    assert orders.find(tokens[1], "anna").actor == "anna"
