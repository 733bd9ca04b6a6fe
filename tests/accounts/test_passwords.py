"""Passwords: kept as hashes, checked as slowly for nobody as for somebody, and an end of their sessions."""

from __future__ import annotations

import sqlite3
import sys
import unicodedata
from pathlib import Path

import pytest

from hotfolder.accounts.passwords import PASSWORD_MAX
from hotfolder.accounts.schema import ACCOUNTS
from hotfolder.accounts.store import LINK_VALID_S, AccountStore, open_accounts
from hotfolder.errors import ConfigError, NotFound
from hotfolder.migrations import Schema, migrate
from tests.accounts.conftest import HandClock

SECRET = "correct horse battery"


@pytest.fixture
def anna(accounts: AccountStore) -> AccountStore:
    """Anna may rate, by a password."""
    accounts.passwords.set_password("anna", SECRET, ["rate"])
    return accounts


def test_password_opens_a_session_as_a_link_does(anna: AccountStore) -> None:
    session = anna.passwords.log_in(" anna ", SECRET)

    assert session is not None
    assert session.expires_at == "2026-12-21T03:00:00.000Z"
    assert (session.actor.name, session.actor.kind, session.actor.scopes) == ("anna", "session", {"rate"})
    assert anna.find_session(session.session_id) == session.actor


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("anna", SECRET + " "), ("anna", SECRET.upper()), ("anna", ""), ("anna", SECRET * 100),
        ("anna", "\ud800" * 10), ("Anna", SECRET), ("nobody", SECRET), ("", SECRET), ("\ud800", SECRET),
        ("' OR 1=1 --", SECRET), ("anna\x00", SECRET), ("x" * 100_000, SECRET),
    ],
)  # fmt: skip
def test_anything_else_opens_nothing(anna: AccountStore, name: str, password: str) -> None:
    assert anna.passwords.log_in(name, password) is None


