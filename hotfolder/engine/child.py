"""What the children that wrap a library share: they answer line by line, as cn-engine does.

Replies go to the stdout that the process was started with; file descriptor 1 itself becomes stderr, so that
nothing a library prints gets among them. A value of the wrong JSON type aborts the process, as it does
cn-engine. Ping and quit are answered here, so that no library has to be imported for them.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, BinaryIO

from hotfolder.engine.child_reply import Refused, Reply, log
from hotfolder.engine.child_request import (
    Params,
    ParseFailed,
    Request,
    WrongType,
    parse_request,
)
from hotfolder.engine.procedural_faults import abort_process

Answer = tuple[str, dict[str, Any]]
Handler = Callable[[Params | None, Reply], Answer]


def run_child(name: str, handlers: Mapping[str, Handler], arguments: list[str]) -> int:
    """Serve the process's own pipes until quit or the end of stdin; return the exit code."""
    if arguments[:1] == ["--version"]:
        sys.stdout.write(f"{name} {version_of('hotfolder')}\n")
        return 0
    # A reader that went away, Ctrl-C and SIGTERM end this process without a traceback, in mid-work too.
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    replies = _take_stdout()
    log("INFO", f"{name} started, waiting for commands on stdin")
    try:
        serve(sys.stdin.buffer, replies, handlers)
    except WrongType as error:
        log("ERROR", str(error))
        abort_process()
    log("INFO", "the engine ends")
    return 0


def serve(lines: Iterable[bytes], out: BinaryIO, handlers: Mapping[str, Handler]) -> None:
    """Answer lines until quit or their end; raises WrongType where cn-engine aborts."""
    for line in lines:
        if line.strip() and _answer(line, out, handlers) == "quit":
            return


def needed(params: Params | None, command: str) -> Params:
    """The params of a command that cannot do without."""
    if params is None:
        raise Refused(f"{command} needs a 'params' object")
    return params


def not_installed(error: ImportError, extra: str) -> Refused:
    """The refusal for an extra that this Python does not have."""
    message = f"{error.name or error} is not installed; run: pip install 'hotfolder[{extra}]'"
    return Refused(message, "NOT_FOUND")


def version_of(package: str) -> str:
    """The version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _take_stdout() -> BinaryIO:
    sys.stdout.flush()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return replies


def _answer(line: bytes, out: BinaryIO, handlers: Mapping[str, Handler]) -> str:
    try:
        request = parse_request(line)
    except ParseFailed as error:
        Reply(out, "").refuse(Refused(f"not JSON: {error}", "PARSE_ERROR"))
        return ""
    reply = Reply(out, request.request_id)
    try:
        kind, data = _run(request, reply, handlers)
    except Refused as refusal:
        reply.refuse(refusal)
        log("ERROR", f"{request.command or 'no command'}: {refusal.message}")
    else:
        reply.send(kind, data)
    return request.command


def _run(request: Request, reply: Reply, handlers: Mapping[str, Handler]) -> Answer:
    match request.command:
        case "":
            raise Refused("a request needs a 'cmd'")
        case "ping":
            return "ok", {"status": "pong"}
        case "quit":
            return "ok", {"status": "quitting"}
    handler = handlers.get(request.command)
    if handler is None:
        raise Refused(f"there is no command {request.command!r}", "UNKNOWN_CMD")
    return handler(request.params, reply)
