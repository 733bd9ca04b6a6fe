"""hotfolder password: asked for unseen or read from standard input, and shown nowhere."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hotfolder.accounts.store import AccountStore, open_accounts
from tests.cli.conftest import Command


@pytest.fixture
def accounts(root: Path) -> Iterator[AccountStore]:
    opened = open_accounts(root / "auth.db")
    yield opened
    opened.close()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a text on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_password_is_read_from_standard_input_and_logs_in(
    on: Command, accounts: AccountStore, typed: Callable[[str], None]
) -> None:
    typed("correct horse battery\nmore\n")

    outcome = on("password", "set", "--name", "anna", "--scope", "rate", "--stdin")

    assert (outcome.code, outcome.out) == (0, "")
    assert "anna" in outcome.err
    assert "battery" not in outcome.err
    session = accounts.passwords.log_in("anna", "correct horse battery")
    assert session is not None
    assert session.actor.scopes == {"rate"}


def test_password_is_asked_for_twice_and_not_shown(
    on: Command, accounts: AccountStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["correct horse battery", "another one", "correct horse battery", "correct horse battery"])
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda prompt: next(answers))

    outcome = on("password", "set", "--name", "anna", "--scope", "rate")

    assert outcome.code == 0
    assert "battery" not in outcome.out + outcome.err
    assert accounts.passwords.log_in("anna", "correct horse battery") is not None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_password_without_a_terminal_is_an_error_of_usage_that_names_the_option(
    on: Command, typed: Callable[[str], None]
) -> None:
    typed("correct horse battery\n")

    outcome = on("password", "set", "--name", "anna", "--scope", "rate")

    assert outcome.code == 2
    assert "--stdin" in outcome.err


@pytest.mark.parametrize("text", ["", "\n", "too short\n", "x" * 2000 + "\n"])
def test_what_is_no_password_is_refused_and_not_repeated(
    on: Command, accounts: AccountStore, typed: Callable[[str], None], text: str
) -> None:
    typed(text)

    outcome = on("password", "set", "--name", "anna", "--scope", "rate", "--stdin")

    assert (outcome.code, outcome.out) == (1, "")
    assert "10 to 1024" in outcome.err
    assert not text.strip() or text.strip() not in outcome.err
    assert not accounts.passwords.has_any()


def test_passwords_are_listed_and_removed(
    on: Command, accounts: AccountStore, typed: Callable[[str], None]
) -> None:
    assert on("password", "list").out == "No passwords.\n"
    typed("correct horse battery\n")
    on("password", "set", "--name", "anna", "--scope", "rate", "--scope", "submit", "--stdin")

    (found,) = on("password", "list", "--json").json
    assert (found["name"], found["scopes"]) == ("anna", ["rate", "submit"])
    assert on("password", "list").out.splitlines()[1].split()[:3] == ["anna", "rate,", "submit"]
    assert on("password", "remove", "--name", "anna").code == 0
    assert accounts.passwords.log_in("anna", "correct horse battery") is None
    again = on("password", "remove", "--name", "anna")
    assert again.code == 1
    assert "password list" in again.err


def test_password_command_without_the_extra_says_what_to_install(
    on: Command, typed: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "argon2", None)
    typed("correct horse battery\n")

    outcome = on("password", "set", "--name", "anna", "--scope", "rate", "--stdin")

    assert outcome.code == 1
    assert "pip install 'hotfolder[auth]'" in outcome.err
    assert on("password", "list").code == 0
