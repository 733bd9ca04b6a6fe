"""What an engine can do to a conversation: die, hang, babble, answer late, not be there."""

import os
import re
import signal
import threading
import time

import pytest

from hotfolder.engine.conversation import Conversation
from hotfolder.engine.messages import GenerateParams
from hotfolder.errors import EngineCancelled, EngineCrashed, EngineError, EngineTimeout

LIMIT_S = 10


@pytest.mark.parametrize(
    ("fault", "code"),
    [("fail", "engine.generation_failed"), ("codeless", "engine.failed"), ("unread", "engine.parse_error")],
)
def test_refusal_has_the_engines_own_code_and_the_engine_lives(desk, fault, code):
    work = desk()

    with pytest.raises(EngineError) as refused:
        work.generate(f"fault:{fault} picture")
    state = work.manager.status().state
    work.generate()

    assert refused.value.code == code
    assert state == "ready"
    assert work.names() == ["ping", "load", "generate", "generate"]


@pytest.mark.parametrize("fault", ["stray", "garbage"])
def test_foreign_results_and_garbage_are_not_taken_for_the_result(desk, fault):
    work = desk()

    outcome = work.generate(f"fault:{fault} picture")

    assert (outcome.output, outcome.seed) == (str(work.folder / "a.png"), 42)


@pytest.mark.parametrize(("fault", "how"), [("crash", "exit code 3"), ("abort", "signal SIGABRT")])
def test_crash_is_told_with_the_end_of_the_log_and_the_next_job_starts_afresh(desk, fault, how):
    work = desk()

    with pytest.raises(EngineCrashed, match=how) as crashed:
        work.generate(f"fault:{fault} secret picture")
    status = work.manager.status()
    work.generate()

    assert "[ERROR]" in crashed.value.hint
    assert "secret picture" not in crashed.value.hint
    assert (status.state, status.pid, status.model_info) == ("error", None, None)
    assert how in status.problem
    assert len({pid for pid, _ in work.commands()}) == 2
    assert work.names() == ["ping", "load", "generate", "ping", "load", "generate"]


def test_silent_engine_is_killed_and_never_asked_again(desk):
    work = desk(stall_s=0.5, terminate_s=0.05)

    with pytest.raises(EngineTimeout, match=r"said nothing for 0\.5 s") as stalled:
        work.generate("fault:stubborn picture")
    pid = work.commands()[-1][0]
    work.generate()

    assert "engine.stall_s" in stalled.value.hint
    assert work.is_gone(pid)
    assert [command["cmd"] for each, command in work.commands() if each == pid] == [
        "ping",
        "load",
        "generate",
    ]


def test_engine_that_takes_too_long_is_killed(desk):
    work = desk(generate_s=0.2)

    with pytest.raises(EngineTimeout, match=r"within 0\.2 s") as late:
        work.generate("fault:hang picture")

    assert "engine.generate_timeout_s" in late.value.hint
    assert work.is_gone(work.commands()[-1][0])


def test_cancel_ends_the_work_in_well_under_a_second(desk, caller):
    work, cancel = desk(), threading.Event()
    job = caller.submit(work.generate, "fault:stubborn picture", cancel=cancel)
    assert work.under_way.wait(LIMIT_S)
    pid = work.manager.status().pid

    cancelled_at = time.monotonic()
    cancel.set()
    with pytest.raises(EngineCancelled):
        job.result(LIMIT_S)

    assert time.monotonic() - cancelled_at < 0.9
    assert work.is_gone(pid)
    assert work.states()[-1] == "stopped"


def test_result_that_comes_after_a_cancel_is_not_taken_for_the_next_one(desk, caller):
    work, cancel = desk(), threading.Event()
    job = caller.submit(work.generate, "fault:late picture", cancel=cancel, name="late.png")
    assert work.under_way.wait(LIMIT_S)
    cancel.set()
    with pytest.raises(EngineCancelled):
        job.result(LIMIT_S)

    outcome = work.generate(name="next.png")

    assert outcome.output == str(work.folder / "next.png")
    assert len({command["id"] for _, command in work.commands()}) == len(work.commands())


def test_failing_listener_leaves_no_work_behind_in_the_engine(desk):
    work = desk()
    params = GenerateParams("fault:hang", 64, 64, 1, 4, None, (), str(work.folder / "a.png"))

    def fail(progress):
        if progress.stage == "conditioning":
            raise RuntimeError("the database is full")

    with pytest.raises(RuntimeError, match="the database is full"):
        work.manager.generate(work.model, params, on_progress=fail, cancel=threading.Event())
    work.generate()

    assert len({pid for pid, _ in work.commands()}) == 2


