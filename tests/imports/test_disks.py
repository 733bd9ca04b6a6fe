"""A library whose folders lie on several disks, or one of which refuses a single file."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from hotfolder.library import ingest as module
from hotfolder.library.ingest import Ingest
from tests import pictures
from tests.import_ledger import digest, ends, files_in, query
from tests.imports.conftest import Make, Porter, media_of
from tests.imports.test_faults import due


@pytest.fixture
def elsewhere(porter: Porter, shelf: Path) -> Path:
    """originals/ on another disk."""
    (porter.root / "originals").rmdir()
    (shelf / "originals").mkdir()
    (porter.root / "originals").symlink_to(shelf / "originals")
    return shelf / "originals"


def test_pictures_come_in_when_originals_are_on_another_disk(porter: Porter, elsewhere: Path) -> None:
    content = pictures.write_png(porter.root / "import" / "a.png").read_bytes()

    (end,) = porter.bring_in()

    assert end["outcome"] == "imported"
    assert (porter.root / end["path"]).read_bytes() == content
    assert len(files_in(elsewhere)) == 3
    assert files_in(porter.root / "work") == []


def test_twins_and_bad_files_end_when_originals_are_on_another_disk(porter: Porter, elsewhere: Path) -> None:
    """The second twin is in originals/ when it turns out to be one, and has to come back."""
    content = pictures.write_png(porter.root / "import" / "a.png").read_bytes()
    porter.drop("b.png", content)
    porter.drop("bad.png", b"no picture")

    outcomes = sorted(each["outcome"] for each in porter.bring_in())

    assert outcomes == ["duplicate", "failed", "imported"]
    assert len([each for each in files_in(elsewhere) if each.suffix == ".png"]) == 1
    assert [each.read_bytes() for each in files_in(porter.root / "trash")] == [content]


def test_import_folder_is_moved_into_originals_on_another_disk(
    porter: Porter, make: Make, elsewhere: Path
) -> None:
    foreign = make("move")
    content = pictures.write_png(foreign.path / "a.png").read_bytes()
    (foreign.path / "twin.png").write_bytes(content)

    assert foreign.bring_in() == ["imported", "duplicate"]

    assert files_in(foreign.path) == []
    assert [digest(each.read_bytes()) for each in files_in(elsewhere) if each.suffix == ".png"] == [
        digest(content)
    ]


@pytest.mark.parametrize("step", ["copy_into", "rename_new", "sync_folder"])
def test_crash_on_the_way_to_another_disk_ends_in_one_picture(
    porter: Porter, make: Make, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class Killed(BaseException):
        pass

    original = getattr(module, step)

    def die(*values: Path) -> None:
        original(*values)
        if str(values[-1]).startswith(str(porter.root / "originals" / "20")):
            raise Killed

    foreign = make("move")
    content = pictures.write_png(foreign.path / "a.png").read_bytes()
    porter.drop("b.png", content + b"other")
    porter.claim()
    foreign.look()
    with monkeypatch.context() as patch:
        patch.setattr(module, step, die)
        for _ in range(2):
            with pytest.raises(Killed):
                porter.work()
    porter.restart()
    porter.work()
    make("move").bring_in()

    assert sorted(each["sha256"] for each in media_of(porter)) == sorted(
        (digest(content), digest(content + b"other"))
    )
    assert not any(files_in(each) for each in (foreign.path, porter.root / "work", porter.root / "trash"))
    assert len([each for each in elsewhere.rglob("*") if each.is_file()]) == 6


def test_file_that_may_not_be_removed_has_no_copy_on_the_other_disk(
    tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = pictures.write_png(tmp_path / "a.png")

    def keep(path: Path, **_named: bool) -> None:
        if path == source:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        unlink(path)

    unlink = Path.unlink
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", keep)
        with pytest.raises(PermissionError):
            module.move_new(source, shelf / "b.png")

    assert (source.exists(), files_in(shelf)) == (True, [])


def test_nothing_is_written_over_on_another_disk(tmp_path: Path, shelf: Path) -> None:
    source, other = pictures.write_png(tmp_path / "a.png"), pictures.write_png(shelf / "b.png", (9, 9))
    before = other.read_bytes()

    with pytest.raises(FileExistsError):
        module.move_new(source, other)

    assert (source.exists(), other.read_bytes()) == (True, before)


def test_second_name_that_a_crash_left_is_no_obstacle(porter: Porter, tmp_path: Path) -> None:
    """Where files cannot be renamed without overwriting, they get a second name first."""
    source, target = pictures.write_png(tmp_path / "a.png"), tmp_path / "b.png"
    target.hardlink_to(source)

    Ingest(porter.library.paths).take_picture(source, target)

    assert (source.exists(), target.exists()) == (False, True)


def test_picture_that_cannot_be_written_does_not_keep_its_neighbours_waiting(
    porter: Porter, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = [
        porter.drop(f"{n}.png", pictures.write_png(porter.root / "x", (20 + n, 9)).read_bytes())
        for n in range(3)
    ]
    refused = digest(contents[1].read_bytes())
    take_picture = Ingest.take_picture

    def refuse(ingest: Ingest, source: Path, target: Path) -> None:
        if digest(source.read_bytes()) == refused:
            raise OSError(errno.EIO, "Input/output error", str(target))
        take_picture(ingest, source, target)

    monkeypatch.setattr(Ingest, "take_picture", refuse)
    porter.bring_in()
    due(porter)
    porter.work()

    assert [each["outcome"] for each in ends(porter.root)] == ["imported", "imported"]
    waiting = query(porter.root, "SELECT attempt_count FROM work_queue WHERE status = 'scheduled'")
    assert waiting == [{"attempt_count": 0}]
