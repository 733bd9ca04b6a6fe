"""What bench_import.py measures: the import of a folder by the library's own command path, on two threads.

Claimed from SOURCE by moving, queued in batches and taken in by the cpu lane of a real library at TARGET,
with its rows, events and sidecars. Usage: python ingest_hotfolder.py plain|fast SOURCE TARGET SYNC; plain is
without the extra `fast`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
if sys.argv[1] == "plain":  # out of sight before anything is loaded: a library loads numpy where it finds it
    sys.modules["imagecodecs"] = sys.modules["numpy"] = None  # type: ignore[assignment]

from hotfolder.app import Library, open_library
from hotfolder.clock import new_id
from hotfolder.config import load_settings
from hotfolder.imports.bringing import Carrier
from hotfolder.imports.incoming import BATCH_FILES
from hotfolder.workshop import CpuWorkshop

WORKERS = 2
LIMIT_S = 600.0
COUNT = "SELECT count(*) AS n FROM events WHERE topic = 'import.ended'"


def main(source: str, target: str, sync: str) -> None:
    if sync != "sync":  # for the figure only: what the flushing costs
        os.fsync = lambda _descriptor: None  # type: ignore[assignment]
    root = Path(target)
    init = [sys.executable, "-m", "hotfolder", "init", target]  # a process of its own, as users do it
    subprocess.run(init, check=True, timeout=LIMIT_S, stdout=subprocess.DEVNULL)
    (root / "hotfolder.yaml").write_text(f"queue: {{lanes: {{cpu: {WORKERS}}}}}\n", encoding="utf-8")
    library = open_library(root, load_settings(root, {}))
    for number in range(256):  # as in a library that is in use
        (root / "thumbnails" / f"{number:02x}").mkdir()
    workshop = CpuWorkshop(library)
    workshop.start()
    files = sorted(Path(source).iterdir())
    started, cpu_before = time.monotonic(), time.process_time()
    take_in(library, files)
    seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_before
    workshop.stop()
    row = library.database.query_one("SELECT count(*) AS n FROM media")
    assert row is not None
    assert row["n"] == len(files)
    library.close()
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    assert peak
    figures = {"pictures": len(files), "seconds": seconds, "cpuSeconds": cpu_seconds}
    print(json.dumps(figures | {"peakMb": int(peak[1]) / 1024}))


def take_in(library: Library, files: list[Path]) -> None:
    """Claim and queue batch by batch, then wait for the last end."""
    carrier = Carrier(library.paths, library.import_desk, make_id=new_id)
    bell = library.doorbell.listen()
    for first in range(0, len(files), BATCH_FILES):
        library.import_desk.enqueue([carrier.move(each) for each in files[first : first + BATCH_FILES]])
    deadline = time.monotonic() + LIMIT_S
    while count_ended(library) < len(files):
        assert time.monotonic() < deadline, "the imports did not end in time"
        bell.wait(1.0)
        bell.clear()


def count_ended(library: Library) -> int:
    row = library.database.query_one(COUNT)
    return int(row["n"]) if row else 0


if __name__ == "__main__":
    main(*sys.argv[2:])
