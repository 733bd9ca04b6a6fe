"""The log of a service: text or JSON, put aside when large, and no reason to end."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from hotfolder.logbook import kept_log
from tests.scenarios.service import Service

needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to write to")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hotfolder.log"


def keep(
    file: Path, *, level: str = "info", as_json: bool = False, max_bytes: int = 10_000, backups: int = 2
) -> AbstractContextManager[None]:
    return kept_log(file, level=level, as_json=as_json, max_bytes=max_bytes, backups=backups)


def tell(*messages: str) -> None:
    for each in messages:
        logging.getLogger("hotfolder.tests").info("%s", each)


def sizes(folder: Path) -> Iterator[int]:
    return (each.stat().st_size for each in folder.iterdir())


def test_a_line_stands_in_the_file_and_on_standard_error(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with keep(file):
        tell("a picture is made")

    (line,) = file.read_text().splitlines()
    assert line.endswith(" INFO    MainThread hotfolder.tests: a picture is made")
    assert capsys.readouterr().err.endswith(" INFO    a picture is made\n")


def test_json_lines_are_objects_with_the_fault_and_steer_no_terminal(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with keep(file, as_json=True):
        tell('a "quoted" name\x1b[2J\n\u202eends')
        try:
            raise ValueError("\x1bno room")
        except ValueError:
            logging.getLogger("datasette_hotfolder").exception("it failed")

    text = file.read_text()
    assert text == capsys.readouterr().err
    assert text.isascii()
    assert "\x1b" not in text
    told, failed = map(json.loads, text.splitlines())
    assert (told["level"], told["logger"], told["thread"]) == ("info", "hotfolder.tests", "MainThread")
    assert told["message"] == 'a "quoted" name\x1b[2J\n\u202eends'
    assert told["at"].endswith("Z")
    assert "traceback" not in told
    assert failed["traceback"].endswith("ValueError: \x1bno room")


def test_what_is_below_the_level_is_not_told(file: Path) -> None:
    with keep(file, level="warning"):
        tell("a step")
        logging.getLogger("hotfolder.tests").warning("a problem")

    assert [each.rpartition(": ")[2] for each in file.read_text().splitlines()] == ["a problem"]


def test_a_large_log_is_put_aside_and_only_so_many_are_kept(file: Path) -> None:
    with keep(file, max_bytes=10_000, backups=2):
        tell(*("x" * 100 for _ in range(1000)))

    assert {each.name for each in file.parent.iterdir()} == {file.name, f"{file.name}.1", f"{file.name}.2"}
    assert max(sizes(file.parent)) <= 10_000
    assert sum(sizes(file.parent)) > 15_000


def test_without_backups_a_large_log_begins_anew(file: Path) -> None:
    with keep(file, max_bytes=10_000, backups=0):
        tell(*("x" * 100 for _ in range(1000)), "the last line")

    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert file.stat().st_size <= 10_000
    assert file.read_text().endswith("the last line\n")


@needs_dev_full
def test_a_full_disk_costs_lines_and_says_so_once(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.symlink_to("/dev/full")

    with keep(file):
        tell("one", "two", "three")

    lines = [each.split(" ", 1)[1].strip() for each in capsys.readouterr().err.splitlines()]
    lost = f"WARNING {file} cannot be written: lines of the log are lost"
    assert lines == [lost, "INFO    one", "INFO    two", "INFO    three"]


@needs_dev_full
def test_a_log_goes_on_once_there_is_room_again(file: Path) -> None:
    file.symlink_to("/dev/full")

    with keep(file):
        tell("lost")
        file.unlink()
        tell("kept")

    assert file.read_text().endswith(": kept\n")
    assert "lost" not in file.read_text()


def test_no_handler_and_no_level_is_left_behind(file: Path) -> None:
    logger = logging.getLogger("hotfolder")
    before = (list(logger.handlers), logger.level)

    with keep(file, level="debug"):
        assert logger.level == logging.DEBUG

    assert (logger.handlers, logger.level) == before


def test_a_log_that_cannot_be_opened_is_an_error(file: Path) -> None:
    file.mkdir()

    with pytest.raises(IsADirectoryError), keep(file):
        raise AssertionError("it was opened")


def test_a_service_logs_json_by_setting_and_neither_prompts_nor_secrets(tmp_path: Path) -> None:
    service = Service(
        tmp_path / "library",
        settings="logging: {json: true}\n",
        env={"REPLICATE_API_TOKEN": "r8_not_for_the_log"},
    )
    service.drop(
        "a.yaml",
        "endpointKey: local.procedural.image\nparams: {prompt: A walrus in velvet, size: 64*64, steps: 1}\n",
    )
    service.drop(
        "b.yaml",
        "endpointKey: local.procedural.image\nparams: {prompt: [A walrus in velvet], promt: walrus}\n",
    )

    assert service.run_once() == 1, service.output()

    text = (service.root / "logs" / "hotfolder.log").read_text()
    told = [json.loads(line) for line in text.splitlines()]
    assert any("completed: done/" in each["message"] for each in told)
    assert not any(secret in text for secret in ("walrus", "r8_not"))
    output = service.output().splitlines()
    assert [json.loads(each) for each in output if each.startswith("{")] == told