def test_result_that_came_in_time_counts_although_a_slow_listener_held_it_up(desk):
    work = desk(stall_s=0.5)
    work.generate()
    params = GenerateParams("a lighthouse", 64, 64, 1, 4, None, (), str(work.folder / "a.png"))

    def dawdle(progress):
        if progress.stage == "conditioning":
            threading.Event().wait(0.7)  # a database that is locked, say

    outcome = work.manager.generate(work.model, params, on_progress=dawdle, cancel=threading.Event())

    assert outcome.output == params.output


def test_request_that_cannot_be_sent_leaves_the_engine_ready(desk):
    work = desk()
    work.generate()

    with pytest.raises(UnicodeEncodeError):
        work.generate("\udc80")

    assert work.manager.status().state == "ready"
    work.generate()
    assert work.names() == ["ping", "load", "generate", "generate"]


def test_engine_that_dies_idle_is_told_and_started_again(desk):
    work = desk()
    work.generate()

    os.kill(work.manager.status().pid, signal.SIGSEGV)
    assert work.failed.wait(LIMIT_S)
    status = work.manager.status()
    work.generate()

    assert (status.state, status.model_info) == ("error", None)
    assert "SIGSEGV" in status.problem
    assert work.manager.status().state == "ready"


@pytest.mark.parametrize("name", ["no-such-engine", "./no-such-engine", "/no/such/engine"])
def test_missing_program_is_not_found(desk, name):
    work = desk(argv=(name,))

    with pytest.raises(EngineError, match=re.escape(name)) as failed:
        work.manager.ping()

    assert failed.value.code == "engine.not_found"
    assert "HOTFOLDER_ENGINE" in failed.value.hint
    assert work.manager.status().state == "error"


def test_file_that_may_not_be_run_is_not_found(desk, tmp_path):
    work = desk(argv=(str(tmp_path / "engine.log"),))
    work.log.write_text("not a program")

    with pytest.raises(EngineError) as failed:
        work.manager.ping()

    assert failed.value.code == "engine.not_found"


@pytest.mark.parametrize("argv", [("sh", "-c", "echo no GPU >&2; exit 4"), ("cat",), ("sleep", "60")])
def test_program_that_is_no_engine_does_not_start(desk, argv):
    work = desk(argv=argv, first_pong_s=0.3)

    with pytest.raises(EngineError) as failed:
        work.manager.ping()

    assert failed.value.code == "engine.start_failed"
    assert work.states() == ["starting", "error"]


def test_engine_that_ends_before_it_is_asked_anything_fails_once(desk, monkeypatch):
    ended = threading.Event()
    hear, start = Conversation._on_exit, Conversation.start
    monkeypatch.setattr(Conversation, "_on_exit", lambda *given: (hear(*given), ended.set()))
    monkeypatch.setattr(Conversation, "start", lambda self: (start(self), ended.wait(LIMIT_S)))
    work = desk(argv=("sh", "-c", "exit 4"))

    with pytest.raises(EngineError):
        work.manager.ping()

    assert ended.is_set()
    assert work.states() == ["starting", "error"]


def test_engine_that_ends_at_its_start_says_why(desk):
    work = desk(argv=("sh", "-c", "echo libcuda.so.1 is missing >&2; exit 4"))

    with pytest.raises(EngineError, match=r"libcuda\.so\.1 is missing"):
        work.manager.ping()


def test_engine_that_reads_nothing_is_timed_out(desk):
    work = desk(fault="deaf", load_s=0.2)

    with pytest.raises(EngineTimeout):
        work.generate()

    assert work.names() == ["ping"]


def test_failed_load_is_read_behind_its_bar(desk):
    work = desk(fault="glue")

    with pytest.raises(EngineError, match="Failed to create sd_ctx"):
        work.generate()


def test_command_costs_less_than_a_millisecond(desk):
    work = desk()
    work.manager.ping()

    pings_ms = [work.manager.ping() for _ in range(50)]

    assert min(pings_ms) < 1.0


def test_no_thread_outlives_the_engine(desk):
    before = set(threading.enumerate())
    work = desk()
    work.generate()
    own = set(threading.enumerate()) - before

    work.manager.stop()

    assert {thread.name for thread in own} == {"engine-child", "engine-stdout", "engine-stderr"}
    for thread in own:
        thread.join(LIMIT_S)
        assert not thread.is_alive()
