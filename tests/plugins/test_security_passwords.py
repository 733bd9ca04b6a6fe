"""Logging in by a password: a form without script, as hard to guess as it is easy to use."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.plugins.house import House, open_house

SECRET = "correct horse battery"
FORM = "/-/login"
Person = Callable[[], httpx.Client]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house in which anna and fay have a password."""
    with open_house(tmp_path_factory.mktemp("passwords") / "library") as made:
        for name in ("anna", "fay"):  # under the name of fay the tests fail to log in
            made.accounts.passwords.set_password(name, SECRET, ["rate"])
        yield made


@pytest.fixture(scope="module")
def addresses() -> Iterator[str]:
    return (f"127.0.1.{number}" for number in count(1))


@pytest.fixture
def person(house: House, addresses: Iterator[str]) -> Iterator[Person]:
    """Makes browsers, each at an address of its own: their failures do not add up."""
    made: list[httpx.Client] = []

    def make() -> httpx.Client:
        transport = httpx.HTTPTransport(local_address=next(addresses))
        headers = house.origin | {"Accept": "text/html,*/*"}
        made.append(httpx.Client(base_url=house.url, headers=headers, transport=transport, timeout=30))
        return made[-1]

    yield make
    for each in made:
        each.close()


def log_in(client: httpx.Client, name: str = "anna", password: str = SECRET, **more: str) -> httpx.Response:
    return client.post(FORM, data={"name": name, "password": password, **more})


def actor_of(client: httpx.Client) -> object:
    return client.get("/-/api/status").json()["actor"]


def test_a_name_and_its_password_log_in_as_a_link_does(person: Person) -> None:
    client = person()

    answer = log_in(client)

    assert (answer.status_code, answer.headers["location"]) == (303, "/-/library")
    assert "no-store" in answer.headers["cache-control"]
    (cookie,) = answer.headers.get_list("set-cookie")
    parts = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", f"max-age={30 * 24 * 3600}"} <= parts
    assert actor_of(client) == {"name": "anna", "scopes": ["rate"]}
    assert client.post("/-/logout").status_code == 303
    assert actor_of(client) is None


def test_the_form_has_no_script_and_allows_none(person: Person) -> None:
    answer = person().get(FORM)

    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    assert "no-store" in answer.headers["cache-control"]
    assert not [each for each in ("<script", "<style", " style=") if each in answer.text]
    assert 'method="post" action="/-/login"' in answer.text
    assert 'type="password"' in answer.text


@pytest.mark.parametrize("where", ["?next=http://evil.example", "?next=//evil.example", "?name=x&password=y"])
def test_nobody_is_led_to_an_address_that_was_given(person: Person, where: str) -> None:
    client = person()
    assert "evil" not in client.get(FORM + where).text

    answer = client.post(
        FORM + where, data={"name": "anna", "password": SECRET, "next": "http://evil.example"}
    )

    assert answer.headers["location"] == "/-/library"


def test_an_unknown_name_and_a_wrong_password_are_told_in_the_same_words(person: Person) -> None:
    wrong, unknown = log_in(person(), "fay", "wrong password"), log_in(person(), "nobody", "wrong password")

    assert wrong.status_code == unknown.status_code == 403
    assert wrong.text.replace("fay", "nobody") == unknown.text
    assert "wrong password" not in wrong.text
    for answer in (wrong, unknown):
        assert "set-cookie" not in answer.headers


def test_an_unknown_name_takes_as_long_as_a_wrong_password(person: Person) -> None:
    """Argon2 takes far longer than all else: an unknown name without it would be known by its speed."""
    times: dict[str, list[float]] = {"fay": [], "nobody": []}
    log_in(person(), "nobody 0", "wrong password")

    for turn in range(5):
        for name, taken in times.items():
            client = person()
            if name == "fay":
                log_in(client, "fay")  # its failures start anew
            start = time.perf_counter()
            log_in(client, name if name == "fay" else f"nobody {turn}", "wrong password")
            taken.append(time.perf_counter() - start)

    known, unknown = (statistics.median(taken) for taken in times.values())
    assert unknown > known / 2


def test_tries_under_one_name_are_slowed_down_from_wherever_they_come(person: Person) -> None:
    for _ in range(2):
        assert log_in(person(), "guessed", "wrong password").status_code == 403

    answer = log_in(person(), "guessed", "wrong password")

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert "Wait for 1 s." in answer.text


