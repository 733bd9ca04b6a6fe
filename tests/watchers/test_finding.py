"""Which files are pictures to import, and what a folder keeps."""

from __future__ import annotations

import errno
import os
from pathlib import Path, PurePath
from typing import Any

import pytest

from hotfolder.watchers.finding import build_rule, find_pictures, list_left
from tests import pictures


@pytest.mark.parametrize(
    "name", ["a.jpg", "A.JPEG", "a.jpe", "a.JFIF", "sub/a.Png", "a.webp", "a.tif", "a.TIFF"]
)
def test_picture_is_told_by_its_extension(name: str) -> None:
    assert build_rule()(PurePath(name))


@pytest.mark.parametrize("name", ["a", "a.txt", "a.jpg.json", "a.png.part", "png", ".png", "a.psd", "a.mp4"])
def test_other_files_are_left(name: str) -> None:
    assert not build_rule()(PurePath(name))


@pytest.fixture
def camera(tmp_path: Path) -> Path:
    """A folder with two pictures, and much that is none."""
    top = tmp_path / "camera"
    (top / "sub" / "deep").mkdir(parents=True)
    (top / "@eaDir").mkdir()
    pictures.write_png(top / "b.PNG")
    pictures.write_png(top / "sub" / "deep" / "a.png")
    pictures.write_png(top / "@eaDir" / "ghost.png")
    pictures.write_png(top / ".hidden.png")
    (top / "notes.txt").write_text("x")
    (top / "link.png").symlink_to(top / "b.PNG")
    (top / "folder-link").symlink_to(tmp_path)
    os.mkfifo(top / "pipe.png")
    return top


def test_what_stays_in_the_import_folder_is_listed(camera: Path) -> None:
    assert list_left(camera) == ["folder-link", "link.png", "notes.txt", "pipe.png"]
    assert list_left(camera / "nowhere") == []


def test_pictures_of_files_and_folders_are_found_each_once(camera: Path) -> None:
    found = find_pictures([camera / "sub" / "deep" / "a.png", camera, camera / "notes.txt"], spare=Path("/x"))

    assert found.pictures == [camera / "sub" / "deep" / "a.png", camera / "b.PNG"]
    assert found.skipped == 4  # .hidden.png, notes.txt, link.png, pipe.png


def test_folder_of_the_library_is_not_entered(camera: Path) -> None:
    found = find_pictures([camera], spare=camera / "sub")

    assert found.pictures == [camera / "b.PNG"]


def test_named_link_is_followed_to_a_folder_alone(camera: Path) -> None:
    inside, named = camera / "link.png", camera / "folder-link"  # it holds folder-link, too: that one is not

    assert find_pictures([inside], spare=Path("/x")).pictures == []
    found = find_pictures([named], spare=Path("/x")).pictures
    assert found == [camera / "b.PNG", camera / "sub" / "deep" / "a.png"]


def test_folder_that_may_not_be_read_is_told_and_hides_no_other(
    camera: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def forbid(path: str) -> Any:
        if Path(path).name == "sub":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbid)

    found = find_pictures([camera], spare=Path("/x"))

    assert found.pictures == [camera / "b.PNG"]
    assert list(found.unreadable) == [camera / "sub"]
