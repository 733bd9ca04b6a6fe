"""From what a job says of its size to the pixels that are run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIZE_PARAMS = ("size", "width", "height", "resolution", "aspectRatio")
DEFAULT_LONG_EDGE_PX = 1024

_SIZE = re.compile(r"(\d{1,6})\s*[*x]\s*(\d{1,6})", re.IGNORECASE)
_RATIO = re.compile(r"(\d{1,4}):(\d{1,4})")


class SizeError(ValueError):
    """A size that cannot be resolved; `param` names the key to mend."""

    def __init__(self, param: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.param = param
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels as asked for, and as run (both edges raised to the endpoint's multiple)."""

    asked_width: int
    asked_height: int
    width: int
    height: int


UNDECIDED = Size(0, 0, 0, 0)
"""Of an endpoint whose pictures are as large as the reference makes them."""


def resolve_size(
    params: Mapping[str, Any],
    *,
    multiple: int,
    max_pixels: int | None,
    min_edge_px: int = 1,
    max_edge_px: int | None = None,
) -> Size:
    """The size from `size`, or width + height, or resolution + aspectRatio; raises SizeError."""
    given = {name for name in SIZE_PARAMS if params.get(name) is not None}
    _refuse_mixture(given)
    width, height = _asked(params, given)
    _refuse_edges(_first(given), width, height, min_edge_px, max_edge_px)
    size = Size(width, height, _raised(width, multiple), _raised(height, multiple))
    if max_pixels is not None and size.width * size.height > max_pixels:
        raise SizeError(
            _first(given),
            f"{size.width} x {size.height} is {size.width * size.height:,} pixels; "
            f"this endpoint takes at most {max_pixels:,}",
            "Choose a smaller size.",
        )
    return size


def _refuse_edges(param: str, width: int, height: int, lowest: int, highest: int | None) -> None:
    """However a size is written, its edges obey the limits of `width` and `height`."""
    if min(width, height) < lowest:
        message = f"{width} x {height} has an edge of less than {lowest} pixels"
        raise SizeError(param, message, f"Use at least {lowest} pixels an edge.")
    if highest is not None and max(width, height) > highest:
        message = f"{width} x {height} has an edge of more than {highest} pixels"
        raise SizeError(param, message, f"Use at most {highest} pixels an edge.")


def _refuse_mixture(given: set[str]) -> None:
    forms = (("size", {"size"}), ("width + height", {"width", "height"}))
    for name, form in (*forms, ("resolution + aspectRatio", {"resolution", "aspectRatio"})):
        if given & form and given - form:
            other = sorted(given - form)[0]
            raise SizeError(
                other,
                f"`{other}` does not go together with {name}",
                "Use one of: size; width + height; resolution + aspectRatio.",
            )


def _asked(params: Mapping[str, Any], given: set[str]) -> tuple[int, int]:
    if "size" in given:
        return _parse_size(params["size"])
    if given & {"width", "height"}:
        if given != {"width", "height"}:
            alone, missing = ("width", "height") if "width" in given else ("height", "width")
            raise SizeError(
                alone, f"`{alone}` needs `{missing}`", f"Add `{missing}`, or use size: 1024*1024."
            )
        return int(params["width"]), int(params["height"])
    long_edge = int(params.get("resolution") or DEFAULT_LONG_EDGE_PX)
    return _with_ratio(long_edge, params.get("aspectRatio") or "1:1")


def _parse_size(text: Any) -> tuple[int, int]:
    match = _SIZE.fullmatch(str(text).strip())
    if match is None:
        raise SizeError("size", f"`{text}` is not a size", "Write width*height, for example size: 1024*768.")
    return int(match[1]), int(match[2])


def _with_ratio(long_edge: int, ratio: str) -> tuple[int, int]:
    match = _RATIO.fullmatch(str(ratio).strip())
    if match is None or 0 in (int(match[1]), int(match[2])):
        raise SizeError(
            "aspectRatio", f"`{ratio}` is not an aspect ratio", "Write it as W:H, for example 3:2."
        )
    wide, high = int(match[1]), int(match[2])
    if wide >= high:
        return long_edge, long_edge * high // wide
    return long_edge * wide // high, long_edge


def _raised(edge: int, multiple: int) -> int:
    return -(-edge // multiple) * multiple


def _first(given: set[str]) -> str:
    return next((name for name in SIZE_PARAMS if name in given), "size")
