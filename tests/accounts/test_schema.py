"""auth.db as a file: private, plain, and without any secret in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.accounts.store import AccountStore, open_accounts
from hotfolder.errors import LibraryError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files(path: Path) -> list[Path]:
    return sorted(path.parent.glob("auth.db*"))


@pytest.fixture
def open_umask() -> Iterator[None]:
    old = os.umask(0)
    yield
    os.umask(old)


def test_file_and_its_companions_are_readable_by_their_owner_only(path: Path, open_umask: None) -> None:
    accounts = open_accounts(path)
    accounts.create_login_link("anna", ["rate"])

    assert [each.name for each in files(path)] == ["auth.db", "auth.db-shm", "auth.db-wal"]
    assert {mode(each) for each in files(path)} == {0o600}
    accounts.close()


def test_file_that_has_become_readable_by_others_is_made_private_again(
    accounts: AccountStore, path: Path
) -> None:
    accounts.create_login_link("anna", ["rate"])
    for each in files(path):
        each.chmod(0o644)

    open_accounts(path).close()

    assert {mode(each) for each in files(path)} == {0o600}


def test_what_was_written_is_there_when_the_file_is_opened_again(accounts: AccountStore, path: Path) -> None:
    _, secret = accounts.create_token("bot", ["submit"], "anna")
    accounts.close()

    again = open_accounts(path)

    assert again.find_token(secret) is not None
    again.close()


@pytest.mark.parametrize("target", ["there", "not there"])
def test_link_in_its_place_is_refused_and_not_followed(path: Path, target: str) -> None:
    elsewhere = path.with_name("elsewhere")
    if target == "there":
        elsewhere.write_bytes(b"")
        elsewhere.chmod(0o644)
    path.symlink_to(elsewhere)

    with pytest.raises(LibraryError, match=r"auth\.db is a link") as caught:
        open_accounts(path)

    assert caught.value.code == "library.not_a_file"
    assert caught.value.hint
    assert not elsewhere.exists() or (mode(elsewhere), elsewhere.read_bytes()) == (0o644, b"")


def test_folder_in_its_place_is_refused(path: Path) -> None:
    path.mkdir()

    with pytest.raises(LibraryError) as caught:
        open_accounts(path)

    assert caught.value.code == "library.not_a_file"


def test_library_folder_that_is_gone_is_a_known_failure(path: Path) -> None:
    with pytest.raises(LibraryError, match="cannot be made") as caught:
        open_accounts(path.parent / "gone" / "auth.db")

    assert caught.value.code == "library.unusable"


def test_no_secret_stands_in_the_bytes_of_the_files(accounts: AccountStore, path: Path) -> None:
    spent, waiting = (accounts.create_login_link("anna", ["rate"]) for _ in range(2))
    session = accounts.spend_login_link(spent)
    _, token = accounts.create_token("bot", ["submit"], "anna")
    assert session is not None
    assert accounts.find_token(token) is not None

    while_open = b"".join(each.read_bytes() for each in files(path))
    accounts.close()
    closed = path.read_bytes()

    assert b"anna" in while_open
    assert b"anna" in closed
    for secret in (spent, waiting, session.session_id, token, token.removeprefix("hf_")):
        assert secret.encode() not in while_open
        assert secret.encode() not in closed
