"""Why a model cannot be loaded: the load is tried again in a process of its own, with the library's log.

In the engine itself the log stays off while it loads, because a log line then may hold it up for good. Run as
a program, this reads a load job on stdin and writes the library's log to stderr.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from dataclasses import asdict
from typing import Final

from hotfolder.engine.process import guarded
from hotfolder.engine.sdcpp_request import LoadJob

LIMIT_S: Final = 60.0
SHOWN: Final = 3
UNKNOWN: Final = "stable-diffusion.cpp gives no reason; does each file belong to this model, and is it whole?"
_YIELD_S: Final = 0.05
_MEMORY = re.compile(
    r"bad_alloc|insufficient memory|out of memory|failed to allocate|alloc\w* .*failed|mem_buffer != NULL",
    re.IGNORECASE,
)
_PLACE = re.compile(r"^\S+:\d+\s+- ")


def find_cause(job: LoadJob) -> str:
    """The cause in words of the library, where it tells one in time."""
    command = guarded([sys.executable, "-m", "hotfolder.engine.sdcpp_cause"])
    try:
        ended = subprocess.run(
            command,
            input=json.dumps(asdict(job)).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return describe_cause((error.stderr or b"").decode("utf-8", "replace"))
    return describe_cause(ended.stderr.decode("utf-8", "replace"))


def describe_cause(log: str) -> str:
    """The first errors of a log, each once; memory before all else."""
    lines = log.splitlines()
    if short := next((each for each in lines if _MEMORY.search(each)), None):
        return f"there is not enough memory ({_plain(short)})"
    told = [_plain(each) for each in lines if _is_error(each)]
    return "; ".join(list(dict.fromkeys(told))[:SHOWN]) or UNKNOWN


def _is_error(line: str) -> bool:
    level, _, text = line.partition("\t")
    return level == "ERROR" or (level == "WARN" and "fail" in text)


def _plain(line: str) -> str:
    """Without the level, and without the place in the library's source."""
    return _PLACE.sub("", line.rpartition("\t")[2]).strip()


def main() -> None:
    """Try the load, and say on stderr what the library says."""
    import cyllama.sd as sd

    from hotfolder.engine.sdcpp_model import build_context_params

    def write(level: object, text: str) -> None:
        sys.stderr.write(f"{getattr(level, 'name', level)}\t{text.strip()}\n")
        sys.stderr.flush()

    sd.set_log_callback(write)
    # Between two sleeps the library's threads get their turn to write.
    sd.set_progress_callback(lambda *_: time.sleep(_YIELD_S))
    with contextlib.suppress(RuntimeError, OSError, ValueError):  # the log says more
        sd.SDContext(build_context_params(LoadJob(**json.load(sys.stdin))))


if __name__ == "__main__":
    main()
