"""The faults that the embedded engine commits on request, seen from outside the process."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hotfolder.engine.procedural_faults import GARBAGE
from tests.engine.procedural_child import READ_LIMIT_S, Start, started_children


@pytest.fixture
def start() -> Iterator[Start]:
    with started_children() as starter:
        yield starter


@pytest.fixture
def job(tmp_path: Path) -> dict[str, Any]:
    return {
        "prompt": "a fox",
        "width": 64,
        "height": 48,
        "steps": 2,
        "output": str(tmp_path / "out" / "a.png"),
    }


@pytest.mark.parametrize(("fault", "exit_code"), [("crash", 3), ("abort", -signal.SIGABRT)])
def test_a_deadly_fault_strikes_in_the_middle_of_sampling(
    start: Start, job: dict[str, Any], fault: str, exit_code: int
) -> None:
    child = start(HOTFOLDER_PROCEDURAL_FAULT=fault)
    child.send("generate", job | {"steps": 4})
    lines = list(iter(child.read_line, b""))
    assert json.loads(lines[-1])["data"]["step"] == 2
    assert child.wait() == exit_code
    assert not Path(job["output"]).exists()


def test_a_fault_armed_by_a_file_acts_once(start: Start, job: dict[str, Any], tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch()
    environment = {"HOTFOLDER_PROCEDURAL_FAULT": "crash", "HOTFOLDER_PROCEDURAL_FAULT_ONCE": str(token)}
    first = start(**environment)
    first.send("generate", job)
    assert first.wait() == 3
    assert start(**environment).ask("generate", job)["type"] == "result"


def test_the_file_that_arms_a_fault_may_name_it(start: Start, job: dict[str, Any], tmp_path: Path) -> None:
    token = tmp_path / "token"
    child = start(HOTFOLDER_PROCEDURAL_FAULT="crash", HOTFOLDER_PROCEDURAL_FAULT_ONCE=str(token))
    assert child.ask("generate", job)["type"] == "result"
    token.write_text("error:NO_OUTPUT@load\n")
    assert child.ask("generate", job)["type"] == "result"
    assert child.ask("load", {})["data"]["code"] == "NO_OUTPUT"
    assert not token.exists()
    assert child.ask("load", {})["type"] == "ok"
    token.write_text("crahs")
    assert "unknown fault 'crahs'" in child.ask("generate", job)["data"]["message"]


def test_hang_says_nothing_more_and_still_obeys_sigterm(start: Start, job: dict[str, Any]) -> None:
    child = start()
    child.send("generate", job | {"fault": "hang", "steps": 2})
    while b'"step":1' not in child.read_line():
        pass
    assert child.is_silent(0.3)
    child.process.terminate()
    assert child.wait() == -signal.SIGTERM


def test_a_fault_can_name_another_command(start: Start) -> None:
    child = start(loaded=False, HOTFOLDER_PROCEDURAL_FAULT="crash@ping")
    child.send("ping")
    assert child.read_line() == b""
    assert child.wait() == 3


def test_slow_steps_take_the_time_that_was_asked_for(start: Start, job: dict[str, Any]) -> None:
    child = start(HOTFOLDER_PROCEDURAL_STEP_MS="60")
    assert child.ask("generate", job | {"steps": 2})["data"]["total_time_ms"] >= 120
    assert (
        child.ask("generate", job | {"steps": 1, "fault": "slow", "slow_ms": 90})["data"]["total_time_ms"]
        >= 90
    )


def test_an_error_code_can_be_asked_for(start: Start, job: dict[str, Any]) -> None:
    child = start(HOTFOLDER_PROCEDURAL_FAULT="error:GENERATION_FAILED")
    assert child.ask("generate", job)["data"]["code"] == "GENERATION_FAILED"
    assert "code" not in child.ask("generate", job | {"fault": "error:"})["data"]
    assert child.ask("generate", job | {"fault": "none"})["type"] == "result"


def test_a_failed_load_leaves_no_model(start: Start, job: dict[str, Any]) -> None:
    child = start()
    assert child.ask("load", {"fault": "error:CTX_CREATION_FAILED"})["data"]["code"] == "CTX_CREATION_FAILED"
    assert child.ask("generate", job)["data"]["code"] == "NO_MODEL"


def test_bars_come_in_front_of_the_reply_and_end_with_one_newline(start: Start) -> None:
    child = start(loaded=False, HOTFOLDER_PROCEDURAL_FAULT="bars")
    child.send("load", {})
    bars, reply = child.read_line(), child.read_line()
    assert bars.startswith(b"\r  |")
    assert bars.endswith(b"300/300 - 1.20it/s\x1b[K")
    assert json.loads(reply)["data"]["status"] == "model_loaded"


@pytest.mark.parametrize(
    ("cmd", "code"), [("load", "CTX_CREATION_FAILED"), ("generate", "GENERATION_FAILED")]
)
def test_a_glued_error_hangs_on_a_broken_bar(start: Start, job: dict[str, Any], cmd: str, code: str) -> None:
    child = start()
    child.send(cmd, job | {"fault": "glued-error"})
    bars, _, tail = child.read_line().rpartition(b"\x1b[K")
    assert bars.startswith(b"\r  |")
    assert json.loads(tail)["data"]["code"] == code


def test_a_late_result_comes_after_the_file(start: Start, job: dict[str, Any]) -> None:
    child = start()
    child.send("generate", job | {"fault": "late-result", "late_ms": 400})
    while b'"saving"' not in child.read_line():
        pass
    assert child.is_silent(0.2)
    assert json.loads(child.read_line())["data"]["success"] is True


def test_a_spoiled_output_is_still_called_a_success(start: Start, job: dict[str, Any]) -> None:
    child = start()
    output = Path(job["output"])
    assert child.ask("generate", job | {"fault": "missing-output"})["data"]["success"] is True
    assert not output.exists()
    assert child.ask("generate", job | {"fault": "garbage-output"})["data"]["success"] is True
    assert output.read_bytes().isascii()
    assert child.ask("generate", job | {"fault": "half-output"})["data"]["success"] is True
    assert output.read_bytes().startswith(b"\x89PNG")
    with Image.open(output) as image, pytest.raises(OSError, match="truncated"):
        image.load()


def test_a_type_error_that_was_asked_for_aborts_before_any_reply(start: Start, job: dict[str, Any]) -> None:
    child = start()
    child.send("generate", job | {"fault": "type-error"})
    assert child.read_line() == b""
    assert child.wait() == -signal.SIGABRT


def test_crash_in_load_ends_the_process_without_a_reply(start: Start) -> None:
    child = start(loaded=False, HOTFOLDER_PROCEDURAL_FAULT="crash@load")
    child.send("load", {})
    assert child.read_line() == b""
    assert child.wait() == 3


def test_garbage_on_stdout_comes_in_front_of_the_replies(start: Start, job: dict[str, Any]) -> None:
    child = start()
    child.send("generate", job | {"fault": "garbage-stdout"})
    lines = [child.read_line() for _ in range(GARBAGE.count(b"\n"))]
    assert b"\n".join([*lines, b""]) == GARBAGE
    assert child.read_replies()[-1]["data"]["success"] is True


def test_a_long_line_has_the_result_at_its_end(start: Start, job: dict[str, Any]) -> None:
    child = start()
    child.send("generate", job | {"fault": "long-line"})
    while b"success" not in (line := child.read_line()):
        assert len(line) < 1000
    assert len(line) > 10_000_000
    assert json.loads(line.rpartition(b"\x1b[K")[2])["data"]["success"] is True


def test_a_flood_on_stderr_holds_up_whoever_does_not_read_it(start: Start, job: dict[str, Any]) -> None:
    child = start(stderr=subprocess.PIPE)
    child.send("generate", job | {"fault": "stderr-flood"})
    assert child.is_silent(0.2)
    assert child.process.stderr is not None
    with child.process.stderr as stderr:
        drain = threading.Thread(target=lambda: [len(each) for each in stderr])
        drain.start()
        assert child.read_replies()[-1]["data"]["success"] is True
        child.process.kill()
        drain.join(READ_LIMIT_S)


def test_a_wrong_id_is_on_every_reply_of_the_command(start: Start, job: dict[str, Any]) -> None:
    child = start()
    child.send("generate", job | {"fault": "wrong-id"})
    replies = child.read_replies()
    assert {each["id"] for each in replies} == {"not-generate-1"}
    assert replies[-1]["data"]["success"] is True
    assert child.ask("ping")["id"] == "ping-1"


def test_an_output_of_another_size_is_a_whole_picture(start: Start, job: dict[str, Any]) -> None:
    child = start()
    assert child.ask("generate", job | {"fault": "other-size"})["data"]["success"] is True
    with Image.open(job["output"]) as image:
        image.load()
        assert image.size == (32, 48)


def test_an_unknown_fault_is_not_passed_over(start: Start, job: dict[str, Any]) -> None:
    assert "unknown fault" in start().ask("generate", job | {"fault": "crahs"})["data"]["message"]
    assert start(loaded=False, HOTFOLDER_PROCEDURAL_FAULT="crahs").wait() == 2
