"""Pictures of import folders: copied, moved or referred to, each once, and no source lost."""

from __future__ import annotations

import errno
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from hotfolder.errors import DiskFull
from hotfolder.files import storage
from hotfolder.imports import desk, moving, outside, probing
from hotfolder.imports.leaving import LeaveHandler
from hotfolder.imports.pictures import PicturesHandler
from hotfolder.library.collections import CollectionStore
from hotfolder.library.import_folders import FolderMode
from hotfolder.library.ingest import Ingest
from tests import pictures
from tests.import_ledger import digest, ends, files_in
from tests.imports.conftest import Foreign, Make, Porter, media_of

MODES: tuple[FolderMode, ...] = ("copy", "move", "reference")


def no_read(*_values: object) -> None:
    raise AssertionError("a file was read again")


@pytest.mark.parametrize("mode", MODES)
def test_picture_joins_with_keywords_collection_and_its_absolute_path(
    porter: Porter, make: Make, mode: FolderMode
) -> None:
    foreign = make(mode, keywords=("trip/sea", "holiday"), collection="Summer")
    (foreign.path / "below").mkdir()
    source = pictures.write_jpeg(foreign.path / "below" / "IMG 1.JPG")
    content = source.read_bytes()

    assert foreign.bring_in() == ["imported"]

    (media,) = media_of(porter)
    kept = porter.library.paths.locate(media["file_path"])
    assert kept.read_bytes() == content
    assert (media["original_name"], media["original_path"]) == ("IMG 1.JPG", str(source))
    assert porter.library.media.list_keywords(media["id"]) == ["holiday", "trip/sea"]
    assert CollectionStore(porter.library.database).list_media("summer") == [media["id"]]
    sidecars = porter.root / "originals"
    (sidecar,) = sidecars.rglob("*.json")
    assert json.loads(sidecar.read_bytes())["keywords"] == ["trip/sea", "holiday"]
    assert b"holiday" in next(sidecars.rglob("*.xmp")).read_bytes()
    assert source.exists() == (mode != "move")
    assert (kept == source) == (mode == "reference")
    assert files_in(porter.root / "trash") == []


