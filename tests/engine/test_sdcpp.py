"""The child around stable-diffusion.cpp as its callers meet it, on a synthetic FLUX.2 Klein model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hotfolder.engine.kinds import EXTRAS
from hotfolder.engine.sdcpp_cause import UNKNOWN, describe_cause
from tests import pictures
from tests.engine.procedural_child import Child, Start, started_children
from tests.scenarios.service import wait_for
from tests.tiny_klein import write_tiny_klein

needs_extra = pytest.mark.skipif(
    not EXTRAS["sdcpp"].is_installed(), reason=f"needs {EXTRAS['sdcpp'].install_line}"
)

LIMIT_S = 20
HANGS = """\
import os, time
from pathlib import Path
Path(os.environ["TOLD"]).write_text(str(os.getpid()))
time.sleep(120)
"""
SEEKS = """\
from hotfolder.engine.sdcpp_cause import find_cause
from hotfolder.engine.sdcpp_request import LoadJob
find_cause(LoadJob({"diffusion_model": "half.safetensors"}, {}, 0, ""))
"""
ENVIRONMENT = {"OMP_WAIT_POLICY": "passive"}
"""As the service starts it: on a busy machine it is several times as fast."""


@pytest.fixture
def start() -> Iterator[Start]:
    with started_children("hotfolder.engine.sdcpp") as starter:
        yield starter


@pytest.fixture
def child(start: Start) -> Child:
    return start(loaded=False, **ENVIRONMENT)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of a model, as a load command names them."""
    files = write_tiny_klein(tmp_path_factory.mktemp("models"))
    return {role: str(path) for role, path in files.items()}


@pytest.fixture(scope="module")
def loaded(model: dict[str, str]) -> Iterator[Child]:
    """A child with the model, for tests that leave it as it was."""
    with started_children("hotfolder.engine.sdcpp") as starter:
        child = starter(loaded=False, **ENVIRONMENT)
        assert child.ask("load", model)["type"] == "ok"
        yield child


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def picture(folder: Path, **more: Any) -> dict[str, Any]:
    return {"prompt": "A bay", "width": 64, "height": 64, "seed": 5, "steps": 1} | {
        "output": str(folder / "new" / "made.png"),
        **more,
    }


def code_of(reply: dict[str, Any]) -> str:
    assert reply["type"] == "error", reply
    code: str = reply["data"]["code"]
    return code


def test_child_without_a_model_says_so(child: Child, tmp_path: Path) -> None:
    assert child.ask("ping")["data"] == {"status": "pong"}
    assert child.ask("status")["data"]["model_loaded"] is False
    assert code_of(child.ask("generate", picture(tmp_path))) == "NO_MODEL"
    assert code_of(child.ask("load", {})) == "CTX_CREATION_FAILED"


def test_upscaling_is_refused_by_its_own_code(child: Child) -> None:
    assert code_of(child.ask("upscale", {"input": "a.png", "output": "b.png"})) == "NO_UPSCALER"


def test_value_of_the_wrong_type_aborts_the_child_as_it_does_cn_engine(child: Child) -> None:
    child.send("load", {"diffusion_model": 5})

    assert child.wait() == -signal.SIGABRT


@needs_extra
def test_missing_model_file_is_named(child: Child, model: dict[str, str]) -> None:
    reply = child.ask("load", model | {"vae": "/nowhere/vae.safetensors"})

    assert code_of(reply) == "CTX_CREATION_FAILED"
    assert "/nowhere/vae.safetensors" in reply["data"]["message"]


@needs_extra
def test_files_that_do_not_belong_together_are_refused_with_the_tensors_that_lack(
    child: Child, model: dict[str, str]
) -> None:
    reply = child.ask("load", model | {"vae": model["llm"]})

    assert code_of(reply) == "CTX_CREATION_FAILED"
    assert "tensor 'first_stage_model.decoder.conv_in" in reply["data"]["message"]
    assert child.ask("status")["data"]["model_loaded"] is False


