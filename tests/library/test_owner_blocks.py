"""Who is blocked is written down once, with who did it and why."""

from __future__ import annotations

import pytest

from hotfolder.database import Database
from hotfolder.errors import LibraryError, NotFound
from hotfolder.library.owner_blocks import OwnerBlock, OwnerBlockStore


def told(database: Database) -> list[tuple[str, str, str | None]]:
    return [(each.topic, each.subject_id, each.actor) for each in database.list_events(0)]


def test_block_stands_with_its_reason_until_it_is_taken_back(database: Database) -> None:
    store = OwnerBlockStore(database)

    block = store.block(" ben ", "sends spam", "anna")

    assert block == OwnerBlock("ben", "sends spam", "anna", "2026-11-21T03:00:00.000Z")
    assert store.find("ben") == block
    assert store.find("bens") is None
    assert store.list() == [block]
    store.unblock("ben", "carl")
    assert store.list() == []
    assert told(database) == [
        ("limits.owner_blocked", "ben", "anna"), ("limits.owner_unblocked", "ben", "carl"),
    ]  # fmt: skip


def test_same_block_again_changes_nothing_and_another_reason_does(database: Database) -> None:
    store = OwnerBlockStore(database)
    store.block("ben", None, "anna")
    store.block("ben", " ", "carl")

    changed = store.block("ben", "spam", "dora")

    assert (changed.reason, changed.actor) == ("spam", "dora")
    assert [each[2] for each in told(database)] == ["anna", "dora"]


def test_blocks_are_listed_by_name(database: Database) -> None:
    store = OwnerBlockStore(database)
    for each in ("carl", "anna", "ben"):
        store.block(each, None, "root")

    assert [each.owner for each in store.list()] == ["anna", "ben", "carl"]


def test_who_is_not_blocked_cannot_be_unblocked(database: Database) -> None:
    with pytest.raises(NotFound, match="ben is not blocked"):
        OwnerBlockStore(database).unblock("ben", "anna")
    assert told(database) == []


@pytest.mark.parametrize("name", ["  ", "\u200b"])
def test_nobody_has_no_name(database: Database, name: str) -> None:
    with pytest.raises(LibraryError, match="has a name"):
        OwnerBlockStore(database).block(name, None, "anna")


@pytest.mark.parametrize("name", ["Mallory", "mallory ", "mal\u200blory", "m\u0430llory", "MALLORY"])
def test_blocked_owner_stays_blocked_under_a_name_that_reads_alike(database: Database, name: str) -> None:
    store = OwnerBlockStore(database)
    store.block("mallory", None, "anna")

    assert store.find(name) == store.get("mallory")
    store.block(name, "spam", "anna")
    assert [(each.owner, each.reason) for each in store.list()] == [("mallory", "spam")]
    store.unblock(name, "anna")
    assert store.list() == []
