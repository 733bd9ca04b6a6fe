"""A datagram wakes the sidecar long before it would have looked by itself."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time

import pytest

from hotfolder.database import Database
from hotfolder.domain.work import NewWork
from hotfolder.queue.lane import POLL_S
from hotfolder.queue.nudge import NudgeListener, send_nudge
from hotfolder.queue.store import WorkStore
from hotfolder.queue.worker import Done, Worker

WAIT_S = 10.0
WOKEN_LIMIT_S = 0.5


@pytest.fixture
def port_file(tmp_path):
    return tmp_path / "nudge"


@pytest.fixture
def rung():
    return threading.Event()


@pytest.fixture
def listener(port_file, rung):
    started = NudgeListener(port_file, rung.set)
    started.start()
    yield started
    started.stop()


class Runner:
    """A handler that says when it has run."""

    def __init__(self):
        self.ran = threading.Event()

    def execute(self, item, interrupt):
        return Done(lambda tx: self.ran.set())

    def returned(self, tx, item):
        pass

    def ended(self, tx, item, status, error):
        pass


def test_each_datagram_rings(listener, port_file, rung):
    for _ in range(3):
        send_nudge(port_file)
        assert rung.wait(WAIT_S)
        rung.clear()


def test_another_process_can_ring(listener, port_file, rung):
    script = "import sys; from pathlib import Path; from hotfolder.queue.nudge import send_nudge; "
    subprocess.run([sys.executable, "-c", script + "send_nudge(Path(sys.argv[1]))", port_file], check=True)

    assert rung.wait(WAIT_S)


def test_a_large_datagram_from_a_stranger_rings_like_any_other(listener, port_file, rung):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"x" * 2000, ("127.0.0.1", int(port_file.read_text())))
    assert rung.wait(WAIT_S)
    rung.clear()

    send_nudge(port_file)
    assert rung.wait(WAIT_S)


def test_the_port_is_open_to_this_machine_only(listener, port_file):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", int(port_file.read_text())))  # fails if the listener has all addresses


def test_a_stopped_listener_leaves_no_port_file_and_no_thread(port_file, rung):
    listener = NudgeListener(port_file, rung.set)
    listener.start()

    listener.stop()

    assert not port_file.exists()
    assert "nudge" not in [thread.name for thread in threading.enumerate()]


def test_a_listener_stops_even_when_its_port_file_was_removed(port_file, rung):
    listener = NudgeListener(port_file, rung.set)
    listener.start()
    port_file.unlink()

    listener.stop()

    assert "nudge" not in [thread.name for thread in threading.enumerate()]


def test_stopping_a_listener_that_never_started_leaves_the_file_of_another(listener, port_file, rung):
    NudgeListener(port_file, rung.set).stop()

    send_nudge(port_file)
    assert rung.wait(WAIT_S)


@pytest.mark.parametrize("text", ["", "words", "70000", "-1", "99999999999999999999", "ü"])
def test_a_broken_port_file_is_no_reason_to_fail(port_file, text):
    port_file.write_text(text, encoding="utf-8")

    send_nudge(port_file)


def test_without_a_sidecar_a_nudge_goes_nowhere(port_file):
    send_nudge(port_file)
    port_file.write_text("9")

    send_nudge(port_file)


def test_a_nudge_wakes_an_idle_lane_well_before_it_would_look_again(database, doorbell, port_file):
    handler, elsewhere = Runner(), Database(database.path)
    store = WorkStore(database)
    worker = Worker(database, store, {"paint": handler}, {"gpu": 1}, doorbell, lease_s=60)
    listener = NudgeListener(port_file, doorbell.ring)
    listener.start()
    worker.start()
    waits_s = []
    for number in range(5):
        with elsewhere.transaction() as tx:
            WorkStore(elsewhere).enqueue(tx, NewWork("paint", "gpu", {}, "tests", str(number)))
        begun_at = time.monotonic()
        send_nudge(port_file)
        assert handler.ran.wait(WAIT_S)
        waits_s.append(time.monotonic() - begun_at)
        handler.ran.clear()
    worker.stop(5)
    listener.stop()
    elsewhere.close()

    assert POLL_S == 1.0
    assert sorted(waits_s)[2] < WOKEN_LIMIT_S


def test_without_a_nudge_the_lane_finds_the_work_by_itself(database, doorbell):
    handler, elsewhere = Runner(), Database(database.path)
    worker = Worker(database, WorkStore(database), {"paint": handler}, {"gpu": 1}, doorbell, lease_s=60)
    worker.start()
    with elsewhere.transaction() as tx:
        WorkStore(elsewhere).enqueue(tx, NewWork("paint", "gpu", {}, "tests", "s"))

    assert handler.ran.wait(WAIT_S)
    worker.stop(5)
    elsewhere.close()
