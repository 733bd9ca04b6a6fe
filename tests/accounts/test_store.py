"""Login links, sessions and tokens, from their making to their end."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hotfolder.accounts.sessions import SESSION_VALID_S, Session
from hotfolder.accounts.store import (
    FIND_SESSION_SQL,
    FIND_TOKEN_SQL,
    LINK_VALID_S,
    AccountStore,
    open_accounts,
)
from hotfolder.errors import ConfigError, NotFound
from tests.accounts.conftest import HandClock

RACERS = 8


def log_in(accounts: AccountStore, name: str = "anna", scope: str = "rate") -> Session:
    session = accounts.spend_login_link(accounts.create_login_link(name, [scope]))
    assert session is not None
    return session


def last_used(accounts: AccountStore) -> str | None:
    return accounts.list_tokens()[0].last_used_at


def test_login_link_opens_a_session_for_its_actor(accounts: AccountStore) -> None:
    link = accounts.create_login_link(" anna ", ["rate", "submit"])

    session = accounts.spend_login_link(link)

    assert session is not None
    assert session.expires_at == "2026-12-21T03:00:00.000Z"
    assert (session.actor.name, session.actor.kind) == ("anna", "session")
    assert session.actor.scopes == {"rate", "submit"}
    assert accounts.find_session(session.session_id) == session.actor


def test_login_link_works_once(accounts: AccountStore) -> None:
    link = accounts.create_login_link("anna", ["rate"])

    assert accounts.spend_login_link(link) is not None
    assert accounts.spend_login_link(link) is None


def test_login_link_that_many_open_at_once_logs_in_one_of_them(path: Path) -> None:
    stores = [open_accounts(path) for _ in range(RACERS)]
    start = threading.Barrier(RACERS, timeout=10)

    def spend(store: AccountStore, link: str) -> Session | None:
        start.wait()
        return store.spend_login_link(link)

    with ThreadPoolExecutor(RACERS) as pool:
        for _ in range(5):
            link = stores[0].create_login_link("anna", ["rate"])
            sessions = list(pool.map(spend, stores, [link] * RACERS))
            assert sum(each is not None for each in sessions) == 1
    for store in stores:
        store.close()


def test_login_link_is_too_old_after_an_hour(accounts: AccountStore, clock: HandClock) -> None:
    in_time, too_late = (accounts.create_login_link("anna", ["rate"]) for _ in range(2))

    clock.advance(LINK_VALID_S - 1)
    assert accounts.spend_login_link(in_time) is not None
    clock.advance(1)
    assert accounts.spend_login_link(too_late) is None


@pytest.mark.parametrize("text", ["", "x", "\ud800", "hf_" + "x" * 100_000, "' OR 1=1 --"])
def test_text_that_is_no_secret_opens_nothing(accounts: AccountStore, text: str) -> None:
    log_in(accounts)
    accounts.create_token("bot", ["submit"], "anna")

    assert accounts.spend_login_link(text) is None
    assert accounts.find_session(text) is None
    assert accounts.find_token(text) is None


def test_secret_opens_only_what_it_was_made_for(accounts: AccountStore) -> None:
    session = log_in(accounts)
    token, secret = accounts.create_token("bot", ["submit"], "anna")

    for text in (secret, token.token_id, session.actor.id):
        assert accounts.find_session(text) is None
    for text in (session.session_id, token.token_id, secret.removeprefix("hf_")):
        assert accounts.find_token(text) is None


def test_session_ends_after_thirty_days_and_its_row_goes_with_the_next_login(
    accounts: AccountStore, path: Path, clock: HandClock
) -> None:
    session = log_in(accounts)

    clock.advance(SESSION_VALID_S - 1)
    assert accounts.find_session(session.session_id) is not None
    clock.advance(1)
    assert accounts.find_session(session.session_id) is None
    log_in(accounts)
    assert count(path, "sessions") == 1


def test_session_that_is_ended_is_gone_and_others_go_on(accounts: AccountStore) -> None:
    here, there = log_in(accounts), log_in(accounts)

    accounts.end_session(here.session_id)
    accounts.end_session(here.session_id)

    assert accounts.find_session(here.session_id) is None
    assert accounts.find_session(there.session_id) == there.actor


def test_all_sessions_of_a_name_end_together_and_no_others(accounts: AccountStore) -> None:
    annas = [log_in(accounts, "anna") for _ in range(3)]
    bert = log_in(accounts, "bert")

    assert accounts.end_sessions_of("anna") == 3
    assert accounts.end_sessions_of("anna") == 0

    assert [accounts.find_session(each.session_id) for each in annas] == [None] * 3
    assert accounts.find_session(bert.session_id) == bert.actor


def test_token_stands_for_its_actor_until_it_is_revoked(accounts: AccountStore, clock: HandClock) -> None:
    token, secret = accounts.create_token("bot", ["submit"], "anna")
    actor = accounts.find_token(secret)

    assert secret.startswith("hf_")
    assert actor is not None
    assert (actor.name, actor.kind, actor.id) == ("bot", "token", token.token_id)
    assert actor.scopes == {"submit"}

    clock.advance(10)
    assert [each.token_id for each in accounts.revoke_token(token.token_id)] == [token.token_id]

    assert accounts.find_token(secret) is None
    assert accounts.list_tokens()[0].revoked_at == "2026-11-21T03:00:10.000Z"


def test_token_that_has_a_last_day_ends_with_it(accounts: AccountStore, clock: HandClock) -> None:
    token, secret = accounts.create_token("bot", ["submit"], "anna", valid_s=3600)

    assert token.expires_at == "2026-11-21T04:00:00.000Z"
    clock.advance(3599)
    assert accounts.find_token(secret) is not None
    clock.advance(1)
    assert accounts.find_token(secret) is None


def test_revoking_a_name_revokes_all_its_tokens_and_no_others(accounts: AccountStore) -> None:
    secrets = [accounts.create_token("bot", ["submit"], "anna")[1] for _ in range(2)]
    _, other = accounts.create_token("robot", ["submit"], "anna")

    assert len(accounts.revoke_token("bot")) == 2

    assert [accounts.find_token(each) for each in secrets] == [None, None]
    assert accounts.find_token(other) is not None


def test_revoking_what_is_not_there_or_no_more_is_told(accounts: AccountStore) -> None:
    accounts.create_token("bot", ["submit"], "anna")
    accounts.revoke_token("bot")

    for name in ("bot", "nobody"):
        with pytest.raises(NotFound, match=name):
            accounts.revoke_token(name)


def test_tokens_are_listed_newest_first_as_they_were_made(accounts: AccountStore, clock: HandClock) -> None:
    made = []
    for name in ("first", "second", "third"):
        made.append(accounts.create_token(name, ["read", "submit"], "anna", valid_s=60)[0])
        clock.advance(1)

    assert accounts.list_tokens() == made[::-1]


def test_last_use_of_a_token_is_noted_at_most_once_a_minute(accounts: AccountStore, clock: HandClock) -> None:
    _, secret = accounts.create_token("bot", ["submit"], "anna")
    assert last_used(accounts) is None

    accounts.find_token(secret)
    clock.advance(59)
    accounts.find_token(secret)
    assert last_used(accounts) == "2026-11-21T03:00:00.000Z"
    clock.advance(1)
    accounts.find_token(secret)
    assert last_used(accounts) == "2026-11-21T03:01:00.000Z"


def test_token_lets_in_while_another_program_keeps_the_database(accounts: AccountStore, path: Path) -> None:
    _, secret = accounts.create_token("bot", ["submit"], "anna")
    accounts.find_session("x")  # opens the connection, whose patience is then shortened
    accounts._database.connection().execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert accounts.find_token(secret) is not None

    other.close()
    assert last_used(accounts) is None


def test_nobody_gets_a_name_or_scope_that_does_not_exist(accounts: AccountStore) -> None:
    for name, scopes in (("", ["rate"]), ("anna", []), ("anna", ["paint"])):
        with pytest.raises(ConfigError):
            accounts.create_login_link(name, scopes)
        with pytest.raises(ConfigError):
            accounts.create_token(name, scopes, "anna")


def test_secrets_come_from_the_caller_and_stand_in_no_repr(path: Path) -> None:
    given = iter(["link-secret", "session-secret", "token-secret"])
    accounts = open_accounts(path, make_secret=lambda: next(given), make_id=lambda: "id-1")

    link = accounts.create_login_link("anna", ["rate"])
    session = accounts.spend_login_link(link)
    token, secret = accounts.create_token("bot", ["submit"], "anna")
    accounts.close()

    assert session is not None
    assert (link, session.session_id, secret) == ("link-secret", "session-secret", "hf_token-secret")
    assert token.token_id == "id-1"
    assert "-secret" not in f"{session!r} {token!r} {accounts!r}"


def test_every_secret_is_another_one_and_long(accounts: AccountStore) -> None:
    secrets = {accounts.create_login_link("anna", ["rate"]) for _ in range(20)}
    secrets |= {accounts.create_token("bot", ["rate"], "anna")[1] for _ in range(20)}

    assert len(secrets) == 40
    assert min(map(len, secrets)) >= 43


@pytest.mark.parametrize(("sql", "key"), [(FIND_SESSION_SQL, "id_sha256"), (FIND_TOKEN_SQL, "token_sha256")])
def test_each_look_up_of_a_request_is_one_step_in_an_index(
    accounts: AccountStore, path: Path, sql: str, key: str
) -> None:
    with sqlite3.connect(path) as connection:
        plan = connection.execute("EXPLAIN QUERY PLAN " + sql, ("", "")).fetchall()
    connection.close()

    assert len(plan) == 1
    assert "SEARCH" in plan[0][3]
    assert f"({key}=?)" in plan[0][3]


def count(path: Path, table: str) -> int:
    connection = sqlite3.connect(path)
    (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(found)
