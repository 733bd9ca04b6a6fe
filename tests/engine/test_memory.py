"""Memory of engines: what is read from the system, and what logs say when it runs out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hotfolder.engine import failures
from hotfolder.engine.memory import find_shortage, forget_peak, read_peak_mb, tells_of_too_little
from hotfolder.engine.messages import Failure, LoadParams
from hotfolder.engine.process import ProcessExit
from hotfolder.errors import EngineError


def make_sparse(file: Path, size: int) -> str:
    with file.open("wb") as stream:
        stream.truncate(size)
    return str(file)


def test_peak_is_that_of_a_process_since_it_was_forgotten() -> None:
    ballast = bytearray(200_000_000)
    high = read_peak_mb(os.getpid())
    del ballast
    forget_peak(os.getpid())
    now = read_peak_mb(os.getpid())

    assert high is not None
    assert now is not None
    assert high - now > 150


def test_process_that_is_gone_has_no_peak() -> None:
    forget_peak(2**22 + 1)
    assert read_peak_mb(2**22 + 1) is None


def test_model_that_cannot_fit_is_found_before_it_is_loaded(tmp_path: Path) -> None:
    small, whale = make_sparse(tmp_path / "a", 1_000_000), make_sparse(tmp_path / "b", 8 * 10**12)

    assert find_shortage([small, "/nowhere"], os.getpid()) is None
    found = find_shortage([small, whale], os.getpid())
    assert found is not None
    assert found.needed_mb == 8_000_001
    assert 0 < found.free_mb < found.needed_mb


def test_engine_is_not_asked_to_load_what_cannot_fit(desk, tmp_path: Path) -> None:
    work = desk()
    whale = make_sparse(tmp_path / "whale.gguf", 8 * 10**12)
    with pytest.raises(EngineError) as refused:
        work.generate(model=LoadParams(whale, flags={"offload_to_cpu": True}))

    assert refused.value.code == "engine.out_of_memory"
    assert "8000.0 GB" in refused.value.message
    assert work.names() == ["ping"]
    assert work.generate().seed == 42


@pytest.mark.parametrize(
    "line",
    [
        "CUDA error: out of memory",
        "ggml_cuda_device_malloc: cudaMalloc failed: out of memory",
        "vk::Device::allocateMemory: ErrorOutOfDeviceMemory",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "GGML_ASSERT(ctx->mem_buffer != NULL) failed",
        "[ERROR] ggml_extend.hpp:1234 - alloc compute buffer failed",
        "ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 8589934592",
        "insufficient memory (attempted to allocate 4096.00 MB)",
    ],
)
def test_logs_of_engines_that_ran_out_of_memory_are_known(line: str) -> None:
    assert tells_of_too_little(["[INFO ] loading", line, "Aborted"])


@pytest.mark.parametrize(
    "line",
    ["[INFO ] total params memory size = 2731.49MB", "using 4 buffers", "memory mapped file", "allocated"],
)
def test_harmless_lines_about_memory_are_no_alarm(line: str) -> None:
    assert not tells_of_too_little([line])


def test_crash_says_that_memory_ran_out_and_what_to_do() -> None:
    error = failures.build_crashed("generate-3", ProcessExit(-6, ("cudaMalloc failed: out of memory",)))

    assert (error.code, error.retryable) == ("engine.out_of_memory", True)
    assert error.message == "the engine ended (signal SIGABRT) during generate-3: memory ran out"
    assert error.hint is not None
    assert "smaller size" in error.hint


def test_engine_that_was_killed_may_have_been_killed_for_its_memory() -> None:
    error = failures.build_crashed("generate-3", ProcessExit(-9, ()))

    assert error.code == "engine.crashed"
    assert "The system may have ended it for lack of memory" in (error.hint or "")


def test_refusal_for_lack_of_memory_is_told_as_such() -> None:
    failure = Failure("g-1", "GENERATION_FAILED", "Generation failed")

    assert failures.build_refused(failure, ["failed to allocate 5 GB"]).code == "engine.out_of_memory"
    assert failures.build_refused(failure, ["all is well"]).code == "engine.generation_failed"
    assert failures.build_load_failed(failure, ["std::bad_alloc"]).code == "engine.out_of_memory"
