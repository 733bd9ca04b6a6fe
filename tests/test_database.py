"""Connections, short immediate transactions, and the events written in them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hotfolder.database import BUSY_TIMEOUT_S, Database, connect, to_json
from hotfolder.errors import LibraryBusy, LibraryError
from hotfolder.events import GENERATION_CHANGED, GENERATION_PROGRESS, Doorbell
from hotfolder.migrations import migrate

WAIT_S = 10.0
COUNT_UP = """
import sys
from pathlib import Path
from hotfolder.database import Database
database = Database(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    with database.transaction() as tx:
        value = int(tx.execute("SELECT value FROM app_settings WHERE key = 'n'").fetchone()[0])
        tx.execute("UPDATE app_settings SET value = ? WHERE key = 'n'", (str(value + 1),))
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "library.db"
    migrate(file)
    return file


@pytest.fixture(params=["as a worker", "eager"])
def database(path, request):
    opened = Database(path)
    if request.param == "eager":
        opened.be_eager()
    yield opened
    opened.close()


def put(tx, key, value):
    tx.execute("INSERT INTO app_settings (key, value) VALUES (?, ?)", (key, value))


def keys(database):
    return [row["key"] for row in database.query("SELECT key FROM app_settings ORDER BY key")]


def open_files():
    return len(list(Path("/dev/fd").iterdir()))


def in_thread(work):
    """Run it in a thread of its own to the end; gives its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join(WAIT_S)
    return results[0]


def test_processes_that_read_then_write_never_fail_and_lose_no_update(path, database):
    with database.transaction() as tx:
        put(tx, "n", "0")
    command = [sys.executable, "-c", COUNT_UP, str(path), "40"]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=30)

    assert [child.returncode for child in children] == [0, 0, 0]
    assert database.query_one("SELECT value FROM app_settings")["value"] == "120"


def test_a_transaction_begins_by_waiting_for_the_writer_before_it(database):
    entered, release, order = threading.Event(), threading.Event(), []

    def first():
        with database.transaction() as tx:
            entered.set()
            release.wait(WAIT_S)
            put(tx, "first", "1")
            order.append("first")

    def second():
        with database.transaction() as tx:
            order.append("second")
            assert tx.execute("SELECT count(*) FROM app_settings").fetchone()[0] == 1
            put(tx, "second", "2")

    threads = [threading.Thread(target=each) for each in (first, second)]
    threads[0].start()
    assert entered.wait(WAIT_S)
    threads[1].start()
    release.set()
    for thread in threads:
        thread.join(WAIT_S)

    assert order == ["first", "second"]
    assert keys(database) == ["first", "second"]


def test_who_waits_for_a_writer_only_so_long_is_told_and_waits_as_long_as_ever_the_next_time(database):
    with database.transaction():
        told = in_thread(lambda: begin_within(database, 0.05))

    assert isinstance(told, LibraryBusy)
    with database.transaction() as tx:
        assert tx.execute("PRAGMA busy_timeout").fetchone()[0] == BUSY_TIMEOUT_S * 1000


def begin_within(database, wait_s):
    try:
        with database.transaction(wait_s=wait_s):
            return None
    except LibraryBusy as error:
        return error


def test_readers_do_not_wait_for_a_writer_and_see_what_was_before(database):
    with database.transaction() as tx:
        put(tx, "unfinished", "1")

        assert in_thread(lambda: keys(database)) == []
    assert in_thread(lambda: keys(database)) == ["unfinished"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_takes_the_whole_transaction_back(database, error):
    def write_and_fail(tx):
        put(tx, "a", "1")
        tx.event(GENERATION_CHANGED, "generation", "g", {})
        raise error

    with pytest.raises(error), database.transaction() as tx:
        write_and_fail(tx)

    assert keys(database) == []
    assert database.list_events(0) == []
    with database.transaction() as tx:
        put(tx, "b", "2")
    assert keys(database) == ["b"]


def test_a_commit_that_fails_leaves_no_transaction_open(path):
    rings = []
    database = Database(path, on_commit=lambda: rings.append(1))

    def write(tx):
        tx.execute("PRAGMA defer_foreign_keys = ON")
        tx.execute("INSERT INTO media_keywords (media_id, keyword_id) VALUES ('none', 'none')")

    with pytest.raises(sqlite3.IntegrityError), database.transaction() as tx:
        write(tx)

    assert rings == []
    with database.transaction() as tx:
        put(tx, "after", "1")
    assert keys(database) == ["after"]
    assert rings == [1]
    database.close()


def test_the_error_is_the_real_one_when_sqlite_has_rolled_back_by_itself(database):
    with database.transaction() as tx:
        put(tx, "a", "1")

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"), database.transaction() as tx:
        tx.execute("INSERT OR ROLLBACK INTO app_settings (key) VALUES ('a')")

    with database.transaction() as tx:
        put(tx, "b", "1")
    assert keys(database) == ["a", "b"]


def test_a_transaction_within_a_transaction_is_refused(database):
    with database.transaction() as tx:
        put(tx, "outer", "1")
        with pytest.raises(sqlite3.OperationalError), database.transaction():
            pass

    assert keys(database) == ["outer"]


def test_on_commit_is_called_once_the_change_can_be_seen_by_others(path):
    seen = []
    database = Database(path, on_commit=lambda: seen.append(in_thread(lambda: keys(database))))

    with database.transaction() as tx:
        put(tx, "a", "1")
        assert seen == []

    assert seen == [["a"]]
    database.close()


def test_on_commit_is_not_called_after_a_rollback(path):
    calls = []
    database = Database(path, on_commit=lambda: calls.append(1))

    with pytest.raises(ValueError, match="stop"), database.transaction():
        raise ValueError("stop")

    assert calls == []
    database.close()


def test_everything_in_a_transaction_happens_at_one_instant(path):
    instants = iter(datetime(2026, 11, 21, 3, tzinfo=UTC) + timedelta(seconds=n) for n in range(10))
    database = Database(path, clock=lambda: next(instants))

    with database.transaction() as tx:
        tx.event("a.happened", "thing", "1", {})
        tx.event("b.happened", "thing", "2", {})
        at = tx.at

    assert at == "2026-11-21T03:00:00.000Z"
    assert [event.at for event in database.list_events(0)] == [at, at]
    database.close()


def test_only_the_latest_progress_of_a_generation_is_kept(database):
    with database.transaction() as tx:
        tx.event(GENERATION_PROGRESS, "generation", "other", {"step": 1})
        tx.event(GENERATION_CHANGED, "generation", "g", {"status": "processing"})
    for step in (1, 2, 3):
        with database.transaction() as tx:
            tx.event(GENERATION_PROGRESS, "generation", "g", {"step": step})

    kept = [(event.topic, event.subject_id, event.data) for event in database.list_events(0)]
    assert kept == [
        (GENERATION_PROGRESS, "other", {"step": 1}),
        (GENERATION_CHANGED, "g", {"status": "processing"}),
        (GENERATION_PROGRESS, "g", {"step": 3}),
    ]


def test_a_follower_of_events_meets_new_progress_although_the_old_is_gone(database):
    with database.transaction() as tx:
        tx.event(GENERATION_PROGRESS, "generation", "g", {"step": 1})
    seen = database.last_event_seq()
    with database.transaction() as tx:
        tx.event(GENERATION_PROGRESS, "generation", "g", {"step": 2})

    assert [event.data for event in database.list_events(seen)] == [{"step": 2}]


def test_progress_is_replaced_without_walking_through_that_of_all_generations(database):
    statements = []
    connection = database.connection()
    with database.transaction() as tx:
        connection.set_trace_callback(statements.append)
        tx.event(GENERATION_PROGRESS, "generation", "g", {})
        connection.set_trace_callback(None)

    delete = next(each for each in statements if each.startswith("DELETE"))
    plan = " ".join(row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {delete}"))
    assert "idx_events_subject (subject_id=? AND seq<?)" in plan


def test_events_are_listed_in_order_after_a_number_and_up_to_a_limit(database):
    with database.transaction() as tx:
        for number in range(5):
            tx.event("thing.counted", "thing", str(number), {"n": number}, actor="anna")
    first = database.list_events(0, limit=2)

    assert [event.data["n"] for event in first] == [0, 1]
    assert [event.data["n"] for event in database.list_events(first[-1].seq)] == [2, 3, 4]
    assert first[0].actor == "anna"
    assert database.last_event("thing.counted").data == {"n": 4}
    assert database.last_event("other.topic") is None


def test_a_new_library_has_no_events(database):
    assert database.last_event_seq() == 0
    assert database.list_events(0) == []


def test_a_sound_file_passes_the_quick_check(database):
    assert database.quick_check() == "ok"


def test_each_thread_has_a_connection_of_its_own(database):
    own = database.connection()

    assert database.connection() is own
    assert in_thread(database.connection) is not own


def test_connections_of_threads_that_have_ended_are_closed(database):
    database.connection()
    in_thread(database.quick_check)
    before = open_files()

    for _ in range(20):
        in_thread(database.quick_check)

    assert open_files() <= before + 3  # the last one's


def test_close_closes_the_connections_of_all_threads(path):
    before = open_files()
    database = Database(path)
    database.quick_check()
    in_thread(database.quick_check)

    database.close()

    assert open_files() == before


def test_every_connection_waits_for_the_disk_and_checks_references(path):
    connection = connect(path)
    found = [
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    ]
    connection.close()

    assert found == ["wal", 2, 1, 15_000]


def test_a_file_that_is_no_database_is_refused_and_stays_as_it_was(tmp_path):
    file = tmp_path / "library.db"
    file.write_bytes(b"not a database, but the only copy of somebody's notes" * 50)
    before = file.read_bytes()

    with pytest.raises(LibraryError, match=r"library\.db") as caught:
        connect(file)

    assert caught.value.code == "library.database"
    assert file.read_bytes() == before


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(LibraryError, match="missing"):
        connect(tmp_path / "missing" / "library.db")


@pytest.mark.parametrize(
    ("value", "text"),
    [({"a": [1, None, True]}, '{"a":[1,null,true]}'), ({"name": "Übung"}, '{"name":"Übung"}')],
)
def test_json_text_is_compact_and_readable(value, text):
    assert to_json(value) == text


def test_json_text_with_undecodable_bytes_of_a_name_can_be_stored(database):
    name = os.fsdecode(b"caf\xe9.yaml")
    with database.transaction() as tx:
        put(tx, "name", to_json({"name": name}))

    assert json.loads(database.query_one("SELECT value FROM app_settings")["value"]) == {"name": name}


def test_a_doorbell_wakes_everyone_who_listens():
    doorbell = Doorbell()
    bells = [doorbell.listen(), doorbell.listen()]

    doorbell.ring()

    assert [bell.is_set() for bell in bells] == [True, True]


def test_a_doorbell_does_not_remember_a_ring_for_a_later_listener():
    doorbell = Doorbell()
    doorbell.ring()

    assert not doorbell.listen().is_set()


def test_a_database_can_be_used_again_after_it_was_closed(path: Path):
    database = Database(path)
    with database.transaction() as tx:
        put(tx, "kept", "1")
    database.close()

    assert keys(database) == ["kept"]
    database.close()
