"""Logging in by a link that works once, and out again."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.plugins.house import House


def actor_of(client: httpx.Client) -> object:
    return client.get("/-/api/status").json()["actor"]


def test_a_link_logs_in_once_with_a_cookie_that_no_script_and_no_other_site_has(house: House) -> None:
    link, client = house.link("rate", "anna"), house.visitor()

    answer = client.get("/-/auth-token", params={"token": link})

    assert (answer.status_code, answer.headers["location"]) == (303, "/-/library")
    assert answer.headers.get_list("cache-control") in (["no-store"], ["private, no-store"])
    (cookie,) = answer.headers.get_list("set-cookie")
    parts = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", f"max-age={30 * 24 * 3600}"} <= parts
    assert "secure" not in parts  # else no browser would send it back over http
    assert not any(each.startswith("domain") for each in parts)
    assert link not in cookie
    assert actor_of(client) == {"name": "anna", "scopes": ["rate"]}


def test_the_second_use_of_a_link_is_a_page_that_says_so(house: House) -> None:
    link = house.link("admin")
    house.visitor().get("/-/auth-token", params={"token": link})
    late = house.visitor()

    answer = late.get("/-/auth-token", params={"token": link})

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "hotfolder login" in answer.text
    assert "set-cookie" not in answer.headers
    assert actor_of(late) is None


def test_a_preview_of_the_link_does_not_spend_it(house: House) -> None:
    link, client = house.link("admin"), house.visitor()

    for method in ("HEAD", "OPTIONS", "POST", "DELETE"):
        answer = client.request(method, "/-/auth-token", params={"token": link})
        assert answer.status_code in (204, 405), method
        assert "set-cookie" not in answer.headers

    assert client.get("/-/auth-token", params={"token": link}).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "'; --", "%00", "%ff%fe", "%ed%a0%80", "x" * 5000])
def test_a_link_that_is_none_opens_nothing(house: House, visitor: httpx.Client, token: str) -> None:
    answer = visitor.get(httpx.URL(house.url).copy_with(raw_path=f"/-/auth-token?token={token}".encode()))

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_link_without_a_token_opens_nothing(visitor: httpx.Client) -> None:
    assert visitor.get("/-/auth-token").status_code == 403


def test_a_link_works_through_a_proxy_and_when_one_is_logged_in(house: House) -> None:
    client = house.browser("read", "anna")

    answer = client.get(
        "/-/auth-token", params={"token": house.link("rate", "ben")}, headers={"X-Forwarded-For": "10.0.0.1"}
    )

    assert answer.status_code == 303
    assert actor_of(client) == {"name": "ben", "scopes": ["rate"]}


def test_logging_out_ends_the_session_for_good(house: House) -> None:
    client = house.browser("admin")
    ((name, session),) = client.cookies.items()

    answer = client.post("/-/logout")

    assert (answer.status_code, answer.headers["location"]) == (303, "/-/library")
    assert client.cookies.get(name) is None
    assert actor_of(client) is None
    assert actor_of(house.visitor({"Cookie": f"{name}={session}"})) is None


def test_nobody_is_logged_out_by_looking_or_by_another_site(house: House) -> None:
    client = house.browser("admin", "anna")

    assert client.get("/-/logout").status_code == 405
    assert client.post("/-/logout", headers={"Origin": "http://evil.example"}).status_code == 403

    assert actor_of(client) == {"name": "anna", "scopes": ["admin"]}


def test_somebody_who_is_logged_out_everywhere_is_so_at_once(house: House) -> None:
    first, second = house.browser("admin", "eve"), house.browser("read", "eve")

    assert house.accounts.end_sessions_of("eve") == 2

    assert actor_of(first) is None
    assert actor_of(second) is None


def test_pages_of_somebody_who_is_logged_in_are_kept_by_nobody(house: House) -> None:
    client = house.browser("read")

    for path in (
        "/-/library",
        "/-/queue",
        "/-/api/media",
        "/-/api/status",
        "/library/media",
        "/library/jobs.json",
    ):
        assert "no-store" in client.get(path).headers["cache-control"], path


def test_a_restart_logs_nobody_out(house: House) -> None:
    client = house.browser("read", "anna")
    port = house.url.rsplit(":", 1)[1]

    assert house.stop() == 0
    house.open("--port", port)

    assert actor_of(client) == {"name": "anna", "scopes": ["read"]}


def test_the_address_of_the_web_is_known_while_it_runs_and_only_then(house: House) -> None:
    note = house.root / "run" / "web"
    assert json.loads(note.read_bytes()) == {"url": house.url}

    assert house.stop() == 0
    assert not note.exists()

    house.open()
    assert json.loads(note.read_bytes()) == {"url": house.url}
