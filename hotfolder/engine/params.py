"""What the engine may be asked for; a wrong type or range kills it without a reply, so it is refused here."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_SEED: Final = 2_147_483_647
MAX_REFS: Final = 8
UPSCALE_FACTORS: Final = range(2, 5)
MAX_UPSCALED_PIXELS: Final = 100_000_000

_NUMBER_LIMIT: Final = 2**63  # also false for NaN and infinities
# References need the encoder half of the VAE, a second job needs the weights: not the caller's to choose.
_ALWAYS_SENT: Final = {"vae_decode_only": False, "free_params_immediately": False}


@dataclass(frozen=True, slots=True)
class LoadParams:
    """The model files to load and how; two equal values mean the same loaded model."""

    diffusion_model: str | None = None
    vae: str | None = None
    llm: str | None = None
    upscale_model: str | None = None
    flags: Mapping[str, Any] = field(default_factory=dict, hash=False)
    model: str | None = None

    def __post_init__(self) -> None:
        for name, path in self._paths().items():
            _require(path is None or isinstance(path, str), f"{name} must be a path as text")
        taken = self.flags.keys() & self._paths().keys()
        _require(not taken, f"not a flag but a model file: {', '.join(sorted(taken))}")
        _check_types(without_nulls(self.flags), _LOAD_TYPES)
        object.__setattr__(self, "flags", dict(self.flags))

    def files(self) -> tuple[str, ...]:
        """Every model file that is named, in the order the engine reads them."""
        return tuple(path for path in self._paths().values() if path)

    def as_params(self) -> dict[str, Any]:
        """The `params` object of a load command."""
        named = {name: path for name, path in self._paths().items() if path}
        return {**self.flags, **named, **_ALWAYS_SENT}

    def _paths(self) -> dict[str, str | None]:
        return {
            "model": self.model,
            "diffusion_model": self.diffusion_model,
            "vae": self.vae,
            "llm": self.llm,
            "upscale_model": self.upscale_model,
        }


@dataclass(frozen=True, slots=True)
class GenerateParams:
    """One picture to make; ranges that would crash the engine raise ValueError here."""

    prompt: str
    width: int
    height: int
    seed: int
    steps: int
    sampling_method: str | None
    ref_images: tuple[str, ...]
    output: str
    use_prompt_cache: bool = True
    use_ref_latent_cache: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _check_types(self._own_params(), _GENERATE_TYPES)
        _check_types(without_nulls(self.extra), _EXTRA_TYPES)
        taken = self.extra.keys() & _GENERATE_TYPES.keys()
        _require(not taken, f"extra repeats a parameter of its own: {', '.join(sorted(taken))}")
        for name in ("width", "height", "steps"):
            _require(getattr(self, name) > 0, f"{name} must be above 0")
        _require(0 <= self.seed <= MAX_SEED, f"seed must be between 0 and {MAX_SEED}")
        _require(bool(self.output), "output must name a file")
        _check_refs(self.ref_images)

    def as_params(self) -> dict[str, Any]:
        """The `params` object of a generate command."""
        return {**self.extra, **self._own_params()}

    def _own_params(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _GENERATE_TYPES}


@dataclass(frozen=True, slots=True)
class UpscaleParams:
    """One picture to enlarge; `model` is a file or, for engines that bring models, the name of one.

    `flags` are those of load whose names begin with `upscale_`.
    """

    input: str
    output: str
    factor: int
    model: str | None = None
    flags: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("input", "output"):
            value = getattr(self, name)
            _require(_is_text(value) and bool(value), f"{name} must name a file")
        _require(_is_whole(self.factor) and self.factor in UPSCALE_FACTORS, "factor must be 2, 3 or 4")
        _require(self.model is None or (_is_text(self.model) and bool(self.model)), "model must be text")
        _check_types(without_nulls(self.flags), _LOAD_TYPES)

    def as_params(self) -> dict[str, Any]:
        """The `params` object of an upscale command: one pass."""
        model = {"upscale_model": self.model} if self.model else {}
        files = {"input": self.input, "output": self.output}
        return {**self.flags, **files, "upscale_repeats": 1, "upscale_factor": self.factor, **model}


def without_nulls(value: Any) -> Any:
    """The value with every null left out, at any depth: the engine dies of a null where it wants text."""
    if isinstance(value, Mapping):
        return {str(key): without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(each) for each in value if each is not None]
    return value


def _check_types(params: Mapping[str, Any], types: Mapping[str, Callable[[object], bool]]) -> None:
    """Unknown names pass: the engine ignores them, other engines have flags of their own."""
    for name, value in params.items():
        check = types.get(name)
        _require(check is None or check(value), f"{name} cannot be {value!r}")


def _check_refs(refs: tuple[str, ...]) -> None:
    """The engine's memory does not survive a ninth reference, nor the same one twice."""
    _require(len(refs) <= MAX_REFS, f"at most {MAX_REFS} references, not {len(refs)}")
    different = {posixpath.normpath(ref) for ref in refs}
    _require(len(different) == len(refs), "a reference is named twice")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether the value is a finite number that fits the engine's integers; truth values are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _NUMBER_LIMIT


def _is_whole(value: object) -> bool:
    """Whether the value is a whole number that the engine's 32 bits hold: a larger one becomes another."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_SEED


def _is_numbers(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(is_number, value))


def _is_paths(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, str) and each != "" for each in value)


def _is_tiling(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    return all(_is_switch(each) if name == "enabled" else is_number(each) for name, each in value.items())


_LOAD_TYPES: Final[Mapping[str, Callable[[object], bool]]] = {
    "tensor_type_rules": _is_text,
    **dict.fromkeys(("n_threads", "upscale_n_threads", "upscale_tile_size"), _is_whole),
    **dict.fromkeys(("flash_attn", "diffusion_flash_attn", "vae_conv_direct"), _is_switch),
    **dict.fromkeys(("offload_to_cpu", "llm_on_cpu", "vae_on_cpu"), _is_switch),
    **dict.fromkeys(("upscale_offload_to_cpu", "upscale_direct"), _is_switch),
}
_GENERATE_TYPES: Final[Mapping[str, Callable[[object], bool]]] = {
    "prompt": _is_text,
    **dict.fromkeys(("width", "height", "seed", "steps"), _is_whole),
    "sampling_method": _is_text_or_none,
    "ref_images": _is_paths,
    "output": _is_text,
    **dict.fromkeys(("use_prompt_cache", "use_ref_latent_cache"), _is_switch),
}
_EXTRA_TYPES: Final[Mapping[str, Callable[[object], bool]]] = {
    "sigmas": _is_numbers,
    "vae_tiling": _is_tiling,
    "increase_ref_index": _is_switch,
    **dict.fromkeys(("upscale_repeats", "upscale_factor"), _is_whole),
}
