"""Processes that put work into one queue and take it out again, until they are killed; run as a program.

    crew.py share DATABASE ITEMS        two producers and four consumers; prints what each consumer took
    crew.py kill DATABASE KILLS SEED    the same at work while one after the other is killed and replaced
    crew.py late DATABASE               claims an item, waits for a line, completes the item

What an item did is noted in the tables `made` and `taken`, in the transactions of the queue.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from hotfolder.database import Database, Transaction
from hotfolder.domain.work import EndStatus, NewWork, WorkItem
from hotfolder.errors import HotfolderError, QueueError
from hotfolder.events import Doorbell
from hotfolder.queue.store import WorkStore
from hotfolder.queue.worker import Done, Worker

LEASE_S = 1.0
LIMIT_S = 60.0
PRODUCERS, CONSUMERS = 2, 4


def work(number: int) -> NewWork:
    return NewWork("count", "io", {"n": number}, "tests", str(number), max_attempts=1000)


def note_taken(tx: Transaction, number: int) -> None:
    tx.execute("INSERT INTO taken (n, pid) VALUES (?, ?)", (number, os.getpid()))


def fork(act: Callable[[], None]) -> int:
    """A child that ends with a traceback and a code when `act` raises."""
    pid = os.fork()
    if pid:
        return pid
    try:
        act()
    except BaseException:  # noqa: BLE001 - a child must not go on as its parent
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


# Sharing


def share(path: Path, items: int) -> int:
    part = items // PRODUCERS
    children = [fork(lambda first=n * part: produce(path, first, part)) for n in range(PRODUCERS)]
    children += [fork(lambda: consume(path, items)) for _ in range(CONSUMERS)]
    return max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children)


def produce(path: Path, first: int, count: int, batch: int = 20) -> None:
    database = Database(path)
    store = WorkStore(database)
    for start in range(first, first + count, batch):
        with database.transaction(durable=False) as tx:
            for number in range(start, start + batch):
                store.enqueue(tx, work(number))


def consume(path: Path, items: int) -> None:
    """Each end in the transaction of the next claim, as the lanes do it."""
    database = Database(path)
    store = WorkStore(database)
    give_up_at = time.monotonic() + LIMIT_S
    while database.query("SELECT count(*) AS n FROM taken")[0]["n"] < items:
        assert time.monotonic() < give_up_at, "the items are not taken"
        item = store.claim("io")
        if item is None:
            time.sleep(0.005)  # the pause of a poll with a limit
        while item is not None:
            with database.transaction(durable=False) as tx:
                store.complete(tx, item)
                note_taken(tx, item.payload["n"])
                item = store.take(tx, "io")


# Killing


def kill(path: Path, kills: int, seed: int) -> int:
    """Kill and replace at random; then let what was made be finished. Prints how many were killed at what."""
    chance, killed = random.Random(seed), {"producer": 0, "consumer": 0}
    acts = {"producer": lambda: produce_on(path), "consumer": lambda: consume_on(path)}
    crew = {fork(acts[kind]): kind for kind in ["producer"] * PRODUCERS + ["consumer"] * CONSUMERS}
    try:
        while sum(killed.values()) < kills:
            time.sleep(chance.uniform(0.0, 0.1))
            pid = chance.choice(list(crew))
            kind = crew.pop(pid)
            end(pid)
            killed[kind] += 1
            crew[fork(acts[kind])] = kind
        for pid in [pid for pid, kind in crew.items() if kind == "producer"]:
            del crew[pid]
            end(pid)
        wait_until_done(path)
    finally:
        for pid in crew:
            end(pid)
    sys.stdout.write(json.dumps(killed) + "\n")
    return 0


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code == -signal.SIGKILL, f"it had ended with {code} before it was killed"


def wait_until_done(path: Path) -> None:
    database = Database(path)
    store, give_up_at = WorkStore(database), time.monotonic() + LIMIT_S
    while store.count_open():
        assert time.monotonic() < give_up_at, "items were left"
        time.sleep(0.05)  # the pause of a poll with a limit
    database.close()


def produce_on(path: Path) -> None:
    """What is acknowledged is written to standard output after its commit."""
    database = Database(path)
    store = WorkStore(database)
    while True:
        with database.transaction(durable=False) as tx:
            number = tx.execute("INSERT INTO made DEFAULT VALUES").lastrowid
            assert number is not None
            store.enqueue(tx, work(number))
        os.write(sys.stdout.fileno(), f"made {number}\n".encode())
        time.sleep(0.003)  # work comes about as fast as it is done


def consume_on(path: Path) -> None:
    doorbell = Doorbell()
    database = Database(path, on_commit=doorbell.ring)
    store = WorkStore(database, lease_s=LEASE_S)
    handlers, lanes = {"count": Counting()}, {"io": 1}
    worker = Worker(database, store, handlers, lanes, doorbell, lease_s=LEASE_S, jitter=lambda: 0.0)
    worker.start()
    threading.Event().wait(LIMIT_S)


class Counting:
    """Takes a moment, so that many are killed in the middle of it."""

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:
        interrupt.wait(0.002)
        return Done(lambda tx: note_taken(tx, item.payload["n"]))

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        pass

    def ended(self, tx: Transaction, item: WorkItem, status: EndStatus, error: HotfolderError) -> None:
        raise AssertionError(f"{item.payload} ended as {status}: {error}")


# Coming late


def late(path: Path) -> int:
    database = Database(path)
    store = WorkStore(database, lease_s=LEASE_S)
    item = store.claim("io")
    assert item is not None
    sys.stdout.write("claimed\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        with database.transaction() as tx:
            note_taken(tx, -1)
            store.complete(tx, item)
    except QueueError as error:
        sys.stdout.write(str(error))
        return 3
    return 0


if __name__ == "__main__":
    name, path, *numbers = sys.argv[1:]
    sys.exit({"share": share, "kill": kill, "late": late}[name](Path(path), *map(int, numbers)))
