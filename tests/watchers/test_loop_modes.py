"""How a root is watched when events are not enough, and what a loop says about it."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hotfolder.watchers import inotify, mounts, rootwatch
from hotfolder.watchers.linux import LinuxEmitter
from hotfolder.watchers.loop import SETTLE_SILENT_S, WatchReport
from hotfolder.watchers.observer import RootObserver
from tests.watchers.desk import LIMIT_S, Clock, Desk, until


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    for loop in desk.loops:
        loop.stop(LIMIT_S)


@pytest.fixture
def observer() -> Iterator[RootObserver]:
    observer = RootObserver()
    observer.start()
    yield observer
    observer.stop(LIMIT_S)


@pytest.fixture
def no_inotify(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inotify, "inotify_init", lambda: (ctypes.set_errno(errno.EMFILE), -1)[1])


def _emitter() -> LinuxEmitter:
    (emitter,) = (each for each in threading.enumerate() if isinstance(each, LinuxEmitter))
    return emitter


def test_report_of_a_root_where_all_is_well(desk: Desk) -> None:
    loop = desk.started()
    assert loop.report() == WatchReport(desk.root, "events", None, 0, 0, (), ())


def test_loop_that_was_not_started_reports_that(desk: Desk) -> None:
    report = desk.loop().report()
    assert (report.mode, report.reason) == ("missing", "it is not watched yet")


def test_files_come_by_polling_where_no_events_can_be_had(desk: Desk, no_inotify: None) -> None:
    loop = desk.started(rescan_s=60.0, poll_s=0.05)
    (desk.root / "x").mkdir()
    (desk.root / "x/a.yaml").write_text("x")
    assert desk.wait_for(1)
    report = loop.report()
    assert (report.mode, report.missed) == ("polling", 0)
    assert "sudo sysctl fs.inotify.max_user_instances=" in (report.reason or "")


def test_left_file_that_changes_is_noticed_by_polling(desk: Desk, no_inotify: None) -> None:
    desk.moves = False
    (desk.root / "a.yaml").write_text("x")
    desk.started(rescan_s=60.0, poll_s=0.05)
    (desk.root / "a.yaml").write_text("edited")
    assert desk.wait_for(2)


def test_files_of_a_folder_without_a_watch_come_by_polling(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = inotify.inotify_add_watch

    def add(descriptor: int, path: bytes, mask: int) -> int:
        if path.endswith(b"deep"):
            ctypes.set_errno(errno.ENOSPC)
            return -1
        return int(real(descriptor, path, mask))

    monkeypatch.setattr(inotify, "inotify_add_watch", add)
    (desk.root / "deep").mkdir()
    loop = desk.started(rescan_s=60.0, poll_s=0.05)
    until(lambda: loop.report().mode == "events and polling")
    (desk.root / "deep/a.yaml").write_text("x")
    assert desk.wait_for(1)
    assert "sudo sysctl fs.inotify.max_user_watches=" in (loop.report().reason or "")


def test_root_on_a_share_is_polled_and_settles_slowly(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"1 0 8:1 / / rw - ext4 d rw\n2 1 0:9 / {desk.root} rw - nfs4 nas:/in rw\n")
    monkeypatch.setattr(mounts, "_MOUNTINFO", mountinfo)
    clock = Clock()
    loop = desk.loop(settle_s=None, poll_s=0.05, clock=clock.now)
    loop.start()
    desk.rename_in("a.yaml")
    until(lambda: loop.pending() == 1)
    clock.offset_s = SETTLE_SILENT_S - 1.0
    loop.request_rescan()
    assert not loop.wait_until_quiet(0.1)
    assert desk.files == []
    clock.offset_s = SETTLE_SILENT_S + 0.1
    loop.request_rescan()
    assert desk.wait_for(1)
    assert loop.report().reason == f"{desk.root} is nfs4, which does not tell what others change"


def test_local_root_settles_in_half_a_second_by_itself(desk: Desk) -> None:
    began_at = time.monotonic()
    (desk.root / "a.yaml").write_text("x")
    desk.started(settle_s=None)
    assert 0.5 <= time.monotonic() - began_at < 1.5


def test_root_that_keeps_missing_events_is_polled_beside_them(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = desk.started(rescan_s=0.2, poll_s=0.05)
    monkeypatch.setattr(_emitter(), "_take", lambda event: None)  # the system says nothing of what others do
    for name in ("a.yaml", "b.yaml"):
        desk.rename_in(name)
    assert desk.wait_for(2)
    until(lambda: loop.report().mode == "events and polling")
    assert loop.report().missed == 2
    desk.rename_in("c.yaml")
    assert desk.wait_for(3)
    assert loop.wait_until_quiet(LIMIT_S)
    assert len(caplog.records) == 1


def test_files_from_before_the_start_and_listings_quicker_than_events_are_no_misses(desk: Desk) -> None:
    for name in ("old.yaml", "older.yaml"):
        (desk.root / name).write_text("x")
    loop = desk.loop(rescan_s=0.001)
    loop.start()
    for number in range(200):
        desk.rename_in(f"{number}.yaml")
    assert desk.wait_for(202)
    heard = _emitter().quiet_since
    until(lambda: _emitter().quiet_since not in (None, heard))
    assert loop.wait_until_quiet(LIMIT_S)
    assert (loop.report().mode, loop.report().missed) == ("events", 0)


def test_overflowed_queue_of_the_kernel_loses_no_file_and_is_answered_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    (desk.root / "deep").mkdir()
    loop = desk.started(rescan_s=600.0, accepts=lambda path: path.suffix == ".yaml")
    emitter, is_let = _emitter(), threading.Event()
    reads = emitter.queue_events
    overflowed_at: list[float] = []
    answers = emitter.on_overflow
    monkeypatch.setattr(emitter, "queue_events", lambda timeout: (is_let.wait(LIMIT_S), reads(timeout)))
    monkeypatch.setattr(emitter, "on_overflow", lambda: (overflowed_at.append(time.monotonic()), answers()))
    desk.rename_in("begin.yaml")  # ends the read that is under way
    assert desk.wait_for(1)
    _fill_the_queue(desk.root, limit)
    (desk.root / "new").mkdir()
    for place in ("deep", "new"):
        (desk.root / place / "a.yaml").write_text("x")
    is_let.set()
    assert desk.wait_for(3)
    assert len(overflowed_at) == 1
    assert desk.came_at - overflowed_at[0] < 0.25 + 0.2  # a listing, and the settle time
    assert loop.wait_until_quiet(LIMIT_S)
    assert loop.report().missed == 0


def _fill_the_queue(folder: Path, limit: int) -> None:
    here, there = folder / "x.bin", folder / "y.bin"
    here.touch()
    for _ in range(limit // 4 + 1):  # four events each turn, none like the one before
        here.rename(there)
        there.rename(here)


def test_tree_that_is_copied_in_is_found_whole(desk: Desk) -> None:
    for folder in range(30):
        place = desk.outside / f"tree/{folder}/a/b/c/d"
        place.mkdir(parents=True)
        for each in (place, place.parent, place.parents[2]):
            (each / f"{folder}.yaml").write_text("x")
    loop = desk.started(rescan_s=600.0)
    subprocess.run(["cp", "-r", str(desk.outside / "tree"), str(desk.root / "tree")], check=True)
    assert desk.wait_for(90)
    assert loop.wait_until_quiet(LIMIT_S)
    assert len(set(desk.names())) == len(desk.files) == 90


def test_tree_that_goes_out_and_in_again_under_other_names_is_still_heard(desk: Desk) -> None:
    desk.moves = False
    (desk.root / "tree/a/b").mkdir(parents=True)
    desk.started(rescan_s=600.0)
    (desk.root / "tree").rename(desk.outside / "tree")
    (desk.outside / "tree").rename(desk.root / "back")
    (desk.root / "back/a").rename(desk.root / "moved")
    (desk.root / "moved/b/a.yaml").write_text("x")
    assert desk.wait_for(1)
    (desk.root / "moved").rename(desk.root / "back/again")
    assert desk.wait_for(2)
    (desk.root / "back/again/b/c.yaml").write_text("x")
    assert desk.wait_for(3)
    assert desk.names() == ["moved/b/a.yaml", "back/again/b/a.yaml", "back/again/b/c.yaml"]


def test_roots_of_one_observer_share_its_thread(desk: Desk, observer: RootObserver, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    second = Desk(tmp_path / "second")
    for each, name in ((desk, "one"), (second, "two")):
        each.started(observer=observer, name=name, rescan_s=600.0)
    assert {thread.name for thread in threading.enumerate()} >= {
        *("watch-observer", "watch-one", "watch-one-events", "watch-two", "watch-two-events")
    }
    for each in (desk, second):
        each.rename_in("a.yaml")
        assert each.wait_for(1)
    second.loops[0].stop(LIMIT_S)
    desk.rename_in("b.yaml")
    assert desk.wait_for(2)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("watch-two")]


def test_root_on_a_disk_that_goes_and_comes_back_is_reported_and_watched_again(
    desk: Desk, observer: RootObserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rootwatch, "CHECK_S", 0.05)
    loop = desk.started(observer=observer, rescan_s=600.0)
    desk.root.rename(desk.outside / "away")
    until(lambda: loop.report().mode == "missing")
    assert loop.report().reason == "it is not there"
    (desk.outside / "away/a.yaml").write_text("x")
    (desk.outside / "away").rename(desk.root)
    assert desk.wait_for(1)
    until(lambda: loop.report().mode == "events")
    desk.rename_in("b.yaml")
    assert desk.wait_for(2)


def test_root_removed_and_made_again_is_watched_by_the_shared_observer(
    desk: Desk, observer: RootObserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rootwatch, "CHECK_S", 0.05)
    loop = desk.started(observer=observer, rescan_s=600.0)
    shutil.rmtree(desk.root)
    until(lambda: loop.report().mode == "missing")
    os.mkdir(desk.root)  # noqa: PTH102
    until(lambda: loop.report().mode == "events")
    desk.rename_in("a.yaml")
    assert desk.wait_for(1)


def test_left_and_unwanted_files_are_not_looked_at_while_events_are_heard(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.moves = False
    asked: list[str] = []
    for name in ("a.yaml", "b.png"):
        (desk.root / name).write_text("x")

    def accepts(path: Path) -> bool:
        asked.append(path.name)
        return path.suffix == ".yaml"

    loop = desk.started(accepts=accepts, rescan_s=0.01)
    assert loop.wait_until_quiet(LIMIT_S)
    asked.clear()
    looks = _count_calls(monkeypatch, "lstat")
    listings = _count_calls(monkeypatch, "scandir")
    until(lambda: len(listings) >= 10)
    assert (asked, [path for path in looks if str(path).endswith(("a.yaml", "b.png"))]) == ([], [])
    loop.request_rescan()
    until(lambda: "b.png" in asked)


def _count_calls(monkeypatch: pytest.MonkeyPatch, name: str) -> list[object]:
    calls: list[object] = []
    real: Callable[..., object] = getattr(os, name)

    def counted(path: str, **options: object) -> object:
        calls.append(path)
        return real(path, **options)

    monkeypatch.setattr(os, name, counted)
    return calls