def test_tries_from_one_address_are_slowed_down_and_nobody_elses(person: Person) -> None:
    client = person()

    statuses = [log_in(client, f"name {number}", "wrong password").status_code for number in range(18)]

    assert statuses == [403] * 17 + [429]
    assert log_in(client).status_code == 429
    assert log_in(person()).status_code == 303


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"name=anna&password=correct+horse+battery"),
        ("application/json", b'{"name": "anna", "password": "correct horse battery"}'),
        ("multipart/form-data; boundary=x", b"--x"),
        ("", b"name=anna&password=correct+horse+battery"),
        ("application/x-www-form-urlencoded", b""),
        ("application/x-www-form-urlencoded", b"name=anna"),
        ("application/x-www-form-urlencoded", b"name=anna&password=x&password=correct+horse+battery"),
        ("application/x-www-form-urlencoded", b"name=%ff&password=%ff"),
        ("application/x-www-form-urlencoded", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"a&" * 100),
    ],
)
def test_what_is_not_the_form_logs_nobody_in(person: Person, content_type: str, body: bytes) -> None:
    answer = person().post(FORM, content=body, headers={"Content-Type": content_type})

    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers
    assert "battery" not in answer.text


def test_a_form_that_is_too_large_is_refused(person: Person) -> None:
    assert log_in(person(), "anna", "x" * 20_000).status_code == 413


@pytest.mark.parametrize(
    ("name", "password"),
    [("\x00", "x"), ("a" * 10_000, "x"), ("{{ 7*7 }}", "x"), ("' OR 1=1 --", "x"), ("fay", "\x00" * 100)],
)
def test_odd_names_and_passwords_are_refused_like_all_others(
    person: Person, name: str, password: str
) -> None:
    assert log_in(person(), name, password).status_code == 403


def test_a_hostile_name_is_shown_as_text(person: Person) -> None:
    answer = log_in(person(), '"><script>alert(1)</script>', "wrong password")

    assert answer.status_code == 403
    assert "<script" not in answer.text
    assert "&#34;&gt;&lt;script&gt;" in answer.text


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "OPTIONS"])
def test_other_methods_log_nobody_in(person: Person, method: str) -> None:
    answer = person().request(method, FORM)

    assert answer.status_code in (200, 405)
    assert "set-cookie" not in answer.headers


def test_a_form_of_another_site_logs_nobody_in(house: House) -> None:
    client = house.visitor()
    form = {"name": "anna", "password": SECRET}

    for headers in (
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {}, {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"}, {"Origin": house.url, "Host": "evil.example"},
    ):  # fmt: skip
        answer = client.post(FORM, data=form, headers=headers)
        assert answer.status_code in (403, 421), headers
        assert "set-cookie" not in answer.headers


def test_the_form_is_open_through_a_proxy_and_to_who_is_logged_in(person: Person) -> None:
    client = person()
    client.headers["X-Forwarded-For"] = "10.0.0.1"

    assert client.get(FORM).status_code == 200
    assert log_in(client).status_code == 303
    assert client.get(FORM).status_code == 200
    assert log_in(client).status_code == 303


def test_another_password_logs_the_old_one_out_at_once(house: House, person: Person) -> None:
    house.accounts.passwords.set_password("ben", SECRET, ["read"])
    client, linked = person(), house.browser("read", "ben")
    log_in(client, "ben")
    assert actor_of(client)

    house.accounts.passwords.set_password("ben", "another secret")

    assert actor_of(client) is None
    assert actor_of(linked)
    assert log_in(person(), "ben").status_code == 403
    assert log_in(client, "ben", "another secret").status_code == 303
    house.accounts.passwords.remove_password("ben")
    assert actor_of(client) is None


def test_who_is_refused_is_shown_the_form_when_somebody_has_a_password(
    house: House, person: Person, tmp_path: Path
) -> None:
    assert 'href="/-/login"' in person().get("/-/setup").text
    assert "login" not in house.visitor().get("/-/setup").json()["error"]["code"].replace("login_needed", "")
    with open_house(tmp_path / "library") as without:
        page = without.visitor({"Accept": "text/html"}).get("/-/setup")
        assert page.status_code == 401
        assert 'href="/-/login"' not in page.text


def test_no_password_and_no_name_is_written_to_the_log(house: House, person: Person) -> None:
    log_in(person(), "a secret typed as a name", "a secret typed as a password")
    person().post(FORM, content=b"name=x&password=a+secret", headers={"Content-Type": "text/plain"})

    written = house.output() + "".join(
        each.read_text(errors="replace") for each in (house.root / "logs").iterdir() if each.is_file()
    )

    assert "a login by password failed" in written
    assert "a secret" not in written
    assert "a+secret" not in written
    assert SECRET not in written


def test_without_the_extra_the_page_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "argon2.py").write_text("raise ImportError('argon2')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "bare"), prepend=os.pathsep)
    with open_house(tmp_path / "library") as bare:
        client = bare.visitor(bare.origin | {"Accept": "text/html"})

        for answer in (client.get(FORM), log_in(client)):
            assert answer.status_code == 501
            assert "pip install &#39;hotfolder[auth]&#39;" in answer.text
            assert "<form" not in answer.text
