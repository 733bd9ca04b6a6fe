"""Files and folders that wait until they are complete: units, `.wait` files, and what the owner says."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hotfolder.watchers.loop import SettledFile, WatchLoop
from tests.watchers.desk import LIMIT_S, SETTLE_S, Clock, Desk, until


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    for loop in desk.loops:
        loop.stop(LIMIT_S)


def _has_no_wait_file(file: SettledFile) -> bool:
    return not file.path.with_name(f"{file.path.name}.wait").exists()


def _ends(file: SettledFile) -> bool:
    return file.path.read_text().endswith("...")


def _with_units(desk: Desk, **changes: Any) -> WatchLoop:
    return desk.started(is_unit=lambda name: name.endswith(".job"), rescan_s=60.0, **changes)


def test_file_without_its_end_is_not_handed_over_until_it_has_it(desk: Desk) -> None:
    loop = desk.started(is_complete=_ends, rescan_s=60.0)
    desk.rename_in("a.yaml", "prompt: a")
    assert loop.wait_until_quiet(LIMIT_S)
    assert (desk.files, loop.pending()) == ([], 1)
    assert loop.report().examples == (desk.root / "a.yaml",)
    with (desk.root / "a.yaml").open("a") as file:
        file.write("\n...")
    assert desk.wait_for(1)
    assert loop.wait_until_quiet(LIMIT_S)
    assert loop.pending() == 0


def test_file_that_waits_is_handed_over_at_once_when_its_wait_file_is_removed(desk: Desk) -> None:
    (desk.root / "a.yaml.wait").touch()
    (desk.root / "a.yaml").write_text("prompt: a")
    loop = desk.started(
        is_complete=_has_no_wait_file, accepts=lambda path: path.suffix == ".yaml", rescan_s=60.0
    )
    assert (desk.files, loop.pending()) == ([], 1)
    removed_at = time.monotonic()
    (desk.root / "a.yaml.wait").unlink()
    assert desk.wait_for(1)
    assert time.monotonic() - removed_at < 0.3


def test_what_is_said_of_a_file_is_asked_again_without_an_event(desk: Desk) -> None:
    clock = Clock()
    is_ready = threading.Event()
    loop = desk.started(is_complete=lambda file: is_ready.is_set(), rescan_s=600.0, clock=clock.now)
    desk.rename_in("a.yaml")
    assert loop.wait_until_quiet(LIMIT_S)
    is_ready.set()
    clock.offset_s = 11.0
    loop.request_rescan()
    assert desk.wait_for(1)


def test_question_that_fails_keeps_its_file_and_no_other(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    def is_complete(file: SettledFile) -> bool:
        if file.path.name == "bad.yaml":
            raise RuntimeError("a fault in the rule")
        return True

    loop = desk.started(is_complete=is_complete, rescan_s=60.0)
    desk.rename_in("bad.yaml")
    desk.rename_in("good.yaml")
    assert desk.wait_for(1)
    assert loop.wait_until_quiet(LIMIT_S)
    assert (desk.names(), loop.pending()) == (["good.yaml"], 1)
    assert "bad.yaml" in caplog.text


def test_empty_file_may_wait_too(desk: Desk) -> None:
    clock = Clock()
    (desk.root / "a.yaml").touch()
    (desk.root / "a.yaml.wait").touch()
    loop = desk.loop(
        clock=clock.now, is_complete=_has_no_wait_file, accepts=lambda path: path.suffix == ".yaml"
    )
    loop.start()
    until(lambda: loop.pending() == 1)
    clock.offset_s = 11.0
    assert loop.wait_until_quiet(LIMIT_S)
    assert (desk.files, loop.pending()) == ([], 1)


def test_folder_that_is_a_unit_is_handed_over_as_one(desk: Desk) -> None:
    loop = _with_units(desk)
    (desk.outside / "set.job/refs").mkdir(parents=True)
    for name in ("job.yaml", "refs/a.png", "refs/b.png"):
        (desk.outside / "set.job" / name).write_text("x")
    (desk.outside / "set.job").rename(desk.root / "set.job")
    assert desk.wait_for(1)
    assert loop.wait_until_quiet(LIMIT_S)
    (file,) = desk.files
    assert (file.path, str(file.relative), file.is_folder) == (desk.root / "set.job", "set.job", True)
    assert not file.empty
    assert file.signature.size == 3


def test_unit_that_is_filled_slowly_is_handed_over_whole(desk: Desk) -> None:
    loop = _with_units(desk)
    unit = desk.root / "sub/set.job"
    unit.mkdir(parents=True)
    for number in range(10):
        (unit / f"{number}.png").write_text("x")
        assert not loop.wait_until_quiet(SETTLE_S / 4)  # the pause of a slow copy
        assert desk.files == []
    assert desk.wait_for(1)
    assert loop.wait_until_quiet(LIMIT_S)
    assert desk.names() == ["sub/set.job"]
    assert desk.files[0].signature.size == 10


def test_unit_waits_for_a_writer_of_any_of_its_files(desk: Desk) -> None:
    loop = _with_units(desk)
    unit = desk.root / "set.job"
    unit.mkdir()
    (unit / "job.yaml").write_text("x")
    with (unit / ".a.png.Ab12").open("w") as file:  # the temporary name of a copy
        file.write("half")
        file.flush()
        assert not loop.wait_until_quiet(SETTLE_S * 3)
        assert (desk.files, loop.pending()) == ([], 1)
    (unit / ".a.png.Ab12").rename(unit / "a.png")
    assert desk.wait_for(1)
    assert (desk.taken / "0-set.job/a.png").read_text() == "half"


def test_unit_is_wanted_only_where_the_rule_wants_it(desk: Desk) -> None:
    for place in ("hold", "sub"):
        (desk.root / place / "set.job").mkdir(parents=True)
        (desk.root / place / "set.job/a.yaml").write_text("x")
    loop = _with_units(desk, accepts=lambda path: path.parts[0] != "hold")
    assert desk.names() == ["sub/set.job"]
    assert loop.pending() == 0


def test_empty_unit_waits_as_long_as_an_empty_file(desk: Desk) -> None:
    clock = Clock()
    loop = _with_units(desk, clock=clock.now)
    (desk.root / "set.job").mkdir()
    until(lambda: loop.pending() == 1)
    clock.offset_s = 9.0
    assert not loop.wait_until_quiet(0.1)
    assert desk.files == []
    clock.offset_s = 11.0
    loop.request_rescan()
    assert desk.wait_for(1)
    assert (desk.files[0].empty, desk.files[0].is_folder) == (True, True)


def test_unit_that_is_not_complete_is_asked_about_when_a_file_comes(desk: Desk) -> None:
    loop = _with_units(desk, is_complete=lambda file: (file.path / "job.yaml").exists())
    (desk.root / "set.job").mkdir()
    (desk.root / "set.job/a.png").write_text("x")
    until(lambda: loop.wait_until_quiet(LIMIT_S) and loop.pending() == 1)
    assert desk.files == []
    (desk.root / "set.job/job.yaml").write_text("x")
    assert desk.wait_for(1)
    assert loop.wait_until_quiet(LIMIT_S)


def test_unit_that_the_handler_leaves_is_given_again_only_when_it_changes(desk: Desk) -> None:
    desk.moves = False
    (desk.root / "set.job").mkdir()
    (desk.root / "set.job/a.yaml").write_text("x")
    loop = _with_units(desk)
    assert loop.wait_until_quiet(LIMIT_S)
    assert desk.names() == ["set.job"]
    (desk.root / "set.job/b.png").write_text("x")
    assert desk.wait_for(2)
    assert loop.wait_until_quiet(LIMIT_S)
    assert desk.names() == ["set.job", "set.job"]


def test_unit_that_is_removed_while_it_settles_leaves_nothing_pending(desk: Desk) -> None:
    loop = _with_units(desk, settle_s=0.4)
    (desk.root / "set.job").mkdir()
    (desk.root / "set.job/a.yaml").write_text("x")
    until(lambda: loop.pending() == 1)
    shutil.rmtree(desk.root / "set.job")
    assert loop.wait_until_quiet(LIMIT_S)
    assert (desk.files, loop.pending()) == ([], 0)


def test_things_of_a_strange_kind_are_reported_and_never_touched(desk: Desk) -> None:
    (desk.outside / "target.yaml").write_text("x")
    (desk.outside / "set.job").mkdir()
    os.mkfifo(desk.root / "pipe.yaml")
    (desk.root / "link.yaml").symlink_to(desk.outside / "target.yaml")
    (desk.root / "link.job").symlink_to(desk.outside / "set.job")
    (desk.root / "link.png").symlink_to(desk.outside / "target.yaml")
    (desk.root / ".link.yaml").symlink_to(desk.outside / "target.yaml")
    loop = _with_units(desk, accepts=lambda path: path.suffix in (".yaml", ".job"))
    strange = {path.name for path in loop.report().strange}
    assert strange == {"pipe.yaml", "link.yaml", "link.job"}
    assert (desk.files, loop.pending()) == ([], 0)
