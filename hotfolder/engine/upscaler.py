"""The upscaler of the extra `[upscale]`: a child with cn-engine's lines around ncnn and Real-ESRGAN models.

`python -m hotfolder.engine.upscaler` answers load, status, upscale, unload, ping and quit. `upscale_model` of
load and of upscale is the name of a model (`upscaler_models`), not a file. It makes no pictures from words.
Transparency is kept. Each tile is a line of progress.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hotfolder.engine.child import Answer, Handler, needed, run_child, version_of
from hotfolder.engine.child_reply import Refused, Reply, log
from hotfolder.engine.child_request import Params, UpscaleJob, check_load, read_upscale_job
from hotfolder.engine.params import UPSCALE_FACTORS
from hotfolder.engine.upscaler_models import Model, find_model, load_network

if TYPE_CHECKING:
    # Pillow and numpy are imported by the first command that needs them, so that a ping is answered early.
    from PIL import Image


class Upscaler:
    """What lives between two commands, the network used last, and the handler of each."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._key: tuple[str, int, int] | None = None
        self._network: Callable[[Any], Any] | None = None

    def handlers(self) -> dict[str, Handler]:
        """The commands by name."""
        return {
            "status": self._status,
            "load": self._load,
            "generate": self._generate,
            "upscale": self._upscale,
            "unload": self._unload,
        }

    def _status(self, _params: Params | None, _reply: Reply) -> Answer:
        # `model_loaded` speaks of a model that makes pictures; here there never is one.
        return "ok", {"model_loaded": False, **self._upscaler_state()}

    def _load(self, params: Params | None, _reply: Reply) -> Answer:
        start = self._now()
        params = needed(params, "load")
        check_load(params)
        model = find_model(params.text("upscale_model"))
        self._have_network(model, 4, params.integer("upscale_n_threads", 0))
        return "ok", {
            "status": "model_loaded",
            "model_info": _describe(model, 4),
            "load_time_ms": round((self._now() - start) * 1000),
            **self._upscaler_state(),
        }

    def _generate(self, _params: Params | None, _reply: Reply) -> Answer:
        raise Refused("this engine only enlarges pictures", "GENERATION_FAILED")

    def _upscale(self, params: Params | None, reply: Reply) -> Answer:
        params = needed(params, "upscale")
        job = read_upscale_job(params)
        model = find_model(params.text("upscale_model"))
        _check_job(job)
        start = self._now()
        try:
            image = self._enlarge(job, model, params.integer("upscale_n_threads", 0), reply)
        except MemoryError as error:
            raise Refused("there is not enough memory for a result of this size", "OUT_OF_MEMORY") from error
        return "result", {
            "success": True,
            "output": job.output,
            "total_time_ms": round((self._now() - start) * 1000),
            "upscale_repeats": job.repeats,
            "upscale_factor": job.factor,
            "width": image.width,
            "height": image.height,
            "model_info": _describe(model, job.factor),
        }

    def _unload(self, _params: Params | None, _reply: Reply) -> Answer:
        self._key = self._network = None
        return "ok", {"status": "model_unloaded"}

    def _enlarge(self, job: UpscaleJob, model: Model, n_threads: int, reply: Reply) -> Image.Image:
        network = self._have_network(model, job.factor, n_threads)
        from hotfolder.engine.child_pictures import make_folder, read_upright, save_whole
        from hotfolder.engine.upscaler_work import check_size, enlarge

        image = read_upright(job.input)
        check_size(image.size, job.factor**job.repeats)
        make_folder(job.output)
        log(
            "INFO",
            f"upscale {image.width} x {image.height} by {job.factor}, {job.repeats} times, {model.name}",
        )
        reply.progress("upscaling", message=_describe(model, job.factor))
        report = _Report(reply, image.size, job, model, self._now)
        for _ in range(job.repeats):
            image = enlarge(image, model, job.factor, network, report.tile_done)
        reply.progress("saving", message="saving the picture")
        save_whole(image, job.output)
        return image

    def _have_network(self, model: Model, factor: int, n_threads: int) -> Callable[[Any], Any]:
        key = (model.name, model.native_factor(factor), n_threads)
        if self._network is None or self._key != key:
            self._key = self._network = None
            self._network = load_network(model, key[1], n_threads)
            self._key = key
        return self._network

    def _upscaler_state(self) -> dict[str, Any]:
        return {"upscaler_loaded": self._key is not None, "upscaler_model": self._key[0] if self._key else ""}


class _Report:
    """A line of progress for each tile, counted over all passes."""

    def __init__(
        self, reply: Reply, size: tuple[int, int], job: UpscaleJob, model: Model, now: Callable[[], float]
    ) -> None:
        from hotfolder.engine.upscaler_work import count_tiles

        scales = [job.factor**done for done in range(job.repeats)]
        self._total = sum(count_tiles((size[0] * each, size[1] * each), model) for each in scales)
        self._reply = reply
        self._now = now
        self._start = now()
        self._done = 0
        reply.progress("upscaling", step=0, total_steps=self._total, step_time_s=0.0)

    def tile_done(self, _number: int, _of_pass: int) -> None:
        """Tell that one more tile is made."""
        self._done += 1
        average_s = round((self._now() - self._start) / self._done, 4)
        self._reply.progress("upscaling", step=self._done, total_steps=self._total, step_time_s=average_s)


def _check_job(job: UpscaleJob) -> None:
    if not job.input:
        raise Refused("upscale needs an 'input' path")
    if job.repeats < 1:
        raise Refused("'upscale_repeats' has to be 1 or more")
    if job.factor not in UPSCALE_FACTORS:
        raise Refused(f"the factor {job.factor} is outside 2 to 4", "UPSCALE_FAILED")
    if job.repeats > 20:  # the least factor twenty times over is a million: it never fits
        raise Refused(f"{job.repeats} passes never fit", "UPSCALE_FAILED")


def _describe(model: Model, factor: int) -> str:
    native = model.native_factor(factor)
    reduced = "" if native == factor else f", reduced to {factor}x by Lanczos"
    return f"{model.name} {native}x (Real-ESRGAN, ncnn {version_of('ncnn')}){reduced}"


if __name__ == "__main__":
    sys.exit(run_child("upscaler", Upscaler(time.monotonic).handlers(), sys.argv[1:]))
