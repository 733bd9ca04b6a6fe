"""Names in a folder: which look like a written one, which are near it, and how often the folder is read."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from hotfolder.generation.folder_names import FolderNames

NFC = unicodedata.normalize("NFC", "Büro.png")
NFD = unicodedata.normalize("NFD", "Büro.png")


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


def test_names_alike_by_unicode_go_before_those_alike_without_case(tmp_path: Path) -> None:
    folder = fill(tmp_path, NFD, "BÜRO.png", "other.png")

    assert FolderNames().find_alike(folder, NFC) == [NFD]
    assert FolderNames().find_alike(folder, "büro.PNG") == sorted([NFD, "BÜRO.png"])
    assert FolderNames().find_alike(folder, "none.png") == []


def test_folder_is_listed_once_for_all_references_of_a_job_file(tmp_path: Path) -> None:
    names = FolderNames()
    names.find_alike(fill(tmp_path, "a.png"), "A.png")
    fill(tmp_path, "b.png")

    assert names.find_alike(tmp_path, "A.png") == ["a.png"]
    assert names.find_alike(tmp_path, "B.png") == []
    assert FolderNames().find_alike(tmp_path, "B.png") == ["b.png"]


def test_nearest_name_is_told_though_many_seem_near(tmp_path: Path) -> None:
    fill(tmp_path, *(f"IMG_{number:04d}.png" for number in range(1_000)))

    hint = FolderNames().find_hint(tmp_path / "IMG_0777x.png")

    assert hint is not None
    assert hint.startswith("There is `IMG_0777.png`, `")


def test_only_the_first_few_missing_names_get_a_hint(tmp_path: Path) -> None:
    names = FolderNames()
    fill(tmp_path, "lighthouse.png")

    hints = [names.find_hint(tmp_path / "lighthose.png") for _ in range(5)]

    assert hints == ["There is `lighthouse.png`."] * 3 + [None] * 2


def test_folder_that_is_not_there_has_no_names(tmp_path: Path) -> None:
    assert FolderNames().find_alike(tmp_path / "none", "a.png") == []
    assert FolderNames().find_hint(tmp_path / "none" / "a.png") is None


def test_hint_shows_no_name_that_steers_a_terminal(tmp_path: Path) -> None:
    fill(tmp_path, "cat\x1b[2J\n# done.png")

    hint = FolderNames().find_hint(tmp_path / "cat[2J# done.png")

    assert hint is not None
    assert hint.isprintable()
