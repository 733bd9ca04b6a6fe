"""Import folders when something is in the way: what is refused is tried again, and nothing moves unasked."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from hotfolder.clock import new_id
from hotfolder.errors import LibraryError
from hotfolder.imports import leaving
from hotfolder.imports import pictures as module
from hotfolder.library.import_folders import FolderMode, SourceFolder
from hotfolder.library.imports import ImportStore
from hotfolder.library.ingest import Ingest
from hotfolder.workshop import build_folder_store
from tests import pictures
from tests.import_ledger import digest, ends, files_in
from tests.imports.conftest import Foreign, Make, Porter, media_of
from tests.imports.test_faults import due, fail


@pytest.mark.parametrize("mode", ["copy", "move", "reference"])
def test_refused_file_that_is_touched_is_tried_again(
    porter: Porter, make: Make, monkeypatch: pytest.MonkeyPatch, mode: FolderMode
) -> None:
    foreign = make(mode)
    source = pictures.write_png(foreign.path / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_picture", no_memory)
        assert foreign.bring_in() == ["failed"]
    assert foreign.bring_in() == ["failed"]

    os.utime(source)

    assert foreign.bring_in() == ["failed", "imported"]
    assert foreign.seen().get("refused") is None


def test_file_that_may_be_moved_at_last_is_taken_at_the_next_start(
    porter: Porter, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbid(source: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(source))

    foreign = make("move")
    source = pictures.write_png(foreign.path / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr("hotfolder.library.ingest.rename_new", forbid)
        foreign.bring_in()
    assert (foreign.seen(), source.exists()) == ({"refused": 1}, True)

    assert make("move").bring_in() == ["failed", "imported"]
    assert not source.exists()


@pytest.mark.parametrize("mode", ["move", "reference"])
def test_disk_that_could_not_be_read_is_looked_at_again_when_it_is_back(
    porter: Porter, make: Make, monkeypatch: pytest.MonkeyPatch, mode: FolderMode
) -> None:
    foreign = make(mode)
    pictures.write_png(foreign.path / "a.png")
    foreign.look()
    with monkeypatch.context() as patch:
        fail(patch, module, "sha256_file", errno.EIO, only="a.png")
        work_off(porter)
    assert [each["code"] for each in ends(porter.root)] == ["library.unreadable"]

    assert make(mode).bring_in() == ["failed", "imported"]
    assert foreign.seen().get("refused") is None


def test_picture_that_ended_the_program_is_not_tried_at_each_start(
    porter: Porter, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = make()
    pictures.write_png(foreign.path / "a.png")
    foreign.look()
    with porter.library.database.transaction() as tx:
        tx.execute("UPDATE work_queue SET crash_count = 99, status = 'processing', lease_token = 'x'")
    porter.restart()
    porter.work()
    assert [each["code"] for each in ends(porter.root)] == ["queue.dead"]

    assert make().bring_in() == ["failed"]


def test_file_that_was_put_back_is_not_tried_for_ever(
    porter: Porter, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To rename it gives it another date, which is no news to the folder."""

    def stumble(*_values: object) -> None:
        raise RuntimeError("nobody thought of this")

    foreign = make("move")
    source = pictures.write_png(foreign.path / "a.png")
    monkeypatch.setattr(Ingest, "store_thumbnail_file", stumble)
    foreign.look()
    before = source.stat().st_ctime_ns
    work_off(porter)
    assert source.stat().st_ctime_ns > before

    foreign.look()

    assert foreign.seen() == {"refused": 1}


def test_removed_folder_keeps_what_waits_to_be_moved(porter: Porter, make: Make) -> None:
    """New pictures, and known ones."""
    content = pictures.write_png(porter.root / "import" / "known.png", (9, 9)).read_bytes()
    porter.bring_in()
    foreign = make("move")
    (foreign.path / "known.png").write_bytes(content)
    for number in range(20):
        pictures.write_png(foreign.path / f"{number}.png", (64 + number, 48))
    look_at_added(porter, foreign)

    build_folder_store(porter.library).remove(foreign.path)
    porter.work()

    assert len(files_in(foreign.path)) == 21
    assert len(media_of(porter)) == 1
    assert foreign.seen() == {}
    assert len(ends(porter.root)) == 1


