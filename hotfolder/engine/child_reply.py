"""An engine child's side of the conversation: reply lines on stdout, log lines on stderr."""

from __future__ import annotations

import json
import sys
from typing import Any, BinaryIO


class Refused(Exception):
    """A command that ends with an error reply; the code may be empty, as some of the real engine's are."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Reply:
    """The lines that answer one request."""

    def __init__(self, out: BinaryIO, request_id: str) -> None:
        self._out = out
        self._request_id = request_id

    def progress(self, phase: str, **data: Any) -> None:
        """Write a progress line."""
        self.send("progress", {"phase": phase, **data})

    def refuse(self, refusal: Refused) -> None:
        """Write an error line."""
        code = {"code": refusal.code} if refusal.code else {}
        self.send("error", {"message": refusal.message, **code})

    def send(self, kind: str, data: dict[str, Any]) -> None:
        """Write one line: ok, progress, result or error."""
        line = json.dumps(
            {"id": self._request_id, "type": kind, "data": data}, ensure_ascii=False, separators=(",", ":")
        )
        self.send_raw(line.encode("utf-8", "replace") + b"\n")

    def send_raw(self, data: bytes) -> None:
        """Write bytes that need not be a reply, at once."""
        self._out.write(data)
        self._out.flush()


def log(level: str, text: str) -> None:
    """Write a log line in the real engine's manner, with the file and line of the caller."""
    caller = sys._getframe(1)
    file = caller.f_code.co_filename.rpartition("/")[2]
    sys.stderr.write(f"[{level:<5}] {file}:{caller.f_lineno} - {text}\n")
    sys.stderr.flush()
