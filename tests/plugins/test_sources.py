"""Where a request comes from: no other name of the server, no page of another site."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.plugins.furniture import JOBS, PLAIN
from tests.plugins.house import House

GETS = (
    *("/", "/-/library", "/-/queue", "/-/setup", "/-/healthz", "/-/auth-token?token=x", "/favicon.ico"),
    *(
        "/-/api/media",
        f"/-/api/media/{PLAIN}",
        "/-/api/jobs",
        "/-/api/status",
        "/-/api/events",
        "/-/api/setup",
    ),
    *(f"/media/{PLAIN}/original", f"/media/{PLAIN}/thumbnail", f"/v1/images/generations/{PLAIN}"),
    *(
        "/library",
        "/library/media",
        "/library/media.json",
        "/library/media.csv",
        f"/library/media/{PLAIN}",
        "/library.db",
    ),
    *("/-/static/app.css", "/-/static-plugins/hotfolder/hotfolder.css", "/-/plugins", "/nothing-here"),
)
WRITES = (
    *(f"/-/api/media/{PLAIN}", "/-/api/jobs", f"/-/api/jobs/{JOBS['anna', 'queued']}/cancel"),
    *(
        f"/-/api/jobs/{JOBS['anna', 'failed']}/retry",
        "/v1/images/generations",
        "/-/logout",
        "/library/media/-/insert",
    ),
)
FORGED = (
    "evil.example",
    "127.0.0.1.evil.example",
    "",
    "localhost@evil.example",
    "169.254.169.254",
    "[::]",
    "localhost..",
)


@pytest.fixture
def root_token(house: House) -> dict[str, str]:
    return {"Authorization": f"Bearer {house.token('admin', 'root')}"}


def state_of(house: House) -> tuple[int, int]:
    """What would be different if anything had been done."""
    inbox = len([each for each in (house.root / "inbox").rglob("*") if each.is_file()])
    return inbox, int(house.visitor().get("/-/api/status").json()["seq"])


@pytest.mark.parametrize("path", GETS)
def test_another_name_of_the_server_gets_nothing_whoever_asks(
    visitor: httpx.Client, root_token: dict[str, str], path: str
) -> None:
    for host in FORGED:
        for headers in ({}, root_token):
            answer = visitor.get(path, headers={"Host": host, **headers})
            assert answer.status_code in (400, 421), (host, answer.text)
            assert len(answer.content) < 1000


@pytest.mark.parametrize("path", WRITES)
def test_another_name_of_the_server_changes_nothing(
    house: House, visitor: httpx.Client, root_token: dict[str, str], path: str
) -> None:
    before = state_of(house)

    for host in FORGED:
        assert visitor.post(path, headers={"Host": host, **root_token}).status_code in (400, 421)

    assert state_of(house) == before


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80", "localhost."])
def test_every_name_of_this_machine_is_served(visitor: httpx.Client, host: str) -> None:
    assert visitor.get("/-/library", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "lines",
    [
        b"GET /-/api/status HTTP/1.1\r\n",
        b"GET /-/api/status HTTP/1.0\r\n",
        b"GET /-/api/status HTTP/1.1\r\nHost: %(host)s\r\nHost: evil.example\r\n",
        b"GET /-/api/status HTTP/1.1\r\nHost: evil.example\r\nHost: %(host)s\r\n",
        b"GET /-/api/status HTTP/1.1\r\nHost: %(host)s\r\nhost: %(host)s\r\n",
        b"GET http://%(host)s/-/api/status HTTP/1.1\r\nHost: evil.example\r\n",
        b"GET /-/api/status HTTP/1.1\r\nHost: \xff\r\n",
        b"GET /-/api/\xff HTTP/1.1\r\nHost: %(host)s\r\n",
        b"GET /-/api/status HTTP/1.1\r\n Host: %(host)s\r\n",
    ],
)
def test_a_request_with_no_host_or_with_two_is_refused(house: House, lines: bytes) -> None:
    place = urlsplit(house.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(lines.replace(b"%(host)s", house.host.encode()) + b"Connection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.split()[1] in (b"400", b"421"), answer


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("who", ["visitor", "token", "cookie"])
def test_a_page_of_another_site_changes_nothing_in_whoevers_name(
    house: House, path: str, who: str, root_token: dict[str, str]
) -> None:
    client = (
        house.browser("admin", "root")
        if who == "cookie"
        else house.visitor(root_token if who == "token" else None)
    )
    before = state_of(house)
    port = urlsplit(house.url).port or 0
    sources: list[dict[str, str]] = [
        *(
            {"Origin": each, "Sec-Fetch-Site": "same-origin"}
            for each in ("null", "", "http://evil.example", "http://[")
        ),
        {"Origin": f"http://127.0.0.1:{port + 1}", "Sec-Fetch-Site": "same-origin"},
        {"Origin": f"http://localhost:{port}", "Sec-Fetch-Site": "same-origin"},
        {"Origin": house.url, "Sec-Fetch-Site": "cross-site"},
        {"Origin": house.url, "Sec-Fetch-Site": "same-site"},
    ]
    for headers in sources:
        for content_type in ("text/plain", "application/json", "application/x-www-form-urlencoded"):
            answer = client.post(
                path, headers={**headers, "Content-Type": content_type}, content=b'{"rating": 5}'
            )
            assert answer.status_code == 403, (headers, answer.text)

    assert state_of(house) == before


def test_a_cookie_alone_changes_nothing(house: House) -> None:
    client = house.browser("admin", "root")
    del client.headers["Origin"], client.headers["Sec-Fetch-Site"]
    before = state_of(house)

    for path in WRITES:
        assert client.post(path, json={"rating": 5}).status_code == 403

    assert state_of(house) == before


@pytest.mark.parametrize("path", [*WRITES, *GETS])
def test_reading_changes_nothing_also_where_something_could_be_changed(
    house: House, admin: httpx.Client, path: str
) -> None:
    before = state_of(house)

    for query in ("", "?rating=5&status=selected&_method=POST", "?sql=delete+from+media"):
        for method in ("GET", "HEAD", "OPTIONS"):
            assert (
                admin.request(method, path + query, headers={"X-HTTP-Method-Override": "POST"}).status_code
                != 500
            )

    assert state_of(house) == before
    assert admin.get("/-/api/status").json()["actor"]["name"] == "root"


@pytest.mark.parametrize("path", GETS)
def test_every_answer_says_that_it_is_not_guessed_at_and_not_framed(visitor: httpx.Client, path: str) -> None:
    headers = visitor.get(path).headers

    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers.get_list("x-frame-options") == ["DENY"]
    assert headers.get_list("referrer-policy") in (
        ["same-origin"],
        ["no-referrer"],
    )  # the tables have their own
    assert headers.get_list("cross-origin-resource-policy") == ["same-origin"]
    assert not any(each.startswith("access-control-") for each in headers)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE"])
def test_other_methods_are_refused(admin: httpx.Client, method: str) -> None:
    assert admin.request(method, f"/-/api/media/{PLAIN}").status_code == 405


def test_a_method_that_is_none_is_no_request(admin: httpx.Client) -> None:
    assert admin.request("BREW", f"/-/api/media/{PLAIN}").status_code == 400
