from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.database import Database
from hotfolder.errors import LibraryError, NotFound
from hotfolder.library.import_folders import ImportFolderStore, SourceFolder, settings_folder_id
from hotfolder.library.seen_left import FileState, LeftFile, SeenLeftStore

ADDED = SourceFolder("1", Path("/photos"), "move", False, ("a", "b/c"), "Spring")
CONFIGURED = SourceFolder("2", Path("/scans"), origin="settings")


@pytest.fixture
def store(database: Database) -> ImportFolderStore:
    made = ImportFolderStore(database, [CONFIGURED])
    made.add(ADDED)
    return made


def test_folders_of_the_settings_come_before_those_that_were_added(store: ImportFolderStore) -> None:
    assert store.list() == [CONFIGURED, ADDED]


def test_removed_folder_forgets_its_files(store: ImportFolderStore, database: Database) -> None:
    seen = SeenLeftStore(database)
    with database.transaction() as tx:
        for root in ("1", "2"):
            seen.remember(tx, root, "a.png", LeftFile(FileState(1, 2, 3, 4, 5), "x", "taken"))

    assert store.remove(Path("/photos")) == ADDED

    assert store.list() == [CONFIGURED]
    assert (seen.count("1"), seen.count("2")) == ({}, {"taken": 1})


def test_folder_of_the_settings_cannot_be_removed(store: ImportFolderStore) -> None:
    with pytest.raises(LibraryError, match="by the settings") as caught:
        store.remove(Path("/scans"))

    assert caught.value.code == "library.folder_in_settings"


def test_folder_that_is_none_cannot_be_removed(store: ImportFolderStore) -> None:
    with pytest.raises(NotFound, match="/elsewhere is no import folder"):
        store.remove(Path("/elsewhere"))


def test_id_of_a_folder_of_the_settings_follows_its_path() -> None:
    assert settings_folder_id(Path("/a")) == settings_folder_id(Path("/a")) != settings_folder_id(Path("/b"))
