"""Who may ask for what, from the plain facts of a request."""

# ruff: noqa: RUF001 - letters that look like others are what is tested

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from datasette_hotfolder.access import (
    Refusal,
    Request,
    Rules,
    check_actor,
    check_source,
    host_name,
    is_loopback,
)
from datasette_hotfolder.gate import read_cookie
from hypothesis import example, given
from hypothesis import strategies as st

from hotfolder.accounts.scopes import SCOPES, Actor

RULES = Rules(host="192.168.7.7", allowed_hosts=("Light.Example", "2001:db8::5"))
ALLOWED = {"localhost", "127.0.0.1", "::1", "192.168.7.7", "light.example", "2001:db8::5"}
HOST = "127.0.0.1:8001"
HERE = {"host": HOST, "origin": f"http://{HOST}"}
SESSION = Actor("anna", frozenset({"admin"}), "session", "s")
TOKEN = Actor("anna", frozenset({"admin"}), "token", "t")
TYPED = st.text(
    st.one_of(
        st.sampled_from("localhost127.:[]@/\\%#? ,-_\t0xLıſ١٢١\u3002\uff0e\xa0\x85"),
        st.characters(max_codepoint=255),
    ),
    max_size=24,
)


def request(
    path: str = "/-/library", *, method: str = "GET", peer: str | None = "127.0.0.1", **headers: str
) -> Request:
    named = {"host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, peer, named)


def status_of(refusal: Refusal | None) -> int | None:
    return refusal.status if refusal else None


@pytest.mark.parametrize(
    "header",
    [
        "localhost", "LocalHost:8001", "localhost.", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8001",
        "192.168.7.7:9", "light.example", "LIGHT.example.:443", "[2001:DB8::5]:1",
    ],
)  # fmt: skip
def test_a_name_of_this_server_is_served_in_whatever_way_it_is_written(header: str) -> None:
    assert RULES.allows_host(header)


@pytest.mark.parametrize(
    "header",
    [
        "", " ", ".", ":8001", "evil.example", "localhost.evil.example", "evil.localhost",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example", "evil.example@127.0.0.1", "user:pass@localhost",
        "localhost:8001@evil.example",
        "localhost/", "localhost#", "localhost?", "localhost,evil.example", "localhost evil.example",
        "localhost..", "localhost:", "localhost:x", "localhost:123456", "localhost:8001:8001", "localhost:-1",
        "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.2", "0.0.0.0", "[::]",
        "[::ffff:127.0.0.1]",
        "[::1", "::1]", "[::1]evil.example", "[::1%25lo]", "[0:0:0:0:0:0:0:1]", "[localhost]",
        "xn--lcalhost-54a", "loca1host", "lоcalhost", "ｌocalhost", "ıocalhost", "localhoſt", "127.0.0.١",
        "127。0。0。1",
        "localhost\xa0", "\x85localhost", "localhost\n", "localhost\r\nx: y", "localhost\x00",
        "light.example:٨٠",
    ],
)  # fmt: skip
def test_any_other_host_is_refused(header: str) -> None:
    assert not RULES.allows_host(header)
    assert status_of(check_source(request(host=header), RULES)) == 421


@given(TYPED)
@example("localhost:8001")
@example("[::1]:1")
def test_no_header_passes_that_is_not_a_name_of_this_server_with_or_without_a_port(header: str) -> None:
    if not RULES.allows_host(header):
        return
    name = header.strip(" \t").lower()
    if name.startswith("["):
        name, _, port = name[1:].partition("]")
    elif name not in ALLOWED:
        name, _, port = name.partition(":")
    else:
        port = ""
    assert name.removesuffix(".") in ALLOWED
    assert port.removeprefix(":") == "" or (
        port.removeprefix(":").isascii() and port.removeprefix(":").isdigit()
    )


@given(st.text(max_size=30))
def test_the_name_in_any_text_at_all_is_a_plain_one_or_none(text: str) -> None:
    name = host_name(text)
    assert name is None or (name.isascii() and not set(name) & set("@/\\[]%#?, \t\r\n"))


def test_a_host_that_is_not_set_in_the_settings_is_never_a_name() -> None:
    assert not Rules(host="", allowed_hosts=("", ".")).allows_host("")
    assert not Rules(host="", allowed_hosts=("", ".")).allows_host(".")


def test_a_repeated_host_is_refused_though_both_are_allowed() -> None:
    found = Request("GET", "/-/library", "127.0.0.1", {"host": HOST}, frozenset({"host"}))

    assert status_of(check_source(found, RULES)) == 421


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "CONNECT", "get", "X" * 4000, ""])
def test_methods_that_nothing_here_needs_are_refused(method: str) -> None:
    refusal = check_source(request(method=method, origin=f"http://{HOST}"), RULES)

    assert status_of(refusal) == 405
    assert refusal is not None
    assert len(refusal.message) < 60


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "null"}, {"origin": ""}, {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:8002"},
        {"origin": "http://127.0.0.1"}, {"origin": f"http://{HOST}.evil.example"},
        {"origin": f"http://x@{HOST}"},
        {"origin": HOST}, {"origin": "http://["}, {"origin": "http://½"}, {"origin": "file://"},
        {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": ""},
        {"origin": f"http://{HOST}", "sec-fetch-site": "cross-site"},
    ],
)  # fmt: skip
def test_a_write_from_elsewhere_is_refused_whoever_sends_it(headers: Mapping[str, str]) -> None:
    found = Request("POST", "/-/api/jobs", "127.0.0.1", {"host": HOST, **headers})

    assert status_of(check_source(found, RULES)) == 403


@pytest.mark.parametrize("headers", [{}, {"origin": f"http://{HOST}"}, {"sec_fetch_site": "same-origin"}])
def test_a_write_from_here_or_from_a_program_passes(headers: Mapping[str, Any]) -> None:
    assert check_source(request(method="POST", **headers), RULES) is None


