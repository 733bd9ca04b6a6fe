"""Working folders by other names: found on the disk, renamed once, ours in every row."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.app import create_library, open_library
from hotfolder.config import load_settings
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.vocabulary import VOCABULARIES, find_names
from hotfolder.lock import LibraryLock


def open_with(root: Path, vocabulary: str) -> LibraryPaths:
    (root / "hotfolder.yaml").write_text(f"folders: {{vocabulary: {vocabulary}}}\n", encoding="utf-8")
    library = open_library(root, load_settings(root, {}))
    library.close()
    return library.paths


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_folders_take_the_names_of_the_vocabulary_with_what_is_in_them(
    tmp_path: Path, vocabulary: str
) -> None:
    create_library(tmp_path)
    (tmp_path / "inbox" / "a.yaml").write_text("x")

    paths = open_with(tmp_path, vocabulary)

    assert (paths.inbox / "a.yaml").read_text() == "x"
    for name, shown in VOCABULARIES[vocabulary].items():
        assert (tmp_path / shown).is_dir()
        assert not (tmp_path / name).exists()
    assert paths.relative(paths.failed / "b.yaml") == "failed/b.yaml"
    assert paths.absolute("failed/b.yaml") == paths.failed / "b.yaml"


def test_folders_change_from_one_vocabulary_to_another_and_back(tmp_path: Path) -> None:
    create_library(tmp_path)
    before = {each.name for each in tmp_path.iterdir() if each.is_dir()}
    open_with(tmp_path, "aem")
    (tmp_path / "input" / "a.yaml").write_text("x")

    assert open_with(tmp_path, "switch").inbox == tmp_path / "Input"
    assert open_with(tmp_path, "hotfolder").inbox == tmp_path / "inbox"

    assert (tmp_path / "inbox" / "a.yaml").exists()
    assert {each.name for each in tmp_path.iterdir() if each.is_dir()} == before


def test_folders_keep_their_names_while_a_service_runs(tmp_path: Path) -> None:
    create_library(tmp_path)
    lock = LibraryLock(tmp_path / "run" / "lock")
    lock.acquire()
    try:
        paths = open_with(tmp_path, "distiller")
    finally:
        lock.release()

    assert paths.inbox == tmp_path / "inbox"
    assert not (tmp_path / "In").exists()
    assert open_with(tmp_path, "distiller").inbox == tmp_path / "In"


def test_library_with_other_names_is_brought_up_to_date_under_them(tmp_path: Path) -> None:
    create_library(tmp_path)
    open_with(tmp_path, "aem")

    create_library(tmp_path)

    assert not (tmp_path / "inbox").exists()
    assert find_names(tmp_path, "aem")["inbox"] == "input"
