from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from hotfolder.database import Database
from hotfolder.library.seen_left import (
    COUNT_SQL,
    DOUBT_SQL,
    END_SQL,
    FORGET_SQL,
    FileState,
    LeftFile,
    SeenLeftStore,
    build_find_sql,
    path_key,
)

STATE = FileState(1, 2, 3, 4, 5)


def remember(database: Database, path: str, file: LeftFile, root: str = "folder") -> SeenLeftStore:
    store = SeenLeftStore(database)
    with database.transaction() as tx:
        store.remember(tx, root, path, file)
    return store


def test_file_is_remembered_below_its_folder_and_in_place_of_what_it_was(database: Database) -> None:
    remember(database, "a.png", LeftFile(STATE, None, "refused"))
    newer = LeftFile(replace(STATE, size=9), "abc", "claimed")
    remember(database, "a.png", newer)
    store = remember(database, "a.png", LeftFile(STATE, "abc", "taken"), root="another")

    assert store.find_all("folder", ["a.png", "b.png"]) == {"a.png": newer}
    assert store.count("folder") == {"claimed": 1}


def test_only_the_content_that_was_claimed_ends(database: Database) -> None:
    store = remember(database, "a.png", LeftFile(STATE, "new", "claimed"))

    with database.transaction() as tx:
        store.end(tx, "folder", "a.png", "old", "taken")
        store.forget(tx, "folder", "a.png", "old")
    assert store.count("folder") == {"claimed": 1}

    with database.transaction() as tx:
        store.end(tx, "folder", "a.png", "new", "taken")
    assert store.count("folder") == {"taken": 1}

    with database.transaction() as tx:
        store.forget(tx, "folder", "a.png", "new")
    assert store.count("folder") == {}


def test_file_is_the_same_on_another_device_but_not_after_a_change() -> None:
    left = LeftFile(STATE, "abc", "taken")

    assert left.is_same(replace(STATE, device=7, inode=8))
    assert not any(left.is_same(replace(STATE, **{key: 9})) for key in ("size", "mtime_ns", "ctime_ns"))


def test_state_comes_from_a_stat(tmp_path: Path) -> None:
    found = tmp_path.stat()

    assert FileState.of(found) == FileState(
        found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    )


def test_paths_that_are_not_utf8_have_keys_of_their_own() -> None:
    assert path_key(PurePosixPath("a/caf\udce9.png")) == "a/caf\\udce9.png"
    assert path_key(PurePosixPath("a/Übung.png")) == "a/Übung.png"


@pytest.mark.parametrize(
    ("sql", "terms"),
    [
        (build_find_sql(16), "(root=? AND path=?)"),
        (END_SQL, "(root=? AND path=?)"),
        (FORGET_SQL, "(root=? AND path=?)"),
        (DOUBT_SQL, "(root=? AND path=?)"),
        (COUNT_SQL, "(root=?)"),
    ],
)
def test_files_are_found_by_folder_and_path(database: Database, sql: str, terms: str) -> None:
    rows = database.query(f"EXPLAIN QUERY PLAN {sql}", ("x",) * sql.count("?"))

    assert f"USING INDEX idx_seen_left {terms}" in rows[0]["detail"]
