"""The two commands of the embedded engine that make pictures: generate and upscale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from hotfolder.engine.child_reply import Refused, Reply
from hotfolder.engine.child_request import GenerateJob, UpscaleJob
from hotfolder.engine.procedural_faults import Fault
from hotfolder.engine.procedural_files import (
    RecentKeys,
    Unreadable,
    encode_picture,
    enlarge,
    identify_file,
    read_picture,
)
from hotfolder.engine.procedural_picture import Recipe, paint

_PROMPTS_CACHED = 16
_REFERENCES_CACHED = 8
_MOST_PIXELS = 100_000_000
_FACTORS = range(2, 5)


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the time comes from, in seconds, and how to let it pass."""

    now: Callable[[], float]
    sleep: Callable[[float], None]

    def ms_since(self, start: float) -> int:
        """Return the whole milliseconds since an earlier `now`."""
        return round((self.now() - start) * 1000)


class Studio:
    """What a load creates and an unload ends: the place where pictures are drawn, and its two caches.

    There is nothing to cache, so the caches hold keys only: the hits that are reported are the ones that the
    real engine would have had.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._prompts = RecentKeys(_PROMPTS_CACHED)
        self._references = RecentKeys(_REFERENCES_CACHED)

    def generate(self, job: GenerateJob, reply: Reply, fault: Fault) -> dict[str, Any]:
        """Draw and save one picture; return the data of the result."""
        start = self._clock.now()
        _check_generate(job)
        references = tuple(_read_reference(path) for path in job.references)
        _make_folder(job.output)
        prompt_hit = self._condition(job, reply)
        reference_hit = self._encode(job, reply)
        image = self._sample(job, references, reply, fault)
        reply.progress("saving", message="saving the picture")
        if job.upscale_repeats:
            image = _enlarge_repeatedly(
                image, job.upscale_repeats, job.upscale_factor, self._clock, reply, fault
            )
        _save(image, job.output, fault)
        return {
            "success": True,
            "output": job.output,
            "seed": job.seed,
            "total_time_ms": self._clock.ms_since(start),
            "images_saved": 1,
            "prompt_cache_hit": prompt_hit,
            "ref_latent_cache_hit": reference_hit,
            "upscaled": job.upscale_repeats > 0,
            "upscale_repeats": job.upscale_repeats,
        }

    def _condition(self, job: GenerateJob, reply: Reply) -> bool:
        if not (job.use_prompt_cache and job.prompt):
            reply.progress("conditioning", message="reading the prompt")
            return False
        hit = job.prompt in self._prompts
        self._prompts.use(job.prompt)
        message = "the prompt is in the cache" if hit else "reading the prompt, kept in the cache"
        reply.progress("conditioning", message=message, cache_hit=hit)
        return hit

    def _encode(self, job: GenerateJob, reply: Reply) -> bool:
        if not job.references:
            return False
        if not job.use_reference_cache:
            reply.progress("encoding", message="reading the references")
            return False
        keys = [identify_file(path) for path in job.references]
        hits = [key in self._references for key in keys]
        for key in keys:
            self._references.use(key)
        message = f"{sum(hits)} of {len(hits)} references are in the cache"
        reply.progress("encoding", message=message, cache_hit=all(hits))
        return any(hits)

    def _sample(
        self, job: GenerateJob, references: tuple[Image.Image, ...], reply: Reply, fault: Fault
    ) -> Image.Image:
        recipe = Recipe(job.prompt, job.seed, job.width_px, job.height_px, job.steps, references, job.caption)
        start = self._clock.now()
        reply.progress("sampling", step=0, total_steps=job.steps, step_time_s=0.0)
        image = Image.new("RGB", (1, 1))
        for step, canvas in enumerate(paint(recipe), start=1):
            self._clock.sleep(fault.step_ms / 1000)
            average_s = round((self._clock.now() - start) / step, 4)
            reply.progress("sampling", step=step, total_steps=job.steps, step_time_s=average_s)
            if 2 * step >= job.steps:
                fault.strike()
            image = canvas
        return image


def upscale(job: UpscaleJob, clock: Clock, reply: Reply, fault: Fault) -> dict[str, Any]:
    """Enlarge one file by Lanczos; return the data of the result."""
    start = clock.now()
    if not job.input:
        raise Refused("upscale needs an 'input' path")
    if job.repeats < 1:
        raise Refused("'upscale_repeats' has to be 1 or more")
    image = _read_reference(job.input, keep_alpha=True)
    _check_upscale(image.size, job.repeats, job.factor)
    _make_folder(job.output)
    image = _enlarge_repeatedly(image, job.repeats, job.factor, clock, reply, fault)
    _save(image, job.output, fault)
    return {
        "success": True,
        "output": job.output,
        "total_time_ms": clock.ms_since(start),
        "upscale_repeats": job.repeats,
        "upscale_factor": job.factor,
        "width": image.width,
        "height": image.height,
    }


def _check_generate(job: GenerateJob) -> None:
    if job.upscale_repeats < 0:
        raise Refused("'upscale_repeats' has to be 0 or more")
    size = f"{job.width_px} x {job.height_px}"
    if min(job.width_px, job.height_px) < 1 or job.width_px * job.height_px > _MOST_PIXELS:
        raise Refused(f"the size {size} is outside 1 to {_MOST_PIXELS} pixels", "GENERATION_FAILED")
    if job.steps < 1:
        raise Refused(f"{job.steps} steps cannot draw anything", "GENERATION_FAILED")
    if job.upscale_repeats:
        _check_upscale((job.width_px, job.height_px), job.upscale_repeats, job.upscale_factor)


def _check_upscale(size_px: tuple[int, int], repeats: int, factor: int) -> None:
    if factor not in _FACTORS:
        raise Refused(f"the factor {factor} is outside 2 to 4", "UPSCALE_FAILED")
    # The least factor twenty times over is a million: more passes never fit, whatever the picture.
    if repeats > 20 or size_px[0] * size_px[1] * factor ** (2 * repeats) > _MOST_PIXELS:
        raise Refused(f"the result would have more than {_MOST_PIXELS} pixels", "UPSCALE_FAILED")


def _read_reference(path: str, *, keep_alpha: bool = False) -> Image.Image:
    try:
        return read_picture(path, keep_alpha=keep_alpha)
    except Unreadable as error:
        raise Refused(f"cannot read the picture {error}", "REF_IMAGE_LOAD_FAILED") from error


def _make_folder(output: str) -> None:
    try:
        Path(output).parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise Refused(f"cannot create the folder of {output}: {error}", "OUTPUT_DIR_FAILED") from error


def _enlarge_repeatedly(
    image: Image.Image, repeats: int, factor: int, clock: Clock, reply: Reply, fault: Fault
) -> Image.Image:
    start = clock.now()
    reply.progress("upscaling", message=f"lanczos x{factor}, no AI model")
    for step in range(1, repeats + 1):
        image = enlarge(image, factor)
        clock.sleep(fault.step_ms / 1000)
        average_s = round((clock.now() - start) / step, 4)
        reply.progress("upscaling", step=step, total_steps=repeats, step_time_s=average_s)
        fault.strike()
    return image


def _save(image: Image.Image, output: str, fault: Fault) -> None:
    size_px = fault.resize(*image.size)
    saved = image if image.size == size_px else image.resize(size_px)
    encoded = fault.spoil(encode_picture(saved, output))
    if encoded is None:
        return
    try:
        Path(output).write_bytes(encoded)
    except (OSError, ValueError) as error:
        raise Refused(f"cannot write {output}: {error}", "NO_OUTPUT") from error
