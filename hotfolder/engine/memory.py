"""The most memory that a process had since it was last asked (Linux, /proc; proc_pid_status(5))."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

_PEAK = re.compile(rb"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def forget_peak(pid: int) -> None:
    """Count the peak anew from now on, where the system lets us."""
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_bytes(b"5")


def read_peak_mb(pid: int) -> int | None:
    """Resident memory at its peak in MB (10**6 bytes); None where the system does not tell."""
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_bytes())
    except OSError:
        return None
    return round(int(found[1]) * 1024 / 1e6) if found else None