@pytest.mark.parametrize("mode", MODES)
def test_rescan_and_restart_read_nothing_again(
    porter: Porter, make: Make, mode: FolderMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = make(mode)
    pictures.write_png(foreign.path / "a.png")
    pictures.write_text(foreign.path / "bad.jpg")
    foreign.bring_in()
    monkeypatch.setattr(outside, "open_regular", no_read)

    again = make(mode)

    assert again.bring_in() == ["imported", "failed"]
    assert again.seen() == {"refused": 1} | ({} if mode == "move" else {"taken": 1})


@pytest.mark.parametrize("mode", ["copy", "reference"])
def test_what_waits_in_the_queue_is_not_queued_again(make: Make, mode: FolderMode) -> None:
    foreign = make(mode)
    pictures.write_png(foreign.path / "a.png")
    foreign.look()
    assert foreign.seen() == {"claimed": 1}

    foreign.look()

    assert foreign.bring_in() == ["imported"]


@pytest.mark.parametrize("mode", ["copy", "reference"])
def test_touched_file_is_no_new_picture(make: Make, mode: FolderMode) -> None:
    foreign = make(mode)
    source = pictures.write_png(foreign.path / "a.png")
    foreign.bring_in()
    os.utime(source)

    assert foreign.bring_in() == ["imported"]
    assert foreign.seen() == {"taken": 1}


def test_file_that_came_back_on_another_device_is_not_read_again(
    porter: Porter, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = make()
    pictures.write_png(foreign.path / "a.png")
    foreign.bring_in()
    with porter.library.database.transaction() as tx:
        tx.execute("UPDATE seen_files SET device = 1, inode = 1")
    monkeypatch.setattr(outside, "open_regular", no_read)

    assert foreign.bring_in() == ["imported"]


def test_changed_file_of_a_copied_folder_is_another_picture(porter: Porter, make: Make) -> None:
    foreign = make()
    source = pictures.write_png(foreign.path / "a.png")
    foreign.bring_in()
    pictures.write_png(source, (20, 20))

    assert foreign.bring_in() == ["imported", "imported"]
    assert len(media_of(porter)) == 2


def test_file_that_changes_while_it_waits_becomes_both_pictures(porter: Porter, make: Make) -> None:
    foreign = make()
    source = pictures.write_png(foreign.path / "a.png")
    foreign.look()
    pictures.write_png(source, (20, 20))

    assert foreign.bring_in() == ["imported", "imported"]
    assert foreign.seen() == {"taken": 1}
    assert {each["sha256"] for each in media_of(porter)} > {digest(source.read_bytes())}


def test_changed_file_that_is_referred_to_is_refused_once(porter: Porter, make: Make) -> None:
    foreign = make("reference")
    source = pictures.write_png(foreign.path / "a.png")
    foreign.bring_in()
    pictures.write_png(source, (20, 20))

    assert foreign.bring_in() == ["imported", "failed"]
    assert foreign.bring_in() == ["imported", "failed"]
    assert ends(porter.root)[1]["code"] == "library.place_taken"
    assert len(media_of(porter)) == 1


@pytest.mark.parametrize("mode", MODES)
def test_bad_file_stays_with_nothing_beside_it(
    porter: Porter, make: Make, mode: FolderMode, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = make(mode)
    bad = [pictures.write_text(foreign.path / "text.jpg"), pictures.write_empty(foreign.path / "empty.png")]
    before = {each: (each.read_bytes(), each.stat().st_ino) for each in bad}

    with caplog.at_level(logging.WARNING, "hotfolder.imports"):
        assert foreign.bring_in() == ["failed", "failed"]
        foreign.bring_in()

    assert {each: (each.read_bytes(), each.stat().st_ino) for each in files_in(foreign.path)} == before
    assert len([each for each in caplog.messages if "stays where it is" in each]) == 2
    end = {each["originalPath"]: each for each in ends(porter.root)}[str(bad[0])]
    assert (end["code"], end["path"], end["folder"]) == (
        "library.corrupt_image",
        str(bad[0]),
        foreign.folder.folder_id,
    )
    assert not any(files_in(porter.root / each) for each in ("failed", "trash", "originals", "thumbnails"))


def test_known_content_is_not_copied(porter: Porter, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture joins the collection; its keywords stay what they are."""
    content = pictures.write_png(porter.root / "import" / "a.png").read_bytes()
    porter.bring_in()
    foreign = make(collection="Spring", keywords=("x",))
    (foreign.path / "b.png").write_bytes(content)
    monkeypatch.setattr(outside, "copy_known", no_read)

    assert foreign.bring_in() == ["imported", "duplicate"]

    (media,) = media_of(porter)
    assert CollectionStore(porter.library.database).list_media("Spring") == [media["id"]]
    assert porter.library.media.list_keywords(media["id"]) == []
    assert files_in(porter.root / "trash") == []


@pytest.mark.parametrize("mode", ["copy", "reference"])
def test_same_picture_in_two_folders_is_one(porter: Porter, make: Make, mode: FolderMode) -> None:
    """Both are looked at before either is in the library."""
    first, second = make(mode), make("copy", "others")
    content = pictures.write_png(first.path / "a.png").read_bytes()
    (second.path / "b.png").write_bytes(content)
    first.look()
    second.look()

    assert second.bring_in() == ["imported", "duplicate"]

    assert len(media_of(porter)) == 1
    assert (first.path / "a.png").exists()
    assert (second.path / "b.png").exists()
    assert files_in(porter.root / "trash") == []
    assert (first.seen(), second.seen()) == ({"taken": 1}, {"duplicate": 1})


def test_moved_duplicate_goes_only_after_the_library_was_compared(porter: Porter, make: Make) -> None:
    content = pictures.write_png(porter.root / "import" / "a.png").read_bytes()
    porter.bring_in()
    foreign = make("move")
    (foreign.path / "b.png").write_bytes(content)

    assert foreign.bring_in() == ["imported", "duplicate"]

    assert files_in(foreign.path) == []
    assert foreign.seen() == {}


def test_moved_duplicate_of_a_damaged_picture_is_taken_in_whole(porter: Porter, make: Make) -> None:
    content = pictures.write_png(porter.root / "import" / "a.png").read_bytes()
    porter.bring_in()
    kept = porter.root / media_of(porter)[0]["file_path"]
    kept.write_bytes(content[:-1] + b"x")
    foreign = make("move")
    (foreign.path / "b.png").write_bytes(content)

    assert foreign.bring_in() == ["imported", "imported"]

    assert (porter.root / media_of(porter)[0]["file_path"]).read_bytes() == content


def test_moved_duplicate_of_a_picture_that_is_damaged_meanwhile_stays(porter: Porter, make: Make) -> None:
    content = pictures.write_png(porter.root / "import" / "a.png").read_bytes()
    porter.bring_in()
    foreign = make("move")
    (foreign.path / "b.png").write_bytes(content)
    foreign.look()
    (porter.root / media_of(porter)[0]["file_path"]).write_bytes(content[:-1] + b"x")

    porter.work()

    assert (foreign.path / "b.png").read_bytes() == content
    assert foreign.seen() == {"duplicate": 1}


def test_only_file_of_a_reference_is_never_removed_as_a_duplicate(porter: Porter, make: Make) -> None:
    make("reference").path.joinpath("a.png").write_bytes(pictures.write_png(porter.root / "x").read_bytes())
    make("reference").bring_in()
    foreign = make("move")

    with porter.library.database.transaction() as tx:
        tx.execute("DELETE FROM seen_files")
    foreign.bring_in()

    assert (foreign.path / "a.png").exists()


def test_move_from_another_file_system_removes_what_was_copied(
    porter: Porter, shelf: Path, make: Make
) -> None:
    foreign = Foreign(porter, shelf, "move")
    content = pictures.write_jpeg(shelf / "a.jpg").read_bytes()

    assert foreign.bring_in() == ["imported"]

    assert files_in(shelf) == []
    assert (porter.root / media_of(porter)[0]["file_path"]).read_bytes() == content
    assert foreign.seen() == {}


def test_file_that_changed_after_its_copy_was_taken_stays(porter: Porter, shelf: Path) -> None:
    foreign = Foreign(porter, shelf, "move")
    source = pictures.write_jpeg(shelf / "a.jpg")
    foreign.look()
    pictures.write_jpeg(source, (20, 20))
    newer = source.read_bytes()
    porter.work()

    assert source.read_bytes() == newer
    assert foreign.bring_in() == ["imported", "imported"]
    assert files_in(shelf) == []


def test_file_with_a_second_name_is_copied_before_it_is_removed(porter: Porter, make: Make) -> None:
    foreign = make("move")
    source = pictures.write_png(foreign.path / "a.png")
    other = foreign.path.parent / "second name.png"
    os.link(source, other)

    assert foreign.bring_in() == ["imported"]

    assert not source.exists()
    assert not (porter.root / media_of(porter)[0]["file_path"]).samefile(other)


def test_folder_that_may_not_be_written_keeps_its_files(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_paths: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    foreign = make("move")
    source = pictures.write_png(foreign.path / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr(probing, "try_rename", forbid)

        (fault,) = foreign.look()

    assert fault.code == "library.not_movable"
    assert source.exists()
    assert foreign.bring_in() == ["imported"]


def test_file_that_may_not_be_moved_is_refused(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sticky folder, or a file that is immutable."""

    def forbid(source: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(source))

    foreign = make("move")
    source = pictures.write_png(foreign.path / "a.png")
    monkeypatch.setattr("hotfolder.library.ingest.rename_new", forbid)

    assert foreign.bring_in() == ["failed"]
    assert source.exists()
    assert foreign.seen() == {"refused": 1}


def test_file_that_vanishes_before_it_is_taken_is_no_failure(porter: Porter, make: Make) -> None:
    foreign = make("reference")
    source = pictures.write_png(foreign.path / "a.png")
    foreign.look()
    away = foreign.path.rename(foreign.path.with_name("unplugged"))
    porter.work()
    assert ends(porter.root) == []

    away.rename(foreign.path)

    assert foreign.bring_in() == ["imported"]
    assert source.exists()


def test_disk_that_goes_in_the_middle_of_a_copy_leaves_nothing_behind(
    porter: Porter, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unplug(stream: Any, source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.EIO, "Input/output error", str(source))

    foreign = make()
    source = pictures.write_png(foreign.path / "a.png")
    content = source.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(moving, "_pour", unplug)
        assert len(foreign.look()) == 1
    assert files_in(porter.root / "work") == []

    assert foreign.bring_in() == ["imported"]
    assert source.read_bytes() == content


def test_copy_that_differs_is_thrown_away_and_tried_again(
    porter: Porter, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = make()
    pictures.write_png(foreign.path / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr(moving, "sha256_file", lambda path: "another")
        (fault,) = foreign.look()
    assert (fault.code, fault.retryable) == ("library.changed", True)
    assert files_in(porter.root / "work") == []

    assert foreign.bring_in() == ["imported"]


def test_full_disk_stops_the_copying_and_keeps_what_was_copied(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = make()
    for number in range(3):
        pictures.write_png(foreign.path / f"{number}.png", (10 + number, 10))
    original = moving.copy_known
    calls: list[Path] = []

    def fill(stream: Any, source: Path, target: Path, sha256: str) -> None:
        calls.append(source)
        if len(calls) == 2:
            raise DiskFull("full")
        original(stream, source, target, sha256)

    with monkeypatch.context() as patch:
        patch.setattr(outside, "copy_known", fill)
        assert [type(each) for each in foreign.look()] == [DiskFull]

    assert len(calls) == 2
    assert foreign.seen() == {"claimed": 1}
    assert foreign.bring_in() == ["imported"] * 3


def test_one_bad_file_keeps_no_other(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = make()
    for name in ("a.png", "b.png"):
        pictures.write_png(foreign.path / name, (len(name) + ord(name[0]), 10))
    original = outside.open_regular

    def fail(path: Path, **named: bool) -> Any:
        if path.name == "a.png":
            raise OSError(errno.EIO, "Input/output error", str(path))
        return original(path, **named)

    with monkeypatch.context() as patch:
        patch.setattr(outside, "open_regular", fail)
        assert len(foreign.look()) == 1
    assert foreign.seen() == {"claimed": 1}


def test_name_that_is_not_utf8_is_copied_and_moved_but_not_referred_to(porter: Porter, make: Make) -> None:
    outcomes = (("copy", "imported"), ("move", "imported"), ("reference", "failed"))
    for number, (mode, outcome) in enumerate(outcomes):
        foreign = make(mode, mode)
        name = os.fsdecode(b"caf\xe9 %s.png" % mode.encode())
        pictures.write_png(foreign.path / name, (20 + number, 20))

        assert foreign.bring_in()[-1] == outcome
        assert foreign.bring_in()[-1] == outcome

    assert len(ends(porter.root)) == 3


def test_stopping_leaves_the_rest_for_the_next_start(make: Make) -> None:
    foreign = make()
    files = [pictures.write_png(foreign.path / f"{n}.png", (10 + n, 10)) for n in range(40)]
    looks = iter([False, True])

    foreign.desk.take_all(foreign.folder, files, lambda: next(looks))

    assert foreign.seen() == {"claimed": 16}
    assert foreign.bring_in() == ["imported"] * 40


class Killed(BaseException):
    """Ends the process, as far as the program can tell."""


STEPS: dict[str, tuple[Any, str]] = {
    "copy": (outside, "copy_known"),
    "queue": (outside.OutsideDesk, "_record"),
    "take": (PicturesHandler, "_take"),
    "move into originals": (Ingest, "take_picture"),
    "record": (PicturesHandler, "_record_taken"),
    "drop our own": (LeaveHandler, "_drop_our_own"),
    "remove the source": (LeaveHandler, "_remove_source"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_each_picture_is_there_once_after_a_crash(
    porter: Porter, make: Make, monkeypatch: pytest.MonkeyPatch, mode: FolderMode, step: str, when: str
) -> None:
    foreign = make(mode)
    first = pictures.write_png(foreign.path / "a.png").read_bytes()
    (foreign.path / "twin.png").write_bytes(first)
    second = pictures.write_jpeg(foreign.path / "b.jpg")
    linked = second.read_bytes()
    os.link(second, foreign.path.parent / "second name.jpg")
    bad = pictures.write_text(foreign.path / "bad.jpg").read_bytes()
    with monkeypatch.context() as patch:
        die_at(patch, *STEPS[step], when)
        try:
            foreign.look()
            porter.work()
        except Killed:
            porter.restart()

    make(mode).bring_in()

    media = media_of(porter)
    assert sorted(each["sha256"] for each in media) == sorted((digest(first), digest(linked)))
    for each in media:
        kept = porter.library.paths.locate(each["file_path"])
        assert digest(kept.read_bytes()) == each["sha256"]
        assert each["original_path"] in {str(foreign.path / name) for name in ("a.png", "twin.png", "b.jpg")}
    left = sorted(each.read_bytes() for each in files_in(foreign.path))
    assert left == sorted([bad] if mode == "move" else [first, first, linked, bad])
    assert not any(files_in(porter.root / each) for each in ("trash", "failed", "work"))
    outcomes = [each["outcome"] for each in ends(porter.root)]
    assert sorted(outcomes) == ["duplicate", "failed", "imported", "imported"]


def die_at(patch: pytest.MonkeyPatch, owner: Any, name: str, when: str) -> None:
    original = getattr(owner, name)

    def wrapped(*values: Any, **named: Any) -> Any:
        if when == "after":
            original(*values, **named)
        raise Killed

    patch.setattr(owner, name, wrapped)


def test_copy_that_nobody_queued_is_thrown_away_at_the_next_start(porter: Porter) -> None:
    left = porter.library.paths.arriving / "0192f0c0-0000-7000-8000-000000000000" / desk.COPY_FOLDER / "a.png"
    left.parent.mkdir(parents=True)
    pictures.write_png(left)

    assert porter.library.import_desk.find_lost() == []

    assert not porter.library.paths.arriving.exists()


def test_moved_picture_that_turns_out_known_at_the_last_moment_is_one(porter: Porter, make: Make) -> None:
    """Twins are taken side by side; the second was renamed into originals/ by then."""
    foreign = make("move")
    content = pictures.write_png(foreign.path / "a.png").read_bytes()
    (foreign.path / "b.png").write_bytes(content)

    assert foreign.bring_in() == ["imported", "duplicate"]

    assert files_in(foreign.path) == []
    assert len([each for each in files_in(porter.root / "originals") if each.suffix == ".png"]) == 1
    assert storage.sha256_file(porter.root / media_of(porter)[0]["file_path"]) == digest(content)
