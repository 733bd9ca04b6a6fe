"""What the watcher's threads leave for the loop, and the watch that is renewed."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from watchdog.events import (
    DirCreatedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
)

from hotfolder.watchers.doorbell import Doorbell, RootWatch, Rung


@pytest.mark.parametrize(
    ("events", "paths"),
    [
        ([FileCreatedEvent("a"), FileClosedEvent("a")], {"a": False}),
        ([FileMovedEvent("", "a")], {"a": True}),
        ([FileMovedEvent("", "a"), FileClosedEvent("a")], {"a": True}),
        ([FileMovedEvent("a.tmp", "a")], {"a": True}),
        ([FileMovedEvent("", "a"), FileDeletedEvent("a")], {}),
        ([FileMovedEvent("", "a"), FileDeletedEvent("a"), FileCreatedEvent("a")], {"a": False}),
        ([FileMovedEvent("", "a"), FileMovedEvent("a", "b")], {"b": True}),
    ],
)
def test_events_of_a_path_become_one_line(events: list[FileSystemEvent], paths: dict[str, bool]) -> None:
    bell = Doorbell()
    for event in events:
        bell.dispatch(event)
    assert bell.take() == Rung(paths, wants_rescan=False)


def test_event_of_a_folder_asks_for_a_rescan() -> None:
    bell = Doorbell()
    bell.dispatch(DirCreatedEvent("x"))
    assert bell.take() == Rung({}, wants_rescan=True)


def test_taken_bell_is_silent() -> None:
    bell = Doorbell()
    bell.dispatch(FileCreatedEvent("a"))
    assert not bell.is_silent()
    bell.take()
    assert bell.is_silent()


def test_bell_rung_before_the_wait_ends_it_at_once() -> None:
    bell = Doorbell()
    bell.request_rescan()
    waiter = threading.Thread(target=bell.wait, args=(30.0,))
    waiter.start()
    waiter.join(5)
    assert not waiter.is_alive()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Path, Doorbell, RootWatch]]:
    root = tmp_path / "in"
    root.mkdir()
    bell = Doorbell()
    watch = RootWatch(str(root), bell, "test")
    watch.start()
    yield root, bell, watch
    watch.stop(5)


def _rings(bell: Doorbell, path: Path) -> bool:
    for _ in range(50):
        bell.wait(0.1)
        if str(path) in bell.take().paths:
            return True
    return False


def test_root_that_was_replaced_is_watched_again(watched: tuple[Path, Doorbell, RootWatch]) -> None:
    root, bell, watch = watched
    shutil.rmtree(root)
    root.mkdir()
    bell.wait(5)  # the loss itself
    watch.renew()
    (root / "a.yaml").touch()
    assert _rings(bell, root / "a.yaml")


def test_root_whose_parent_was_renamed_is_watched_again(tmp_path: Path) -> None:
    root = tmp_path / "outer/in"
    root.mkdir(parents=True)
    bell = Doorbell()
    watch = RootWatch(str(root), bell, "test")
    watch.start()
    (tmp_path / "outer").rename(tmp_path / "moved")
    root.mkdir(parents=True)
    watch.renew()
    (root / "a.yaml").touch()
    heard = _rings(bell, root / "a.yaml")
    watch.stop(5)
    assert heard


def test_missing_root_is_told_once_and_watched_when_it_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "in"
    bell = Doorbell()
    watch = RootWatch(str(root), bell, "test")
    watch.start()
    watch.renew()
    assert len(caplog.records) == 1
    root.mkdir()
    watch.renew()
    (root / "a.yaml").touch()
    heard = _rings(bell, root / "a.yaml")
    watch.stop(5)
    assert heard


def test_observer_of_watchdog_itself_rings_where_there_is_no_emitter_of_ours(tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    bell = Doorbell()
    watch = RootWatch(str(root), bell, "test", platform="another")
    watch.start()
    (root / "a.tmp").touch()
    (root / "a.tmp").rename(root / "a.yaml")
    heard = _rings(bell, root / "a.yaml")
    watch.stop(5)
    assert heard
