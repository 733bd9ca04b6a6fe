"""What is wrong with the files of a model set, and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hotfolder.engine.model_kinds import KIND_WORDS, ModelFacts, describe
from hotfolder.engine.model_sets import (
    KINDS_BY_ROLE,
    KNOWN_SETS,
    Part,
    find_name,
    is_usable,
    list_parts,
    list_parts_beside,
)
from hotfolder.engine.model_shelf import SUFFIXES, ShelfFile


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a set; one that does not stop it from being loaded is still worth a look."""

    found: str
    hint: str
    stops: bool = True


def check_set(name: str, files: Mapping[str, ShelfFile], others: Sequence[ShelfFile] = ()) -> list[Fault]:
    """All that is wrong with a set of these files, by role; hints name one of the others where it fits."""
    missing = [str(each.path) for each in files.values() if each.is_missing]
    faults = []
    if missing:
        hint = "Correct the path in hotfolder.yaml, or add its folder to `models.roots`."
        faults.append(Fault(f"missing: {', '.join(missing)}", hint))
    for role, each in files.items():
        faults += _check_file(role, each)
    diffusion = files.get("diffusion_model")
    if diffusion and diffusion.facts and diffusion.facts.kind == "diffusion":
        faults += _check_name(name, diffusion.facts)
        for part in list_parts_beside(diffusion.facts):
            faults += _check_part(part, files.get(part.role), others)
    return faults


def explain_absent(name: str, files: Sequence[ShelfFile]) -> Fault:
    """What to do about a set that the settings do not name: which of its files are still to be brought."""
    found = f"no model set `{name}` is configured"
    lacking = [each.words for each in _list_all_parts(name) if not _is_there(each, files)]
    if not lacking:
        return Fault(found, f"Add `models.sets.{name}` (diffusion_model, vae, llm) to hotfolder.yaml.")
    return Fault(
        f"{found}, and there is no {' and no '.join(lacking)}",
        "Put what is lacking (*.gguf, *.safetensors) into LIBRARY/models or a folder of `models.roots`.",
    )


def _list_all_parts(name: str) -> list[Part]:
    known = KNOWN_SETS.get(name)
    if known is None:
        return []
    words = f"{known.family} diffusion model for a text encoder of hidden size {known.text_width}"
    diffusion = Part("diffusion_model", words, known.family, known.text_width)
    return [diffusion, *list_parts(known.family, known.text_width)]


def _is_there(part: Part, files: Sequence[ShelfFile]) -> bool:
    return any(each.facts and is_usable(each) and part.fits(each.facts) for each in files)


def _check_file(role: str, file: ShelfFile) -> list[Fault]:
    if file.is_missing:
        return []
    name = f"{file.path.name} ({role})"
    if file.facts is None:
        # Engines read other kinds of files, too, so of those the header decides nothing.
        is_ours = file.path.suffix.lower() in SUFFIXES
        return [Fault(f"{name} was not recognised: {file.problem}", "Copy or download it again.", is_ours)]
    faults = []
    if file.facts.missing_bytes:
        words = f"{name} is cut short: {file.facts.missing_bytes:,} bytes are missing"
        faults.append(Fault(words, "Copy or download it again."))
    wanted = KINDS_BY_ROLE.get(role)
    if wanted and file.facts.kind not in (wanted, "unknown"):
        words = f"{name} is of another kind: {describe(file.facts)}"
        faults.append(Fault(words, f"Under `{role}` belongs a {KIND_WORDS[wanted]}."))
    return faults


def _check_name(name: str, diffusion: ModelFacts) -> list[Fault]:
    """A known name on another model: pictures would be recorded as made by what they were not made by."""
    actual = find_name(diffusion.family, diffusion.text_width)
    if name not in KNOWN_SETS or actual == name:
        return []
    known = f", which belongs under `models.sets.{actual}`" if actual else ""
    words = f"the diffusion model is none of {name}: {describe(diffusion)}{known}"
    return [Fault(words, "Pictures would be recorded as made by another model: correct the set.", False)]


def _check_part(part: Part, file: ShelfFile | None, others: Sequence[ShelfFile]) -> list[Fault]:
    if file is None:
        return [Fault(f"no `{part.role}` is named", _build_hint(part, others))]
    facts = file.facts
    if facts is None or facts.kind != part.kind:
        return []  # told already
    is_told = facts.text_width if part.text_width else facts.family
    if is_told and not part.fits(facts):
        words = f"{file.path.name} does not fit the diffusion model: {describe(facts)}"
        return [Fault(words, _build_hint(part, others))]
    if facts.has_encoder is False:
        words = f"{file.path.name} has no encoder: references cannot be used with it"
        return [Fault(words, "Use the whole VAE, unless no job has references.", False)]
    return []


def _build_hint(part: Part, others: Sequence[ShelfFile]) -> str:
    fitting = [str(each.path) for each in others if _is_there(part, [each])]
    such_as = f": {fitting[0]} is one" if fitting else ""
    return f"The diffusion model needs a {part.words}{such_as}."
