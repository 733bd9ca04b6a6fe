"""Memory: what a process has and had at most, whether a model fits, and whether a log tells of too little.

Linux only (/proc/PID/status, /proc/meminfo; proc_pid_status(5), proc_meminfo(5)); elsewhere nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LOOKED_AT_LINES: Final = 20
_TOO_LITTLE: Final = re.compile(
    r"out of (device )?memory|outof(device|host)memory|bad_alloc|insufficient memory|not enough memory"
    r"|(cuda|hip)malloc\w* failed|(failed|unable|cannot) to (re)?allocate|mem_buffer != null"
    r"|alloc\w* .{0,60}(buffer|memory).{0,20} failed",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shortage:
    """What a model needs, and what there is, in MB (10**6 bytes)."""

    needed_mb: int
    free_mb: int


def forget_peak(pid: int) -> None:
    """Count the peak anew from now on, where the system lets us."""
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_bytes(b"5")


def read_peak_mb(pid: int) -> int | None:
    """Resident memory at its peak since then in MB; None where the system does not tell."""
    return _read_mb(Path(f"/proc/{pid}/status"), b"VmHWM")


def find_shortage(files: Iterable[str], pid: int) -> Shortage | None:
    """Whether these files are more than fits into main memory once the engine has freed what it holds."""
    available_mb = _read_mb(Path("/proc/meminfo"), b"MemAvailable")
    if available_mb is None:
        return None
    free_mb = available_mb + (_read_mb(Path(f"/proc/{pid}/status"), b"VmRSS") or 0)
    needed_mb = 0
    for each in files:
        with suppress(OSError):
            needed_mb += round(Path(each).stat().st_size / 1e6)
    return Shortage(needed_mb, free_mb) if needed_mb > free_mb else None


def tells_of_too_little(log: Iterable[str]) -> bool:
    """Whether the end of an engine's log says that memory ran out."""
    return any(_TOO_LITTLE.search(line) for line in list(log)[-_LOOKED_AT_LINES:])


def _read_mb(file: Path, name: bytes) -> int | None:
    try:
        found = re.search(rb"^%s:\s+(\d+) kB$" % name, file.read_bytes(), re.MULTILINE)
    except OSError:
        return None
    return round(int(found[1]) * 1024 / 1e6) if found else None
