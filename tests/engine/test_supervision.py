"""An engine that fails is started again, later each time; who waits for it is not failed by it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from hotfolder.engine.manager import EngineCommand, EngineManager, EngineTimeouts
from hotfolder.engine.supervision import AT_ONCE, LONGEST_REST_S, BackOff, RestartPolicy
from hotfolder.errors import EngineBusy, EngineCancelled, EngineError

LIMIT_S = 10
STUBBORN = """\
#!/bin/sh
test -e "{flag}" && {{ echo "no driver" >&2; exit 3; }}
exec "{python}" -S "{engine}"
"""


class _Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_rest_doubles_with_each_failure_in_a_row_up_to_a_minute_and_ends_with_a_picture() -> None:
    clock = _Clock()
    back_off = BackOff(RestartPolicy(1.0), clock)
    rests = []
    for _ in range(9):
        back_off.failed()
        rests.append(back_off.remaining_s())
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert max(rests) == LONGEST_REST_S

    clock.now_s += 59.5
    assert back_off.remaining_s() == pytest.approx(0.5)
    back_off.worked()
    back_off.failed()
    assert back_off.remaining_s() == 1


def _make_stubborn(work, restarts: RestartPolicy) -> Path:
    """The manager of an engine that does not start while a file exists."""
    flag, program = work.folder / "broken", work.folder / "cn-engine"
    flag.touch()
    engine = Path(__file__).with_name("rough_engine.py")
    program.write_text(STUBBORN.format(flag=flag, python=sys.executable, engine=engine))
    program.chmod(0o755)
    command = EngineCommand("cn-engine", (str(program),), {"ROUGH_ENGINE_LOG": str(work.log)})
    work.manager = EngineManager(command, EngineTimeouts(), work.note_status, restarts)
    return flag


def test_picture_waits_for_an_engine_that_does_not_start_and_is_made_once_it_does(desk, caller) -> None:
    work = desk()
    flag = _make_stubborn(work, RestartPolicy(0.02, None))
    waiting = caller.submit(work.generate)
    assert work.failed.wait(LIMIT_S)
    flag.unlink()

    assert waiting.result(LIMIT_S).seed == 42
    resting = [each for each in work.statuses if each.state == "error" and each.retry_at]
    assert resting
    assert "exit code 3" in resting[0].problem
    assert "no driver" in resting[0].problem


def test_engine_that_does_not_start_fails_the_picture_where_the_starts_are_counted(desk) -> None:
    work = desk()
    _make_stubborn(work, RestartPolicy(0.01, 3))
    with pytest.raises(EngineError) as failed:
        work.generate()

    assert failed.value.code == "engine.start_failed"
    assert work.states().count("starting") == 3


def test_wait_for_an_engine_that_rests_ends_at_once_when_it_is_cancelled(desk, caller) -> None:
    work, cancel = desk(), threading.Event()
    _make_stubborn(work, RestartPolicy(60.0, None))
    waiting = caller.submit(work.generate, cancel=cancel)
    assert work.failed.wait(LIMIT_S)
    cancel.set()

    with pytest.raises(EngineCancelled):
        waiting.result(1)


def test_wait_for_an_engine_that_rests_ends_at_once_when_the_service_stops(desk, caller) -> None:
    work = desk()
    _make_stubborn(work, RestartPolicy(60.0, None))
    waiting = caller.submit(work.generate)
    assert work.failed.wait(LIMIT_S)
    work.manager.close()

    with pytest.raises(EngineBusy):
        waiting.result(1)


def test_model_that_no_picture_waits_for_is_not_waited_for_either(desk) -> None:
    work = desk()
    _make_stubborn(work, RestartPolicy(60.0, None))
    for _ in range(2):
        with pytest.raises(EngineError):
            work.manager.load(work.model)
        assert work.manager.rests
    assert work.manager.status().retry_at is not None


def test_program_that_is_not_there_is_not_rested_for(desk) -> None:
    work = desk()
    program = EngineCommand("cn-engine", (str(work.folder / "nothing"),))
    work.manager = EngineManager(program, EngineTimeouts(), work.note_status, RestartPolicy(60.0, None))
    for _ in range(3):
        with pytest.raises(EngineError, match="there is no engine program"):
            work.generate()
    assert not work.manager.rests


def test_program_that_is_being_replaced_is_waited_for(desk, caller) -> None:
    work = desk()
    _make_stubborn(work, RestartPolicy(0.02, None)).unlink()
    work.generate()
    program, aside = work.folder / "cn-engine", work.folder / "newer"
    program.rename(aside)
    work.manager.stop()
    waiting = caller.submit(work.generate)
    assert work.failed.wait(LIMIT_S)
    assert "there is no engine program" in work.statuses[-1].problem
    aside.rename(program)

    assert waiting.result(LIMIT_S).seed == 42


def test_program_that_is_gone_is_one_that_does_not_start_where_the_starts_are_counted(desk) -> None:
    work = desk()
    _make_stubborn(work, AT_ONCE).unlink()
    (work.folder / "cn-engine").unlink()
    with pytest.raises(EngineError) as failed:
        work.generate()

    assert (failed.value.code, failed.value.retryable) == ("engine.start_failed", True)


def _crash(work, job: str) -> EngineError:
    with pytest.raises(EngineError) as failed:
        work.generate("fault:abort now", job=job)
    return failed.value


def test_engine_that_dies_of_one_job_after_the_other_costs_the_later_ones_nothing(desk) -> None:
    work = desk()
    _make_stubborn(work, RestartPolicy(0.01, None)).unlink()
    assert [_crash(work, job).code for job in "abc"] == ["engine.crashed"] * 3
    fourth = _crash(work, "d")
    told = work.manager.status()

    assert isinstance(fourth, EngineBusy)
    assert (told.state, told.retry_at is not None) == ("error", True)
    assert "one job after the other fails" in told.problem
    assert "SIGABRT" in told.problem


def test_job_that_has_not_failed_yet_goes_before_those_that_have_and_ends_the_wait(desk) -> None:
    work = desk()
    _make_stubborn(work, RestartPolicy(0.01, None)).unlink()
    for job in "abc":
        _crash(work, job)
    made = len(work.names())
    assert "others go first" in _crash(work, "a").message
    assert len(work.names()) == made, "the engine was not asked"

    assert work.generate(job="e").seed == 42
    assert _crash(work, "a").spends_attempt


def test_jobs_that_have_all_failed_are_tried_again_by_turns(desk) -> None:
    work = desk()
    _make_stubborn(work, RestartPolicy(0.01, None)).unlink()
    for job in "abc":
        _crash(work, job)
    assert "others go first" in _crash(work, "a").message
    assert "others go first" not in _crash(work, "a").message
    assert "others go first" in _crash(work, "a").message
    assert work.generate(job="a").seed == 42


def test_one_bad_job_alone_spends_its_attempts(desk) -> None:
    work = desk()
    _make_stubborn(work, RestartPolicy(0.01, None)).unlink()

    assert all(_crash(work, "a").spends_attempt for _ in range(6))


def test_every_failure_counts_where_nobody_would_mend_the_engine(desk) -> None:
    work = desk()
    _make_stubborn(work, RestartPolicy(0.01, 3)).unlink()

    assert all(_crash(work, job).spends_attempt for job in "abcdef")


def test_question_how_the_engine_is_does_not_wait_for_its_rest(desk) -> None:
    work = desk()
    _make_stubborn(work, RestartPolicy(60.0, None))
    for _ in range(2):
        with pytest.raises(EngineError):
            work.manager.ping()


def test_engine_rests_after_a_crash_and_not_after_a_cancel(desk) -> None:
    work, cancel = desk(fault=""), threading.Event()
    work.manager._engine.back_off = BackOff(RestartPolicy(5.0))
    work.generate()
    cancel.set()
    with pytest.raises(EngineCancelled):
        work.generate(cancel=cancel)
    assert work.manager._engine.back_off.remaining_s() == 0

    with pytest.raises(EngineError):
        work.generate("fault:crash now")
    assert work.manager._engine.back_off.remaining_s() > 4


def test_idle_engine_that_does_not_answer_any_more_is_ended(desk) -> None:
    work = desk(start_s=0.5)
    work.generate()
    pid = work.manager.status().pid
    os.kill(pid, signal.SIGSTOP)
    work.manager.check_health()

    assert work.manager.status().state == "error"
    assert work.is_gone(pid)
    assert work.generate().seed == 42


def test_health_of_an_engine_that_does_not_run_costs_no_start(desk) -> None:
    work = desk()
    work.manager.check_health()

    assert work.states() == []


def test_unloaded_engine_loads_again_for_the_next_picture(desk) -> None:
    work = desk()
    work.manager.unload()  # there is none yet
    work.generate()
    work.manager.unload()
    assert work.manager.status().state == "idle"
    assert work.manager.model_info is None
    work.generate()

    assert work.names() == ["ping", "load", "generate", "unload", "load", "generate"]


def test_memory_of_a_run_is_told(desk) -> None:
    outcome = desk().generate()

    assert outcome.peak_memory_mb is not None
    assert 1 < outcome.peak_memory_mb < 500
