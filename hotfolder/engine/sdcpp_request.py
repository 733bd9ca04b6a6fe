"""What stable-diffusion.cpp is asked for by a load and by a generate command, checked."""

from __future__ import annotations

from dataclasses import dataclass

from hotfolder.engine.child_reply import Refused
from hotfolder.engine.child_request import GenerateJob, Params, read_generate_job

_MOST_PIXELS = 64_000_000
_FILES = ("model", "diffusion_model", "vae", "llm")
_SWITCHES = (
    "flash_attn",
    "diffusion_flash_attn",
    "vae_conv_direct",
    "offload_to_cpu",
    "llm_on_cpu",
    "vae_on_cpu",
)


@dataclass(frozen=True, slots=True)
class LoadJob:
    """The files of a model by role, and how to load them."""

    files: dict[str, str]
    switches: dict[str, bool]
    n_threads: int
    tensor_type_rules: str

    @property
    def main_file(self) -> str:
        """The file that makes the picture."""
        return self.files.get("diffusion_model") or self.files["model"]


@dataclass(frozen=True, slots=True)
class Tiling:
    """How the VAE's work is cut into tiles, in latent pixels; 0 leaves a size to the library."""

    size: tuple[int, int]
    overlap: float


@dataclass(frozen=True, slots=True)
class PictureJob:
    """One picture to make."""

    prompt: str
    width_px: int
    height_px: int
    seed: int
    steps: int
    sampling_method: str
    sigmas: tuple[float, ...]
    references: tuple[str, ...]
    increase_ref_index: bool
    tiling: Tiling | None
    output: str


def read_load_job(params: Params) -> LoadJob:
    """The job of a load command; an upscale model in it has no effect."""
    files = {role: path for role in _FILES if (path := params.text(role))}
    if not files.keys() & {"model", "diffusion_model"}:
        raise Refused("load needs a 'model' or a 'diffusion_model'", "CTX_CREATION_FAILED")
    return LoadJob(
        files=files,
        switches={name: params.flag(name, False) for name in _SWITCHES},
        n_threads=params.integer("n_threads", 0),
        tensor_type_rules=params.text("tensor_type_rules"),
    )


def read_picture_job(params: Params) -> PictureJob:
    """The job of a generate command; what the library would not survive is refused."""
    job = read_generate_job(params)
    _check(job)
    return PictureJob(
        prompt=job.prompt,
        width_px=job.width_px,
        height_px=job.height_px,
        seed=job.seed,
        steps=job.steps,
        sampling_method=params.text("sampling_method"),
        sigmas=params.numbers("sigmas"),
        references=job.references,
        increase_ref_index=params.flag("increase_ref_index", False),
        tiling=_read_tiling(params.nested("vae_tiling")),
        output=job.output,
    )


def _check(job: GenerateJob) -> None:
    if job.upscale_repeats:
        raise Refused("this engine has no upscaler", "NO_UPSCALER")
    if min(job.width_px, job.height_px) < 1 or job.width_px * job.height_px > _MOST_PIXELS:
        size = f"{job.width_px} x {job.height_px}"
        raise Refused(f"the size {size} is outside 1 to {_MOST_PIXELS} pixels", "GENERATION_FAILED")
    if job.steps < 1:
        raise Refused(f"{job.steps} steps cannot draw anything", "GENERATION_FAILED")


def _read_tiling(params: Params) -> Tiling | None:
    if not params.flag("enabled", False):
        return None
    size = (params.integer("tile_size_x", 0), params.integer("tile_size_y", 0))
    return Tiling(size, params.number("target_overlap", 0.5))
