"""hotfolder login and token: a link for a browser, tokens for programs."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from hotfolder.accounts.scopes import Actor
from hotfolder.accounts.store import AccountStore, open_accounts
from hotfolder.cli.accounts import build_url
from hotfolder.cli.opening import user_name
from tests.cli.conftest import Command


@pytest.fixture
def accounts(root: Path) -> Iterator[AccountStore]:
    opened = open_accounts(root / "auth.db")
    yield opened
    opened.close()


@pytest.fixture
def listening() -> Iterator[int]:
    """The port of something that listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def set_port(root: Path, port: int) -> None:
    (root / "hotfolder.yaml").write_text(f"web: {{port: {port}}}\n", encoding="utf-8")


def note(root: Path, url: object) -> None:
    (root / "run").mkdir(exist_ok=True)
    (root / "run" / "web").write_text(json.dumps({"url": url}), encoding="utf-8")


def spend(accounts: AccountStore, link: str) -> Actor:
    session = accounts.spend_login_link(parse_qs(urlsplit(link).query)["token"][0])
    assert session is not None
    return session.actor


def place(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def test_login_prints_a_link_for_whoever_asks_as_admin(
    on: Command, root: Path, accounts: AccountStore, free_port: int
) -> None:
    set_port(root, free_port)

    outcome = on("login")

    assert outcome.code == 0
    assert place(outcome.out) == f"http://127.0.0.1:{free_port}/-/auth-token"
    actor = spend(accounts, outcome.out.strip())
    assert (actor.name, actor.scopes) == (user_name(), {"admin"})


def test_login_says_what_to_start_when_nothing_listens(on: Command, root: Path, free_port: int) -> None:
    set_port(root, free_port)

    assert "hotfolder up" in on("login").err


def test_login_is_content_when_something_listens(on: Command, root: Path, listening: int) -> None:
    set_port(root, listening)

    outcome = on("login")

    assert "hotfolder up" not in outcome.err
    assert "once" in outcome.err


def test_login_takes_a_name_and_several_scopes_and_prints_json(on: Command, accounts: AccountStore) -> None:
    found = on("login", "--name", " anna ", "--scope", "submit", "--scope", "rate", "--json").json

    assert found["name"] == "anna"
    assert found["scopes"] == ["rate", "submit"]
    assert found["validS"] == 3600
    actor = spend(accounts, found["url"])
    assert (actor.name, actor.scopes) == ("anna", {"rate", "submit"})


def test_login_prefers_the_address_that_the_running_web_has_noted(
    on: Command, root: Path, listening: int
) -> None:
    note(root, f"http://127.0.0.1:{listening}/")

    assert place(on("login").out) == f"http://127.0.0.1:{listening}/-/auth-token"


def test_login_passes_over_an_address_where_nobody_listens_any_more(
    on: Command, root: Path, listening: int, free_port: int
) -> None:
    set_port(root, listening)
    note(root, f"http://127.0.0.1:{free_port}")

    assert place(on("login").out) == f"http://127.0.0.1:{listening}/-/auth-token"


@pytest.mark.parametrize("url", [None, 8001, "", "file:///etc", "http://[", "http://x:99999", "\x00"])
def test_login_passes_over_a_note_that_is_none(on: Command, root: Path, listening: int, url: object) -> None:
    set_port(root, listening)
    note(root, url)

    assert place(on("login").out) == f"http://127.0.0.1:{listening}/-/auth-token"


def test_login_without_any_known_address_is_a_failure_that_says_what_to_do(on: Command, root: Path) -> None:
    set_port(root, 0)

    outcome = on("login")

    assert (outcome.code, outcome.out) == (1, "")
    assert "hotfolder up" in outcome.err


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8001"),
        ("0.0.0.0", "http://127.0.0.1:8001"),
        ("::", "http://[::1]:8001"),
        ("fd00::5", "http://[fd00::5]:8001"),
        ("studio.local", "http://studio.local:8001"),
    ],
)
def test_address_is_one_that_a_browser_on_this_machine_can_open(host: str, url: str) -> None:
    assert build_url(host, 8001) == url


def test_token_is_printed_once_and_works(on: Command, accounts: AccountStore) -> None:
    outcome = on("token", "create", "--name", "bot", "--scope", "submit", "--scope", "read")

    actor = accounts.find_token(outcome.out.strip())
    assert actor is not None
    assert (actor.name, actor.scopes) == ("bot", {"submit", "read"})
    assert "not shown again" in outcome.err
    assert outcome.out.strip() not in on("token", "list").out + on("token", "list", "--json").out


def test_token_may_have_a_last_day(on: Command) -> None:
    on("token", "create", "--name", "bot", "--scope", "submit", "--valid-days", 30)

    (token,) = on("token", "list", "--json").json
    assert token["createdAt"] < token["expiresAt"]


def test_tokens_are_listed_for_people_and_as_json(on: Command) -> None:
    assert on("token", "list").out == "No tokens.\n"
    assert on("token", "list", "--json").json == []
    on("token", "create", "--name", "bot", "--scope", "submit")

    (token,) = on("token", "list", "--json").json
    lines = on("token", "list").out.splitlines()

    assert {"name": "bot", "scopes": ["submit"], "createdBy": user_name()}.items() <= token.items()
    assert [token[each] for each in ("expiresAt", "lastUsedAt", "revokedAt")] == [None] * 3
    assert lines[1].split()[:3] == [token["tokenId"], "bot", "submit"]


def test_revoked_token_works_no_more_and_a_second_time_is_a_failure(
    on: Command, accounts: AccountStore
) -> None:
    secret = on("token", "create", "--name", "bot", "--scope", "submit").out.strip()

    assert on("token", "revoke", "bot").code == 0
    assert accounts.find_token(secret) is None
    assert on("token", "list", "--json").json[0]["revokedAt"]
    again = on("token", "revoke", "bot")
    assert again.code == 1
    assert "token list" in again.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("password", "set"),
        ("password", "set", "--name", "anna", "--password", "correct horse battery"),
        ("password", "set", "--name", "anna", "--scope", "paint", "--stdin"),
        ("password", "remove"),
        ("login", "--scope", "paint"),
        ("login", "--name", ""),
        ("login", "--name", "a\x1bb"),
        ("token", "create", "--name", "bot"),
        ("token", "create", "--scope", "rate"),
        ("token", "create", "--name", "bot", "--scope", "paint"),
        ("token", "create", "--name", "bot", "--scope", "rate", "--valid-days", "0"),
        ("token", "revoke"),
    ],
)
def test_wrong_scopes_names_and_days_are_errors_of_usage(on: Command, arguments: tuple[str, ...]) -> None:
    outcome = on(*arguments)

    assert (outcome.code, outcome.out) == (2, "")
