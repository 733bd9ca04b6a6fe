"""What the header of a model file says, as values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

MAX_TENSORS: Final = 65_536
MAX_NAME_LENGTH: Final = 512
MAX_DIMENSIONS: Final = 8
_MAX_EXTENT: Final = 2**63

Format = Literal["gguf", "safetensors"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """Shape (the columns come last, in either format) and the type of the numbers as the format calls it."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Header:
    """All tensors by name; `missing_bytes` are those that the header promises and the file lacks."""

    format: Format
    tensors: Mapping[str, Tensor]
    missing_bytes: int = 0
    architecture: str | None = None


def build_tensor(name: str, shape: tuple[int, ...], dtype: str) -> Tensor:
    """A tensor as a header names it; ValueError for what no model has."""
    if len(name) > MAX_NAME_LENGTH:
        raise ValueError(f"a tensor has a name of {len(name)} characters")
    if len(shape) > MAX_DIMENSIONS:
        raise ValueError(f"the tensor {name!r} has {len(shape)} dimensions")
    if not all(0 <= each < _MAX_EXTENT for each in shape):
        raise ValueError(f"the tensor {name!r} has an impossible shape")
    return Tensor(shape, dtype)
