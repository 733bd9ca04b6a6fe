"""Exit codes, help and the ways to call the program."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Never

import click
import pytest

from hotfolder import __version__
from hotfolder.cli import cli
from hotfolder.errors import HotfolderError
from tests.cli.conftest import Command


@pytest.fixture
def failing() -> Iterator[dict[str, BaseException]]:
    """A command `fail` that raises what the test puts in."""
    raised: dict[str, BaseException] = {}

    @click.command()
    def fail() -> Never:
        raise raised["error"]

    cli.add_command(fail)
    yield raised
    del cli.commands["fail"]


def list_commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        each = group.get_command(context, name)
        assert each is not None
        assert each.name == name
        if isinstance(each, click.Group):
            yield from list_commands(each, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", [*list_commands(cli)], ids=" ".join)
def test_help_of_every_command_says_what_it_does(path: tuple[str, ...], command: Command) -> None:
    outcome = command(*path, "--help")

    assert outcome.code == 0
    usage, *_, text = outcome.out.split("\n\n")[:2]
    assert usage.startswith(" ".join(("Usage: hotfolder", *path)))
    assert text.strip().endswith("."), "one sentence at least"


def test_every_command_of_the_contract_that_exists_is_there() -> None:
    assert set(cli.list_commands(click.Context(cli))) >= {
        *("init", "run", "demo", "submit", "validate", "jobs", "endpoints", "schema", "engine"),
        *("doctor", "config", "version"),
    }


def test_a_short_command_does_not_wait_for_the_whole_program() -> None:
    program = "import sys, hotfolder.cli; sys.exit('hotfolder.app' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], timeout=30).returncode == 0


def test_version_is_printed(command: Command) -> None:
    assert command("version").out == f"hotfolder {__version__}\n"


def test_module_can_be_run_and_hands_on_the_exit_code() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "hotfolder", *arguments]
        return subprocess.run(program, capture_output=True, text=True, timeout=30)

    assert run("version").stdout == f"hotfolder {__version__}\n"
    assert run("no-such-command").returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("frobnicate",),
        ("submit",),
        ("validate", "no-such-file.yaml"),
        ("jobs", "list", "--limit", "0"),
        ("submit", "--timeout", "-1", "x.yaml"),
        ("schema", "picture"),
        ("init", "a", "b"),
        ("--bogus",),
    ],
)
def test_wrong_use_ends_with_2_and_says_how_it_is_used(arguments: tuple[str, ...], command: Command) -> None:
    outcome = command(*arguments)

    assert outcome.code == 2
    assert outcome.out == ""
    assert "Usage: hotfolder" in outcome.err


def test_known_failure_ends_with_1_and_its_message_code_and_hint(
    failing: dict[str, BaseException], command: Command
) -> None:
    failing["error"] = HotfolderError("No.", code="job.no", hint="Do this.")

    outcome = command("fail")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "Error: No. [job.no]\nDo this.\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_interrupted_command_ends_with_130(
    error: BaseException, failing: dict[str, BaseException], command: Command
) -> None:
    failing["error"] = error

    assert command("fail").code == 130


def test_unexpected_error_ends_with_3_and_a_log_file_with_the_details(
    failing: dict[str, BaseException], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing["error"] = ZeroDivisionError("a \x1b[31mred\x07 fault")

    outcome = command("fail")

    (log,) = tmp_path.glob("hotfolder-*.log")
    assert outcome.code == 3
    assert str(log) in outcome.err
    assert "ZeroDivisionError" in outcome.err
    assert "Traceback" not in outcome.err
    assert "Traceback" in log.read_text(encoding="utf-8")
    assert not set("\x1b\x07") & set(outcome.err)


def test_command_without_a_library_says_how_to_name_one(command: Command) -> None:
    outcome = command("jobs", "list")

    assert outcome.code == 1
    assert "[library.not_found]" in outcome.err
    assert "--library" in outcome.err
    assert "HOTFOLDER_LIBRARY" in outcome.err


def test_folder_that_is_no_library_is_named(command: Command, tmp_path: Path) -> None:
    for arguments in (("jobs", "list"), ("config", "show"), ("config", "check"), ("doctor",), ("run",)):
        outcome = command("--library", tmp_path / "nowhere", *arguments)

        assert outcome.code == 1
        assert f"{tmp_path / 'nowhere'} is not a hotfolder library" in outcome.err
    assert not (tmp_path / "nowhere").exists()


def test_library_is_named_by_the_option_the_environment_or_the_current_folder(
    command: Command, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("--library", root, "jobs", "list").code == 0

    monkeypatch.setenv("HOTFOLDER_LIBRARY", str(root))
    assert command("jobs", "list").code == 0

    monkeypatch.delenv("HOTFOLDER_LIBRARY")
    monkeypatch.chdir(root)
    assert command("jobs", "list").code == 0


def test_library_with_a_file_in_place_of_a_folder_is_a_known_failure(on: Command, root: Path) -> None:
    (root / "status").rmdir()
    (root / "status").write_text("in the way", encoding="utf-8")

    outcome = on("jobs", "list")

    assert outcome.code == 1
    assert "[library.unusable]" in outcome.err
    assert "status" in outcome.err


def test_library_with_a_damaged_database_is_a_known_failure(on: Command, root: Path) -> None:
    for each in root.glob("library.db*"):
        each.unlink()
    (root / "library.db").write_bytes(b"not a database" * 100)

    outcome = on("jobs", "list")

    assert outcome.code == 1
    assert "library.db" in outcome.err
