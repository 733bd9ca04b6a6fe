"""One picture by stable-diffusion.cpp: told step by step, saved whole."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cyllama.sd as sd

from hotfolder.engine.child_pictures import make_folder
from hotfolder.engine.child_reply import Refused, Reply, log
from hotfolder.engine.sdcpp_model import Model
from hotfolder.engine.sdcpp_request import PictureJob

_RGB = 3
_NO_GUIDANCE = 1.0  # distilled models want none; anything else would also double the work


class Listener:
    """Makes progress lines of what the library says while it works.

    Its step callback also counts tensors and tiles: only its log tells when the steps are meant.
    """

    def __init__(self, reply: Reply, steps: int, now: Callable[[], float]) -> None:
        self._reply = reply
        self._steps = steps
        self._now = now
        self._start: float | None = None
        self._last = 0
        self.errors: list[str] = []

    def heard(self, level: str, text: str) -> None:
        """Take a line of the log."""
        if "EDIT mode" in text:
            self._reply.progress("encoding", message="reading the references")
        elif "generating image" in text:
            self._start = self._now()
            self._reply.progress("sampling", step=0, total_steps=self._steps, step_time_s=0.0)
        elif "sampling completed" in text:
            self._start = None
        if level == "ERROR":
            self.errors.append(text)

    def stepped(self, step: int, total: int, _step_time_s: float) -> None:
        """Take a call of the step callback."""
        if self._start is None or total != self._steps or step <= self._last:
            return
        self._last = step
        average_s = round((self._now() - self._start) / step, 4)
        self._reply.progress("sampling", step=step, total_steps=total, step_time_s=average_s)


def make_picture(job: PictureJob, model: Model, reply: Reply, now: Callable[[], float]) -> dict[str, Any]:
    """Make and save one picture; the data of the result."""
    start = now()
    params = _build_params(job)
    make_folder(job.output)
    reply.progress("conditioning", message="reading the prompt")
    listener = Listener(reply, job.steps, now)
    with _heard_by(listener):
        image = _generate(model, params, listener)
    reply.progress("saving", message="saving the picture")
    _save(image, job.output)
    return {
        "success": True,
        "output": job.output,
        "seed": job.seed,
        "total_time_ms": round((now() - start) * 1000),
        "images_saved": 1,
        "prompt_cache_hit": False,
        "ref_latent_cache_hit": False,
        "upscaled": False,
        "upscale_repeats": 0,
    }


def _build_params(job: PictureJob) -> Any:
    params = sd.SDImageGenParams(
        prompt=job.prompt,
        width=job.width_px,
        height=job.height_px,
        seed=job.seed,
        sample_steps=job.steps,
        cfg_scale=_NO_GUIDANCE,
    )
    if job.sampling_method:
        params.sample_params.sample_method = _find_method(job.sampling_method)
    if job.sigmas:
        params.sample_params.custom_sigmas = list(job.sigmas)
    if job.tiling:
        params.vae_tiling_enabled = True
        params.vae_tile_size = job.tiling.size
        params.vae_tile_overlap = job.tiling.overlap
    if job.increase_ref_index and hasattr(params, "increase_ref_index"):
        params.increase_ref_index = True
    if job.references:
        params.set_ref_images([_read_reference(path) for path in job.references])
    return params


def _find_method(name: str) -> Any:
    try:
        return sd.SampleMethod[name.upper()]
    except KeyError:
        log("WARN", f"there is no sampling method {name!r}: the model's own is used")
        return sd.SampleMethod.COUNT


def _read_reference(path: str) -> Any:
    try:
        return sd.SDImage.load(path, _RGB)
    except (OSError, ValueError) as error:
        raise Refused(f"cannot read the picture {path}", "REF_IMAGE_LOAD_FAILED") from error


@contextmanager
def _heard_by(listener: Listener) -> Iterator[None]:
    def on_log(level: Any, text: str) -> None:
        if level < sd.LogLevel.INFO:  # the finer levels quote the prompt
            return
        listener.heard(level.name, text)
        sys.stderr.write(f"[{level.name:<5}] {text.strip()}\n")
        sys.stderr.flush()

    sd.set_log_callback(on_log)
    sd.set_progress_callback(listener.stepped)
    try:
        yield
    finally:
        sd.set_log_callback(None)
        sd.set_progress_callback(None)


def _generate(model: Model, params: Any, listener: Listener) -> Any:
    try:
        images = model.context.generate_with_params(params)
    except (RuntimeError, ValueError, MemoryError) as error:
        told = "; ".join(dict.fromkeys(each.strip() for each in listener.errors)) or str(error)
        raise Refused(f"stable-diffusion.cpp made no picture: {told}", "GENERATION_FAILED") from error
    if not images or not images[0].is_valid:
        raise Refused("stable-diffusion.cpp made no picture", "GENERATION_FAILED")
    return images[0]


def _save(image: Any, output: str) -> None:
    temporary = f"{output}.{os.getpid()}.tmp"
    try:
        image.save_png(temporary)
        Path(temporary).replace(output)
    except (OSError, ValueError, RuntimeError) as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
        raise Refused(f"cannot write {output}: {error}", "NO_OUTPUT") from error
