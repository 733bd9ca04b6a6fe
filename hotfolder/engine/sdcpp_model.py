"""A model in stable-diffusion.cpp's hands: loaded, or refused with the cause where it can be found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import cyllama
import cyllama.sd as sd

from hotfolder.engine.child_reply import Refused, Reply
from hotfolder.engine.sdcpp_cause import find_cause
from hotfolder.engine.sdcpp_request import LoadJob

_FILES = {
    "model": "model_path",
    "diffusion_model": "diffusion_model_path",
    "vae": "vae_path",
    "llm": "llm_path",
}
_SWITCHES = {
    "flash_attn": "flash_attn",
    "diffusion_flash_attn": "diffusion_flash_attn",
    "vae_conv_direct": "vae_conv_direct",
    "offload_to_cpu": "offload_params_to_cpu",
    "llm_on_cpu": "keep_clip_on_cpu",
    "vae_on_cpu": "keep_vae_on_cpu",
}
# References need the encoder half of the VAE, a second picture needs the weights.
_ALWAYS = {"vae_decode_only": False, "free_params_immediately": False}


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model, and what it says of itself."""

    context: Any
    info: str

    def close(self) -> None:
        """Free its memory."""
        self.context.close()


def load_model(job: LoadJob, reply: Reply) -> Model:
    """Load the model; Refused when it cannot be."""
    # The library loads under Python's global lock, in threads that would wait for it to tell a log callback.
    sd.set_log_callback(None)
    sd.set_progress_callback(
        lambda done, total, _s: reply.progress("loading", message=f"{done} of {total} tensors")
    )
    try:
        context = sd.SDContext(build_context_params(job))
    except (OSError, ValueError, MemoryError) as error:
        message = str(error) or "there is not enough memory"
        raise Refused(message, "CTX_CREATION_FAILED") from error
    except RuntimeError as error:
        raise Refused(f"the model cannot be loaded: {find_cause(job)}", "CTX_CREATION_FAILED") from error
    name = PurePath(job.main_file).name
    return Model(context, f"{name} (stable-diffusion.cpp, cyllama {cyllama.__version__})")


def build_context_params(job: LoadJob) -> Any:
    """The library's parameters; a version that has no such parameter goes without."""
    wanted: dict[str, Any] = {_FILES[role]: path for role, path in job.files.items()}
    wanted |= {_SWITCHES[name]: True for name, on in job.switches.items() if on}
    wanted |= _ALWAYS
    if job.n_threads > 0:
        wanted["n_threads"] = job.n_threads
    if job.tensor_type_rules:
        wanted["tensor_type_rules"] = job.tensor_type_rules
    if places := _build_places(job.switches):
        wanted["params_backend"] = places
    params = sd.SDContextParams()
    for name, value in wanted.items():
        if hasattr(params, name):
            setattr(params, name, value)
    return params


def _build_places(switches: dict[str, bool]) -> str:
    """Where weights are kept, as later versions want it said."""
    if switches.get("offload_to_cpu"):
        return "cpu"
    places = {"llm_on_cpu": "te=cpu", "vae_on_cpu": "vae=cpu"}
    return ",".join(place for name, place in places.items() if switches.get(name))
