"""Requests for style transfer in the words of its engine."""

from __future__ import annotations

from typing import Final

from hotfolder.domain.generation import GenerationRequest
from hotfolder.engine.messages import GenerateParams

STYLE_MODEL: Final = "style-transfer"
STYLE: Final = "style"

_NAMES: Final = {"style": "style", "strength": "strength", "preserveColor": "preserve_color"}
_ANY_SIZE_PX: Final = 64


def build_style_params(request: GenerationRequest) -> GenerateParams:
    """The first reference in a built-in style, or in that of the second; its size is that of the first."""
    return GenerateParams(
        prompt="",
        width=_ANY_SIZE_PX,  # the engine reads neither size nor steps
        height=_ANY_SIZE_PX,
        seed=request.seed,
        steps=1,
        sampling_method=None,
        ref_images=tuple(each.path for each in request.references),
        output=request.output,
        extra={_NAMES[name]: value for name, value in request.params.items() if name in _NAMES},
    )


def find_useless_style(request: GenerationRequest) -> tuple[str, ...]:
    """A warning when both a number and a picture are there for the style."""
    if len(request.references) < 2 or "style" not in request.params:
        return ()
    return (f"`style: {request.params['style']}` has no effect: the second reference is the style.",)
