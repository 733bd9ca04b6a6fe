"""The import folder: what it takes, what it leaves, and what waits for a full disk."""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path, PurePath

import pytest

from hotfolder.errors import DiskFull
from hotfolder.imports.incoming import Incoming
from hotfolder.watchers.imports import ImportFolder


class _Desk:
    """Notes what comes; `fault` is raised instead of claiming or enqueuing."""

    def __init__(self) -> None:
        self.claimed: list[str] = []
        self.queued: list[str] = []
        self.claim_fault: OSError | None = None
        self.enqueue_fault: Exception | None = None
        self.bad_names: set[str] = set()

    def claim(self, file: Path, name: PurePath, original_path: str) -> Incoming:
        if self.claim_fault:
            raise self.claim_fault
        if file.name in self.bad_names:
            raise OSError(errno.EIO, "Input/output error", str(file))
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


def test_file_that_fails_keeps_no_other_and_is_told_of(
    folder: ImportFolder, desk: _Desk, tmp_path: Path
) -> None:
    desk.bad_names = {"a.png"}

    with pytest.raises(OSError, match="Input/output"):
        folder.take_all([tmp_path / "import" / name for name in ("a.png", "b.png")])

    assert desk.queued == ["import/b.png"]


def test_service_that_ends_when_all_is_done_leaves_what_fails(
    folder: ImportFolder, desk: _Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk.bad_names = {"a.png"}
    folder.try_once()

    with caplog.at_level(logging.WARNING):
        folder.take_all([tmp_path / "import" / name for name in ("a.png", "b.png")])

    assert desk.queued == ["import/b.png"]
    assert "a.png" in caplog.text


def test_fault_of_the_database_does_not_end_the_service(
    folder: ImportFolder, desk: _Desk, tmp_path: Path
) -> None:
    desk.enqueue_fault = sqlite3.OperationalError("disk I/O error")

    folder.take_all([tmp_path / "import" / "a.png"])

    assert folder.retry_unfinished() == 1
