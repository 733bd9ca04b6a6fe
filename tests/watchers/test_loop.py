"""Real folders, a real loop: what is handed over, when, and how often."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

import pytest

from hotfolder.watchers import rootwatch
from hotfolder.watchers.linux import LinuxEmitter
from tests.watchers.desk import LIMIT_S, SETTLE_S, Clock, Desk, until


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    for loop in desk.loops:
        loop.stop(LIMIT_S)


def test_renamed_in_file_is_handed_over_long_before_the_settle_time(desk: Desk) -> None:
    desk.started(settle_s=10.0, rescan_s=60.0)
    began_at = time.monotonic()
    desk.rename_in("a.yaml")
    assert desk.wait_for(1)
    assert time.monotonic() - began_at < 0.3
    (file,) = desk.files
    assert (file.path, str(file.relative), file.empty) == (desk.root / "a.yaml", "a.yaml", False)


def test_rename_out_just_before_does_not_delay_a_rename_in(desk: Desk) -> None:
    (desk.root / "held.yaml").write_text("x")
    desk.started(settle_s=10.0, rescan_s=60.0, accepts=lambda path: path.name != "held.yaml")
    began_at = time.monotonic()
    (desk.root / "held.yaml").rename(desk.outside / "held.yaml")
    desk.rename_in("a.yaml")
    assert desk.wait_for(1)
    assert time.monotonic() - began_at < 0.3


def test_slowly_written_file_is_handed_over_complete_and_once(desk: Desk) -> None:
    loop = desk.started(rescan_s=0.05)
    with (desk.root / "a.yaml").open("w") as file:
        for part in range(15):
            file.write(f"line {part}\n")
            file.flush()
            assert not loop.wait_until_quiet(SETTLE_S / 10)  # the pause of a slow writer
    assert desk.wait_for(1)
    assert loop.wait_until_quiet(LIMIT_S)
    assert desk.names() == ["a.yaml"]
    assert (desk.taken / "0-a.yaml").read_text().count("\n") == 15


def test_writer_that_pauses_with_the_file_open_gives_it_whole(desk: Desk) -> None:
    loop = desk.started(rescan_s=60.0)
    with (desk.root / "a.yaml").open("w") as file:
        file.write("prompt: half")
        file.flush()
        assert not loop.wait_until_quiet(SETTLE_S * 3)  # far longer than the settle time
        assert (desk.files, loop.pending()) == ([], 1)
        file.write(" and half")
    assert desk.wait_for(1)
    assert (desk.taken / "0-a.yaml").read_text() == "prompt: half and half"
    assert loop.wait_until_quiet(LIMIT_S)
    assert desk.names() == ["a.yaml"]


def test_file_that_is_closed_without_a_change_is_handed_over_soon(desk: Desk) -> None:
    loop = desk.started(rescan_s=60.0)
    with (desk.root / "a.yaml").open("w") as file:
        file.write("x")
        file.flush()
        assert not loop.wait_until_quiet(SETTLE_S * 2)
    closed_at = time.monotonic()
    assert desk.wait_for(1)
    assert time.monotonic() - closed_at < SETTLE_S + 0.3


def test_file_renamed_in_while_it_is_open_waits_for_its_writer(desk: Desk) -> None:
    loop = desk.started(rescan_s=60.0)
    with (desk.outside / "a.yaml").open("w") as file:
        file.write("half")
        file.flush()
        (desk.outside / "a.yaml").rename(desk.root / "a.yaml")
        assert not loop.wait_until_quiet(SETTLE_S * 2)
        assert (desk.files, loop.pending()) == ([], 1)
        file.write(" and half")
    assert desk.wait_for(1)
    assert (desk.taken / "0-a.yaml").read_text() == "half and half"


def test_file_closed_where_nobody_hears_it_is_handed_over_by_time_alone(desk: Desk) -> None:
    made = desk.outside / "a.yaml"
    with made.open("w") as file:
        file.write("x")
        file.flush()
        (desk.root / "a.yaml").hardlink_to(made)  # its close is an event of the other folder
        loop = desk.loop(rescan_s=60.0)
        loop.start()
        assert not loop.wait_until_quiet(SETTLE_S * 2)
        assert desk.files == []
    assert desk.wait_for(1)


def test_burst_of_renames_is_delivered_exactly_once_each(desk: Desk) -> None:
    loop = desk.started()
    names = [f"job-{number}.yaml" for number in range(2_000)]
    for name in names:
        desk.rename_in(name)
    assert desk.wait_for(2_000)
    assert loop.wait_until_quiet(LIMIT_S)
    assert sorted(desk.names()) == sorted(names)
    assert loop.pending() == 0


def test_files_present_before_the_start_follow_the_settle_rule(desk: Desk) -> None:
    desk.rename_in("a.yaml")
    began_at = time.monotonic()
    loop = desk.loop()
    loop.start()
    assert loop.wait_until_quiet(LIMIT_S)
    assert time.monotonic() - began_at >= SETTLE_S
    assert desk.names() == ["a.yaml"]


def test_batch_is_ordered_by_time_and_then_by_natural_name(desk: Desk) -> None:
    for name, mtime in (("job-10.yaml", 50), ("job-9.yaml", 50), ("Job-2.yaml", 50), ("z.yaml", 40)):
        (desk.root / name).write_text("x")
        os.utime(desk.root / name, (mtime, mtime))
    desk.started()
    assert desk.names() == ["z.yaml", "Job-2.yaml", "job-9.yaml", "job-10.yaml"]
    assert desk.batches == [4]


def test_many_files_come_in_batches_of_five_hundred(desk: Desk) -> None:
    for number in range(1_001):
        (desk.root / f"{number}.yaml").write_text("x")
    desk.started()
    assert desk.batches == [500, 500, 1]


def test_file_in_a_deep_new_folder_is_found(desk: Desk) -> None:
    desk.started(rescan_s=60.0)
    (desk.root / "x/y/z").mkdir(parents=True)
    (desk.root / "x/y/z/a.yaml").write_text("x")
    assert desk.wait_for(1)
    assert desk.names() == ["x/y/z/a.yaml"]


def test_files_of_a_folder_moved_in_are_found(desk: Desk) -> None:
    desk.started(rescan_s=60.0)
    (desk.outside / "set/deep").mkdir(parents=True)
    (desk.outside / "set/a.yaml").write_text("x")
    (desk.outside / "set/deep/b.yaml").write_text("x")
    (desk.outside / "set").rename(desk.root / "set")
    assert desk.wait_for(2)
    assert sorted(desk.names()) == ["set/a.yaml", "set/deep/b.yaml"]


def test_folder_removed_with_its_settling_files_leaves_nothing_pending(desk: Desk) -> None:
    loop = desk.started(settle_s=0.5)
    (desk.root / "x").mkdir()
    (desk.root / "x/a.yaml").write_text("x")
    until(lambda: loop.pending() == 1)
    shutil.rmtree(desk.root / "x")
    assert loop.wait_until_quiet(LIMIT_S)
    assert desk.files == []
    desk.rename_in("b.yaml")
    assert desk.wait_for(1)


def test_ignored_linked_and_unwanted_names_are_never_delivered(desk: Desk) -> None:
    asked: list[str] = []

    def accepts(path: PurePath) -> bool:
        asked.append(path.as_posix())
        return path.suffix == ".yaml"

    (desk.root / ".git").mkdir()
    (desk.root / "@eaDir").mkdir()
    (desk.outside / "target.yaml").write_text("x")
    loop = desk.started(accepts=accepts)
    for name in ("a.yaml.tmp", ".a.yaml", "~$a.yaml", ".git/a.yaml", "@eaDir/a.yaml", "picture.png"):
        desk.rename_in(name)
    (desk.root / "link.yaml").symlink_to(desk.outside / "target.yaml")
    (desk.root / "linked").symlink_to(desk.outside)
    os.mkfifo(desk.root / "pipe.yaml")
    desk.rename_in("good.yaml")
    assert desk.wait_for(1)
    assert loop.wait_until_quiet(LIMIT_S)
    assert desk.names() == ["good.yaml"]
    assert set(asked) <= {"good.yaml", "picture.png", "link.yaml", "linked", "pipe.yaml"}


def test_handler_that_raises_gets_the_file_again(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    loop = desk.started()
    desk.fails = 1
    desk.rename_in("a.yaml")
    assert desk.wait_for(1)
    assert loop.wait_until_quiet(LIMIT_S)
    assert desk.names() == ["a.yaml"]
    assert desk.batches == [1, 1]
    assert len(caplog.records) == 1


def test_file_that_waits_for_another_try_is_pending_and_not_quiet(desk: Desk) -> None:
    loop = desk.started()
    desk.fails = 1_000
    desk.rename_in("a.yaml")
    assert not loop.wait_until_quiet(0.3)
    assert loop.pending() == 1


def test_file_that_the_handler_leaves_is_given_again_only_when_it_changes(desk: Desk) -> None:
    desk.moves = False
    loop = desk.started(rescan_s=0.02)
    desk.rename_in("a.yaml")
    assert desk.wait_for(1)
    for _ in range(3):
        assert loop.wait_until_quiet(LIMIT_S)
    assert desk.names() == ["a.yaml"]
    (desk.root / "a.yaml").write_text("edited")
    assert desk.wait_for(2)
    assert loop.wait_until_quiet(LIMIT_S)
    assert desk.names() == ["a.yaml", "a.yaml"]


def test_file_that_stays_empty_is_handed_over_as_empty(desk: Desk) -> None:
    clock = Clock()
    (desk.root / "a.yaml").touch()
    loop = desk.loop(clock=clock.now)
    loop.start()
    until(lambda: loop.pending() == 1)
    clock.offset_s = 9.0
    loop.request_rescan()
    assert not loop.wait_until_quiet(0.1)
    assert desk.files == []
    clock.offset_s = 11.0
    loop.request_rescan()
    assert desk.wait_for(1)
    assert desk.files[0].empty


def test_lost_events_lead_to_a_rescan(desk: Desk) -> None:
    is_open = threading.Event()
    loop = desk.started(accepts=lambda path: is_open.is_set(), rescan_s=600.0)
    desk.rename_in("a.yaml")
    assert loop.wait_until_quiet(LIMIT_S)  # its event is spent, and no listing is due for long
    is_open.set()
    (emitter,) = (each for each in threading.enumerate() if isinstance(each, LinuxEmitter))
    emitter.on_overflow()
    assert desk.wait_for(1)


def test_root_removed_and_made_again_is_found_by_the_rescan(desk: Desk) -> None:
    loop = desk.started(settle_s=0.05, rescan_s=0.1)
    shutil.rmtree(desk.root)
    assert not loop.wait_until_quiet(0.3)
    desk.root.mkdir()
    assert loop.wait_until_quiet(LIMIT_S)
    desk.rename_in("a.yaml")
    assert desk.wait_for(1)
    assert [each.name for each in threading.enumerate() if isinstance(each, LinuxEmitter)] == [
        "watch-inbox-events"
    ]


def test_root_made_again_is_watched_again_long_before_the_next_rescan(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rootwatch, "CHECK_S", 0.05)
    desk.started(settle_s=0.05, rescan_s=600.0)
    desk.root.rename(desk.root.with_name("old"))
    desk.root.mkdir()
    (desk.root / "a.yaml").write_text("x")

    assert desk.wait_for(1)


def test_file_name_that_is_no_text_survives(desk: Desk) -> None:
    name = os.fsdecode(b"caf\xe9.yaml")
    loop = desk.started()
    desk.rename_in(name)
    assert desk.wait_for(1)
    assert loop.wait_until_quiet(LIMIT_S)
    assert desk.names() == [name]


def test_rule_that_fails_on_one_name_does_not_hide_the_others(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    def accepts(path: PurePath) -> bool:
        if path.name == "bad.yaml":
            raise RuntimeError("a fault in the rule")
        return True

    (desk.root / "bad.yaml").write_text("x")
    (desk.root / "good.yaml").write_text("x")
    desk.started(accepts=accepts)
    desk.rename_in("better.yaml")
    assert desk.wait_for(2)
    assert desk.names() == ["good.yaml", "better.yaml"]
    assert "bad.yaml" in caplog.text


def test_unreadable_folder_is_told_and_does_not_hold_up_the_rest(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk.root / "closed").mkdir()
    real = os.scandir

    def scandir(path: Any) -> Any:  # the tests may run as root, whom no mode keeps out
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    loop = desk.started()
    assert loop.wait_until_quiet(LIMIT_S)
    assert [record.message for record in caplog.records] == [
        f"Nothing is taken from {str(desk.root / 'closed')!r}: it cannot be read"
    ]


def test_stop_leaves_no_thread_and_no_file_open(desk: Desk) -> None:
    threads, files = set(threading.enumerate()), _open_files()
    loop = desk.started(name="recipes")
    names = {thread.name for thread in set(threading.enumerate()) - threads}
    assert names == {"watch-recipes", "watch-recipes-observer", "watch-recipes-events"}
    loop.stop(LIMIT_S)
    assert set(threading.enumerate()) == threads
    assert _open_files() == files


def test_stop_asked_for_before_the_start_is_not_lost(desk: Desk) -> None:
    threads = set(threading.enumerate())
    loop = desk.loop()
    loop.stop(LIMIT_S)
    loop.start()
    assert set(threading.enumerate()) == threads
    assert not loop.wait_until_quiet(LIMIT_S)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
