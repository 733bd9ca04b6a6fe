"""What the emitter says about real changes of a real folder; driven by hand, so nothing is waited for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.events import (
    DirDeletedEvent,
    DirModifiedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver, EventQueue, ObservedWatch

from hotfolder.watchers.linux import LinuxEmitter

Said = tuple[type[FileSystemEvent], str]


class _Ear:
    """An emitter without its thread: heard() reads what the kernel has queued until now."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.queue = EventQueue()
        self.emitter = LinuxEmitter(self.queue, ObservedWatch(str(root), recursive=True))
        self.emitter.on_thread_start()
        self.emitter.watch_all()
        self._drain()

    def heard(self) -> list[Said]:
        self.emitter.queue_events(0)
        return self._drain()

    def _drain(self) -> list[Said]:
        said: list[Said] = []
        while not self.queue.empty():
            event, _ = self.queue.get()
            path = event.dest_path or event.src_path
            said.append((type(event), os.path.relpath(path, self.root)))
        return said

    def close(self) -> None:
        self.emitter.stop()
        self.emitter.run()  # ends at once, and closes


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def ear(root: Path) -> Iterator[_Ear]:
    ear = _Ear(root)
    yield ear
    ear.close()


def test_written_file_is_created_and_closed(ear: _Ear) -> None:
    (ear.root / "a.yaml").write_text("x")
    assert ear.heard() == [(FileCreatedEvent, "a.yaml"), (FileClosedEvent, "a.yaml")]


