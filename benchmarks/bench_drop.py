"""100,000 pictures dropped at once into import/: memory, the web page meanwhile, and how progress shows.

`hotfolder up` runs on an empty library; the pictures are small, each with a content of its own, and come by
rename of their folder. Usage: bench_drop.py [--pictures 100000] [--jobs N] (job files into inbox/ beside).
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.scenarios.service import JOB
from tests.scenarios.web_service import WebService

EDGE_PX = 48
LIMIT_S = 3600.0
GOAL_MB, GOAL_P95_MS = 300, 500.0
PAGES = ("/-/api/media?limit=100", "/-/library", "/-/api/status", "/-/queue")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        service = WebService(Path(folder) / "library")
        drop = Path(folder) / "drop"
        write_pictures(drop, options.pictures)
        url = service.open_web()
        try:
            figures = watch(service, url, drop, options.pictures, options.jobs)
        finally:
            service.stop(60)
    met = figures["serviceMb"] <= GOAL_MB and figures["pageP95Ms"] <= GOAL_P95_MS
    print(json.dumps(figures | {"met": met}))
    return 0 if met else 1


def write_pictures(folder: Path, number: int) -> None:
    folder.mkdir()
    for index in range(number):
        (folder / f"{index:06d}.png").write_bytes(draw(index))


def draw(index: int) -> bytes:
    """A PNG whose rows depend on the number, written by hand: an encoder would take minutes."""
    rows = b"".join(
        b"\0" + struct.pack(">I", index * 2654435761 % 2**32) * (EDGE_PX * 3 // 4) for _ in range(EDGE_PX)
    )
    head = struct.pack(">IIBBBBB", EDGE_PX, EDGE_PX, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def watch(service: WebService, url: str, drop: Path, pictures: int, jobs: int) -> dict[str, object]:
    """Ask for the pages in turn until every picture has its row; the worst memory of each process."""
    assert service.process is not None
    began_at = time.monotonic()
    drop.rename(service.root / "import" / "drop")
    for index in range(jobs):
        (service.root / "inbox" / f"{index:05d}.yaml").write_text(JOB, encoding="utf-8")
    taken_ms: list[float] = []
    told: list[int] = []
    with httpx.Client(base_url=url, timeout=30) as client:
        while time.monotonic() - began_at < LIMIT_S:
            for page in PAGES:
                asked_at = time.perf_counter()
                assert client.get(page).status_code == 200
                taken_ms.append((time.perf_counter() - asked_at) * 1000)
            told.append(client.get("/-/api/status").json().get("imports", {}).get("waiting", -1))
            if count_media(service) >= pictures:
                break
            time.sleep(0.25)  # a page a reviewer has open asks no oftener
    seconds = time.monotonic() - began_at
    peaks = [read_peak_mb(pid) for pid in (service.process.pid, *children_of(service.process.pid))]
    return {
        "pictures": count_media(service),
        "jobs": jobs,
        "seconds": round(seconds, 1),
        "perSecond": round(pictures / seconds, 1),
        "serviceMb": peaks[0],
        "childrenMb": peaks[1:],
        "pageP50Ms": round(statistics.median(taken_ms), 1),
        "pageP95Ms": round(statistics.quantiles(taken_ms, n=20)[18], 1),
        "pageMaxMs": round(max(taken_ms), 1),
        "pagesAsked": len(taken_ms),
        "progressShown": len(set(told)),
    }


def count_media(service: WebService) -> int:
    return int(service.query("SELECT count(*) AS n FROM media")[0]["n"])


def children_of(pid: int) -> list[int]:
    """Whatever thread started them."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for file in lists for each in file.read_text().split()]


def read_peak_mb(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return round(int(found[1]) / 1024) if found else 0


if __name__ == "__main__":
    sys.exit(main())
