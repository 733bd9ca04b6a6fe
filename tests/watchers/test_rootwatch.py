"""A root is watched as well as can be, and says how."""

from __future__ import annotations

import ctypes
import errno
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hotfolder.watchers import inotify, mounts
from hotfolder.watchers.doorbell import Doorbell
from hotfolder.watchers.observer import RootObserver
from hotfolder.watchers.rootwatch import RETRY_S, RootWatch
from tests.watchers.desk import until


class _House:
    """A shared observer, and watches with a clock that is moved."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "in"
        self.root.mkdir()
        self.now = 100.0
        self.bell = Doorbell()
        self.observer = RootObserver()
        self.observer.start()

    def watch(self) -> RootWatch:
        watch = RootWatch(str(self.root), self.bell, self.observer, "test", clock=lambda: self.now)
        watch.renew()
        return watch

    def rings(self, path: Path) -> bool:
        for _ in range(50):
            self.bell.wait(0.1)
            if str(path) in self.bell.take().paths:
                return True
        return False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[_House]:
    house = _House(tmp_path)
    yield house
    house.observer.stop(5)


@pytest.fixture
def mountinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets the system tell of a disk, and of the lines given."""
    file = tmp_path / "mountinfo"
    monkeypatch.setattr(mounts, "_MOUNTINFO", file)
    return lambda lines: (file.write_text("1 0 8:1 / / rw - ext4 d rw\n" + lines), None)[1]


def test_root_with_events_has_nothing_to_explain(house: _House) -> None:
    watch = house.watch()
    assert (watch.mode, watch.reason, watch.is_current()) == ("events", None, True)
    assert not watch.renew()


def test_root_that_was_replaced_is_watched_again(house: _House) -> None:
    watch = house.watch()
    shutil.rmtree(house.root)
    house.root.mkdir()
    house.bell.wait(5)  # the loss itself
    assert watch.renew()
    (house.root / "a.yaml").touch()
    assert house.rings(house.root / "a.yaml")


def test_root_whose_parent_was_renamed_is_watched_again(house: _House, tmp_path: Path) -> None:
    house.root = tmp_path / "outer/in"
    house.root.mkdir(parents=True)
    watch = house.watch()
    (tmp_path / "outer").rename(tmp_path / "moved")
    house.root.mkdir(parents=True)
    assert not watch.is_current()
    watch.renew()
    (house.root / "a.yaml").touch()
    assert house.rings(house.root / "a.yaml")


def test_missing_root_is_told_once_and_watched_when_it_is_there(
    house: _House, caplog: pytest.LogCaptureFixture
) -> None:
    house.root.rmdir()
    watch = house.watch()
    watch.renew()
    assert (watch.mode, watch.reason) == ("missing", "it is not there")
    assert len(caplog.records) == 1
    house.root.mkdir()
    watch.renew()
    assert (watch.mode, watch.reason) == ("events", None)
    (house.root / "a.yaml").touch()
    assert house.rings(house.root / "a.yaml")


def test_root_that_goes_and_comes_back_as_it_was_is_watched_again(house: _House, tmp_path: Path) -> None:
    watch = house.watch()
    house.root.rename(tmp_path / "away")
    until(lambda: not watch.is_current())
    watch.renew()
    assert watch.mode == "missing"
    (tmp_path / "away").rename(house.root)
    watch.renew()
    (house.root / "a.yaml").touch()
    assert house.rings(house.root / "a.yaml")


def test_observer_of_watchdog_itself_rings_where_there_is_no_emitter_of_ours(house: _House) -> None:
    house.observer.stop(5)
    house.observer = RootObserver(platform="another")
    house.observer.start()
    watch = house.watch()
    assert (watch.mode, watch.heard_until()) == ("events", None)
    (house.root / "a.tmp").touch()
    (house.root / "a.tmp").rename(house.root / "a.yaml")
    assert house.rings(house.root / "a.yaml")


def test_root_without_a_free_instance_is_polled_and_tried_again(
    house: _House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(inotify, "inotify_init", lambda: _failing(errno.EMFILE))
        watch = house.watch()
        assert watch.mode == "polling"
        assert "sudo sysctl fs.inotify.max_user_instances=512" in caplog.text
        house.now += RETRY_S
        assert not watch.is_current()
        watch.renew()
    assert len(caplog.records) == 1
    assert (watch.mode, watch.is_current()) == ("polling", True)
    house.now += RETRY_S
    watch.renew()
    assert (watch.mode, watch.reason) == ("events", None)


def test_folder_without_a_watch_makes_its_root_polled_too_until_there_is_one(
    house: _House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (house.root / "x/deep").mkdir(parents=True)
    real: Any = inotify.inotify_add_watch

    def add(descriptor: int, path: bytes, mask: int) -> int:
        return _failing(errno.ENOSPC) if path.endswith(b"deep") else int(real(descriptor, path, mask))

    with monkeypatch.context() as patch:
        patch.setattr(inotify, "inotify_add_watch", add)
        watch = house.watch()
        until(lambda: not watch.renew() and watch.mode == "events and polling")
    assert "sudo sysctl fs.inotify.max_user_watches=" in (watch.reason or "")
    assert [record.message for record in caplog.records if "sysctl" not in record.message] == []
    house.now += RETRY_S
    assert watch.renew()
    assert (watch.mode, watch.reason) == ("events", None)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_root_on_a_share_is_polled_by_itself(
    house: _House, mountinfo: Callable[[str], None], kind: str
) -> None:
    mountinfo(f"2 1 0:9 / {house.root} rw - {kind} there rw\n")
    watch = house.watch()
    assert watch.mode == "polling"
    assert kind in (watch.reason or "")
    assert watch.is_silent(f"{house.root}/a.yaml")
    assert watch.is_current()


def test_share_inside_a_local_root_is_polled_beside_events(
    house: _House, mountinfo: Callable[[str], None]
) -> None:
    mountinfo(f"2 1 0:9 / {house.root}/share rw - nfs there rw\n")
    watch = house.watch()
    assert watch.mode == "events and polling"
    assert watch.is_silent(f"{house.root}/share/a.yaml")
    assert not watch.is_silent(f"{house.root}/a.yaml")


def test_share_that_is_mounted_while_the_root_is_watched_is_noticed(
    house: _House, mountinfo: Callable[[str], None]
) -> None:
    mountinfo("")
    watch = house.watch()
    assert watch.mode == "events"
    mountinfo(f"2 1 0:9 / {house.root}/share rw - nfs there rw\n")
    assert not watch.is_current()
    watch.renew()
    assert watch.mode == "events and polling"


def test_root_that_is_a_link_to_a_share_is_polled(
    house: _House, mountinfo: Callable[[str], None], tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(house.root)
    mountinfo(f"2 1 0:9 / {house.root} rw - nfs there rw\n")
    house.root = tmp_path / "link"
    watch = house.watch()
    assert watch.mode == "polling"
    assert watch.is_silent(f"{house.root}/a.yaml")


def test_roots_of_one_observer_come_and_go_while_it_runs(house: _House, tmp_path: Path) -> None:
    first = house.watch()
    house.root, stays = tmp_path / "other", house.root
    house.root.mkdir()
    second = house.watch()
    (house.root / "a.yaml").touch()
    assert house.rings(house.root / "a.yaml")
    second.close()
    (house.root / "b.yaml").touch()
    (stays / "a.yaml").touch()
    assert house.rings(stays / "a.yaml")
    assert first.is_current()


def _failing(number: int) -> int:
    ctypes.set_errno(number)
    return -1
