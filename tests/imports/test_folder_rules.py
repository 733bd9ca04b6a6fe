from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from hotfolder.errors import LibraryError
from hotfolder.imports import folder_rules
from hotfolder.imports.folder_rules import check_access, check_place
from hotfolder.imports.probing import try_rename
from hotfolder.library.import_folders import SourceFolder


def folder(path: Path, **more: Any) -> SourceFolder:
    return SourceFolder(str(path), path, **more)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "home" / "library" / "import").mkdir(parents=True)
    (tmp_path / "home" / "photos" / "2026").mkdir(parents=True)
    return tmp_path / "home" / "library"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (".", "lies in the library"),
        ("import", "lies in the library"),
        ("import/below", "lies in the library"),
        ("../photos/../library", "lies in the library"),
        ("..", "holds the library"),
        ("../..", "holds the library"),
    ],
)
def test_library_is_no_import_folder(library: Path, place: str, message: str) -> None:
    with pytest.raises(LibraryError, match=message) as caught:
        check_place(folder(library / place), library, [])

    assert caught.value.code == "library.folder_refused"


def test_link_into_the_library_is_no_import_folder(library: Path) -> None:
    link = library.parent / "link"
    link.symlink_to(library / "import")

    with pytest.raises(LibraryError, match="lies in the library"):
        check_place(folder(link), library, [])


def test_file_is_no_import_folder_and_a_missing_folder_may_be_one(library: Path) -> None:
    (library.parent / "file").touch()

    with pytest.raises(LibraryError, match="is not a folder"):
        check_place(folder(library.parent / "file"), library, [])
    check_place(folder(library.parent / "unplugged"), library, [])


def test_folders_overlap_when_the_outer_one_is_recursive(library: Path) -> None:
    outer, inner = library.parent / "photos", library.parent / "photos" / "2026"

    for new, old in ((outer, inner), (inner, outer), (outer, outer)):
        with pytest.raises(LibraryError, match="overlaps"):
            check_place(folder(new), library, [folder(old)])
    check_place(folder(outer, recursive=False), library, [folder(inner)])
    check_place(folder(inner), library, [folder(outer, recursive=False)])
    check_place(folder(library.parent / "photos2"), library, [folder(outer)])
    with pytest.raises(LibraryError, match="overlaps"):
        check_place(folder(outer, recursive=False), library, [folder(outer, recursive=False)])


def test_folder_that_can_be_used_is_left_as_it_was(library: Path) -> None:
    photos = library.parent / "photos"

    check_access(folder(photos, mode="move"))

    assert [each.name for each in photos.iterdir()] == ["2026"]


def test_unreadable_folder_is_refused(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "scandir", forbid)

    with pytest.raises(LibraryError, match="cannot be read: Permission denied"):
        check_access(folder(library.parent / "photos"))


def test_folder_to_move_from_must_be_writable(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_rules, "try_rename", forbid)
    photos = library.parent / "photos"

    check_access(folder(photos))
    with pytest.raises(LibraryError, match="may not be moved out of"):
        check_access(folder(photos, mode="move"))


def test_probe_across_file_systems_is_renamed_beside_itself_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def far_away(path: Path, target: Path) -> Path:
        if target.parent != path.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, target)

    (tmp_path / "other").mkdir()
    monkeypatch.setattr(Path, "rename", far_away)

    assert not try_rename(tmp_path / "probe", tmp_path / "other" / "probe")

    assert [each.name for each in tmp_path.rglob("*")] == ["other"]


def forbid(*_values: object) -> None:
    raise PermissionError(errno.EACCES, "Permission denied")