def test_name_of_a_file_that_no_disk_can_have_is_not_looked_for() -> None:
    for folder in ("static", "static-plugins/hotfolder"):
        assert status_of(check_source(request(f"/-/{folder}/{'x' * 256}"), RULES)) == 404
        assert check_source(request(f"/-/{folder}/library.js"), RULES) is None


def test_reading_is_not_asked_where_it_comes_from() -> None:
    assert check_source(request(origin="http://evil.example", sec_fetch_site="cross-site"), RULES) is None


@given(st.text(max_size=30))
def test_no_origin_makes_the_check_fail_unexpectedly(origin: str) -> None:
    refusal = check_source(request(method="POST", origin=f"http://{origin}"), RULES)

    assert status_of(refusal) in (None, 403)
    if refusal is None:
        assert origin.partition("/")[0].partition("?")[0].partition("#")[0].lower() == HOST


@pytest.mark.parametrize(
    "path",
    ["/-/library", "/-/queue", "/-/metrics", "/-/api/media", "/media/x/original", "/library/pictures", "/"],
)
def test_visitors_look_from_the_same_machine(path: str) -> None:
    assert check_actor(request(path), None, RULES) is None


@pytest.mark.parametrize("peer", [None, "", "192.168.7.8", "::", "0.0.0.0", "unix", "fe80::1", "10.0.0.1"])
def test_visitors_from_another_machine_see_nothing(peer: str | None) -> None:
    assert status_of(check_actor(request(peer=peer), None, RULES)) == 401


@pytest.mark.parametrize(
    "header",
    [
        "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded", "x-real-ip", "via", "x-client-ip",
        "true-client-ip", "cf-connecting-ip", "x-original-forwarded-for", "x-cluster-client-ip",
    ],
)  # fmt: skip
def test_visitors_through_a_proxy_see_nothing(header: str) -> None:
    found = Request("GET", "/-/library", "127.0.0.1", {"host": HOST, header: ""})

    assert status_of(check_actor(found, None, RULES)) == 401


def test_visitors_of_a_private_library_see_nothing_but_the_way_in() -> None:
    private = Rules(private=True)

    assert status_of(check_actor(request(), None, private)) == 401
    assert status_of(check_actor(request("/-/metrics"), None, private)) == 401
    assert check_actor(request("/-/auth-token"), None, private) is None


@pytest.mark.parametrize(
    "path",
    [
        "/-/setup", "/-/api/setup", "/-/plugins", "/-/settings.json", "/-/threads", "/-/config.json",
        "/-/versions",
        "/-/metadata", "/-/databases", "/-/permissions", "/_memory", "/_internal", "/librarys", "/-/logout",
        "/v1/images",
        "/-/metrics/", "/-/metricsx",
        "//library", "/-/library/", "/-/LIBRARY", "/~6cibrary", "/libr%61ry", "/-/static", "/-/staticx", "*",
        "",
        "http://127.0.0.1:8001/-/library",
    ],
)  # fmt: skip
def test_visitors_see_the_pictures_and_nothing_of_the_machine(path: str) -> None:
    assert status_of(check_actor(request(path), None, RULES)) == 401


@pytest.mark.parametrize(
    "path", ["/-/api/media/x", "/library/media/-/insert", "/-/logout", "/v1/images/generations"]
)
def test_visitors_change_nothing(path: str) -> None:
    assert status_of(check_actor(request(path, method="POST", origin=f"http://{HOST}"), None, RULES)) == 401


@pytest.mark.parametrize("actor", [SESSION, TOKEN])
@pytest.mark.parametrize(
    "path", ["/library/media/-/insert", "/library/-/create", "/-/create-token", "/library/media/x"]
)
def test_nobody_writes_through_the_routes_of_datasette(actor: Actor, path: str) -> None:
    found = request(path, method="POST", origin=f"http://{HOST}")

    assert status_of(check_actor(found, actor, RULES)) == 403


def test_a_cookie_writes_only_when_its_page_is_named() -> None:
    assert status_of(check_actor(request("/-/api/jobs", method="POST"), SESSION, RULES)) == 403
    assert (
        status_of(check_actor(request("/-/api/jobs", method="POST", sec_fetch_site="none"), SESSION, RULES))
        == 403
    )
    assert (
        check_actor(request("/-/api/jobs", method="POST", sec_fetch_site="same-origin"), SESSION, RULES)
        is None
    )
    assert check_actor(Request("POST", "/-/api/jobs", "127.0.0.1", HERE), SESSION, RULES) is None


def test_a_token_writes_without_naming_a_page() -> None:
    assert check_actor(request("/-/api/jobs", method="POST", peer="10.0.0.1"), TOKEN, RULES) is None


@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_may_look_from_anywhere(scope: str) -> None:
    actor = Actor("anna", frozenset({scope}), "token", "t")

    assert check_actor(request(peer="10.0.0.1", via="x"), actor, Rules(private=True)) is None


@pytest.mark.parametrize(
    ("peer", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True),
     ("::ffff:10.0.0.1", False),
     ("10.0.0.1", False), ("localhost", False), (None, False), ("", False)],
)  # fmt: skip
def test_only_an_address_of_this_machine_is_loopback(peer: str | None, expected: bool) -> None:
    assert is_loopback(peer) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [("a=1; b=2", "2"), ("b=2", "2"), ("b=", ""), ("xb=1", None), ("b", ""), ("", None),
     (" b=2=3 ;a", "2=3"), ("B=1", None)],
)  # fmt: skip
def test_a_cookie_is_found_by_its_whole_name(header: str, expected: str | None) -> None:
    assert read_cookie(header, "b") == expected
