"""Which model files belong together: what a diffusion model needs beside it, and the sets in a pile."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from hotfolder.engine.model_kinds import (
    FLUX2_DEV,
    FLUX2_KLEIN,
    QWEN_IMAGE,
    VAE_FAMILIES,
    Z_IMAGE,
    Kind,
    ModelFacts,
)
from hotfolder.engine.model_shelf import ShelfFile
from hotfolder.engine.params import LoadParams

KINDS_BY_ROLE: Final[Mapping[str, Kind]] = MappingProxyType(
    {"diffusion_model": "diffusion", "vae": "vae", "llm": "text encoder", "upscale_model": "upscaler"}
)
_ROLES: Final = ("model", *KINDS_BY_ROLE)
_NO_LANGUAGE_MODELS: Final = frozenset({"T5", "CLIP"})


@dataclass(frozen=True, slots=True)
class KnownSet:
    """What a set of this name is made of; `encoder` is the text encoder as people call it."""

    family: str
    text_width: int
    encoder: str


KNOWN_SETS: Final[Mapping[str, KnownSet]] = MappingProxyType(
    {
        "flux2-klein-4b": KnownSet(FLUX2_KLEIN, 2560, "Qwen3 4B"),
        "flux2-klein-9b": KnownSet(FLUX2_KLEIN, 4096, "Qwen3 8B"),
        "flux2-dev": KnownSet(FLUX2_DEV, 5120, "Mistral Small 24B"),
        "z-image": KnownSet(Z_IMAGE, 2560, "Qwen3 4B"),
        "qwen-image": KnownSet(QWEN_IMAGE, 3584, "Qwen2.5-VL 7B"),
    }
)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a set: what it must be."""

    role: str
    words: str
    family: str | None = None
    text_width: int | None = None

    @property
    def kind(self) -> Kind:
        """The kind of such a file."""
        return KINDS_BY_ROLE[self.role]

    def fits(self, facts: ModelFacts) -> bool:
        """Whether a file is surely this part."""
        if facts.kind != self.kind or (self.text_width and facts.text_width != self.text_width):
            return False
        if self.role == "llm":  # of text encoders the width decides; their families are only hints
            return facts.family not in _NO_LANGUAGE_MODELS
        return facts.family == self.family


@dataclass(frozen=True, slots=True)
class FoundSet:
    """Files that belong together, by role; the name is the one that endpoints ask for, where they do."""

    name: str
    files: Mapping[str, ShelfFile]


def named_files(load: LoadParams) -> dict[str, str]:
    """The files that a model set names, by role."""
    return {role: path for role in _ROLES if (path := getattr(load, role))}


def find_name(family: str | None, text_width: int | None) -> str | None:
    """The name under which endpoints ask for such a diffusion model."""
    wanted = (family, text_width)
    found = (name for name, each in KNOWN_SETS.items() if (each.family, each.text_width) == wanted)
    return next(found, None)


def list_parts(family: str | None, text_width: int | None) -> list[Part]:
    """What such a diffusion model needs beside it, as far as that is known."""
    parts = []
    if text_width:
        known = KNOWN_SETS.get(find_name(family, text_width) or "")
        such_as = f" ({known.encoder})" if known else ""
        encoder_family = known.encoder.split()[0] if known else None
        words = f"text encoder of hidden size {text_width}{such_as}"
        parts.append(Part("llm", words, encoder_family, text_width))
    vae_family = VAE_FAMILIES.get(family or "")
    if vae_family:
        parts.append(Part("vae", f"{vae_family} VAE", vae_family))
    return parts


def list_parts_beside(facts: ModelFacts) -> list[Part]:
    """What this model needs beside it: nothing unless it is a diffusion model without its parts."""
    if facts.kind != "diffusion" or facts.is_whole:
        return []
    return list_parts(facts.family, facts.text_width)


def find_sets(files: Sequence[ShelfFile]) -> list[FoundSet]:
    """A set for every diffusion model that has all its parts among the files; no two have the same name."""
    sets: dict[str, FoundSet] = {}
    for each in files:
        wanted = list_parts_beside(each.facts) if each.facts and is_usable(each) else []
        if {part.role for part in wanted} == {"llm", "vae"}:  # else it is not known which files it takes
            parts = _choose_parts(each, wanted, files)
            if parts:
                name = _choose_name(each, sets)
                sets[name] = FoundSet(name, {"diffusion_model": each, **parts})
    return list(sets.values())


def is_usable(file: ShelfFile) -> bool:
    """Whether the file is known and whole."""
    return file.facts is not None and not file.facts.missing_bytes


def name_below(path: Path, roots: Sequence[Path]) -> str:
    """The file as the settings may name it: relative where that leads to it, else in full."""
    for root in filter(path.is_relative_to, roots):
        relative = path.relative_to(root)
        first = next((each / relative for each in roots if (each / relative).is_file()), None)
        if first == path:
            return relative.as_posix()
    return str(path.absolute())


def _choose_parts(
    diffusion: ShelfFile, parts: Sequence[Part], files: Sequence[ShelfFile]
) -> dict[str, ShelfFile] | None:
    """The fitting file for each part, None when one is lacking."""
    chosen = {}
    for part in parts:
        fitting = [each for each in files if each.facts and is_usable(each) and part.fits(each.facts)]
        if not fitting:
            return None
        chosen[part.role] = min(fitting, key=lambda each: _rank(each, part, diffusion))
    return chosen


def _rank(file: ShelfFile, part: Part, diffusion: ShelfFile) -> tuple[bool, bool, int, str]:
    """Lowest is best: of the expected family, with an encoder if it is a VAE, near the diffusion model."""
    facts = file.facts
    is_expected = bool(facts and facts.family and part.family and part.family in facts.family)
    lacks_encoder = bool(facts and facts.has_encoder is False)
    shared = os.path.commonpath([file.path.parent.absolute(), diffusion.path.parent.absolute()])
    return not is_expected, lacks_encoder, -len(Path(shared).parts), str(file.path)


def _choose_name(diffusion: ShelfFile, taken: Mapping[str, FoundSet]) -> str:
    facts = diffusion.facts
    known = find_name(facts.family, facts.text_width) if facts else None
    plain = re.sub(r"[^a-z0-9]+", "-", diffusion.path.stem.lower()).strip("-") or "model"
    numbered = (f"{plain}-{number}" for number in range(2, len(taken) + 3))
    return next(each for each in (known, plain, *numbered) if each and each not in taken)
