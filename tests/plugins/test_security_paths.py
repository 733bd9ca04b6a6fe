"""Paths in everything that names something: no answer holds a byte of what is not served."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pictures import write_png
from tests.plugins.doors import DOORS, THERE, address, raw
from tests.plugins.furniture import PLAIN, SCRIPTED
from tests.plugins.house import House, open_house

CANARY = "canary-4f1c9e"
"""Stands in files that nobody may read."""
NAMED = [route for route in DOORS if "{" in route]
STATIC = (
    *("/-/static/{name}", "/-/static-plugins/hotfolder/{name}"),
    *("/library/{name}", "/library/media/{name}"),
)
_FILTERS = (
    *("collection", "after", "before", "around", "endpoint", "owner", "preset", "keyword", "q", "type"),
    "label",
)
QUERIES = (
    *(f"/-/api/media?{each}={{name}}" for each in (*_FILTERS, "sort", "from", "view")),
    *("/-/api/timeline?view={name}", "/-/api/facets?collection={name}", "/-/api/keywords?prefix={name}"),
    *("/-/api/endpoints?provider={name}", "/-/api/jobs?state={name}", "/-/api/events?after={name}"),
    *("/-/api/log?after={name}", "/-/auth-token?token={name}", "/-/library?collection={name}"),
    *("/-/login?name={name}", "/media/{media}/original?v={name}", "/media/{media}/thumbnail?v={name}"),
)
UP = (
    *(
        "../",
        "..%2f",
        "%2e%2e%2f",
        "%2e%2e/",
        "%252e%252e%252f",
        "..%5c",
        "..\\",
        "..%255c",
        "....//",
        "..;/",
    ),
    *("..%c0%af", "..%e0%80%af", "..%ef%bc%8f", "..%e2%88%95", "..%e2%81%84", "%uff0e%u2215", ".%00./", "./"),
)
ODD = ("%00", "%ff", "%0a", "%0d%0aX-Odd: 1", ".", "..", "~", "*", "CON", "x" * 5000, "%2f" * 1000)
PIECES = (*UP, "/", "\\", "%2f", "%00", "%", "%%", "?", "%23", ":", "auth.db", PLAIN, "library", "~")
NO_PICTURES = (
    *(SCRIPTED, b"<!doctype html><script>alert(1)</script>", b"%PDF-1.7", b"GIF89a", b"PK\x03\x04"),
    *(b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", b"\xff\xd8\xff<svg onload=alert(1)>"),
    *(b"<?xml version='1.0'?><svg/>", b"\x00" * 4096),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with a canary in every file that nobody may read."""
    folder = tmp_path_factory.mktemp("paths")
    (folder / "hostname").write_text(CANARY)
    with open_house(folder / "library", settings=f"# {CANARY}\n") as made:
        made.accounts.create_token(CANARY, ["read"], "test")
        for place in ("logs", "run", "work", "trash", "failed"):
            (made.root / place).mkdir(exist_ok=True)
            (made.root / place / "hostname").write_text(CANARY)
        yield made


@pytest.fixture(scope="module")
def clients(house: House) -> list[httpx.Client]:
    """Somebody who may do all, and somebody who may only look."""
    return [house.program("admin", "root"), house.visitor()]


def payloads(house: House) -> Iterator[str]:
    """Names that lead elsewhere, in all the ways that some server has fallen for."""
    wanted = itertools.cycle(
        [
            "auth.db",
            "hotfolder.yaml",
            "hostname",
            "library/auth.db",
            "logs/hostname",
            str(house.root)[1:] + "/auth.db",
        ]
    )
    for up, times in itertools.product(UP, (1, 2, 5)):
        yield up * times + next(wanted)
    for target in ("auth.db", "../hostname", str(house.root / "auth.db")):
        coded = quote(target, safe="")
        yield from (coded, quote(coded, safe=""), f"%2f{coded}", f"{coded}%00.png", f"{PLAIN}%00{coded}")
        yield from (f"%5c%5clocalhost%5c{coded}", f"file:%2f%2f%2f{coded}", f"C:%5c{coded}")
    yield from ODD


def check(answer: httpx.Response, what: str) -> None:
    """It is an answer, and no failure; and nothing of it comes from where nobody may look."""
    assert answer.status_code != 500, (what, answer.text[:300])
    assert CANARY.encode() not in answer.content, what
    assert b"SQLite format 3" not in answer.content, what
    assert "x-odd" not in answer.headers, what


@pytest.mark.parametrize("route", [*NAMED, *STATIC])
def test_no_name_in_an_address_leads_out_of_what_is_served(
    house: House, clients: list[httpx.Client], route: str
) -> None:
    parameters = [each.partition("}")[0] for each in route.split("{")[1:] if not each.startswith("verb")]
    for number, payload in enumerate(payloads(house)):
        for parameter in parameters:
            path = address(route, {**THERE, parameter: payload})
            check(clients[number % 4 == 0].get(raw(house, path)), path)


