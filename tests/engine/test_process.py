"""The engine's child process, with real children."""

import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hotfolder.engine.process import EngineProcess, build_child_environment
from hotfolder.errors import EngineTimeout

ROUGH_ENGINE = Path(__file__).with_name("rough_engine.py")
GUARD = Path(sys.modules[EngineProcess.__module__].__file__).with_name("guard.py")
LIMIT_S = 10


class Child:
    """A process with everything it said."""

    def __init__(self, program, *, env=None, cwd=None):
        self.lines = queue.SimpleQueue()
        self.exits = queue.SimpleQueue()
        self.process = EngineProcess(
            program, env=env or {}, cwd=cwd, on_line=self.lines.put, on_exit=self.exits.put
        )

    def __enter__(self):
        self.process.start(LIMIT_S)
        return self

    def __exit__(self, *_):
        self.process.kill()

    def send(self, line):
        self.process.send(line, timeout_s=LIMIT_S)

    def heard(self):
        return self.lines.get(timeout=LIMIT_S)


def python(code, **options):
    return Child([sys.executable, "-S", "-c", code], **options)


def has_ended(pid):
    """Waits for the end of any process, also of one that is not our child."""
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watch], [], [], LIMIT_S)[0])
    finally:
        os.close(watch)


def test_environment_of_the_child_has_no_secrets():
    inherited = {
        "PATH": "/bin",
        "HOTFOLDER_SECRETS__FAL": "1",
        "REPLICATE_API_TOKEN": "2",
        "WAVESPEED_API_KEY": "3",
        "FAL_KEY": "4",
        "OMP_WAIT_POLICY": "active",
    }

    env = build_child_environment(inherited, {"CUDA_VISIBLE_DEVICES": "1", "GGML_NO_BACKTRACE": "0"})

    assert env == {
        "PATH": "/bin",
        "OMP_WAIT_POLICY": "active",
        "CUDA_VISIBLE_DEVICES": "1",
        "GGML_NO_BACKTRACE": "0",
    }


def test_environment_of_the_child_has_the_engines_defaults():
    assert build_child_environment({}, {}) == {"GGML_NO_BACKTRACE": "1", "OMP_WAIT_POLICY": "passive"}


def test_line_that_is_sent_comes_back_from_a_child_that_echoes():
    with python("import sys; print(sys.stdin.readline().strip()[::-1], flush=True)") as child:
        child.send(b"abc\n")

        assert child.heard() == b"cba"


def test_exit_is_told_after_the_last_line_with_the_end_of_the_log():
    code = "import sys; print('last'); sys.stderr.write('one\\ntwo\\nthree'); sys.exit(3)"
    with python(code) as child:
        ended = child.exits.get(timeout=LIMIT_S)

        assert (ended.returncode, ended.stderr_tail) == (3, ("one", "two", "three"))
        assert child.lines.get_nowait() == b"last"
        assert child.process.wait(LIMIT_S) == ended
        assert not child.process.alive


def test_exit_is_told_although_a_grandchild_holds_the_pipes():
    code = "import subprocess, sys; subprocess.Popen(['sleep', '60']); sys.exit(0)"
    with python(code) as child:
        assert child.exits.get(timeout=LIMIT_S).returncode == 0


def test_helper_that_left_the_group_and_holds_the_pipes_costs_neither_time_nor_threads():
    code = "import subprocess\nprint(subprocess.Popen(['sleep', '60'], start_new_session=True).pid)\ninput()"
    threads, descriptors = set(threading.enumerate()), len([*Path("/proc/self/fd").iterdir()])
    with python(code, env={"PYTHONUNBUFFERED": "1"}) as child:
        helper, own = int(child.heard()), set(threading.enumerate()) - threads
        try:
            asked_at = time.monotonic()
            child.send(b"\n")

            assert child.exits.get(timeout=LIMIT_S).returncode == 0
            assert time.monotonic() - asked_at < 0.9
        finally:
            os.kill(helper, signal.SIGKILL)
    for thread in own:
        thread.join(LIMIT_S)
        assert not thread.is_alive()
    assert len([*Path("/proc/self/fd").iterdir()]) == descriptors


def test_log_has_what_was_written_before_the_latest_line():
    code = (
        "import sys\n"
        "for n in range(500): sys.stderr.write(f'{n}\\n')\n"
        "sys.stderr.flush(); print('done', flush=True); sys.stdin.readline()"
    )
    with python(code) as child:
        child.heard()

        tail = child.process.stderr_tail()

    assert tail == tuple(str(n) for n in range(440, 500))


def test_flood_on_stderr_does_not_block_the_child():
    with python("import sys; sys.stderr.write('x' * 5_000_000); print('through', flush=True)") as child:
        assert child.heard() == b"through"


