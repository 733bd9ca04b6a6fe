"""Processes that are killed or held up lose nothing, do nothing twice, and write nothing too late."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hotfolder.database import Database
from hotfolder.domain.work import NewWork
from hotfolder.events import Doorbell
from hotfolder.migrations import migrate
from hotfolder.queue.store import WorkStore
from hotfolder.queue.worker import Done, Worker
from tests.queue.test_worker import Scripted, wait_for

CREW = Path(__file__).with_name("crew.py")
KILLS, SEED = 100, 6
LIMIT_S = 120.0


@pytest.fixture
def shared(tmp_path):
    """A database on the clock of the machine, as processes share it."""
    migrate(tmp_path / "library.db")
    opened = Database(tmp_path / "library.db")
    opened.connection().execute("CREATE TABLE made (n INTEGER PRIMARY KEY)")
    opened.connection().execute("CREATE TABLE taken (n INTEGER PRIMARY KEY, pid INTEGER)")
    yield opened
    opened.close()


def test_after_100_kills_every_item_was_done_once(shared):
    done = subprocess.run(
        [sys.executable, CREW, "kill", shared.path, str(KILLS), str(SEED)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )

    assert (done.returncode, "Traceback" in done.stderr, "locked" in done.stderr) == (0, False, False), (
        done.stderr
    )
    *acknowledged, killed = done.stdout.splitlines()
    assert sum(json.loads(killed).values()) == KILLS
    assert min(json.loads(killed).values()) > 10
    made = {row["n"] for row in shared.query("SELECT n FROM made")}
    assert {int(line.removeprefix("made ")) for line in acknowledged} <= made
    assert {row["n"] for row in shared.query("SELECT n FROM taken")} == made
    rows = shared.query("SELECT status, attempt_count, payload_json FROM work_queue")
    assert sorted(json.loads(row["payload_json"])["n"] for row in rows) == sorted(made)
    assert {row["status"] for row in rows} == {"completed"}
    assert any(row["attempt_count"] > 1 for row in rows)  # some were killed with an item in hand
    told = shared.query(
        "SELECT count(*) AS n FROM events WHERE json_extract(data_json, '$.status') = 'completed'"
    )
    assert told[0]["n"] == len(made)


def test_a_worker_that_was_held_up_past_its_lease_completes_nothing(shared):
    with shared.transaction() as tx:
        work_id = WorkStore(shared).enqueue(tx, NewWork("count", "io", {"n": 1}, "tests", "1"))
    command = [sys.executable, CREW, "late", shared.path]
    late = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert late.stdout.readline() == "claimed\n"
        os.kill(late.pid, signal.SIGSTOP)
        another = _complete_by_another(shared, work_id)
        os.kill(late.pid, signal.SIGCONT)
        told, _ = late.communicate("go\n", timeout=LIMIT_S)
    finally:
        late.kill()
        late.wait()

    assert late.returncode == 3
    assert "no longer held" in told
    assert _row(shared, work_id) == another
    assert (another["status"], another["attempt_count"]) == ("completed", 2)
    assert [row["n"] for row in shared.query("SELECT n FROM taken")] == [1]


def _complete_by_another(shared, work_id):
    doorbell = Doorbell()
    database = Database(shared.path, on_commit=doorbell.ring)
    store = WorkStore(database, lease_s=1.0)
    handler = Scripted(
        lambda item, _: Done(lambda tx: tx.execute("INSERT INTO taken (n) VALUES (?)", (item.payload["n"],)))
    )
    worker = Worker(database, store, {"count": handler}, {"io": 1}, doorbell, lease_s=1.0, jitter=lambda: 0.0)
    worker.start()
    wait_for(lambda: _row(shared, work_id)["status"] == "completed", "the second attempt")
    worker.stop(5)
    database.close()
    return _row(shared, work_id)


def _row(shared, work_id):
    return dict(shared.query_one("SELECT * FROM work_queue WHERE id = ?", (work_id,)))
