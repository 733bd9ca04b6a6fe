"""One sidecar at a time, however the last one ended."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from hotfolder.errors import LibraryError
from hotfolder.lock import LibraryLock
from tests.scenarios.service import wait_for

HOLD = """
import subprocess, sys
from pathlib import Path
from hotfolder.lock import LibraryLock
lock = LibraryLock(Path(sys.argv[1]))
lock.acquire()
engine = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=0)
print(engine.pid, flush=True)
engine.wait()
lock.release()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lock"


@pytest.fixture
def holder(path):
    """Another process that holds the lock, with a child of its own, until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert int(process.stdout.readline()) > 0
    yield process
    process.kill()
    process.communicate(timeout=10)


def test_a_second_process_is_refused_and_told_who_holds_the_lock(path, holder):
    with pytest.raises(LibraryError, match=rf"process {holder.pid} on .+ since 20") as caught:
        LibraryLock(path).acquire()

    assert caught.value.code == "library.locked"
    assert caught.value.hint


def test_a_refused_process_does_not_wipe_out_who_holds_the_lock(path, holder):
    for _ in range(2):
        with pytest.raises(LibraryError, match=f"process {holder.pid} "):
            LibraryLock(path).acquire()


def test_others_can_tell_that_a_sidecar_runs(path, holder):
    assert LibraryLock(path).is_held_by_another()


def test_a_killed_holder_lets_go_although_its_engine_lives_on(path, holder):
    holder.kill()
    holder.wait(10)
    lock = LibraryLock(path)

    assert not lock.is_held_by_another()
    lock.acquire()
    lock.release()


def test_a_holder_that_releases_lets_the_next_one_in(path, holder):
    holder.communicate(timeout=10)
    lock = LibraryLock(path)

    assert holder.returncode == 0
    lock.acquire()
    lock.release()


def test_the_lock_can_be_taken_again_after_a_release(path):
    first, second = LibraryLock(path), LibraryLock(path)
    first.acquire()
    with pytest.raises(LibraryError):
        second.acquire()
    first.release()

    second.acquire()
    second.release()


def test_service_waits_until_a_command_that_works_in_its_place_lets_go(path):
    command, service = LibraryLock(path), LibraryLock(path)
    command.acquire(gives_way=True)
    start = threading.Thread(target=service.acquire)
    start.start()

    wait_for(command.is_wanted, "a service that waits")
    command.release()
    start.join(10)

    assert LibraryLock(path).describe_holder().startswith("process ")
    assert not command.is_wanted()
    service.release()


def test_command_that_works_in_place_of_a_service_asks_nobody_to_give_way(path):
    first, second = LibraryLock(path), LibraryLock(path)
    first.acquire(gives_way=True)

    with pytest.raises(LibraryError):
        second.acquire(gives_way=True)

    assert not first.is_wanted()
    first.release()


def test_releasing_what_is_not_held_does_nothing(path):
    LibraryLock(path).release()

    assert not path.exists()


def test_nobody_runs_on_a_library_that_was_never_locked(path):
    assert not LibraryLock(path).is_held_by_another()


def test_nobody_runs_on_a_folder_that_is_not_there(tmp_path):
    assert not LibraryLock(tmp_path / "missing" / "lock").is_held_by_another()


def test_a_lock_file_without_readable_text_still_tells_something(path):
    path.write_text("half a")

    assert LibraryLock(path).describe_holder() == "its process is not known"


def test_two_who_ask_at_the_same_time_do_not_take_each_other_for_a_sidecar(path):
    with _many_askers(path) as answers:
        pass

    assert len(answers) == 600
    assert not any(answers)


def test_somebody_who_asks_does_not_keep_a_sidecar_from_starting(path):
    with _many_askers(path):
        for _ in range(30):
            lock = LibraryLock(path)
            lock.acquire()
            lock.release()


@contextmanager
def _many_askers(path):
    """Two threads that ask again and again whether a sidecar runs; gives their answers."""
    answers = []

    def ask():
        answers.extend(LibraryLock(path).is_held_by_another() for _ in range(300))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield answers
    for thread in threads:
        thread.join(10)
