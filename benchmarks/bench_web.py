"""The light table at a million pictures: pages, counts, jumps, thumbnails, frames.

`hotfolder up` runs on the library, idle at first; ratings while it makes pictures. Beside each figure stands
its goal; beside those of the database the limit: the same question as bare SQL on a bare connection.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.web_browser import measure_browser
from benchmarks.web_client import Client, serve_rate
from benchmarks.web_library import Row, link_originals, make_library
from hotfolder.accounts.store import open_accounts
from hotfolder.webserver import cookie_name
from tests.scenarios.service import wait_for

SAMPLES = 60
PAGE_P50_MS, PAGE_P95_MS, COUNT_MS, JUMP_MS, RATING_P95_MS = 10.0, 25.0, 5.0, 50.0, 25.0
MEMORY_MB, THUMBNAILS_A_SECOND = 150.0, 3_000.0
BUSY_JOB = """
endpointKey: local.procedural.image
params: {prompt: Busy, size: 256*256, seed: 1, steps: 1}
count: 64
"""
PAGES = {
    "everything": "", "rating at least 3": "minRating=3", "rating 5": "rating=5", "picked": "status=selected",
    "unmarked": "status=none", "label": "label=red", "imported": "origin=import", "type": "type=jpeg",
    "endpoint": "endpoint=local.e3.image", "owner": "owner=owner5", "preset": "preset=preset2",
    "dates": "from=2025-03-01&to=2025-03-31",
    "keyword": "keyword=amber40+keyword", "collection": "collection=c1", "references": "refs=no",
    "orientation": "orientation=portrait", "review": "review=none",
    "six conditions": "rating=5&status=selected&label=red&origin=generation&orientation=square&type=png",
    "oldest first": "order=asc", "by rating": "sort=rating", "by name": "sort=name", "by size": "sort=size",
    "by size, few": "sort=size&rating=5&status=selected&label=red", "by name, many": "sort=name&minRating=1",
    "by hand": "collection=c1&sort=manual",
    "text, rare": "q=amber12+birch3", "text, one word": "q=cliff77", "text, every fifth": "q=lighthouse",
    "text, beginning": "q=ligh", "text and filter": "q=lighthouse&rating=5&status=selected",
    "text, best match": "q=lighthouse&sort=relevance", "text by name": "q=cliff77&sort=name",
}  # fmt: skip


def main() -> int:
    options = read_options()
    with tempfile.TemporaryDirectory() as folder:
        root = options.library or Path(folder) / "library"
        if not (root / "library.db").exists():
            started = time.perf_counter()
            make_library(root, options.pictures)
            link_originals(root, range(options.pictures - 400, options.pictures))
            print(f"{options.pictures:,} pictures made in {time.perf_counter() - started:.0f} s")
        return run(root, options)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1_000_000)
    parser.add_argument("--library", type=Path, help="kept, and used again")
    parser.add_argument("--no-browser", action="store_true")
    return parser.parse_args()


def run(root: Path, options: argparse.Namespace) -> int:
    accounts = open_accounts(root / "auth.db")
    session = accounts.spend_login_link(accounts.create_login_link("bench", ["admin"]))
    assert session is not None
    accounts.close()
    with (root / "logs" / "bench.txt").open("wb") as output:
        command = [sys.executable, "-m", "hotfolder", "up", str(root), "--port", "0"]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        address = json.loads(wait_for(lambda: read(root / "run" / "web"), "the web", 60.0))["url"]
        cookie = f"{cookie_name(root)}={session.session_id}"
        client = Client(address, cookie)
        client.get("/-/api/media?limit=1")
        print(f"the first answer, from the start of the process: {time.perf_counter() - started:.1f} s")
        results = []
        if not options.no_browser and shutil.which("chromium"):
            results.append(measure_browser(address, cookie))
        results.append(measure(root, client, address, cookie, options.pictures))
        results.append(report_memory(process.pid))
        return 0 if all(results) else 1
    finally:
        stop_at = time.perf_counter()
        process.terminate()
        process.wait(60)
        print(f"stopped in {time.perf_counter() - stop_at:.1f} s")


def measure(root: Path, client: Client, address: str, cookie: str, pictures: int) -> bool:
    within = True
    print("\npages of 200, JSON over HTTP, the service idle")
    for name, query in PAGES.items():
        found = times_ms(lambda _, query=query: client.get(f"/-/api/media?limit=200&{query}"), SAMPLES)
        total = json.loads(client.get(f"/-/api/media?limit=1&{query}"))
        number = f"{total['total']:,}{'+' if total['totalIsBounded'] else ''}"
        within &= report(f"{name} ({number})", found, p50=PAGE_P50_MS, p95=PAGE_P95_MS)
        if not total["total"]:
            print(f"    {name} finds nothing in so small a library, so this says nothing")
            within = False
    within &= measure_counts(client)
    within &= measure_jump(client)
    within &= measure_thumbnails(address, cookie, pictures)
    for number in range(10):
        (root / "inbox" / f"busy-{number}.yaml").write_text(BUSY_JOB + f"title: busy {number}\n")
    wait_for(
        lambda: json.loads(client.get("/-/api/status"))["queue"]["running"] or None, "a busy sidecar", 60.0
    )
    print("\nwhile pictures are made")
    found = times_ms(lambda _: client.get("/-/api/media?limit=200"), SAMPLES)
    report("everything", found)
    found = times_ms(lambda _: client.get("/-/api/media?limit=200&q=lighthouse&rating=5"), SAMPLES)
    report("text and filter", found)
    ids = [Row(number * 37 % pictures).media_id for number in range(300)]
    rate = times_ms(lambda n: client.post(f"/-/api/media/{ids[n]}", {"rating": n % 5 + 1}), 300)
    within &= report("a rating", rate, p95=RATING_P95_MS)
    busy = json.loads(client.get("/-/api/status"))["queue"]
    print(f"the sidecar still had {busy['running']} running and {busy['waiting']} waiting jobs")
    report_limits(root / "library.db")
    return within


def measure_counts(client: Client) -> bool:
    counted = [query for name, query in PAGES.items() if "text" not in name and "sort" not in query]
    ask = times_ms(
        lambda n: client.get(f"/-/api/media?limit=1&{counted[n % len(counted)]}"), 8 * len(counted)
    )
    return report("a count with one picture, all filters in turn", ask, p50=COUNT_MS)


def measure_jump(client: Client) -> bool:
    """The days of the time line, then the page at one of them."""

    def jump(number: int) -> None:
        days = json.loads(client.get("/-/api/timeline"))
        day = days["days"][number * 31 % len(days["days"])]
        client.get(f"/-/api/media?limit=200&view={days['view']}&offset={day['offset']}")

    return report("a jump to a date, time line included", times_ms(jump, SAMPLES), p50=JUMP_MS)


def measure_thumbnails(address: str, cookie: str, pictures: int) -> bool:
    paths = [f"/media/{Row(pictures - 1 - number).media_id}/thumbnail" for number in range(600)]
    rate = serve_rate(address, cookie, paths, seconds=5.0)
    fits = rate >= THUMBNAILS_A_SECOND
    said = f"{verdict(fits)} (>= {THUMBNAILS_A_SECOND:,.0f})"
    print(f"{'thumbnails a second, 8 connections':46} {rate:8,.0f}  {said}")
    return fits


def report_memory(service: int) -> bool:
    for child in children_of(service):
        command = Path(f"/proc/{child}/cmdline").read_bytes()
        if b"serve" in command:
            rss_mb = (
                int(Path(f"/proc/{child}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
            )
            fits = rss_mb <= MEMORY_MB
            print(f"{'memory of the web process':46} {rss_mb:8.0f} MB  {verdict(fits)} (<= {MEMORY_MB:.0f})")
            return fits
    print("the memory of the web process is not known here")
    return True


def children_of(pid: int) -> list[int]:
    """Each thread has its own."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for file in files for each in file.read_text().split()]


