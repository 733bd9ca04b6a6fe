"""Each check by itself: what it finds, and that it leaves nothing behind."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import pytest

from hotfolder.app import create_library
from hotfolder.diagnosis import ENOUGH_WATCHES, Check, check_watches, examine
from hotfolder.engine.kinds import EngineExtra

Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    create_library(tmp_path / "library")
    return tmp_path / "library"


def find(checks: list[Check], name: str) -> Check:
    return next(each for each in checks if each.name == name)


def test_examination_leaves_the_folders_as_they_were(root: Path) -> None:
    before = {each for each in root.rglob("*") if not each.name.startswith("library.db")}

    examine(root, {})

    after = {each for each in root.rglob("*") if not each.name.startswith("library.db")}
    assert after - before <= {root / "run" / "lock"}
    assert before <= after


def test_folder_that_is_missing_is_no_fault_since_it_is_made_when_needed(root: Path) -> None:
    (root / "status").rmdir()

    assert find(examine(root, {}), "Folders").state == "ok"


def test_each_folder_in_the_way_is_told_and_nothing_is_opened(root: Path) -> None:
    for name in ("done", "work"):
        (root / name).rmdir()
        (root / name).write_bytes(b"")

    checks = examine(root, {})

    assert [each.name for each in checks if each.state == "failure"] == ["Folder done/", "Folder work/"]
    assert "Engine procedural" not in {each.name for each in checks}
    assert "Move" in (find(checks, "Folder done/").hint or "")


def test_little_room_is_a_warning(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10**12, 10**12, 5 * 10**8))

    found = find(examine(root, {}), "Disk")

    assert (found.state, found.found) == ("warning", "0.5 GB free")


def test_fault_that_is_switched_on_is_a_warning(root: Path) -> None:
    found = find(examine(root, {"HOTFOLDER_PROCEDURAL_FAULT": "slow"}), "Faults")

    assert found.state == "warning"


def test_wrong_settings_end_the_examination_with_their_message(root: Path) -> None:
    checks = examine(root, {"HOTFOLDER_LOGGING__LEVEL": "loud"})

    assert checks[-1].name == "Settings"
    assert checks[-1].state == "failure"
    assert "HOTFOLDER_LOGGING__LEVEL" in checks[-1].found


def test_damaged_rows_are_found(root: Path) -> None:
    database = root / "library.db"
    data = bytearray(database.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4096] = b"\xff" * 4096
    database.write_bytes(data)

    failures = [each for each in examine(root, {}) if each.state == "failure"]

    assert failures
    assert {each.name for each in failures} <= {"Database", "Library"}
    assert all(each.hint for each in failures)


@pytest.mark.parametrize(
    ("limit", "state"), [(ENOUGH_WATCHES - 1, "warning"), (ENOUGH_WATCHES, "ok"), (524288, "ok")]
)
def test_too_few_watches_are_a_warning(tmp_path: Path, limit: int, state: str) -> None:
    (tmp_path / "limit").write_text(f"{limit}\n", encoding="ascii")

    (found,) = check_watches(tmp_path / "limit")

    assert (found.state, found.found) == (state, f"{limit} watches")


def test_system_that_does_not_tell_its_watches_is_no_fault(tmp_path: Path) -> None:
    assert list(check_watches(tmp_path / "no-such-file")) == []


def test_files_that_will_not_be_imported_are_told(root: Path) -> None:
    (root / "import" / "notes.txt").write_text("x")
    (root / "import" / "a.png").write_bytes(b"waits for the service")

    found = find(examine(root, {}), "Import folder")

    assert (found.state, found.found) == ("warning", "1 file(s) will not be imported, first notes.txt")


def test_extra_that_is_not_installed_is_no_fault_but_told_with_what_it_gives(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EngineExtra, "is_installed", lambda extra: extra.name != "sdcpp")

    found = find(examine(root, {}), "Engine sdcpp")

    assert found.state == "ok"
    assert found.found.startswith("not installed; pip install 'hotfolder[sdcpp]' gives an endpoint")