def test_an_unknown_name_is_compared_with_a_hash_of_the_same_cost(
    anna: AccountStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import argon2

    compared: list[str] = []
    real = argon2.PasswordHasher.verify

    def watched(self: argon2.PasswordHasher, hashed: str, password: str) -> bool:
        compared.append(hashed)
        return real(self, hashed, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", watched)
    anna.passwords.log_in("anna", "wrong password")
    anna.passwords.log_in("nobody", "wrong password")

    known, unknown = (argon2.extract_parameters(each) for each in compared)
    assert known == unknown


def test_password_of_two_keyboards_is_one_password(accounts: AccountStore) -> None:
    accounts.passwords.set_password("anna", unicodedata.normalize("NFD", "Überraschung"), ["rate"])

    assert accounts.passwords.log_in("anna", unicodedata.normalize("NFC", "Überraschung")) is not None


@pytest.mark.parametrize(
    "password", ["", "nine char", "a" * (PASSWORD_MAX + 1), "ten\ncharacters", "\ud800" * 10]
)
def test_what_is_no_password_is_refused_and_not_told(accounts: AccountStore, password: str) -> None:
    with pytest.raises(ConfigError) as caught:
        accounts.passwords.set_password("anna", password, ["rate"])

    assert "10 to 1024" in str(caught.value.hint)
    assert not password or password not in f"{caught.value!r} {caught.value.hint}"
    assert accounts.passwords.list_passwords() == []


def test_longest_password_counts_to_its_last_character(accounts: AccountStore) -> None:
    accounts.passwords.set_password("anna", "a" * PASSWORD_MAX, ["rate"])

    assert accounts.passwords.log_in("anna", "a" * (PASSWORD_MAX - 1) + "b") is None
    assert accounts.passwords.log_in("anna", "a" * (PASSWORD_MAX + 1)) is None
    assert accounts.passwords.log_in("anna", "a" * PASSWORD_MAX) is not None


@pytest.mark.parametrize("scopes", [[], ["paint"], ["rate", "paint"]])
def test_first_password_needs_scopes_that_exist(accounts: AccountStore, scopes: list[str]) -> None:
    with pytest.raises(ConfigError, match="scope"):
        accounts.passwords.set_password("anna", SECRET, scopes)

    assert not accounts.passwords.has_any()


def test_another_password_keeps_the_scopes_that_are_not_named(anna: AccountStore) -> None:
    assert anna.passwords.set_password("anna", "another secret").scopes == {"rate"}
    assert anna.passwords.set_password("anna", "another secret", ["read"]).scopes == {"read"}


@pytest.mark.parametrize("change", ["set", "remove"])
def test_change_ends_the_sessions_of_the_old_password_and_no_others(anna: AccountStore, change: str) -> None:
    anna.passwords.set_password("bert", SECRET, ["rate"])
    old, bert = (anna.passwords.log_in(each, SECRET) for each in ("anna", "bert"))
    link = anna.spend_login_link(anna.create_login_link("anna", ["rate"]))
    assert old is not None
    assert bert is not None
    assert link is not None

    if change == "set":
        anna.passwords.set_password("anna", "another secret")
    else:
        anna.passwords.remove_password("anna")

    assert anna.find_session(old.session_id) is None
    assert anna.passwords.log_in("anna", SECRET) is None
    assert anna.find_session(bert.session_id) == bert.actor
    assert anna.find_session(link.session_id) == link.actor


def test_removing_what_is_not_there_is_told(accounts: AccountStore) -> None:
    with pytest.raises(NotFound, match="anna"):
        accounts.passwords.remove_password("anna")


def test_passwords_are_listed_by_name_without_what_they_are(anna: AccountStore) -> None:
    anna.passwords.set_password("abel", SECRET, ["submit", "rate"])

    found = anna.passwords.list_passwords()

    assert [(each.name, each.scopes) for each in found] == [("abel", {"rate", "submit"}), ("anna", {"rate"})]
    assert {each.changed_at for each in found} == {"2026-11-21T03:00:00.000Z"}
    assert "argon2" not in repr(found)


def test_no_password_and_no_session_of_it_stands_in_the_bytes_of_the_files(
    anna: AccountStore, path: Path
) -> None:
    session = anna.passwords.log_in("anna", SECRET)
    assert session is not None

    data = b"".join(each.read_bytes() for each in path.parent.glob("auth.db*"))

    assert b"anna" in data
    assert SECRET.encode() not in data
    assert session.session_id.encode() not in data


def test_old_login_links_go_while_somebody_is_logged_in_by_a_password(
    anna: AccountStore, path: Path, clock: HandClock
) -> None:
    anna.create_login_link("bert", ["rate"])
    assert anna.passwords.log_in("anna", SECRET) is not None

    clock.advance(LINK_VALID_S + 1)
    anna.create_login_link("bert", ["rate"])

    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM login_links").fetchone() == (1,)
    connection.close()


def test_sessions_of_an_older_version_go_on(path: Path, clock: HandClock) -> None:
    migrate(path, Schema(ACCOUNTS.name, ACCOUNTS.steps[:1]))
    with sqlite3.connect(path) as connection:
        at, later = "2026-11-21T02:00:00.000Z", "2026-12-21T02:00:00.000Z"
        connection.execute("INSERT INTO login_links VALUES ('l', 'anna', 'rate', ?, ?, ?)", (at, later, at))
        connection.execute("INSERT INTO sessions VALUES ('i', 'anna', 'rate', ?, ?, 'l')", (at, later))
    connection.close()

    accounts = open_accounts(path, clock=clock)

    assert accounts.end_sessions_of("anna") == 1
    accounts.close()


def test_without_the_extra_it_is_said_what_to_install_and_passwords_can_be_taken_away(
    anna: AccountStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "argon2", None)
    without = open_accounts(path)

    for act in (
        without.passwords.require_extra,
        lambda: without.passwords.set_password("bert", SECRET, ["rate"]),
        lambda: without.passwords.log_in("anna", SECRET),
    ):
        with pytest.raises(ConfigError) as caught:
            act()
        assert caught.value.hint == "Run: pip install 'hotfolder[auth]'"
    without.passwords.remove_password("anna")
    assert not without.passwords.has_any()
    without.close()
