"""Pictures from elsewhere: copied whole, moved only when safe, or referred to."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from hotfolder.clock import new_id
from hotfolder.errors import DiskFull, LibraryError, LibraryUnwritable
from hotfolder.imports import moving
from hotfolder.imports.bringing import Carrier
from tests import pictures
from tests.import_ledger import assert_books_are_closed, ends, files_in
from tests.imports.conftest import Porter


@pytest.fixture
def carrier(porter: Porter) -> Carrier:
    return Carrier(porter.library.paths, porter.library.import_desk, make_id=new_id)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = pictures.write_jpeg(tmp_path / "IMG 1.JPG")
    os.utime(path, ns=(10**18, 10**18))
    return path


def test_copy_leaves_the_source_and_keeps_its_date(porter: Porter, carrier: Carrier, source: Path) -> None:
    brought = carrier.copy(source)

    place = porter.root / brought.path
    assert place.read_bytes() == source.read_bytes()
    assert place.stat().st_mtime_ns == 10**18
    assert brought.original_path == str(source)


def test_file_that_changes_while_it_is_copied_is_not_taken(
    porter: Porter, carrier: Carrier, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grow(stream: Any, source: Path, target: Path) -> None:
        pour(stream, source, target)
        source.write_bytes(source.read_bytes() + b"more")

    pour = moving._pour
    monkeypatch.setattr(moving, "_pour", grow)

    with pytest.raises(LibraryError) as caught:
        carrier.copy(source)

    assert caught.value.code == "library.changed"
    assert files_in(porter.root / "work") == []


def test_service_that_starts_during_an_import_and_sweeps_the_new_folder_away_ends_nothing(
    porter: Porter, carrier: Carrier, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_and_sweep(folder: Path) -> None:
        make(folder)
        if not swept:
            folder.rmdir()
            swept.append(folder)

    swept: list[Path] = []
    make = moving.make_folders
    monkeypatch.setattr(moving, "make_folders", make_and_sweep)

    brought = carrier.copy(source)

    assert (porter.root / brought.path).read_bytes() == source.read_bytes()
    assert swept == [(porter.root / brought.path).parent]


def test_move_takes_the_source_away(porter: Porter, carrier: Carrier, source: Path) -> None:
    content = source.read_bytes()

    brought = carrier.move(source)

    assert (porter.root / brought.path).read_bytes() == content
    assert not source.exists()


def test_move_from_another_file_system_copies_and_then_removes(
    porter: Porter, carrier: Carrier, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = source.read_bytes()
    monkeypatch.setattr(moving, "rename_into", far_away)

    brought = carrier.move(source)

    assert (porter.root / brought.path).read_bytes() == content
    assert not source.exists()


def test_move_whose_copy_fails_leaves_the_source(
    carrier: Carrier, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "rename_into", far_away)
    monkeypatch.setattr(moving, "sha256_file", lambda path: "another")

    with pytest.raises(LibraryError, match="it changed while it was copied"):
        carrier.move(source)

    assert source.exists()


def test_move_of_a_file_that_may_not_be_removed_copies_it(
    porter: Porter, carrier: Carrier, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbid(file: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(file))

    monkeypatch.setattr(moving, "rename_into", forbid)

    brought = carrier.move(source)

    assert (porter.root / brought.path).read_bytes() == source.read_bytes()


def test_fault_in_the_folder_where_pictures_wait_is_not_called_unreadable(
    porter: Porter, carrier: Carrier, source: Path
) -> None:
    porter.library.paths.arriving.write_bytes(b"in the way")

    with pytest.raises(LibraryUnwritable):
        carrier.move(source)

    assert source.exists()


def test_full_disk_ends_the_bringing(carrier: Carrier, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_values: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(moving, "make_folders", fill)

    with pytest.raises(DiskFull):
        carrier.copy(source)


def test_full_disk_ends_the_moving(carrier: Carrier, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_values: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "rename", fill)

    with pytest.raises(DiskFull):
        carrier.move(source)

    assert source.exists()


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that can be opened, not read")
def test_sector_that_cannot_be_read_is_a_fault_of_the_file_and_not_of_the_library(
    porter: Porter, carrier: Carrier
) -> None:
    with pytest.raises(LibraryError) as caught:
        carrier.copy(Path("/proc/self/mem"))

    assert (caught.value.code, caught.value.message) == (
        "library.unreadable",
        "mem cannot be read: Input/output error.",
    )
    assert files_in(porter.root / "work") == []


def test_move_that_is_refused_by_the_other_disk_is_a_fault_of_the_file(
    carrier: Carrier, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_values: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(moving, "rename_into", far_away)
    monkeypatch.setattr(moving, "open_regular", fail)

    with pytest.raises(LibraryError) as caught:
        carrier.move(source)

    assert caught.value.code == "library.unreadable"


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_missing_file_is_told_as_gone(carrier: Carrier, tmp_path: Path, mode: Any) -> None:
    with pytest.raises(LibraryError) as caught:
        carrier.method(mode)(tmp_path / "nowhere.jpg")

    assert caught.value.code == "library.content_missing"


def test_reference_is_a_picture_of_the_library_that_stays_where_it_is(
    porter: Porter, carrier: Carrier, source: Path
) -> None:
    content = source.read_bytes()
    porter.library.import_desk.enqueue([carrier.refer_to(source)])

    porter.work()

    (end,) = ends(porter.root)
    media = porter.library.media.get(end["importId"])
    assert (media.file_path, media.file_name) == (str(source), source.name)
    assert porter.library.paths.locate(media.file_path).read_bytes() == content
    beside = {each.name for each in files_in(porter.root / "originals")}
    assert beside == {f"{media.media_id}.jpg.json", f"{media.media_id}.jpg.xmp"}
    assert (porter.root / media.thumb_path).is_file()
    assert list(source.parent.glob("IMG*")) == [source]


def test_reference_whose_content_has_changed_is_refused_and_the_first_stays(
    porter: Porter, carrier: Carrier, source: Path
) -> None:
    desk = porter.library.import_desk
    desk.enqueue([carrier.refer_to(source)])
    porter.work()
    pictures.write_jpeg(source, (32, 32))
    desk.enqueue([carrier.refer_to(source)])

    porter.work()

    assert [each["outcome"] for each in ends(porter.root)] == ["imported", "failed"]
    assert ends(porter.root)[1]["code"] == "library.place_taken"
    assert len(files_in(porter.root / "originals")) == 2
    assert source.exists()


def test_reference_with_a_name_that_is_not_utf8_is_refused(carrier: Carrier, tmp_path: Path) -> None:
    with pytest.raises(LibraryError) as caught:
        carrier.refer_to(tmp_path / "caf\udce9.jpg")

    assert caught.value.code == "library.bad_name"


def test_job_may_use_a_referred_picture(porter: Porter, carrier: Carrier, source: Path) -> None:
    porter.library.import_desk.enqueue([carrier.refer_to(source)])
    porter.work()
    (end,) = ends(porter.root)

    found = porter.library.desk._find_media(end["importId"])

    assert (found.file, found.media_id) == (source, end["importId"])


def test_copies_of_equal_names_end_as_their_own_pictures(
    porter: Porter, carrier: Carrier, tmp_path: Path
) -> None:
    sources = []
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        sources.append(pictures.write_png(tmp_path / str(number) / "a.png", (16 * number, 16)))
    porter.library.import_desk.enqueue([carrier.copy(each) for each in sources])

    porter.work()

    assert_books_are_closed(porter.root, [each.read_bytes() for each in sources])


def far_away(file: Path, target: Path) -> None:
    raise OSError(errno.EXDEV, "Invalid cross-device link")
