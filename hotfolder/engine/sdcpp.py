"""The engine of the extra `[sdcpp]`: a child with cn-engine's lines around stable-diffusion.cpp (cyllama).

`python -m hotfolder.engine.sdcpp` answers load, status, generate, unload, ping and quit. It enlarges no
pictures, and has no caches of its own: `use_prompt_cache` and `use_ref_latent_cache` have no effect.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hotfolder.engine.child import Answer, Handler, needed, not_installed, run_child
from hotfolder.engine.child_reply import Refused, Reply, log
from hotfolder.engine.child_request import Params, check_load
from hotfolder.engine.sdcpp_request import read_load_job, read_picture_job

if TYPE_CHECKING:
    # cyllama is imported by the first command that needs it, so that a ping is answered early.
    from hotfolder.engine.sdcpp_model import Model

_NO_UPSCALER = {"upscaler_loaded": False, "upscaler_model": ""}


class DiffusionEngine:
    """What lives between two commands, the loaded model, and the handler of each."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._model: Model | None = None
        self._loaded_at_s = 0.0

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
        if self._model is None:
            return "ok", {"model_loaded": False, **_NO_UPSCALER}
        uptime_s = int(self._now() - self._loaded_at_s)
        return "ok", {
            "model_loaded": True,
            "model_info": self._model.info,
            "uptime_s": uptime_s,
            **_NO_UPSCALER,
        }

    def _load(self, params: Params | None, reply: Reply) -> Answer:
        start = self._now()
        params = needed(params, "load")
        check_load(params)
        job = read_load_job(params)
        self._release()  # first: two models may not fit, and a load that fails leaves none
        try:
            from hotfolder.engine.sdcpp_model import load_model

            self._model = load_model(job, reply)
        except ImportError as error:
            raise not_installed(error, "sdcpp") from error
        self._loaded_at_s = self._now()
        log("INFO", f"loaded: {self._model.info}")
        return "ok", {
            "status": "model_loaded",
            "model_info": self._model.info,
            "load_time_ms": round((self._loaded_at_s - start) * 1000),
            **_NO_UPSCALER,
        }

    def _generate(self, params: Params | None, reply: Reply) -> Answer:
        if self._model is None:
            raise Refused("no model is loaded, send 'load' first", "NO_MODEL")
        job = read_picture_job(needed(params, "generate"))
        from hotfolder.engine.sdcpp_work import make_picture

        log("INFO", f"generate {job.width_px} x {job.height_px}, {job.steps} steps, seed {job.seed}")
        return "result", make_picture(job, self._model, reply, self._now)

    def _upscale(self, _params: Params | None, _reply: Reply) -> Answer:
        raise Refused("this engine has no upscaler", "NO_UPSCALER")

    def _unload(self, _params: Params | None, _reply: Reply) -> Answer:
        self._release()
        return "ok", {"status": "model_unloaded"}

    def _release(self) -> None:
        model, self._model = self._model, None
        if model is not None:
            model.close()


if __name__ == "__main__":
    sys.exit(run_child("sdcpp", DiffusionEngine(time.monotonic).handlers(), sys.argv[1:]))
