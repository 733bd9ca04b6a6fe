"""What an engine made, and with which model files as they were when it read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from hotfolder.domain.model_file import ModelFileKey
from hotfolder.engine.messages import GenerateOutcome, UpscaleOutcome

Files = Mapping[str, ModelFileKey]
"""Model files by role; one that could not be looked at is left out."""


@dataclass(frozen=True, slots=True)
class MadePicture(GenerateOutcome):
    """A finished picture, the engine's name of its model, and the model's files."""

    model_name: str | None = None
    files: Files = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnlargedPicture(UpscaleOutcome):
    """An enlarged picture, what it took, and the model's file."""

    peak_memory_mb: int | None = None
    files: Files = field(default_factory=dict)


def build_made(
    told: GenerateOutcome, peak_memory_mb: int | None, model_name: str | None, files: Files
) -> MadePicture:
    """What the engine told of a picture, with what it did not tell."""
    known = {**asdict(told), "peak_memory_mb": peak_memory_mb}
    return MadePicture(**known, model_name=model_name, files=files)


def build_enlarged(told: UpscaleOutcome, peak_memory_mb: int | None, files: Files) -> EnlargedPicture:
    """The same for an enlarged picture."""
    return EnlargedPicture(**asdict(told), peak_memory_mb=peak_memory_mb, files=files)
