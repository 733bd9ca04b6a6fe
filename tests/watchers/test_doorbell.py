"""What the watcher's threads leave for the loop."""

from __future__ import annotations

import threading

import pytest
from watchdog.events import (
    DirCreatedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
)

from hotfolder.watchers.doorbell import Doorbell, Rung


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
    assert bell.take().paths == paths


def test_event_of_a_folder_asks_for_a_rescan() -> None:
    bell = Doorbell()
    bell.dispatch(DirCreatedEvent("x"))
    assert bell.take() == Rung({}, wants_rescan=True)


def test_path_that_came_and_went_is_named_as_such() -> None:
    bell = Doorbell()
    for event in (FileCreatedEvent("a"), FileDeletedEvent("a"), FileDeletedEvent("b")):
        bell.dispatch(event)
    assert bell.take() == Rung({}, withdrawn=frozenset({"a"}))
    assert bell.take() == Rung({})


@pytest.mark.parametrize("event", [FileDeletedEvent("a.yaml.wait"), FileMovedEvent("a.yaml.wait", "b.bak")])
def test_removal_of_a_wait_file_rings_for_the_file_beside_it(event: FileSystemEvent) -> None:
    bell = Doorbell()
    bell.dispatch(event)
    assert bell.take().paths["a.yaml"] is False


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