def test_file_renamed_in_from_outside_is_told_from_a_created_one(ear: _Ear, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x")
    (tmp_path / "a.yaml").rename(ear.root / "a.yaml")
    assert ear.heard() == [(FileMovedEvent, "a.yaml")]


def test_rename_inside_is_a_deletion_and_a_rename_in(ear: _Ear) -> None:
    (ear.root / "a.tmp").touch()
    ear.heard()
    (ear.root / "a.tmp").rename(ear.root / "a.yaml")
    assert ear.heard() == [(FileDeletedEvent, "a.tmp"), (FileMovedEvent, "a.yaml")]


def test_rename_out_and_the_rename_in_after_it_are_said_in_one_read(ear: _Ear, tmp_path: Path) -> None:
    (ear.root / "a.yaml").touch()
    (tmp_path / "b.yaml").touch()
    ear.heard()
    (ear.root / "a.yaml").rename(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").rename(ear.root / "b.yaml")
    assert ear.heard() == [(FileDeletedEvent, "a.yaml"), (FileMovedEvent, "b.yaml")]


def test_hard_link_and_symbolic_link_are_created(ear: _Ear, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch()
    os.link(tmp_path / "a.yaml", ear.root / "hard.yaml")
    (ear.root / "soft.yaml").symlink_to(tmp_path / "a.yaml")
    assert ear.heard() == [(FileCreatedEvent, "hard.yaml"), (FileCreatedEvent, "soft.yaml")]


def test_reading_a_file_and_listing_the_tree_say_nothing(ear: _Ear) -> None:
    (ear.root / "a.yaml").write_text("x")
    ear.heard()
    (ear.root / "a.yaml").read_text()
    list(ear.root.iterdir())
    assert ear.heard() == []


def test_files_made_before_their_new_folder_was_watched_are_announced(ear: _Ear) -> None:
    (ear.root / "x/y/z").mkdir(parents=True)
    (ear.root / "x/y/z/a.yaml").touch()
    assert (FileCreatedEvent, "x/y/z/a.yaml") in ear.heard()
    (ear.root / "x/y/z/b.yaml").touch()
    assert (FileCreatedEvent, "x/y/z/b.yaml") in ear.heard()


def test_folder_moved_in_is_announced_and_watched(ear: _Ear, tmp_path: Path) -> None:
    (tmp_path / "set/deep").mkdir(parents=True)
    (tmp_path / "set/deep/a.yaml").touch()
    (tmp_path / "set").rename(ear.root / "set")
    assert ear.heard() == [(FileCreatedEvent, "set"), (FileCreatedEvent, "set/deep/a.yaml")]
    (tmp_path / "b.yaml").touch()
    (tmp_path / "b.yaml").rename(ear.root / "set/deep/b.yaml")
    assert ear.heard() == [(FileMovedEvent, "set/deep/b.yaml")]


def test_events_of_a_folder_moved_inside_carry_its_new_name(ear: _Ear) -> None:
    (ear.root / "old/deep").mkdir(parents=True)
    ear.heard()
    (ear.root / "old").rename(ear.root / "new")
    ear.heard()
    (ear.root / "new/deep/a.yaml").touch()
    assert ear.heard() == [(FileCreatedEvent, "new/deep/a.yaml"), (FileClosedEvent, "new/deep/a.yaml")]


def test_folder_moved_out_is_not_listened_to_any_more(ear: _Ear, tmp_path: Path) -> None:
    (ear.root / "sub/deep").mkdir(parents=True)
    ear.heard()
    (ear.root / "sub").rename(tmp_path / "sub")
    ear.heard()
    (tmp_path / "sub/deep/a.yaml").touch()
    assert ear.heard() == []


def test_folder_removed_and_made_again_is_watched_again(ear: _Ear) -> None:
    (ear.root / "sub").mkdir()
    ear.heard()
    (ear.root / "sub").rmdir()
    (ear.root / "sub").mkdir()
    ear.heard()
    (ear.root / "sub/a.yaml").touch()
    assert (FileCreatedEvent, "sub/a.yaml") in ear.heard()


def test_folders_present_before_the_start_are_watched(root: Path) -> None:
    (root / "x/y").mkdir(parents=True)
    ear = _Ear(root)
    (root / "x/y/a.yaml").touch()
    said = ear.heard()
    ear.close()
    assert said[0] == (FileCreatedEvent, "x/y/a.yaml")


def test_ignored_and_linked_folders_are_not_watched(ear: _Ear, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (ear.root / ".stversions").mkdir()
    (ear.root / "link").symlink_to(tmp_path / "outside")
    ear.heard()
    (ear.root / ".stversions/a.yaml").touch()
    (tmp_path / "outside/a.yaml").touch()
    assert ear.heard() == []


def test_root_may_be_a_symbolic_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    ear = _Ear(tmp_path / "link")
    (root / "a.yaml").touch()
    said = ear.heard()
    ear.close()
    assert said[0] == (FileCreatedEvent, "a.yaml")


def test_name_that_is_no_text_comes_through(ear: _Ear) -> None:
    (ear.root / os.fsdecode(b"caf\xe9.yaml")).touch()
    (kind, name), _ = ear.heard()
    assert kind is FileCreatedEvent
    assert os.fsencode(name) == b"caf\xe9.yaml"


@pytest.mark.parametrize("act", ["remove", "rename"])
def test_lost_root_is_said_once_and_ends_the_thread(ear: _Ear, tmp_path: Path, act: str) -> None:
    if act == "remove":
        ear.root.rmdir()
    else:
        ear.root.rename(tmp_path / "elsewhere")
    assert ear.heard() == [(DirDeletedEvent, ".")]
    assert not ear.emitter.should_keep_running()


def test_overflow_of_the_kernel_queue_asks_for_a_listing_and_watches_what_was_missed(ear: _Ear) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    here, there = ear.root / "a", ear.root / "b"
    here.touch()
    for _ in range(limit // 4 + 1):  # four events each turn, none like the one before
        here.rename(there)
        there.rename(here)
    (ear.root / "missed").mkdir()
    said = ear.heard()
    while said and (DirModifiedEvent, ".") not in said:
        said = ear.heard()
    assert said, "no overflow was reported"
    (ear.root / "missed/a.yaml").touch()
    assert (FileCreatedEvent, "missed/a.yaml") in ear.heard()


def test_overflow_drops_folders_that_are_gone(ear: _Ear, tmp_path: Path) -> None:
    (ear.root / "sub").mkdir()
    ear.heard()
    (ear.root / "sub").rename(tmp_path / "sub")
    ear.emitter.on_overflow()
    ear.heard()
    (tmp_path / "sub/a.yaml").touch()
    assert ear.heard() == []


def test_root_that_is_not_there_is_an_error_at_the_start_and_leaves_no_file_open(tmp_path: Path) -> None:
    open_before = _open_files()
    emitter = LinuxEmitter(EventQueue(), ObservedWatch(str(tmp_path / "nothing"), recursive=True))
    with pytest.raises(FileNotFoundError):
        emitter.start()
    assert _open_files() == open_before


def test_stopped_observer_leaves_no_thread_and_no_file_open(root: Path) -> None:
    open_before = _open_files()
    observer = BaseObserver(LinuxEmitter)
    observer.schedule(FileSystemEventHandler(), root, recursive=True)
    observer.start()
    (emitter,) = observer.emitters
    observer.stop()
    observer.join(5)
    assert not observer.is_alive()
    assert not emitter.is_alive()
    assert _open_files() == open_before


def test_removed_tree_with_files_leaves_the_emitter_working(ear: _Ear) -> None:
    (ear.root / "x/y").mkdir(parents=True)
    (ear.root / "x/y/a.yaml").touch()
    ear.heard()
    shutil.rmtree(ear.root / "x")
    assert (FileDeletedEvent, "x/y/a.yaml") in ear.heard()
    (ear.root / "b.yaml").touch()
    assert (FileCreatedEvent, "b.yaml") in ear.heard()
