"""The engine as the rest of the program uses it: models, turns, status, stop."""

import itertools
import struct
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.engine.messages import GenerateParams, LoadParams
from hotfolder.engine.model_shelf import find_key
from hotfolder.errors import EngineBusy, EngineCancelled, EngineError

LIMIT_S = 10


def size_px(path):
    return struct.unpack(">II", Path(path).read_bytes()[16:24])


def test_engine_that_prints_bars_glues_an_error_to_a_bar_and_dies_on_a_wrong_type_is_driven_to_its_quit(desk):
    """A test engine that prints bars, glues an error to a bar and dies on a wrong type is driven through
    load, generate with refs and quit."""
    work = desk()
    refs = (work.file("1.png"), work.file("2.png"))
    with pytest.raises(EngineError) as failed:
        work.generate(model=replace(work.model, diffusion_model=work.file("broken.gguf")))

    outcome = work.generate(refs=refs, sigmas=[1, 0.5, 0], vae_tiling={"enabled": False, "tile_size_x": 64})
    pid = work.manager.status().pid
    work.manager.stop()

    assert failed.value.code == "engine.load_failed"
    assert (outcome.output, outcome.seed) == (str(work.folder / "a.png"), 42)
    assert size_px(outcome.output) == (64, 64)
    assert work.names() == ["ping", "load", "load", "generate", "quit"]
    assert {pid} == {pid for pid, _ in work.commands()}
    assert work.is_gone(pid)
    assert work.manager.status().state == "stopped"


def test_progress_is_told_in_order(desk):
    work = desk()

    work.generate(refs=(work.file("1.png"),))

    stages = [stage for stage, _ in itertools.groupby(each.stage for each in work.progress)]
    steps = [each.step for each in work.progress if each.stage == "sampling"]
    assert stages == ["loading", "conditioning", "encoding", "sampling", "saving"]
    assert steps == sorted(set(steps))
    assert steps[-1] == 4  # of those that wait to be told, the latest is


def test_status_follows_the_work(desk):
    work = desk()
    assert work.manager.status().state == "stopped"

    work.generate()
    ready = work.manager.status()
    work.manager.stop()

    assert work.states() == ["starting", "idle", "loading", "ready", "busy", "ready", "stopped"]
    assert (ready.kind, ready.model_info) == ("cn-engine", "klein.gguf")
    assert work.manager.model_info is None
    assert [status.since for status in work.statuses] == sorted(status.since for status in work.statuses)


def test_loaded_model_is_not_loaded_again(desk):
    work = desk()

    first, second = work.generate(), work.generate()

    assert work.names() == ["ping", "load", "generate", "generate"]
    assert (first.prompt_cache_hit, second.prompt_cache_hit) == (False, True)


def test_other_model_is_loaded_before_its_picture(desk):
    work = desk()
    work.generate()

    work.generate(model=replace(work.model, flags={"flash_attn": True}))

    assert work.names() == ["ping", "load", "generate", "load", "generate"]


def test_model_file_replaced_under_its_name_is_loaded_again_and_told_as_it_was_at_the_load(desk):
    work = desk()
    klein = Path(work.model.diffusion_model)
    first = work.generate()
    newer = work.folder / "klein.tmp"
    newer.write_bytes(b"another model")
    newer.replace(klein)

    second, third = work.generate(), work.generate()

    assert work.names() == ["ping", "load", "generate", "load", "generate", "generate"]
    assert first.files["diffusion_model"].size == 0
    assert second.files["diffusion_model"] == third.files["diffusion_model"] == find_key(klein)
    assert set(third.files) == {"diffusion_model", "vae", "llm"}
    assert third.model_name == "klein.gguf"


def test_failed_load_leaves_none_loaded(desk):
    work = desk()
    work.generate()
    broken = replace(work.model, diffusion_model=work.file("broken.gguf"))

    with pytest.raises(EngineError) as failed:
        work.generate(model=broken)
    without_model = work.manager.status()
    work.generate()

    assert (without_model.state, without_model.model_info) == ("idle", None)
    assert work.names() == ["ping", "load", "generate", "load", "load", "generate"]
    assert "Failed to create sd_ctx" in failed.value.message
    assert "unknown tensor" in failed.value.hint


def test_missing_model_file_is_named_before_the_engine_is_asked(desk):
    work = desk()
    missing = str(work.folder / "gone.gguf")

    with pytest.raises(EngineError, match=r"gone\.gguf") as failed:
        work.generate(model=replace(work.model, vae=missing))

    assert failed.value.code == "engine.load_failed"
    assert "models.sets" in failed.value.hint
    assert not work.log.exists()


def test_model_without_files_is_no_missing_file(desk):
    work = desk()

    work.generate(model=LoadParams("", None, None))

    assert work.manager.model_info == "(unknown)"


def test_model_loaded_ahead_is_not_loaded_by_its_first_job(desk):
    work = desk()
    work.manager.load(work.model)

    work.generate()

    assert work.names() == ["ping", "load", "generate"]


def test_cancel_before_the_start_starts_nothing(desk):
    work, cancel = desk(), threading.Event()
    cancel.set()

    with pytest.raises(EngineCancelled):
        work.generate(cancel=cancel)

    assert work.statuses == []


def test_stop_during_a_job_cancels_it(desk, caller):
    work = desk()
    job = caller.submit(work.generate, "fault:hang picture")
    assert work.under_way.wait(LIMIT_S)
    pid = work.manager.status().pid

    work.manager.stop()

    with pytest.raises(EngineCancelled):
        job.result(LIMIT_S)
    assert work.is_gone(pid)
    assert work.states()[-1] == "stopped"


def test_stop_twice_is_as_good_as_once_and_the_engine_can_start_again(desk):
    work = desk()
    work.generate()

    work.manager.stop()
    work.manager.stop()

    assert work.states().count("stopped") == 1
    assert work.manager.ping() > 0


def test_stop_kills_an_engine_whose_caller_is_held_up(desk, caller):
    work, held, go_on = desk(), threading.Event(), threading.Event()

    def hold(progress):
        if progress.stage == "conditioning":
            held.set()
            go_on.wait(LIMIT_S)

    params = GenerateParams("fault:hang", 64, 64, 1, 4, None, (), str(work.folder / "a.png"))
    job = caller.submit(work.manager.generate, work.model, params, on_progress=hold, cancel=threading.Event())
    assert held.wait(LIMIT_S)
    pid = work.manager.status().pid

    work.manager.stop(0.05)

    assert work.is_gone(pid)
    go_on.set()
    with pytest.raises(EngineCancelled):
        job.result(LIMIT_S)


def test_second_caller_is_told_that_the_engine_is_busy(desk, caller):
    work, cancel = desk(busy_s=0.05), threading.Event()
    job = caller.submit(work.generate, "fault:hang picture", cancel=cancel)
    assert work.under_way.wait(LIMIT_S)

    with pytest.raises(EngineBusy):
        work.manager.ping()

    cancel.set()
    with pytest.raises(EngineCancelled):
        job.result(LIMIT_S)


def test_second_caller_gets_its_turn(desk, caller):
    work = desk()

    jobs = [caller.submit(work.generate, name=name) for name in ("a.png", "b.png")]

    assert [Path(job.result(LIMIT_S).output).name for job in jobs] == ["a.png", "b.png"]