def report_limits(database: Path) -> None:
    connection = sqlite3.connect(database, timeout=15, isolation_level=None)
    page = "SELECT * FROM media WHERE deleted_at IS NULL ORDER BY number DESC LIMIT 200"
    report("limit: everything, by bare SQL", times_ms(lambda _: connection.execute(page).fetchall(), SAMPLES))
    page = """
        SELECT * FROM media WHERE rating = 5 AND status = 'selected' AND label = 'red'
        ORDER BY number DESC LIMIT 200
    """
    report("limit: three conditions, by bare SQL", times_ms(lambda _: connection.execute(page).fetchall(), 3))
    count = "SELECT count(*) FROM media WHERE rating >= 3 AND deleted_at IS NULL"
    report("limit: a count, by bare SQL", times_ms(lambda _: connection.execute(count).fetchone(), 3))
    connection.close()


def times_ms(act: Callable[[int], object], count: int) -> list[float]:
    found = []
    for number in range(count):
        started = time.perf_counter()
        act(number)
        found.append((time.perf_counter() - started) * 1000)
    return found


def report(name: str, found: list[float], *, p50: float | None = None, p95: float | None = None) -> bool:
    median = statistics.median(found)
    high = statistics.quantiles(found, n=20)[-1] if len(found) > 1 else found[0]
    goals = [f"{what} <= {goal:g}" for what, goal in (("p50", p50), ("p95", p95)) if goal is not None]
    fits = (p50 is None or median <= p50) and (p95 is None or high <= p95)
    said = f"  {verdict(fits)} ({', '.join(goals)})" if goals else ""
    print(f"{name:46} p50 {median:7.2f} ms  p95 {high:7.2f} ms  max {max(found):7.1f} ms{said}", flush=True)
    return fits


def verdict(fits: bool) -> str:
    return "ok" if fits else "MISSED"


def read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
