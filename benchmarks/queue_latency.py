"""From the commit of an enqueue in one process to the claim by an idle lane in another.

Run as a program it is the process with the lane: it prints when each item came into its handler.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hotfolder.database import Database, Transaction
from hotfolder.domain.work import EndStatus, NewWork, WorkItem
from hotfolder.errors import HotfolderError
from hotfolder.events import Doorbell
from hotfolder.migrations import migrate
from hotfolder.queue.nudge import NudgeListener, send_nudge
from hotfolder.queue.store import WorkStore
from hotfolder.queue.worker import Done, Worker

NUDGED, POLLED = 400, 15
PAUSE_S = (0.005, 0.025)


@dataclass(frozen=True)
class Latency:
    """With the datagram, and by polling alone."""

    nudged_p50_ms: float
    nudged_p99_ms: float
    polled_p50_ms: float
    polled_max_ms: float


def measure_latency(folder: Path) -> Latency:
    folder.mkdir(parents=True)
    migrate(folder / "library.db")
    database = Database(folder / "library.db")
    command = [sys.executable, __file__, str(folder)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n"
        port_file = folder / "nudge"
        nudged = sorted(waited_ms(database, child.stdout, port_file) for _ in range(NUDGED))
        polled = sorted(waited_ms(database, child.stdout, None) for _ in range(POLLED))
        child.stdin.close()
        child.wait(30)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        database.close()
    return Latency(
        nudged[len(nudged) // 2], nudged[len(nudged) * 99 // 100], polled[len(polled) // 2], polled[-1]
    )


def waited_ms(database: Database, told: IO[str], port_file: Path | None) -> float:
    time.sleep(random.uniform(*PAUSE_S))  # until the lane is idle again
    with database.transaction(durable=False) as tx:
        WorkStore(database).enqueue(tx, NewWork("bench.work", "io", {}, "bench", "subject"))
    committed_at = time.monotonic()
    if port_file is not None:
        send_nudge(port_file)
    return 1000 * (float(told.readline()) - committed_at)


class Telling:
    """A handler that tells when it was called; the clock is the same in all processes of a machine."""

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:  # noqa: ARG002 - the protocol
        print(time.monotonic(), flush=True)
        return Done(lambda _: None)

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        pass

    def ended(self, tx: Transaction, item: WorkItem, status: EndStatus, error: HotfolderError) -> None:
        pass


def main() -> int:
    folder, doorbell = Path(sys.argv[1]), Doorbell()
    database = Database(folder / "library.db", on_commit=doorbell.ring)
    worker = Worker(
        database, WorkStore(database), {"bench.work": Telling()}, {"io": 1}, doorbell, lease_s=60.0
    )
    listener = NudgeListener(folder / "nudge", doorbell.ring)
    listener.start()
    worker.start()
    print("ready", flush=True)
    sys.stdin.read()
    worker.stop(5.0)
    listener.stop()
    database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
