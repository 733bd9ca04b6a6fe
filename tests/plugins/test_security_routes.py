"""Every route of the web, by a list of them all: who gets in, and from where."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from hotfolder.accounts.scopes import ALLOWED, SCOPES
from hotfolder.database import Database
from tests.plugins.doors import DOORS, SPECIAL, address, nowhere, registered, scopes_without, writing
from tests.plugins.house import House

FORGED = (
    "evil.example", "evil.example:8001", "localhost.evil.example", "127.0.0.1.evil.example",
    "evil.example@127.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]", "127.1", "",
)  # fmt: skip
BODIES = {
    "application/x-www-form-urlencoded": b"rating=5&all=true",
    "text/plain": b'{"all": true, "rating": 5, "name": "x"}',
    "application/json": b'{"all": true}',
}
ELSEWHERE: tuple[dict[str, str], ...] = (
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)
WRITING = [pytest.param(*each, id=f"{each[1]} {each[0]}") for each in writing()]
ROUTES = [
    *DOORS,
    "/-/login",
    "/-/api/nothing",
    "/v1/nothing",
    "/library",
    "/library/media",
    "/-/plugins.json",
]


def state(house: House) -> list[Any]:
    """What a write would have changed."""
    database = Database(house.root / "library.db")
    try:
        tables = ("media", "jobs", "control", "collections", "keywords", "app_settings", "import_folders")
        return [database.last_event_seq(), *(database.query(f"SELECT * FROM {each}") for each in tables)]
    finally:
        database.close()


def test_every_route_stands_in_the_list_of_those_that_are_tested(tmp_path: Path) -> None:
    assert sorted(registered(tmp_path)) == sorted([*DOORS, *SPECIAL])


@pytest.mark.parametrize("route", DOORS)
def test_a_route_takes_the_methods_of_the_list_and_no_others(house: House, route: str) -> None:
    door, admin = DOORS[route], house.program("admin", "root")

    for method in {"POST", "DELETE"} - set(door.writes):
        answer = admin.request(method, address(route))
        assert answer.status_code == (403 if route == "/" else 405), (method, answer.text)
    if door.reader == "nobody":
        assert admin.get(nowhere(route)).status_code == 405


@pytest.mark.parametrize(("route", "method", "action"), WRITING)
def test_a_write_needs_a_token_that_allows_it(house: House, route: str, method: str, action: Any) -> None:
    place = nowhere(route)

    assert house.visitor().request(method, place, json={}).status_code == 401
    for scope in scopes_without(action):
        answer = house.program(scope).request(method, place, json={})
        assert answer.status_code == 403, (scope, answer.text)
    allowed = [scope for scope in SCOPES if action in ALLOWED[scope]]
    for scope in allowed:
        answer = house.program(scope).request(method, place)
        assert answer.status_code not in (401, 403, 405, 500), (scope, answer.text)


@pytest.mark.parametrize("token", ["hf_nothing", "hf_", "x" * 4000])
def test_no_route_takes_a_token_that_is_none(house: House, token: str) -> None:
    client = house.visitor({"Authorization": f"Bearer {token}"})

    for route, door in DOORS.items():
        for method in ("GET", *door.writes):
            assert client.request(method, nowhere(route)).status_code == 401, (method, route)


def test_no_route_takes_a_token_that_was_revoked_or_is_too_old(house: House) -> None:
    made, revoked = house.accounts.create_token("anna", ["admin"], "test")
    house.accounts.revoke_token(made.token_id)
    _, late = house.accounts.create_token("anna", ["admin"], "test", valid_s=0.0)

    for secret in (revoked, late):
        client = house.visitor({"Authorization": f"Bearer {secret}"})
        for route, door in DOORS.items():
            for method in ("GET", *door.writes):
                assert client.request(method, nowhere(route)).status_code == 401, (method, route)


@pytest.mark.parametrize("route", DOORS)
def test_visitors_look_where_the_list_says_and_nowhere_else(house: House, route: str) -> None:
    door = DOORS[route]
    near, far = house.visitor(), house.visitor({"X-Forwarded-For": "127.0.0.1"})

    refused = near.get(address(route)).status_code == 401
    assert refused is (door.reader in ("look", "admin") or (door.reader == "nobody" and _is_hidden(route)))
    assert (far.get(address(route)).status_code == 401) is (door.reader != "anybody")


def _is_hidden(route: str) -> bool:
    """Where visitors are not even told that there is nothing to read."""
    return not route.startswith("/-/api/")


@pytest.mark.parametrize("route", [each for each, door in DOORS.items() if door.reader in ("look", "admin")])
def test_members_look_where_their_scope_says(house: House, route: str) -> None:
    wanted = "admin" if DOORS[route].reader == "admin" else "look"

    for scope, allowed in ALLOWED.items():
        answer = house.program(scope).get(address(route))
        assert (answer.status_code == 403) is (wanted not in allowed), (scope, answer.text)
        assert answer.status_code not in (401, 500)


@pytest.mark.parametrize("host", FORGED)
def test_no_route_answers_under_a_name_of_others(house: House, host: str) -> None:
    """A page elsewhere, whose name leads here, would be of the same origin."""
    clients = (house.visitor(), house.program("admin"), house.browser("admin"))

    for client in clients:
        for route in ROUTES:
            answer = client.get(address(route), headers={"Host": host})
            assert answer.status_code == 421, (route, answer.status_code)
            assert len(answer.content) < 500
    for route, method, _ in writing():
        assert clients[1].request(method, nowhere(route), headers={"Host": host}).status_code == 421, route


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /-/api/media HTTP/1.1\r\nHost: {host}\r\nHost: {host}", (400, 421)),
        ("GET /-/api/media HTTP/1.1\r\nHost: {host}\r\nHost: evil.example", (400, 421)),
        ("GET /-/api/media HTTP/1.1", (400, 421)),
        ("GET /-/api/media HTTP/1.0", (400, 421)),
        ("GET http://evil.example/-/api/media HTTP/1.1\r\nHost: evil.example", (400, 421)),
        ("GET /-/api/media HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: {host}", (421,)),
    ],
)
def test_no_odd_way_of_naming_the_host_gets_in(house: House, head: str, status: tuple[int, ...]) -> None:
    parts = urlsplit(house.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(f"{head.format(host=house.host)}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece

    assert int(answer.split()[1]) in status, answer[:300]
    assert b"mediaId" not in answer


def test_nothing_is_written_for_a_page_of_another_site_whatever_it_sends(house: House) -> None:
    clients = {"cookie": house.browser("admin", "root"), "none": house.visitor()}
    for each in clients.values():
        for name in ("origin", "sec-fetch-site"):
            each.headers.pop(name, None)
    before = state(house)

    for route, method, _ in (*writing(), ("/-/login", "POST", "look")):
        for content_type, body in BODIES.items():
            for origin in ELSEWHERE:
                for client in clients.values():
                    answer = client.request(
                        method, address(route), content=body, headers={"Content-Type": content_type, **origin}
                    )
                    assert answer.status_code == 403, (method, route, content_type, origin)
                    assert "set-cookie" not in answer.headers

    assert state(house) == before
    assert clients["cookie"].get("/-/api/status").json()["actor"]


def test_a_cookie_alone_writes_nothing_when_the_page_is_not_named(house: House) -> None:
    """As an old browser would send a form of another site."""
    browser = house.browser("admin", "root")
    for name in ("origin", "sec-fetch-site"):
        browser.headers.pop(name, None)
    before = state(house)

    for route, method, _ in (*writing(), ("/-/login", "POST", "look")):
        for content_type, body in BODIES.items():
            answer = browser.request(
                method, address(route), content=body, headers={"Content-Type": content_type}
            )
            assert answer.status_code == 403, (method, route)

    assert state(house) == before


def test_the_form_of_our_own_page_that_is_no_json_changes_nothing(house: House) -> None:
    browser = house.browser("admin", "root")
    before = state(house)

    for route, method, _ in writing():
        if route in ("/-/logout", "/-/api/upload"):  # these take a form, and a picture
            continue
        for content_type in ("application/x-www-form-urlencoded", "text/plain"):
            answer = browser.request(
                method, nowhere(route), content=BODIES[content_type], headers={"Content-Type": content_type}
            )
            assert answer.status_code in (400, 404, 405), (method, route, answer.text)

    assert state(house) == before


def test_other_sites_are_not_invited_to_read(house: House) -> None:
    browser = house.browser("admin", "root")

    for route in ROUTES:
        for method in ("GET", "OPTIONS"):
            answer = browser.request(method, address(route), headers={"Origin": "http://evil.example"})
            assert not [each for each in answer.headers if each.startswith("access-control-")], route


@pytest.mark.parametrize("who", ["visitor", "admin"])
def test_every_answer_says_that_it_is_not_to_be_guessed_at_framed_or_run(house: House, who: str) -> None:
    client = house.visitor() if who == "visitor" else house.program("admin")
    client.headers["Accept"] = "text/html,*/*"

    for route in (*DOORS, "/-/login", "/-/api/nothing"):
        answer = client.get(address(route))
        assert answer.headers["x-content-type-options"] == "nosniff", route
        assert answer.headers["x-frame-options"] == "DENY", route
        assert answer.headers["cross-origin-resource-policy"] == "same-origin", route
        kind = answer.headers.get("content-type", "")
        if answer.content and (kind.startswith("text/html") or route.startswith(("/media/", "/-/download/"))):
            _check_policy(route, answer)


def _check_policy(route: str, answer: httpx.Response) -> None:
    if answer.headers["content-type"].startswith("application/json"):
        return  # an error: nothing shows it
    (policy,) = answer.headers.get_list("content-security-policy")
    rules = dict(each.strip().partition(" ")[::2] for each in policy.split(";"))
    assert rules["default-src"] == "'none'", route
    assert "unsafe" not in policy, route
    assert "*" not in policy, route
    if not answer.headers["content-type"].startswith("text/html"):
        assert "sandbox" in rules, route
        return
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'", route
    assert rules["form-action"] == "'self'", route
    assert rules.get("script-src", "'none'") in ("'self'", "'none'"), route
