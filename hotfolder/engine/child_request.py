"""Lines of stdin -> typed requests of an engine child, as unforgiving as the real engine.

A line that is not JSON raises `ParseFailed` (an error reply follows); a value of the wrong JSON type raises
`WrongType` (the process aborts without a reply). A float is taken for an integer, as the real engine does; a
boolean never is, where the real engine is not consistent.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Never

SIZE_MULTIPLE_PX = 16


class ParseFailed(Exception):
    """The line is not JSON."""


class WrongType(Exception):
    """A value has a JSON type that kills the real engine."""


class Params:
    """The params object of a request; reading a value of the wrong type raises `WrongType`."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw

    def text(self, key: str, default: str = "") -> str:
        """Return a string."""
        value = self._raw.get(key, default)
        return value if isinstance(value, str) else _refuse(key, value)

    def integer(self, key: str, default: int) -> int:
        """Return a number cut to an integer."""
        value = self._raw.get(key, default)
        return int(value) if _is_number(value) else _refuse(key, value)

    def number(self, key: str, default: float) -> float:
        """Return a number."""
        value = self._raw.get(key, default)
        return float(value) if _is_number(value) else _refuse(key, value)

    def flag(self, key: str, default: bool) -> bool:
        """Return a boolean."""
        value = self._raw.get(key, default)
        return value if isinstance(value, bool) else _refuse(key, value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return an array of strings; anything that is not an array counts as an empty one."""
        value = self._raw.get(key)
        items = value if isinstance(value, list) else []
        return tuple(item if isinstance(item, str) else _refuse(key, item) for item in items)

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return an array of numbers; anything that is not an array counts as an empty one."""
        value = self._raw.get(key)
        items = value if isinstance(value, list) else []
        return tuple(float(item) if _is_number(item) else _refuse(key, item) for item in items)

    def nested(self, key: str) -> Params:
        """Return an object; anything that is not an object counts as an empty one."""
        value = self._raw.get(key)
        return Params(value if isinstance(value, dict) else {})


@dataclass(frozen=True, slots=True)
class Request:
    """One command; `params` is None when it was left out or is not an object."""

    command: str
    request_id: str
    params: Params | None


@dataclass(frozen=True, slots=True)
class GenerateJob:
    """What a generate command asks for; the size is already rounded up as the real engine does."""

    prompt: str
    width_px: int
    height_px: int
    seed: int
    steps: int
    references: tuple[str, ...]
    output: str
    upscale_repeats: int
    upscale_factor: int
    use_prompt_cache: bool
    use_reference_cache: bool
    caption: bool


@dataclass(frozen=True, slots=True)
class UpscaleJob:
    """What an upscale command asks for."""

    input: str
    output: str
    repeats: int
    factor: int


def parse_request(line: bytes) -> Request:
    """Return the request on one line."""
    raw = _parse_json(line)
    if not isinstance(raw, dict):
        raise WrongType(f"a request has to be an object, not {type(raw).__name__}")
    top = Params(raw)
    params = raw.get("params")
    return Request(top.text("cmd"), top.text("id"), Params(params) if isinstance(params, dict) else None)


def read_generate_job(params: Params) -> GenerateJob:
    """Return the job of a generate command, with the real engine's defaults."""
    _check_unused(params)
    return GenerateJob(
        prompt=params.text("prompt"),
        width_px=_round_up(params.integer("width", 512)),
        height_px=_round_up(params.integer("height", 512)),
        seed=params.integer("seed", 42),
        steps=params.integer("steps", 20),
        references=params.texts("ref_images"),
        output=params.text("output", "output.png"),
        upscale_repeats=params.integer("upscale_repeats", 0),
        upscale_factor=params.integer("upscale_factor", 4),
        use_prompt_cache=params.flag("use_prompt_cache", True),
        use_reference_cache=params.flag("use_ref_latent_cache", True),
        caption=params.flag("caption", True),
    )


def read_upscale_job(params: Params) -> UpscaleJob:
    """Return the job of an upscale command, with the real engine's defaults."""
    _check_upscaler(params)
    return UpscaleJob(
        input=params.text("input"),
        output=params.text("output", "output_upscaled.png"),
        repeats=params.integer("upscale_repeats", 1),
        factor=params.integer("upscale_factor", 4),
    )


def check_load(params: Params) -> None:
    """Read everything that load takes, for the sake of the types: no model is needed here."""
    for key in ("model", "diffusion_model", "vae", "llm", "tensor_type_rules"):
        params.text(key)
    params.integer("n_threads", 0)
    for key in (
        "flash_attn",
        "diffusion_flash_attn",
        "vae_conv_direct",
        "offload_to_cpu",
        "llm_on_cpu",
        "vae_on_cpu",
    ):
        params.flag(key, False)
    params.flag("vae_decode_only", True)
    params.flag("free_params_immediately", False)
    _check_upscaler(params)


def _check_upscaler(params: Params) -> None:
    params.text("upscale_model")
    params.flag("upscale_offload_to_cpu", False)
    params.flag("upscale_direct", False)
    params.integer("upscale_n_threads", 0)
    params.integer("upscale_tile_size", 128)


def _check_unused(params: Params) -> None:
    params.text("sampling_method")
    params.numbers("sigmas")
    params.flag("increase_ref_index", False)
    tiling = params.nested("vae_tiling")
    tiling.flag("enabled", False)
    tiling.integer("tile_size_x", 0)
    tiling.integer("tile_size_y", 0)
    for key in ("target_overlap", "rel_size_x", "rel_size_y"):
        tiling.number(key, 0.0)


def _parse_json(line: bytes) -> Any:
    try:
        raw = json.loads(line.decode("utf-8-sig"), parse_float=_finite, parse_constant=_finite)
        # A lone surrogate is JSON for Python only; it would break every later encoding.
        json.dumps(raw, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ParseFailed(str(error)) from error
    return raw


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a number that JSON knows")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse(key: str, value: Any) -> Never:
    raise WrongType(f"{key!r} has the wrong JSON type: {type(value).__name__}")


def _round_up(size_px: int) -> int:
    return -(-size_px // SIZE_MULTIPLE_PX) * SIZE_MULTIPLE_PX
