"""What an engine says or does beside the point: whose failure it is, and what the user reads of it."""

import itertools
import os
import select
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.engine.conversation import Conversation, EngineCommand, EngineTimeouts
from hotfolder.engine.failures import EngineGone
from hotfolder.engine.messages import GenerateParams
from hotfolder.engine.session import Finished
from hotfolder.errors import EngineCrashed, EngineError

ODD_ENGINE = (sys.executable, "-S", str(Path(__file__).with_name("odd_engine.py")))
LIMIT_S = 10
OTHERS_PROMPT = "a zebra of Anna's\nquietly grazing\nby the sea"


@pytest.fixture
def odd(desk):
    def build(**options):
        return desk(argv=ODD_ENGINE, **options)

    return build


@pytest.fixture
def talk():
    """A process of this program that has answered its first ping."""
    begun = []

    def build(*argv):
        talk = Conversation(EngineCommand("cn-engine", argv), EngineTimeouts(), itertools.count(1), _ignore)
        begun.append(talk)
        talk.start()
        assert isinstance(ask(talk, "ping"), Finished)
        return talk

    yield build
    for each in begun:
        each.kill()


def _ignore(*_):
    pass


def ask(talk, cmd, params=None):
    return talk.run(cmd, params, total_s=LIMIT_S, look=_ignore, on_progress=None)


def kill_and_wait(pid):
    """Until the process is dead, which is before those who watch over it have noticed."""
    watch = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        assert select.select([watch], [], [], LIMIT_S)[0]
    finally:
        os.close(watch)


def fail(work, prompt, **options):
    with pytest.raises(EngineError) as failed:
        work.generate(prompt, **options)
    return failed.value


def test_refusal_after_another_jobs_lack_of_memory_keeps_its_own_cause(odd):
    work = odd()

    codes = [fail(work, prompt).code for prompt in ("oom", "refuse", "oom")]

    assert codes == ["engine.out_of_memory", "engine.ref_image_load_failed", "engine.out_of_memory"]


def test_broken_model_after_one_that_was_too_large_is_called_broken(odd):
    work = odd()
    large, broken = (
        replace(work.model, diffusion_model=work.file(name)) for name in ("oom.gguf", "refuse.gguf")
    )

    codes = [fail(work, "a picture", model=each).code for each in (large, broken)]

    assert codes == ["engine.out_of_memory", "engine.load_failed"]


def test_report_of_a_crash_shows_nothing_of_what_others_asked_for(odd):
    work = odd()
    work.generate("a first picture")
    fail(work, f"oom {OTHERS_PROMPT}")

    crashed = fail(work, "quote this")

    assert (crashed.code, "no kernel image" in crashed.hint) == ("engine.crashed", True)
    assert "CUDA" not in crashed.hint


def test_prompt_of_several_lines_does_not_get_into_the_report_of_a_crash(odd):
    crashed = fail(odd(), f"quote\n{OTHERS_PROMPT}")

    assert "no kernel image" in crashed.hint
    assert not any(line in crashed.hint for line in ("zebra", "quietly", "by the sea"))


def test_prompt_that_speaks_of_memory_is_no_lack_of_it(odd):
    assert fail(odd(), "quote: a robot that ran out of memory").code == "engine.crashed"


def test_engine_that_is_slow_to_come_up_works_however_short_the_other_limits_are(odd, monkeypatch):
    monkeypatch.setenv("ODD_ENGINE_PONG_S", "1.5")

    assert odd(start_s=1.0, stall_s=1.0).generate().seed == 42


def test_half_a_character_in_an_error_does_not_hide_the_error(odd):
    refused = fail(odd(), "half")

    assert (refused.code, refused.message) == (
        "engine.generation_failed",
        "the engine refused: bad ? thing",
    )


def test_what_an_idle_engine_says_does_not_end_the_next_job(odd):
    work = odd()

    pictures = [work.generate("stray", name=f"{number}.png") for number in range(10)]

    assert len(pictures) == 10


def test_engine_that_never_stops_telling_of_its_progress_is_heard_to_its_end(odd):
    work = odd()
    told = []

    def dawdle(progress):
        told.append(progress.stage)
        threading.Event().wait(0.05)  # a database that is busy, say

    params = GenerateParams("flood", 64, 64, 42, 4, None, (), str(work.folder / "a.png"))
    began_at = time.monotonic()
    work.manager.generate(work.model, params, on_progress=dawdle, cancel=threading.Event())

    assert time.monotonic() - began_at < LIMIT_S / 2
    assert told[0] == "loading"
    assert set(told[1:-1]) == {"sampling", "encoding"}
    assert told[-1] == "saving"


def test_figures_that_cannot_be_true_are_not_told(odd):
    work = odd()

    made = work.generate("figures")

    told = [(each.step, each.total_steps, each.step_time_s) for each in work.progress]
    assert {step for step, _, _ in told} <= {None}
    assert {total for _, total, _ in told} <= {None, 4}
    assert {step_s for _, _, step_s in told} == {None}
    assert made.total_time_ms == 0


def test_engine_that_is_dead_before_it_is_asked_costs_no_job_an_attempt(odd):
    work = odd()

    for _ in range(10):
        work.generate()
        kill_and_wait(work.manager.status().pid)

    assert work.generate().seed == 42


def test_engine_that_dies_between_the_look_and_the_command_has_not_tried_it(talk, tmp_path):
    engine = talk(*ODD_ENGINE)
    params = GenerateParams("a picture", 64, 64, 42, 4, None, (), str(tmp_path / "a.png")).as_params()
    ask(engine, "generate", params)
    kill_and_wait(engine.pid)

    with pytest.raises(EngineGone, match="SIGKILL") as gone:
        ask(engine, "generate", params)

    assert (gone.value.retryable, gone.value.spends_attempt) == (True, False)


def test_engine_that_dies_after_its_pong_has_failed(talk):
    """Else a job would wait for ever for one that always does so."""
    program = "import json; print(json.dumps({'id': json.loads(input())['id'], 'type': 'ok'}), flush=True)"
    engine = talk(sys.executable, "-S", "-c", program)
    while engine.usable:
        threading.Event().wait(0.01)

    with pytest.raises(EngineCrashed) as crashed:
        ask(engine, "load", {})

    assert crashed.value.spends_attempt
