"""Grid pages and ratings at 100,000 pictures, while the sidecar's worker threads are busy.

`hotfolder up` runs on the library; a job of many pictures keeps the gpu and cpu lanes at work all the time.
The limit in the same run: the page's own SQL on a bare connection, and for a rating one fsynced transaction.
"""

from __future__ import annotations

import http.client
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

from hotfolder.accounts.store import open_accounts
from hotfolder.app import create_library
from hotfolder.clock import new_id
from hotfolder.webserver import cookie_name
from tests.scenarios.service import wait_for

PICTURES = 100_000
SAMPLES = 400
PAGE_P50_MS, PAGE_P95_MS, RATING_P95_MS = 5.0, 20.0, 25.0
BUSY_JOB = """
endpointKey: local.procedural.image
params: {prompt: Busy, size: 512*512, seed: 1, steps: 4}
count: 64
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "library"
        create_library(root)
        ids = fill(root / "library.db")
        accounts = open_accounts(root / "auth.db")
        session = accounts.spend_login_link(accounts.create_login_link("bench", ["rate"]))
        assert session is not None
        accounts.close()
        with (root / "logs" / "bench.txt").open("wb") as output:
            command = [sys.executable, "-m", "hotfolder", "up", str(root), "--port", "0"]
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            address = json.loads(wait_for(lambda: read(root / "run" / "web"), "the web", 30.0))["url"]
            return measure(root, Client(address, root, session.session_id), ids)
        finally:
            process.terminate()
            process.wait(60)


class Client:
    """One connection that is kept, with the cookie of a session, as a browser has them."""

    def __init__(self, address: str, root: Path, session_id: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        cookie = f"{cookie_name(root)}={session_id}"
        self._headers = {"Cookie": cookie, "Origin": address, "Content-Type": "application/json"}

    def get(self, path: str) -> bytes:
        return self._ask("GET", path, None)

    def post(self, path: str, value: object) -> bytes:
        return self._ask("POST", path, json.dumps(value))

    def _ask(self, method: str, path: str, body: str | None) -> bytes:
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        data = response.read()
        assert response.status == 200, (response.status, data[:300])
        return data


def measure(root: Path, client: Client, ids: list[str]) -> int:
    idle = times_ms(lambda _: client.get("/-/api/media?limit=100"), SAMPLES)
    report("grid page, JSON, sidecar idle", idle)
    for number in range(40):
        (root / "inbox" / f"busy-{number}.yaml").write_text(BUSY_JOB + f"title: busy {number}\n")
    wait_for(lambda: json.loads(client.get("/-/api/status"))["queue"]["running"] or None, "a busy sidecar")

    cursor = json.loads(client.get("/-/api/media?limit=100"))["next"]
    pages = [cursor]
    for _ in range(50):
        pages.append(json.loads(client.get(f"/-/api/media?limit=100&after={pages[-1]}"))["next"])
    kinds: dict[str, Callable[[int], object]] = {
        "grid page, JSON": lambda number: client.get(f"/-/api/media?limit=100&after={pages[number % 50]}"),
        "the library page, HTML": lambda _: client.get("/-/library"),
        "rating >= 3": lambda _: client.get("/-/api/media?limit=100&minRating=3"),
        "rating 5, picked, imported": lambda _: client.get(
            "/-/api/media?limit=100&rating=5&status=selected&origin=import"
        ),
    }
    within = True
    for name, ask in kinds.items():
        found = times_ms(ask, SAMPLES)
        within &= report(name, found, p50=PAGE_P50_MS, p95=PAGE_P95_MS)
    ratings = times_ms(
        lambda number: client.post(f"/-/api/media/{ids[number * 37]}", {"rating": number % 5 + 1}), SAMPLES
    )
    within &= report("a rating", ratings, p95=RATING_P95_MS)
    still_busy = json.loads(client.get("/-/api/status"))["queue"]
    print(f"the sidecar still had {still_busy['running']} running and {still_busy['waiting']} waiting jobs")
    assert still_busy["running"], "the sidecar was not busy to the end"
    report_limits(root / "library.db", ids)
    return 0 if within else 1


def report_limits(database: Path, ids: list[str]) -> None:
    connection = sqlite3.connect(database, timeout=15, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    page = "SELECT * FROM media WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 100"
    report("limit: a page by bare SQL", times_ms(lambda _: connection.execute(page).fetchall(), SAMPLES))
    change = "UPDATE media SET rating = ? WHERE id = ?"
    found = times_ms(lambda n: connection.execute(change, (n % 5, ids[n * 41])), SAMPLES)
    report("limit: a rating by bare SQL", found)
    connection.close()


def times_ms(act: Callable[[int], object], count: int) -> list[float]:
    found = []
    for number in range(count):
        started = time.perf_counter()
        act(number)
        found.append((time.perf_counter() - started) * 1000)
    return found


def report(name: str, found: list[float], *, p50: float | None = None, p95: float | None = None) -> bool:
    median, high = statistics.median(found), statistics.quantiles(found, n=20)[-1]
    goals = [f"{what} <= {goal:g}" for what, goal in (("p50", p50), ("p95", p95)) if goal is not None]
    within = (p50 is None or median <= p50) and (p95 is None or high <= p95)
    verdict = f"  {'ok' if within else 'MISSED'} ({', '.join(goals)})" if goals else ""
    print(f"{name:36} p50 {median:6.2f} ms  p95 {high:6.2f} ms  max {max(found):6.1f} ms{verdict}")
    return within


def fill(database: Path) -> list[str]:
    """Rows alone: what the pages ask of the database, the files are not looked at."""
    ids = [new_id() for _ in range(PICTURES)]
    rows = [
        (
            each, f"originals/2026/11/{each}.png", f"thumbnails/{each[-2:]}/{each}.jpg", f"{each}.png",
            "import" if number % 3 == 0 else "generation", f"{number:064x}", number % 6,
            (None, "selected", "rejected")[number % 97 % 3], f"Picture {number}",
            f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T10:00:{number % 60:02d}.{number % 1000:03d}Z",
        )
        for number, each in enumerate(ids)
    ]  # fmt: skip
    connection = sqlite3.connect(database)
    connection.executemany(
        """
        INSERT INTO media (id, file_path, thumb_path, file_name, media_type, origin, width, height, file_size,
                           mime_type, sha256, file_sha256, rating, status, title, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, 'image', ?5, 1024, 1024, 1500000, 'image/png', ?6, ?6, ?7, ?8, ?9, ?10, ?10)
        """,
        rows,
    )
    connection.commit()
    connection.close()
    return ids


def read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