def test_removed_folder_keeps_what_was_copied_and_waits_to_be_removed(porter: Porter, shelf: Path) -> None:
    foreign = Foreign(porter, shelf, "move")
    source = pictures.write_png(shelf / "a.png")
    look_at_added(porter, foreign)
    worker = porter.worker()
    worker.run_one("cpu")  # it is a picture of the library now

    build_folder_store(porter.library).remove(shelf)
    porter.work()

    assert source.exists()
    assert len(media_of(porter)) == 1
    assert foreign.seen() == {}


def test_writer_that_has_a_moved_file_open_cannot_change_the_library(porter: Porter, make: Make) -> None:
    foreign = make("move")
    source = pictures.write_jpeg(foreign.path / "a.jpg")
    foreign.look()  # it stood still; then a program opens it, while the queue is long
    with source.open("r+b") as writer:
        porter.work()
        assert source.exists()
        writer.seek(0, os.SEEK_END)
        writer.write(b"more")
    due(porter)
    porter.work()

    (media,) = media_of(porter)
    kept = (porter.root / media["file_path"]).read_bytes()
    assert kept.endswith(b"more")
    assert digest(kept) == media["file_sha256"]


def test_writer_that_never_ends_lets_the_file_stay_until_it_has_ended(porter: Porter, make: Make) -> None:
    foreign = make("move")
    source = pictures.write_jpeg(foreign.path / "a.jpg")
    foreign.look()
    with source.open("r+b") as writer:
        work_off(porter)
        assert [each["code"] for each in ends(porter.root)] == ["library.changed"]
        writer.seek(0, os.SEEK_END)
        writer.write(b"more")

    assert foreign.bring_in() == ["failed", "imported"]
    assert not source.exists()


def test_disk_that_goes_in_the_middle_of_the_removal_is_emptied_when_it_is_back(
    porter: Porter, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = Foreign(porter, shelf, "move")
    source = pictures.write_png(shelf / "a.png")
    away = shelf.with_name(f"{shelf.name}-away")

    def goes(path: Path, **named: bool) -> Any:
        if path == source and not away.exists():
            shelf.rename(away)
        return open_regular(path, **named)

    open_regular = leaving.open_regular
    with monkeypatch.context() as patch:
        patch.setattr(leaving, "open_regular", goes)
        foreign.look()
        porter.work()
    away.rename(shelf)
    assert source.exists()

    assert Foreign(porter, shelf, "move").bring_in() == ["imported", "duplicate"]
    assert not source.exists()


def test_disk_that_fails_for_a_moment_in_the_removal_is_asked_again(
    porter: Porter, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = Foreign(porter, shelf, "move")
    source = pictures.write_png(shelf / "a.png")
    with monkeypatch.context() as patch:
        fail(patch, leaving, "open_regular", errno.EIO, only="a.png")
        foreign.look()
        porter.work()
    assert source.exists()

    due(porter)
    porter.work()

    assert not source.exists()
    assert foreign.seen() == {}


def test_folder_that_is_moved_from_counts_what_it_took(porter: Porter, make: Make) -> None:
    foreign = make("move")
    content = pictures.write_png(foreign.path / "a.png").read_bytes()
    foreign.bring_in()
    (foreign.path / "b.png").write_bytes(content)
    foreign.bring_in()

    counts = ImportStore(porter.library.database).count_of_folder(foreign.folder.folder_id)

    assert counts == {"imported": 1, "duplicate": 1}


def look_at_added(porter: Porter, foreign: Foreign) -> None:
    """As `look`, for a folder that has a row."""
    foreign.folder = SourceFolder(new_id(), foreign.path, foreign.folder.mode)
    build_folder_store(porter.library).add(foreign.folder)
    foreign.look()


def work_off(porter: Porter) -> None:
    """All attempts at what waits."""
    for _ in range(6):
        porter.work()
        due(porter)
    porter.work()


def no_memory(path: Path) -> Any:
    raise LibraryError(f"{path.name}: there is not enough memory to decode it", code="library.corrupt_image")
