"""What becomes of files that the handler took, left, or failed on."""

from __future__ import annotations

import logging
from pathlib import Path, PurePosixPath

import pytest

from hotfolder.watchers.handover import HandOver, SettledFile, retry_delay_s
from hotfolder.watchers.settle import Signature
from hotfolder.watchers.signatures import read_signature


class _Desk:
    """A hand-over with a clock that is moved and a handler that fails on the names it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 100.0
        self.bad: set[str] = set()
        self.batches: list[list[str]] = []
        self.hand_over = HandOver(self._take, read=_read, clock=lambda: self.now)

    def file(self, name: str) -> SettledFile:
        path = self.folder / name
        path.write_text(name)
        signature = _read(str(path))
        assert signature is not None
        return SettledFile(path, PurePosixPath(name), signature, empty=False)

    def _take(self, files: list[SettledFile]) -> None:
        self.batches.append([file.path.name for file in files])
        if self.bad & set(self.batches[-1]):
            raise RuntimeError("disk is full")


def _read(path: str) -> Signature | None:
    return read_signature(path, lambda name: False)


@pytest.fixture
def desk(tmp_path: Path) -> _Desk:
    return _Desk(tmp_path)


def test_file_that_the_handler_left_is_known_until_it_changes(desk: _Desk) -> None:
    file = desk.file("a.yaml")
    assert desk.hand_over.give([file]) == []
    assert desk.hand_over.has(str(file.path))
    file.path.write_text("another text")
    assert not desk.hand_over.has(str(file.path))


def test_file_that_changed_in_the_handler_is_returned_to_settle_again(desk: _Desk) -> None:
    file = desk.file("a.yaml")
    file.path.write_text("longer than before")
    assert desk.hand_over.give([file]) == [str(file.path)]
    assert not desk.hand_over.has(str(file.path))


def test_files_of_a_failed_batch_are_tried_again_after_half_a_second(desk: _Desk) -> None:
    files = [desk.file("a.yaml"), desk.file("b.yaml")]
    desk.bad = {"a.yaml"}
    desk.hand_over.give(files)
    assert len(desk.hand_over) == 2
    assert desk.hand_over.next_try_at() == 100.5
    assert desk.hand_over.due(100.4) == []
    assert desk.hand_over.due(100.5) == files


def test_pause_between_tries_doubles_up_to_a_minute(desk: _Desk) -> None:
    assert [retry_delay_s(failures) for failures in (1, 2, 3, 7, 8, 5_000)] == [0.5, 1, 2, 32, 60, 60]
    file = desk.file("a.yaml")
    desk.bad = {"a.yaml"}
    desk.hand_over.give([file])
    desk.hand_over.give([file])
    assert desk.hand_over.next_try_at() == 101.0


def test_failures_are_logged_once_a_streak(desk: _Desk, caplog: pytest.LogCaptureFixture) -> None:
    file = desk.file("a.yaml")
    desk.bad = {"a.yaml"}
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            desk.hand_over.give([file])
        assert len(caplog.records) == 1
        desk.bad = set()
        desk.hand_over.give([file])
        assert len(desk.hand_over) == 0
        desk.bad = {"a.yaml"}
        desk.hand_over.give([file])
    assert len(caplog.records) == 2


def test_file_that_is_gone_after_a_failure_is_not_tried_again(desk: _Desk) -> None:
    file = desk.file("a.yaml")
    desk.bad = {"a.yaml"}
    file.path.unlink()
    desk.hand_over.give([file])
    assert len(desk.hand_over) == 0


def test_left_files_that_a_listing_did_not_show_are_forgotten(desk: _Desk) -> None:
    kept, lost = desk.file("kept.yaml"), desk.file("lost.yaml")
    desk.hand_over.give([kept, lost])
    desk.hand_over.keep_only({str(kept.path)})
    assert desk.hand_over.has(str(kept.path))
    assert not desk.hand_over.has(str(lost.path))
