"""Whose fault it is: a picture's own ends in failed/, that of the disk or the program lets it wait."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from hotfolder.domain.work import CRASHES_MAX
from hotfolder.imports import pictures as module
from hotfolder.library.ingest import Ingest
from tests import pictures
from tests.import_ledger import assert_books_are_closed, ends, files_in, query
from tests.imports.conftest import Porter


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    return pictures.write_rotated_jpeg(tmp_path / "photo", (60, 80)).read_bytes()


@pytest.fixture
def drawing(tmp_path: Path) -> bytes:
    return pictures.write_png(tmp_path / "drawing").read_bytes()


def test_file_that_may_not_be_read_goes_to_failed_with_the_reason(
    porter: Porter, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    porter.drop("secret.jpg", photo)
    fail(monkeypatch, module, "sha256_file", errno.EACCES)

    (end,) = porter.bring_in()

    assert (end["outcome"], end["code"], end["path"]) == ("failed", "library.unreadable", "failed/secret.jpg")
    assert "Permission denied" in end["message"]


def test_file_that_vanished_from_work_is_told_as_gone(porter: Porter, photo: bytes) -> None:
    porter.drop("a.jpg", photo)
    porter.claim()
    (waiting,) = files_in(porter.root / "work")
    waiting.unlink()

    porter.work()

    (end,) = ends(porter.root)
    assert (end["outcome"], end["code"]) == ("failed", "library.content_missing")


@pytest.mark.parametrize("step", ["take_picture", "store_thumbnail_file", "store_sidecars_of"])
def test_full_disk_lets_the_picture_wait_and_spends_no_attempt(
    porter: Porter, photo: bytes, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    porter.drop("a.jpg", photo)
    with monkeypatch.context() as patch:
        fail(patch, Ingest, step, errno.ENOSPC)
        assert porter.bring_in() == []

    (item,) = query(porter.root, "SELECT * FROM work_queue")
    assert (item["status"], item["attempt_count"]) == ("scheduled", 0)
    due(porter)
    porter.work()
    assert_books_are_closed(porter.root, [photo])


def test_faulty_disk_is_tried_again_before_the_file_is_blamed(
    porter: Porter, photo: bytes, drawing: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    porter.drop("a.jpg", photo)
    porter.drop("b.png", drawing)
    with monkeypatch.context() as patch:
        fail(patch, module, "sha256_file", errno.EIO, only="a.jpg")
        porter.bring_in()
        for _ in range(6):
            due(porter)
            porter.work()

    outcomes = {each["originalPath"]: each["outcome"] for each in ends(porter.root)}
    assert outcomes == {"import/a.jpg": "failed", "import/b.png": "imported"}
    assert_books_are_closed(porter.root, [drawing], [photo])


def test_unforeseen_fault_of_one_picture_keeps_none_of_the_others(
    porter: Porter, photo: bytes, drawing: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    porter.drop("a.jpg", photo)
    porter.drop("b.png", drawing)

    def stumble(path: Path) -> Any:
        if path.name == "a.jpg":
            raise RuntimeError("nobody thought of this")
        return read_picture(path)

    read_picture = module.read_picture
    monkeypatch.setattr(module, "read_picture", stumble)
    porter.bring_in()
    for _ in range(6):
        due(porter)
        porter.work()

    assert_books_are_closed(porter.root, [drawing], [photo])


def test_picture_that_kills_the_program_is_cut_out_and_refused_in_the_end(
    porter: Porter, photo: bytes, drawing: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(path: Path) -> Any:
        if path.name == "a.jpg":
            raise Killed
        return read_picture(path)

    read_picture = module.read_picture
    monkeypatch.setattr(module, "read_picture", kill)
    porter.drop("a.jpg", photo)
    porter.drop("b.png", drawing)
    porter.claim()

    for _ in range(CRASHES_MAX + 2):
        try:
            porter.work()
        except Killed:
            porter.restart()

    (failed,) = [each for each in ends(porter.root) if each["outcome"] == "failed"]
    assert failed["code"] == "queue.dead"
    assert_books_are_closed(porter.root, [drawing], [photo])


def test_stop_puts_pictures_off_and_spends_no_attempt(porter: Porter, photo: bytes) -> None:
    porter.drop("a.jpg", photo)
    porter.claim()
    porter.stopping.set()
    porter.work()
    assert ends(porter.root) == []

    porter.stopping.clear()
    due(porter)
    porter.work()

    assert_books_are_closed(porter.root, [photo])
    assert query(porter.root, "SELECT attempt_count FROM work_queue") == [{"attempt_count": 1}]


def fail(patch: pytest.MonkeyPatch, owner: Any, name: str, number: int, *, only: str | None = None) -> None:
    """Let the system refuse a step, for all files or for one."""
    original = getattr(owner, name)

    def refuse(*values: Any, **named: Any) -> Any:
        if only is None or values[0].name == only:
            raise OSError(number, "Permission denied" if number == errno.EACCES else "fault")
        return original(*values, **named)

    patch.setattr(owner, name, refuse)


def due(porter: Porter) -> None:
    """The time of everything that was put off has come."""
    with porter.library.database.transaction() as tx:
        tx.execute("UPDATE work_queue SET run_at = created_at WHERE status = 'scheduled'")
