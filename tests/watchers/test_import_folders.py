"""Which import folders are watched: those that are there, for as long as they are wanted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

import pytest

from hotfolder.errors import HotfolderError, LibraryError
from hotfolder.library.import_folders import SourceFolder
from hotfolder.watchers.handover import SettledFile
from hotfolder.watchers.import_folders import ImportFolders
from hotfolder.watchers.loop import WatchLoop
from tests.scenarios.service import wait_for


class _Desk:
    """Notes what comes; a fault is given back as often as it was set."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.faults: list[HotfolderError] = []
        self.holds = threading.Event()
        self.was_stopped = threading.Event()

    def take_all(
        self, folder: SourceFolder, files: Sequence[Path], is_stopping: Callable[[], bool]
    ) -> list[HotfolderError]:
        if self.faults:
            return [self.faults.pop()]
        self.taken += [each.relative_to(folder.path.parent).as_posix() for each in files]
        while self.holds.is_set() and not is_stopping():
            self.was_stopped.wait(0.01)
        if is_stopping():
            self.was_stopped.set()
        return []


class House:
    """The folders that there are, and who watches them."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.folders: list[SourceFolder] = []
        self.refused: set[str] = set()
        self.desk = _Desk()
        self.watched = ImportFolders(
            lambda: list(self.folders),
            self._check,
            self.desk,
            make_loop=_make_loop,
            is_picture=lambda relative: relative.suffix == ".png",
        )

    def add(self, name: str, *, recursive: bool = True, is_there: bool = True) -> Path:
        path = self.top / name
        if is_there:
            path.mkdir()
        self.folders.append(SourceFolder(f"id of {name}", path, recursive=recursive))
        return path

    def names(self) -> list[str]:
        return [folder.path.name for folder, _ in self.watched.list_watched()]

    def _check(self, folder: SourceFolder, before: Sequence[SourceFolder]) -> None:
        if folder.path.name in self.refused:
            raise LibraryError(f"{folder.path.name} is refused.")


def _make_loop(
    folder: SourceFolder,
    accepts: Callable[[PurePath], bool],
    on_settled: Callable[[list[SettledFile]], None],
) -> WatchLoop:
    return WatchLoop(folder.path, accepts=accepts, on_settled=on_settled, settle_s=0.05, name="folder")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.watched.stop(5.0)


def test_pictures_that_are_there_and_that_come_are_taken(house: House) -> None:
    path = house.add("photos")
    (path / "below").mkdir()
    (path / "below" / "a.png").write_bytes(b"a")
    (path / "notes.txt").write_bytes(b"a")
    house.watched.refresh()
    wait_for(lambda: house.desk.taken == ["photos/below/a.png"], "the first picture")

    (path / "b.png").write_bytes(b"b")

    wait_for(lambda: house.desk.taken[1:] == ["photos/b.png"], "the second picture")


def test_folder_that_is_not_recursive_gives_its_own_files_only(house: House) -> None:
    path = house.add("photos", recursive=False)
    (path / "below").mkdir()
    for name in ("below/a.png", "b.png"):
        (path / name).write_bytes(b"a")

    house.watched.start()

    assert house.watched.wait_until_quiet(10.0)
    assert house.desk.taken == ["photos/b.png"]
    assert [report.root for report in house.watched.reports()] == [path]


def test_missing_folder_is_told_once_and_watched_when_it_comes(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    path = house.add("disk", is_there=False)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            house.watched.refresh()
    assert len(caplog.records) == 1
    assert house.names() == []

    path.mkdir()
    (path / "a.png").write_bytes(b"a")
    house.watched.refresh()

    wait_for(lambda: house.desk.taken == ["disk/a.png"], "the picture")


def test_folder_that_went_and_came_back_is_scanned_anew(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Also what was given before: it may have gone before it was taken."""
    path = house.add("disk")
    (path / "a.png").write_bytes(b"a")
    house.watched.refresh()
    wait_for(lambda: len(house.desk.taken) == 1, "the picture")
    with caplog.at_level(logging.WARNING):
        away = path.rename(path.with_name("unplugged"))
        for _ in range(3):
            house.watched.refresh()
        assert house.names() == []
    told = [each.message for each in caplog.records if "an import folder is not watched" in each.message]
    assert len(told) == 1

    away.rename(path)
    house.watched.refresh()

    wait_for(lambda: len(house.desk.taken) == 2, "the picture again")


def test_another_folder_under_the_same_name_is_taken_up_at_once(house: House) -> None:
    """A disk that is mounted over the empty folder."""
    path = house.add("disk")
    house.watched.refresh()
    path.rename(path.with_name("empty"))
    path.mkdir()
    (path / "a.png").write_bytes(b"a")

    house.watched.refresh()

    wait_for(lambda: house.desk.taken == ["disk/a.png"], "the picture")


def test_removed_folder_is_dropped_in_the_middle_of_its_work(house: House) -> None:
    path = house.add("photos")
    (path / "a.png").write_bytes(b"a")
    house.desk.holds.set()
    house.watched.refresh()
    wait_for(lambda: house.desk.taken, "the picture")
    house.folders.clear()

    house.watched.refresh()

    assert house.desk.was_stopped.is_set()
    assert house.names() == []


def test_changed_folder_is_watched_as_it_is_now(house: House) -> None:
    house.add("photos")
    house.watched.refresh()
    house.folders[0] = replace(house.folders[0], mode="move")

    house.watched.refresh()

    assert [folder.mode for folder, _ in house.watched.list_watched()] == ["move"]


def test_refused_folder_keeps_no_other(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.refused.add("bad")
    house.add("bad")
    house.add("good")

    with caplog.at_level(logging.WARNING):
        house.watched.refresh()
        house.watched.refresh()

    assert house.names() == ["good"]
    assert [each.message for each in caplog.records] == ["an import folder is not watched: bad is refused."]


def test_fault_is_tried_again(house: House) -> None:
    path = house.add("photos")
    (path / "a.png").write_bytes(b"a")
    house.desk.faults.append(LibraryError("EIO", retryable=True))

    house.watched.refresh()

    wait_for(lambda: house.desk.taken == ["photos/a.png"], "the picture")


def test_service_that_ends_when_all_is_done_leaves_what_fails(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    path = house.add("photos")
    house.add("missing", is_there=False)
    (path / "a.png").write_bytes(b"a")
    house.desk.faults.append(LibraryError("EIO", retryable=True))
    house.watched.try_once()

    with caplog.at_level(logging.WARNING):
        house.watched.start()
        assert house.watched.wait_until_quiet(10.0)

    assert house.desk.taken == []
    assert "A picture stays in" in caplog.text


def test_list_that_cannot_be_read_does_not_end_the_watching(house: House) -> None:
    house.add("photos")
    whole = list(house.folders)
    answers = iter([RuntimeError("database")])

    def look() -> list[SourceFolder]:
        for error in answers:
            raise error
        return whole

    house.watched._list_folders = look
    house.watched.start()

    assert house.watched.wait_until_quiet(10.0)
    assert house.watched.wait_until_quiet(10.0)
    assert house.names() == ["photos"]


def test_nothing_is_quiet_after_the_stop(house: House) -> None:
    house.watched.start()
    house.watched.stop(5.0)

    assert not house.watched.wait_until_quiet(0.1)