def test_anything_written_counts_as_a_sign_of_life():
    code = "import sys; sys.stdin.readline(); sys.stdout.write('\\r |=> |'); sys.stdout.flush()"
    with python(code) as child:
        started_at = child.process.heard_at
        child.send(b"\n")
        child.exits.get(timeout=LIMIT_S)

        assert child.process.heard_at > started_at


def test_quit_lets_the_child_go_by_itself():
    with Child([sys.executable, str(ROUGH_ENGINE)]) as child:
        ended = child.process.quit(b'{"id":"quit-1","cmd":"quit"}\n', timeout_s=LIMIT_S, terminate_s=LIMIT_S)

        assert ended.returncode == 0
        assert b'"quitting"' in child.heard()


def test_child_that_hears_no_farewell_is_terminated():
    with python("print(1, flush=True)\nwhile True: __import__('time').sleep(60)") as child:
        child.heard()

        ended = child.process.quit(b"bye\n", timeout_s=0.01, terminate_s=LIMIT_S)

        assert ended.returncode == -signal.SIGTERM


def test_child_that_ignores_termination_is_killed_with_its_group():
    code = (
        "import signal, subprocess, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['sleep', '60']).pid, flush=True)\n"
        "time.sleep(60)"
    )
    with python(code) as child:
        grandchild = int(child.heard())

        ended = child.process.terminate(0.05)

        assert ended.returncode == -signal.SIGKILL
        assert has_ended(grandchild)


def test_child_that_reads_nothing_does_not_hold_the_sender():
    with python("print(1, flush=True); __import__('time').sleep(60)") as child:
        child.heard()

        with pytest.raises(EngineTimeout):
            child.process.send(b"x" * 1_000_000, timeout_s=0.05)


def test_sending_to_a_dead_child_is_silent():
    with python("pass") as child:
        child.process.wait(LIMIT_S)

        child.send(b"x" * 1_000_000)

        assert child.process.terminate(LIMIT_S).returncode == 0


def test_everybody_who_waits_learns_of_the_exit():
    heard = queue.SimpleQueue()
    with python("__import__('sys').stdin.readline(); raise SystemExit(7)") as child:
        waiting = [threading.Thread(target=lambda: heard.put(child.process.wait(LIMIT_S))) for _ in range(3)]
        for thread in waiting:
            thread.start()

        child.send(b"\n")

        assert [heard.get(timeout=LIMIT_S).returncode for _ in waiting] == [7, 7, 7]
        for thread in waiting:
            thread.join()


def test_folder_that_is_not_there_is_an_os_error(tmp_path):
    child = python("pass", cwd=tmp_path / "missing")

    with pytest.raises(OSError, match="missing"):
        child.process.start(LIMIT_S)

    assert not child.process.alive


def test_program_that_cannot_run_ends_with_a_reason(tmp_path):
    program = tmp_path / "engine"
    program.write_bytes(b"\x7fELF but not really")
    program.chmod(0o755)

    with Child([str(program)]) as child:
        ended = child.exits.get(timeout=LIMIT_S)

    assert ended.returncode == 126
    assert "Exec format error" in ended.stderr_tail[-1]


def test_child_outlives_the_thread_that_asked_for_it():
    child = python("import sys; print('ready', flush=True); print(sys.stdin.readline())")
    starter = threading.Thread(target=lambda: (child.process.start(LIMIT_S), child.heard()))
    starter.start()
    starter.join()

    child.send(b"still here\n")

    assert child.heard() == b"still here"
    assert child.exits.get(timeout=LIMIT_S).returncode == 0


def test_guard_runs_nothing_for_a_parent_that_is_gone():
    nobody = os.getpid() + 1

    ended = subprocess.run(
        [sys.executable, "-I", "-S", str(GUARD), str(nobody), "echo", "hello"],
        capture_output=True,
        timeout=LIMIT_S,
    )

    assert (ended.returncode, ended.stdout) == (1, b"")


def test_guard_leaves_broken_pipes_to_the_program():
    with Child(["sh", "-c", "grep SigIgn /proc/self/status"]) as child:
        ignored = int(child.heard().split()[1], 16)

    assert not ignored & 1 << (signal.SIGPIPE - 1)


def test_killed_parent_takes_its_busy_engine_along(tmp_path):
    model = tmp_path / "model.gguf"
    model.touch()
    program = f"""
import sys, threading
from hotfolder.engine.manager import EngineCommand, EngineManager, EngineTimeouts
from hotfolder.engine.messages import GenerateParams, LoadParams

command = EngineCommand("cn-engine", (sys.executable, {str(ROUGH_ENGINE)!r}))
manager = EngineManager(command, EngineTimeouts())
params = GenerateParams("fault:stubborn", 64, 64, 1, 4, None, (), {str(tmp_path / "a.png")!r})

def tell(progress):
    if progress.stage == "conditioning":
        print(manager.status().pid, flush=True)

manager.generate(LoadParams({str(model)!r}), params, on_progress=tell, cancel=threading.Event())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        engine_pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)

        assert has_ended(engine_pid)
