"""A real child of the embedded engine, or of another of ours, for tests, read with a time limit."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

READ_LIMIT_S = 20.0
EMBEDDED = "hotfolder.engine.procedural"


class Child:
    """One engine process, read with a time limit."""

    def __init__(
        self, *arguments: str, module: str = EMBEDDED, stderr: int = subprocess.DEVNULL, **environment: str
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=os.environ | environment,
        )
        self._unread = b""

    def write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, cmd: str, params: dict[str, Any] | None = None) -> None:
        given = {} if params is None else {"params": params}
        self.write(json.dumps({"cmd": cmd, "id": f"{cmd}-1", **given}).encode())

    def read_line(self) -> bytes:
        """Return the next line; b"" when stdout has ended."""
        deadline = time.monotonic() + READ_LIMIT_S
        while b"\n" not in self._unread:
            chunk = self._read_chunk(max(0.0, deadline - time.monotonic()))
            if not chunk:
                return b""
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def is_silent(self, limit_s: float) -> bool:
        """Whether nothing arrives within the limit."""
        assert self.process.stdout is not None
        return not self._unread and not select.select([self.process.stdout], [], [], limit_s)[0]

    def read_replies(self) -> list[dict[str, Any]]:
        """Return the replies up to the one that ends a command."""
        replies = [json.loads(self.read_line())]
        while replies[-1]["type"] == "progress":
            replies.append(json.loads(self.read_line()))
        return replies

    def ask(self, cmd: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self.send(cmd, params)
        return self.read_replies()[-1]

    def wait(self) -> int:
        return self.process.wait(READ_LIMIT_S)

    def close(self) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.wait(READ_LIMIT_S)

    def _read_chunk(self, limit_s: float) -> bytes:
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], limit_s)[0]:
            raise TimeoutError("the engine said nothing in time")
        return os.read(self.process.stdout.fileno(), 65536)


Start = Callable[..., Child]


@contextmanager
def started_children(module: str = EMBEDDED) -> Iterator[Start]:
    """Give a function that starts children, loaded unless told otherwise; all of them end with the block."""
    children: list[Child] = []

    def start(*, loaded: bool = True, stderr: int = subprocess.DEVNULL, **environment: str) -> Child:
        children.append(Child(module=module, stderr=stderr, **environment))
        if loaded:
            assert children[-1].ask("load", {})["data"]["status"] == "model_loaded"
        return children[-1]

    try:
        yield start
    finally:
        for child in children:
            child.close()
