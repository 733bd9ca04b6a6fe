"""The import folder: what it takes, what it leaves, and what waits for a full disk."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Sequence
from pathlib import Path, PurePath

import pytest

from hotfolder.errors import DiskFull
from hotfolder.imports.incoming import Incoming
from hotfolder.watchers.imports import ImportFolder, build_rule, find_pictures, list_left
from tests import pictures


class _Desk:
    """Notes what comes; `fault` is raised instead of claiming or enqueuing."""

    def __init__(self) -> None:
        self.claimed: list[str] = []
        self.queued: list[str] = []
        self.claim_fault: OSError | None = None
        self.enqueue_fault: DiskFull | None = None

    def claim(self, file: Path, name: PurePath, original_path: str) -> Incoming:
        if self.claim_fault:
            raise self.claim_fault
        self.claimed.append(original_path)
        return Incoming(str(len(self.claimed)), name.as_posix(), original_path)

    def enqueue(self, files: Sequence[Incoming]) -> None:
        if self.enqueue_fault:
            raise self.enqueue_fault
        self.queued += [each.original_path for each in files]

    def find_lost(self) -> list[Incoming]:
        return [Incoming("0", "work/import/0/lost.png", "import/lost.png")]


@pytest.fixture
def desk() -> _Desk:
    return _Desk()


@pytest.fixture
def folder(tmp_path: Path, desk: _Desk) -> ImportFolder:
    (tmp_path / "import").mkdir()
    return ImportFolder(tmp_path / "import", desk)


def test_settled_files_are_claimed_in_order_and_queued_together(
    folder: ImportFolder, desk: _Desk, tmp_path: Path
) -> None:
    folder.take_all([tmp_path / "import" / "b.png", tmp_path / "import" / "sub" / "a.png"])

    assert desk.claimed == desk.queued == ["import/b.png", "import/sub/a.png"]


def test_claimed_files_wait_until_they_can_be_queued(
    folder: ImportFolder, desk: _Desk, tmp_path: Path
) -> None:
    desk.enqueue_fault = DiskFull("full")
    folder.take_all([tmp_path / "import" / "a.png"])
    assert folder.retry_unfinished() == 1

    desk.enqueue_fault = None

    assert folder.retry_unfinished() == 0
    assert folder.retry_unfinished() == 0
    assert desk.queued == ["import/a.png"]


def test_file_that_may_not_be_moved_stays_with_a_warning_and_keeps_no_other(
    folder: ImportFolder, desk: _Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk.claim_fault = PermissionError(errno.EPERM, "Operation not permitted")
    files = [tmp_path / "import" / "card" / name for name in ("a.png", "b.png")]

    with caplog.at_level(logging.WARNING):
        folder.take_all(files)

    assert [each.message for each in caplog.records] == [
        f"card/{name} stays: it may not be moved (Operation not permitted)" for name in ("a.png", "b.png")
    ]
    assert desk.queued == []


def test_what_an_earlier_run_claimed_is_queued_once_there_is_room(folder: ImportFolder, desk: _Desk) -> None:
    desk.enqueue_fault = DiskFull("full")
    assert folder.recover() == 1
    desk.enqueue_fault = None

    assert folder.retry_unfinished() == 0

    assert desk.queued == ["import/lost.png"]


def test_withdrawn_file_is_passed_over_and_another_fault_is_raised(
    folder: ImportFolder, desk: _Desk, tmp_path: Path
) -> None:
    desk.claim_fault = FileNotFoundError(errno.ENOENT, "gone")
    folder.take_all([tmp_path / "import" / "a.png"])
    assert desk.queued == []

    desk.claim_fault = OSError(errno.EIO, "fault")
    with pytest.raises(OSError, match="fault"):
        folder.take_all([tmp_path / "import" / "a.png"])
    assert folder.retry_unfinished() == 0


def test_nothing_is_claimed_after_the_stop(folder: ImportFolder, desk: _Desk, tmp_path: Path) -> None:
    folder.stop()

    folder.take_all([tmp_path / "import" / "a.png"])

    assert desk.claimed == []


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


def test_links_are_not_followed_even_when_named(camera: Path) -> None:
    assert find_pictures([camera / "link.png", camera / "folder-link"], spare=Path("/x")).pictures == []