@needs_extra
def test_every_step_is_told_and_the_size_is_raised_to_the_grid(loaded: Child, tmp_path: Path) -> None:
    loaded.send("generate", picture(tmp_path, width=60, steps=2, sampling_method="euler"))

    *progress, result = loaded.read_replies()

    told = [(each["data"]["phase"], each["data"].get("step")) for each in progress]
    steps = [("sampling", 0), ("sampling", 1), ("sampling", 2)]
    assert told == [("conditioning", None), *steps, ("saving", None)]
    assert progress[-2]["data"]["step_time_s"] > 0
    assert (result["type"], result["data"]["seed"]) == ("result", 5)
    with Image.open(result["data"]["output"]) as image:
        assert (image.size, image.mode, image.format) == ((64, 64), "RGB", "PNG")
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["made.png"], "nothing else is left"


@needs_extra
def test_reference_that_is_no_picture_is_refused_before_any_work(loaded: Child, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    sound = pictures.write_png(tmp_path / "sound.png")

    reply = loaded.ask("generate", picture(tmp_path, ref_images=[str(sound), str(broken)]))

    assert code_of(reply) == "REF_IMAGE_LOAD_FAILED"
    assert str(broken) in reply["data"]["message"]
    assert not (tmp_path / "new").exists()


@needs_extra
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"steps": 0}, "GENERATION_FAILED"),
        ({"width": 0}, "GENERATION_FAILED"),
        ({"width": 100_000, "height": 100_000}, "GENERATION_FAILED"),
        ({"upscale_repeats": 1}, "NO_UPSCALER"),
    ],
    ids=["no steps", "no width", "too large", "upscaled"],
)
def test_request_that_the_library_would_not_survive_is_refused(
    loaded: Child, tmp_path: Path, wrong: dict[str, Any], code: str
) -> None:
    assert code_of(loaded.ask("generate", picture(tmp_path, **wrong))) == code


@needs_extra
def test_terminating_it_at_work_ends_it_at_once_and_leaves_no_picture(
    child: Child, model: dict[str, str], tmp_path: Path
) -> None:
    assert child.ask("load", model)["type"] == "ok"
    child.send("generate", picture(tmp_path))
    child.read_line()  # it conditions

    child.process.terminate()

    assert child.process.wait(1.0) == -signal.SIGTERM
    assert not any((tmp_path / "new").iterdir())


@needs_extra
def test_unloaded_model_is_gone_and_another_load_brings_it_back(child: Child, model: dict[str, str]) -> None:
    assert child.ask("load", model)["type"] == "ok"

    assert child.ask("unload")["data"] == {"status": "model_unloaded"}
    assert child.ask("status")["data"]["model_loaded"] is False
    assert child.ask("load", model)["type"] == "ok"
    assert child.ask("quit")["data"] == {"status": "quitting"}
    assert child.wait() == 0


def test_search_for_the_cause_of_a_failed_load_ends_with_the_engine(tmp_path: Path) -> None:
    library = tmp_path / "cyllama"
    library.mkdir()
    (library / "__init__.py").touch()
    (library / "sd.py").write_text(HANGS)
    told = tmp_path / "pid"
    paths = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    engine = subprocess.Popen(
        [sys.executable, "-c", SEEKS], env={**os.environ, "PYTHONPATH": paths, "TOLD": str(told)}
    )
    try:
        pid = int(wait_for(lambda: told.exists() and told.read_text(), "a process that seeks the cause"))
    finally:
        engine.kill()
        engine.wait(LIMIT_S)

    wait_for(lambda: not is_alive(pid), "its end")


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("", UNKNOWN),
        ("INFO\tmodel.cpp:219  - load a file\nWARN\tmodel.cpp:9 - an odd thing\n", UNKNOWN),
        (
            "WARN\tsd.cpp:253  - loading diffusion model failed\n" + 3 * "ERROR\tsd.cpp:1 - no version\n",
            "loading diffusion model failed; no version",
        ),
        (
            "ERROR\tsd.cpp:1 - it failed\nERROR\tggml - vae alloc params backend buffer failed\n",
            "there is not enough memory (ggml - vae alloc params backend buffer failed)",
        ),
        (
            "terminate called after throwing an instance of 'std::bad_alloc'\n",
            "there is not enough memory (terminate called after throwing an instance of 'std::bad_alloc')",
        ),
    ],
    ids=["silence", "nothing bad", "each error once", "memory first", "aborted"],
)
def test_cause_of_a_failed_load_is_found_in_the_log(log: str, cause: str) -> None:
    assert describe_cause(log) == cause
