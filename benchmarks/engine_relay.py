"""Stands between the service and an engine, and notes when each command and each result passes.

Usage: engine_relay.py LOG PROGRAM ARGS... (LOG gets a line of JSON for each, with CLOCK_MONOTONIC).
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import IO


def main(log: str, *command: str) -> int:
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    with open(log, "ab", buffering=0) as notes:  # noqa: PTH123 - appended to by the next engine, too
        feeder = threading.Thread(target=feed, args=(child.stdin, notes), daemon=True)
        feeder.start()
        for line in child.stdout:
            kind = json.loads(line)["type"] if line.startswith(b"{") else ""
            if kind == "result":
                note(notes, "result")
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
    return child.wait()


def feed(stdin: IO[bytes], notes: IO[bytes]) -> None:
    for line in sys.stdin.buffer:
        note(notes, json.loads(line)["cmd"])
        stdin.write(line)
        stdin.flush()
    stdin.close()


def note(notes: IO[bytes], what: str) -> None:
    notes.write(json.dumps({"at": time.monotonic(), "what": what}).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
