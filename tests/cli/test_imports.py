"""hotfolder import, as a user calls it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hotfolder.app import Library
from hotfolder.imports import faults, moving
from tests import pictures
from tests.cli.conftest import Command
from tests.import_ledger import assert_books_are_closed, digest, ends, query
from tests.scenarios.service import LIMIT_S, Service, wait_for


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two pictures of one name, a copy of one, one that is broken, and a note."""
    top = tmp_path / "photos"
    (top / "sub").mkdir(parents=True)
    pictures.write_jpeg(top / "a.jpg")
    pictures.write_png(top / "sub" / "a.jpg")
    (top / "copy.jpg").write_bytes((top / "a.jpg").read_bytes())
    (top / "broken.jpg").write_bytes(b"no picture")
    (top / "notes.txt").write_bytes(b"x")
    return top


def contents(photos: Path) -> list[bytes]:
    return [(photos / name).read_bytes() for name in ("a.jpg", "sub/a.jpg", "copy.jpg")]


def test_import_without_a_service_does_the_work_itself(on: Command, root: Path, photos: Path) -> None:
    good = contents(photos)

    outcome = on("import", photos)

    assert outcome.code == 1
    assert outcome.out == (
        "2 imported, 1 in the library already, 1 refused, 1 skipped "
        "(failed/broken.jpg: broken.jpg cannot be used: it is text, not a picture)\n"
    )
    assert "4 of 4" in outcome.err
    assert_books_are_closed(root, good, [b"no picture"])
    assert len(list(photos.rglob("*.jpg"))) == 4


def test_import_of_good_pictures_ends_well_and_knows_them_again(
    on: Command, root: Path, photos: Path
) -> None:
    (photos / "broken.jpg").unlink()

    assert on("import", photos / "a.jpg", photos / "a.jpg").out == "1 imported\n"
    assert on("import", photos / "a.jpg").out == "1 in the library already\n"
    assert on("import", photos / "notes.txt").out == "1 skipped\n"


def test_import_tells_programs_how_each_file_ended(on: Command, photos: Path) -> None:
    outcome = on("import", "--json", photos)

    found = {each["file"]: each for each in outcome.json}
    assert found.keys() == {str(each) for each in photos.rglob("*.jpg")}
    broken = found[str(photos / "broken.jpg")]
    assert (broken["status"], broken["path"]) == ("failed", "failed/broken.jpg")
    assert broken["error"]["code"] == "library.corrupt_image"
    assert sorted(each["status"] for each in outcome.json) == ["duplicate", "failed", "imported", "imported"]


def test_move_takes_the_files_away(on: Command, root: Path, photos: Path) -> None:
    good = contents(photos)

    on("import", "--move", photos)

    assert [each.name for each in photos.rglob("*") if each.is_file()] == ["notes.txt"]
    assert_books_are_closed(root, good, [b"no picture"])


def test_reference_leaves_the_files_and_refuses_without_a_trace(
    on: Command, root: Path, photos: Path
) -> None:
    good = {digest(each) for each in contents(photos)}

    outcome = on("import", "--reference", photos)

    assert outcome.code == 1
    assert str(photos / "broken.jpg") in outcome.out
    rows = query(root, "SELECT * FROM media")
    assert {each["sha256"] for each in rows} == good
    assert all(digest(Path(each["file_path"]).read_bytes()) == each["sha256"] for each in rows)
    assert list((root / "failed").iterdir()) == []


def test_pictures_of_the_library_itself_are_not_imported(on: Command, root: Path, photos: Path) -> None:
    on("import", photos / "a.jpg")

    assert on("import", "--move", root / "originals").code == 2
    assert on("import", root.parent / "nowhere").code == 2
    outcome = on("import", "--move", root.parent)  # the library lies below it

    assert "imported" in outcome.out
    assert sorted(each.suffix for each in (root / "originals").rglob("*.*g")) == [".jpg", ".png"]


def test_sector_that_cannot_be_read_ends_neither_the_import_nor_blames_the_library(
    on: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "broken.jpg").unlink()
    pour = moving._pour

    def stumble(stream: Any, source: Path, target: Path) -> None:
        if source == photos / "a.jpg":
            raise faults.unreadable(source, OSError(errno.EIO, "Input/output error"))
        pour(stream, source, target)

    monkeypatch.setattr(moving, "_pour", stumble)

    outcome = on("import", photos)

    assert outcome.code == 1
    assert outcome.out == (
        f"2 imported, 1 refused, 1 skipped ({photos}/a.jpg: a.jpg cannot be read: Input/output error.)\n"
    )