@pytest.mark.parametrize("route", QUERIES)
def test_no_name_in_a_query_leads_out_of_what_is_served(
    house: House, clients: list[httpx.Client], route: str
) -> None:
    for number, payload in enumerate(payloads(house)):
        path = route.format(name=payload, media=PLAIN)
        check(clients[number % 4 == 0].get(raw(house, path)), path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_odd_text_in_any_address_fails_or_leads_out(
    house: House, clients: list[httpx.Client], data: st.DataObject
) -> None:
    piece = st.one_of(st.sampled_from(PIECES), st.text(st.characters(codec="utf-8"), max_size=3).map(quote))
    name = "".join(data.draw(st.lists(piece, max_size=8)))
    route = data.draw(st.sampled_from([*NAMED, *STATIC, *QUERIES]))
    query = route in QUERIES
    path = (
        route.format(name=name, media=PLAIN)
        if query
        else address(route, dict.fromkeys([*THERE, "name"], name))
    )

    for client in clients:
        check(client.get(raw(house, path)), path)


@pytest.mark.parametrize("route", [each for each in NAMED if DOORS[each].writes])
def test_no_name_that_is_written_to_leads_out(house: House, clients: list[httpx.Client], route: str) -> None:
    before = outside(house)
    every = (*THERE, "collection_id", "keyword_id", "change_id", "work_id", "lane")
    for payload in [*payloads(house)][::9]:
        path = address(route, dict.fromkeys(every, payload))
        for method, body in itertools.product(
            DOORS[route].writes,
            ({}, {"rating": 5}, {"mediaIds": [payload]}, {"into": payload}, {"name": payload}),
        ):
            check(clients[0].request(method, raw(house, path), json=body), f"{method} {path} {body}")
    assert outside(house) == before


@pytest.mark.parametrize(
    "path",
    [
        *("../hostname", "/etc/hostname", "..\\hostname", "auth.db", "../auth.db", "file:///etc/hostname"),
        *(
            "\\\\localhost\\x",
            "C:\\x.png",
            "\x00",
            "a\x00b.png",
            "x" * 5000,
            "~/hostname",
            "./hotfolder.yaml",
        ),
        *("%2e%2e%2fhostname", "..\u2215hostname"),
    ],
)
def test_no_reference_of_a_job_names_a_file_of_the_machine(house: House, path: str) -> None:
    client, before = house.program("submit"), outside(house, "inbox")
    for ref in (path, {"path": path}, {"file": path}):
        job = {"endpointKey": "local.procedural.image", "params": {"prompt": "x"}, "refs": [ref]}
        for route in ("/-/api/jobs", "/v1/images/generations"):
            answer = client.post(route, json=job)
            check(answer, f"{route} {ref}")
            assert answer.status_code in (400, 403), answer.text
        answer = client.post("/-/api/jobs/check", json=job)
        check(answer, str(ref))
        assert answer.status_code in (400, 403) or answer.json()["problems"], answer.text
    assert outside(house, "inbox") == before


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../../evil.png",
            "..\\..\\evil.png",
            "/etc/evil.png",
            "C:\\evil.png",
            "evil.png\x00.txt",
            "\x00",
            "..",
        ),
        *(".", "", "x" * 5000 + ".png", "a/b/c.png", "\u202egnp.exe", "con.png", "..\u2215..\u2215evil.png"),
        *(".hidden.png", "name.part", "evil.png\r\nX-Odd: 1"),
    ],
)
def test_a_picture_that_is_sent_lies_in_the_import_folder_whatever_it_is_called(
    house: House, tmp_path: Path, name: str
) -> None:
    before, there = outside(house), set((house.root / "import").iterdir())
    data = write_png(tmp_path / "sent.png").read_bytes()

    answer = house.program("submit").post("/-/api/upload", params={"name": name}, content=data)

    assert answer.status_code == 201, answer.text
    (new,) = set((house.root / "import").iterdir()) - there
    assert new.name == answer.json()["name"]
    assert not set(new.name) & set("/\\\x00\r\n:")
    assert not new.name.startswith(".")
    assert outside(house) == before


@pytest.mark.parametrize("data", NO_PICTURES, ids=range(len(NO_PICTURES)))
@pytest.mark.parametrize("name", ["picture.png", "picture.svg", "page.html", "picture"])
def test_what_is_sent_and_is_no_picture_is_refused_whatever_it_is_called(
    house: House, data: bytes, name: str
) -> None:
    there, headers = set((house.root / "import").iterdir()), {"Content-Type": "image/png"}

    answer = house.program("submit").post(
        "/-/api/upload", params={"name": name}, content=data, headers=headers
    )

    assert answer.status_code == 400, answer.text
    assert "<" not in answer.text
    assert set((house.root / "import").iterdir()) == there
    assert not list((house.root / "work").rglob("*.tmp"))


def outside(house: House, *watched: str) -> set[Path]:
    """All files where an upload, a job or a picture has nothing to write."""
    written = {"import", "run", "logs", "work", "inbox"} - set(watched)
    above = house.root.parent
    return {
        each
        for each in above.rglob("*")
        if each.is_file() and not written & set(each.relative_to(above).parts)
    }
