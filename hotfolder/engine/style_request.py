"""What a generate command asks of the style child, read from its params as unforgivingly as elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hotfolder.engine.child_reply import Refused
from hotfolder.engine.child_request import Params, read_generate_job

STYLES: Final = 26


@dataclass(frozen=True, slots=True)
class StyleJob:
    """The picture to change, the picture or the number of the style, and how strongly."""

    content: str
    style_picture: str | None
    style: int
    strength: float
    preserve_color: bool
    seed: int
    output: str


def read_style_job(params: Params) -> StyleJob:
    """The job of a generate command: the first reference is the content, a second one is the style."""
    common = read_generate_job(params)
    style, strength = params.integer("style", 0), params.number("strength", 1.0)
    if not 1 <= len(common.references) <= 2:
        message = f"one reference to change and at most one as the style, not {len(common.references)}"
        raise Refused(message, "GENERATION_FAILED")
    if not 0 <= style < STYLES:
        raise Refused(f"the style {style} is outside 0 to {STYLES - 1}", "GENERATION_FAILED")
    if not 0 <= strength <= 1:
        raise Refused(f"the strength {strength:g} is outside 0 to 1", "GENERATION_FAILED")
    return StyleJob(
        content=common.references[0],
        style_picture=common.references[1] if len(common.references) > 1 else None,
        style=style,
        strength=strength,
        preserve_color=params.flag("preserve_color", False),
        seed=common.seed,
        output=common.output,
    )
