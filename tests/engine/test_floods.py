"""A program that says too much, and never stops."""

import queue
import time

from hotfolder.engine.messages import Failure, parse_line
from hotfolder.engine.process import EngineProcess

LIMIT_S = 10


def test_log_that_never_pauses_holds_up_nobody():
    flood = "seq 100 >&2; for i in 1 2 3; do yes 'the same again and again' >&2 & done; echo up; wait"
    lines, exits = queue.SimpleQueue(), queue.SimpleQueue()
    process = EngineProcess(["sh", "-c", flood], env={}, cwd=None, on_line=lines.put, on_exit=exits.put)
    process.start(LIMIT_S)
    try:
        lines.get(timeout=LIMIT_S)
        looked_at = time.monotonic()

        assert len(process.stderr_tail()) in (60, 61)
        assert time.monotonic() - looked_at < LIMIT_S / 2
    finally:
        process.kill()


def test_error_without_an_end_is_cut():
    line = b'{"id":"a","type":"error","data":{"message":"%s"}}' % (b"x" * 500_000)

    failure = parse_line(line)

    assert isinstance(failure, Failure)
    assert len(failure.message) == 2000
