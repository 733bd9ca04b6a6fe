"""Checks of lines: what a program makes of commands that are odd, broken, or sent at the wrong time."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from hotfolder.engine.conformance_findings import Check, Differs, NotPossible, require_failure
from hotfolder.engine.conformance_talk import Bench, NoAnswer, describe
from hotfolder.engine.messages import Failure, Ok

_ODD_LINES = (
    ("line with CRLF", b'{"cmd":"ping","id":"odd-1"}\r\n'),
    ("line with a byte order mark", b'\xef\xbb\xbf{"cmd":"ping","id":"odd-1"}\n'),
    ("empty lines between", b'\n  \n\r\n{"cmd":"ping","id":"odd-1"}\n'),
    ("unknown keys", b'{"cmd":"ping","id":"odd-1","params":{"colour":[1,{}]},"more":null}\n'),
)
_BROKEN_LINES = (
    ("broken JSON", b'{"cmd":\n'),
    ("two objects on a line", b'{"cmd":"ping","id":"a"}{"cmd":"ping","id":"b"}\n'),
    ("invalid UTF-8", b'{"cmd":"ping","id":"\xff\xfe"}\n'),
)
_WRONG_TYPES = (
    ("id is a number", b'{"cmd":"ping","id":7}\n'),
    ("id is null", b'{"cmd":"ping","id":null}\n'),
    ("cmd is a number", b'{"cmd":7,"id":"wrong-1"}\n'),
    ("an array", b'["ping"]\n'),
    ("flash_attn is a number", b'{"cmd":"load","id":"wrong-1","params":{"flash_attn":1}}\n'),
)


def list_line_checks(bench: Bench, folder: Path) -> list[Check]:
    """The checks that need no model."""
    return [
        Check("status", lambda: _status(bench)),
        Check("unknown command", lambda: _refused(bench, b'{"cmd":"fly","id":"a"}\n', "UNKNOWN_CMD")),
        Check("no command", lambda: _refused(bench, b'{"id":"a"}\n', None)),
        *(Check(name, partial(_broken, bench, line)) for name, line in _BROKEN_LINES),
        *(Check(name, partial(_odd, bench, line)) for name, line in _ODD_LINES),
        Check("garbage between lines", lambda: _garbage(bench)),
        Check("generate without a model", lambda: _generate_early(bench, folder)),
    ]


def list_type_checks(bench: Bench) -> list[Check]:
    """The checks that may end the process, which cn-engine does."""
    return [Check(f"wrong type: {name}", partial(wrong_type, bench, line)) for name, line in _WRONG_TYPES]


def _status(bench: Bench) -> str:
    answer = bench.talk().ask("status")
    if not isinstance(answer.end, Ok) or not isinstance(answer.end.data.get("model_loaded"), bool):
        raise Differs(f"{describe(answer.end)} instead of model_loaded")
    return f"model_loaded: {str(answer.end.data['model_loaded']).lower()}"


def _refused(bench: Bench, line: bytes, code: str | None) -> str:
    talk = bench.talk()
    talk.say(line)
    return require_failure(talk.hear("a", bench.limits.reply_s).end, code)


def _broken(bench: Bench, line: bytes) -> str:
    talk = bench.talk()
    talk.say(line)
    found = require_failure(talk.hear("", bench.limits.reply_s).end, "PARSE_ERROR")
    talk.ask("ping")
    return f"{found}, with the id ''"


def _odd(bench: Bench, line: bytes) -> str:
    talk = bench.talk()
    talk.say(line)
    answer = talk.hear("odd-1", bench.limits.reply_s)
    if not isinstance(answer.end, Ok):
        raise Differs(describe(answer.end))
    return "answered"


def _garbage(bench: Bench) -> str:
    """Whatever it says to the garbage: the next command must be answered under its own id."""
    talk = bench.talk()
    talk.say(b"\x00\x01\xff\xfe\nnot JSON at all\n}{\n")
    talk.ask("ping")
    return "the next command is answered"


def _generate_early(bench: Bench, folder: Path) -> str:
    output = str(folder / "early.png")
    params = {"prompt": "too early", "width": 64, "height": 64, "steps": 1, "output": output}
    end = bench.talk().ask("generate", params).end
    if isinstance(end, Failure) and end.code == "UNKNOWN_CMD":
        raise NotPossible("it has no generate")
    return require_failure(end, "NO_MODEL")


def wrong_type(bench: Bench, line: bytes) -> str:
    """Any clear answer will do, the end of the process is one: a sidecar sends no such thing."""
    talk, before = bench.talk(), bench.chatter.lines
    try:
        talk.say(line)
        message = talk.hear_any(bench.limits.reply_s)
    except NoAnswer as ended:
        return str(ended)
    finally:
        bench.close()  # whatever came, more may come
    if message is None and bench.chatter.lines == before:
        raise Differs("neither an answer nor an end")
    if message is None:
        return "an answer that is no message"
    return f"{'refused' if isinstance(message, Failure) else 'taken'}: {describe(message)}"
