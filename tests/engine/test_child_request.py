"""What the embedded engine makes of lines that are not what it expects, seen from outside the process."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.procedural_child import Start, started_children


@pytest.fixture
def start() -> Iterator[Start]:
    with started_children() as starter:
        yield starter


@pytest.mark.parametrize(
    "line",
    [b"{", b'{"cmd":"ping"} {}', b'{"cmd":"\xff"}', b'{"cmd":"\\ud800"}', b'{"x":NaN}', b'{"x":1e999}'],
)
def test_a_line_that_is_not_json_is_a_parse_error_and_the_engine_lives(start: Start, line: bytes) -> None:
    child = start(loaded=False)
    child.write(line)
    reply = json.loads(child.read_line())
    assert (reply["id"], reply["type"], reply["data"]["code"]) == ("", "error", "PARSE_ERROR")
    assert child.ask("ping")["type"] == "ok"


def test_crlf_a_byte_order_mark_and_blank_lines_are_fine(start: Start) -> None:
    child = start(loaded=False)
    child.write(b"\r\n  \n\xef\xbb\xbf" + b'{"cmd":"ping","id":"bom"}\r')
    assert json.loads(child.read_line())["id"] == "bom"


def test_requests_that_lack_something_are_refused(start: Start) -> None:
    child = start()
    assert child.ask("zap")["data"]["code"] == "UNKNOWN_CMD"
    assert "code" not in child.ask("")["data"]
    for cmd in ("load", "generate", "upscale"):
        reply = child.ask(cmd)
        assert reply["type"] == "error"
        assert "code" not in reply["data"]


@pytest.mark.parametrize(
    "line",
    [
        {"cmd": "ping", "id": 7},
        {"cmd": "ping", "id": None},
        {"cmd": 1, "id": "a"},
        ["ping"],
        {"cmd": "generate", "id": "a", "params": {"prompt": None}},
        {"cmd": "generate", "id": "a", "params": {"width": "512"}},
        {"cmd": "generate", "id": "a", "params": {"ref_images": [1]}},
        {"cmd": "load", "id": "a", "params": {"flash_attn": 1}},
    ],
)
def test_a_wrong_json_type_aborts_the_process_without_a_reply(start: Start, line: Any) -> None:
    child = start()
    child.write(json.dumps(line).encode())
    assert child.read_line() == b""
    assert child.wait() == -signal.SIGABRT