@pytest.mark.parametrize("form", ["text", "json"])
def test_folder_that_may_not_be_read_is_told_and_is_a_failure(
    on: Command, photos: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    (photos / "broken.jpg").unlink()
    scandir = os.scandir

    def forbid(path: Any = ".") -> Any:
        if str(path) == str(photos / "sub"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbid)

    outcome = on("import", photos, *(["--json"] if form == "json" else []))

    assert outcome.code == 1
    if form == "text":
        assert f"({photos}/sub: sub cannot be read: Permission denied.)" in outcome.out
    else:
        (failed,) = [each for each in outcome.json if each["status"] == "failed"]
        assert (failed["file"], failed["error"]["code"]) == (str(photos / "sub"), "library.unreadable")


def test_link_to_a_folder_is_imported_like_the_folder(on: Command, photos: Path) -> None:
    (photos / "broken.jpg").unlink()
    link = photos.with_name("link")
    link.symlink_to(photos)

    assert on("import", link).out == "2 imported, 1 in the library already, 1 skipped\n"


def test_import_takes_up_what_a_crash_left_too(
    on: Command, root: Path, library: Library, photos: Path
) -> None:
    left = photos / "a.jpg"
    content = left.read_bytes()
    library.import_desk.claim(left, Path("a.jpg"), "import/a.jpg")

    on("import", photos / "sub")

    assert {each["sha256"] for each in query(root, "SELECT * FROM media")} >= {digest(content)}


def test_import_follows_a_service_that_runs(
    service: Service, on: Command, photos: Path, command: Command
) -> None:
    good = contents(photos)
    service.start()
    service.wait_until_watching()

    outcome = command("--library", service.root, "import", photos)

    assert outcome.out.startswith("2 imported, 1 in the library already, 1 refused")
    assert service.stop() == 0
    assert_books_are_closed(service.root, good, [b"no picture"])


def test_import_goes_on_by_itself_when_the_service_stops(service: Service, tmp_path: Path) -> None:
    sources = many_pictures(tmp_path / "many", 150)
    service.start()
    service.wait_until_watching()
    importing = start_import(service, tmp_path / "many")
    wait_for(lambda: len(ends(service.root)) >= 10, "the first pictures")

    assert service.stop() == 0

    assert importing.wait(LIMIT_S) == 0
    assert_books_are_closed(service.root, [each.read_bytes() for each in sources])


def test_interrupted_import_is_ended_by_the_next_service(service: Service, tmp_path: Path) -> None:
    sources = many_pictures(tmp_path / "many", 150)
    importing = start_import(service, tmp_path / "many")
    wait_for(lambda: len(ends(service.root)) >= 10, "the first pictures")

    importing.send_signal(signal.SIGINT)

    assert importing.wait(LIMIT_S) == 130
    assert "waits" not in (tmp_path / "import.err").read_text()
    queued = len(query(service.root, "SELECT value FROM work_queue, json_each(payload_json, '$.files')"))
    assert queued > 0
    assert service.run_once() == 0
    done = {each["sha256"] for each in query(service.root, "SELECT sha256 FROM media")}
    brought = [each.read_bytes() for each in sources if digest(each.read_bytes()) in done]
    assert len(brought) >= 10
    assert_books_are_closed(service.root, brought)


def test_once_waits_for_imports_and_tells_of_them(service: Service, photos: Path, tmp_path: Path) -> None:
    good = contents(photos)
    for number, each in enumerate(sorted(photos.rglob("*.jpg"))):
        each.rename(service.root / "import" / f"{number}.jpg")

    outcome = service.command("run", str(service.root), "--once")

    assert outcome.returncode == 0
    assert "Pictures that joined the library by themselves:" in outcome.stdout
    assert "2 imported, 1 in the library already, 1 refused" in outcome.stdout
    assert_books_are_closed(service.root, good, [b"no picture"])


def test_service_that_starts_during_an_import_takes_over(service: Service, tmp_path: Path) -> None:
    sources = long_work(tmp_path / "many", 100)
    importing = start_import(service, tmp_path / "many")
    lock = service.root / "run" / "lock"
    wait_for(lambda: lock.exists() and "givesWay" in lock.read_text(), "an import that works")

    service.start()

    service.wait_until_watching()
    assert importing.poll() is None
    assert importing.wait(LIMIT_S) == 0
    assert service.stop() == 0
    assert "waiting for an import to let the library go" in service.output()
    assert_books_are_closed(service.root, [each.read_bytes() for each in sources])


def test_once_ends_with_a_picture_that_cannot_be_taken_and_lists_it(service: Service, photos: Path) -> None:
    (photos / "a.jpg").rename(service.root / "import" / "a.jpg")
    (service.root / "work" / "import").symlink_to(photos / "nowhere")

    outcome = service.command("run", str(service.root), "--once")

    assert outcome.returncode == 0
    assert "1 left where they are (import/a.jpg: It could not be taken in.)" in outcome.stdout


def many_pictures(folder: Path, number: int) -> list[Path]:
    folder.mkdir()
    return [pictures.write_grey_png(folder / f"{n}.png", (400, n + 1), value=n % 250) for n in range(number)]


def long_work(folder: Path, number: int) -> list[Path]:
    """Pictures that are quickly written and slowly read, each with another end."""
    folder.mkdir()
    data = pictures.write_grey_png(folder / "0.png", (4000, 3000)).read_bytes()
    for n in range(number):
        (folder / f"{n}.png").write_bytes(data + str(n).encode())
    return sorted(folder.iterdir())


def start_import(service: Service, folder: Path) -> subprocess.Popen[bytes]:
    with folder.with_name("import.err").open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "hotfolder", "--library", str(service.root), "import", str(folder)],
            env=dict(os.environ),
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )


def test_import_does_not_wait_for_a_lane_that_is_paused(service: Service, tmp_path: Path) -> None:
    (picture,) = many_pictures(tmp_path / "new", 1)
    service.command("queue", "pause", "--lane", "cpu")

    outcome = service.command("import", str(picture))

    assert outcome.returncode == 1
    assert "queue.lane_paused" in outcome.stderr
    assert "queue resume --lane cpu" in outcome.stderr
