"""hotfolder demo: the example library on a fresh copy, which never costs anybody a folder of their own."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest

from hotfolder.app import create_library
from hotfolder.cli.demo import EXPECTED_FILE, find_examples, make_copy
from hotfolder.errors import LibraryError
from hotfolder.lock import LibraryLock
from tests.cli.conftest import Command
from tests.scenarios.service import Service


def test_demo_ends_as_the_example_says_from_any_folder(command: Command) -> None:
    outcome = command("demo", "--once")

    demo = Path.cwd() / "demo-library"
    assert outcome.code == 0, outcome.out + outcome.err
    assert "Everything ended as the example says" in outcome.out
    table = outcome.out.splitlines()[1:5]
    states = [line.split()[1] for line in table]
    assert states == ["completed", "completed", "completed", "failed"]
    assert "line 3, column 14: There is no endpoint" in outcome.out
    assert "3 imported" in outcome.out
    report = (demo / "failed" / "04-broken-on-purpose.yaml.error.md").read_text(encoding="utf-8")
    assert report.count("**line ") == 3
    outputs = [each for each in (demo / "originals").rglob("*") if each.suffix in (".png", ".jpg", ".webp")]
    assert len(outputs) == 8 + 3
    for each in outputs:
        assert each.with_name(each.name + ".json").is_file()
        assert each.with_name(each.name + ".xmp").is_file()
        assert (demo / "thumbnails" / each.stem[-2:] / f"{each.stem}.jpg").is_file()


def test_copy_is_made_anew_each_time(tmp_path: Path) -> None:
    target = make_copy(find_examples(), tmp_path / "demo-library")
    (target / "inbox" / "mine.yaml").write_text("x", encoding="utf-8")

    make_copy(find_examples(), target)

    assert sorted(each.name for each in (target / "inbox").glob("*.yaml")) == [
        each.name for each in sorted((find_examples() / "inbox").glob("*.yaml"))
    ]
    assert not (target / "__init__.py").exists()


def a_folder(target: Path) -> None:
    target.mkdir()
    (target / "precious.txt").write_text("x", encoding="utf-8")


def a_library(target: Path) -> None:
    create_library(target)
    (target / "precious.txt").write_text("x", encoding="utf-8")


def a_link(target: Path) -> None:
    make_copy(find_examples(), target.with_name("other"))
    (target.with_name("other") / "precious.txt").write_text("x", encoding="utf-8")
    target.symlink_to(target.with_name("other"))


@pytest.mark.parametrize("make", [a_folder, a_library, a_link])
def test_what_is_no_earlier_demo_is_left_alone(make: Callable[[Path], None], command: Command) -> None:
    make(Path("demo-library"))

    outcome = command("demo", "--once")

    assert outcome.code == 1
    assert "[library.not_a_demo]" in outcome.err
    assert Path("demo-library/precious.txt").is_file()


def test_file_of_that_name_is_left_alone(command: Command) -> None:
    Path("demo-library").write_text("precious", encoding="utf-8")

    assert command("demo", "--once").code == 1
    assert Path("demo-library").read_text(encoding="utf-8") == "precious"


def test_demo_that_runs_is_not_replaced(tmp_path: Path) -> None:
    target = make_copy(find_examples(), tmp_path / "demo-library")
    lock = LibraryLock(target / "run" / "lock")
    lock.acquire()
    try:
        with pytest.raises(LibraryError, match="runs in") as caught:
            make_copy(find_examples(), target)
    finally:
        lock.release()

    assert caught.value.code == "library.locked"
    assert (target / "hotfolder.yaml").is_file()


def test_demo_that_ended_differently_says_so_and_ends_with_1(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    examples = tmp_path / "examples"
    create_library(examples)
    expected = '{"jobs": {"missing.yaml": "completed"}, "imports": 1}'
    (examples / EXPECTED_FILE).write_text(expected, encoding="utf-8")
    # By its name in the package stands the command, which hides the module.
    monkeypatch.setattr(import_module("hotfolder.cli.demo"), "find_examples", lambda: examples)

    outcome = command("demo", "--once")

    assert outcome.code == 1
    assert "missing.yaml: not run, but the example says completed." in outcome.out
    assert "Imported: 0, but the example says 1." in outcome.out


def test_examples_are_sound_but_for_the_one_that_is_broken_on_purpose(
    command: Command, service: Service, tmp_path: Path
) -> None:
    target = make_copy(find_examples(), tmp_path / "demo")
    files = sorted((target / "inbox").glob("*.yaml"))

    codes = {each.name: command("--library", target, "validate", each).code for each in files}

    assert codes == {name: int(name.startswith("04-broken")) for name in codes}


def test_photograph_of_the_example_is_upright_in_the_library(command: Command) -> None:
    assert command("demo", "--once").code == 0

    with closing(sqlite3.connect("demo-library/library.db")) as database:
        rows = database.execute("SELECT original_name, width, height FROM media WHERE origin = 'import'")
        sizes = {name: (width, height) for name, width, height in rows}

    assert sizes == {"harbour.jpg": (1200, 1600), "poster.png": (960, 1280), "sketch.png": (900, 600)}


def test_every_preset_of_the_example_can_be_used_as_its_description_says(
    command: Command, tmp_path: Path
) -> None:
    target = make_copy(find_examples(), tmp_path / "demo")
    job = tmp_path / "job.yaml"

    for preset in sorted((target / "presets").glob("*.yaml")):
        preset_key, vars_key = re.findall(r"`([^`]+)`", preset.read_text(encoding="utf-8"))
        job.write_text(f"endpointKey: local.procedural.image\n{preset_key}\n{vars_key}\n", encoding="utf-8")

        assert command("--library", target, "validate", job).code == 0, preset.name
