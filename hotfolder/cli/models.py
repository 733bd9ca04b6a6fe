"""hotfolder models: which model files there are, what they are, and what endpoints lack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hotfolder.cli.opening import opened
from hotfolder.cli.output import json_option, one_line, print_json, print_table, say
from hotfolder.diagnosis_models import EndpointReport, ModelReport, SetReport, build_report, build_snippet
from hotfolder.engine.model_faults import Fault
from hotfolder.engine.model_kinds import KIND_WORDS, ModelFacts, count_words, describe
from hotfolder.engine.model_sets import (
    KNOWN_SETS,
    FoundSet,
    find_name,
    find_sets,
    list_parts_beside,
    name_below,
)
from hotfolder.engine.model_shelf import ModelShelf, Shelf, ShelfFile

_COLUMNS = ("File", "Kind", "Family", "Numbers", "Parameters", "Size")


@click.group()
def models() -> None:
    """Model files. What they are, which belong together, and what is missing."""


@models.command("list")
@json_option
@click.pass_context
def list_models(context: click.Context, as_json: bool) -> None:
    """List model files and sets, and for every local endpoint what it would load and what it lacks."""
    with opened(context) as library:
        report = build_report(library)
    if as_json:
        print_json(_to_object(report))
        return
    say("Models in " + ", ".join(one_line(str(each)) for each in report.roots) + ":\n")
    print_table(_COLUMNS, [_to_row(each, report.roots) for each in report.shelf.files], "No model files.")
    for problem in report.shelf.problems:
        say(f"Note: {one_line(problem)}")
    for each in report.sets:
        say(f"\nModel set {one_line(each.name)}: {_state(each)}")
        say("\n".join(f"    {role}: {one_line(str(file.path))}" for role, file in each.files.items()))
        _say_faults(each.faults)
    say("\nEndpoints:")
    for endpoint in report.endpoints:
        loads = f"loads {one_line(endpoint.model_set)}" if endpoint.model_set else "needs no model set"
        say(f"  {endpoint.endpoint_key}: {_state(endpoint)} ({loads}, engine {endpoint.engine})")
        _say_faults(_own_faults(endpoint, report.sets))
    _say_sets(report.suggested, report.roots)


@models.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@json_option
def probe(path: Path, as_json: bool) -> int:
    """Explain one model file, or all below a folder; exit 1 when one cannot be used, or none is there."""
    shelf = ModelShelf()
    found = shelf.scan([path]) if path.is_dir() else Shelf(tuple(shelf.look([path])))
    sets = find_sets(found.files)
    if as_json:
        files = [_file_object(each) | _needs_object(each) for each in found.files]
        print_json({"files": files, "sets": _sets_object(sets), "problems": list(found.problems)})
    else:
        _say_probed(found, sets, path)
    is_sound = all(each.facts and not each.facts.missing_bytes for each in found.files)
    return 0 if found.files and is_sound and not found.problems else 1


def _say_probed(found: Shelf, sets: Sequence[FoundSet], path: Path) -> None:
    for each in found.files:
        what = describe(each.facts) if each.facts else f"not recognised: {each.problem}"
        say(f"{one_line(str(each.path))}: {one_line(what)}")
        say("\n".join(f"    {line}" for line in _explain(each)))
    for problem in found.problems:
        say(f"Note: {one_line(problem)}")
    if not found.files:
        say(f"There are no model files (*.gguf, *.safetensors) in {one_line(str(path))}.")
    _say_sets(sets, [])


def _explain(file: ShelfFile) -> list[str]:
    facts = file.facts
    if facts is None:
        return [_size_words(file.size)]
    lines = [f"{_size_words(file.size)}, {facts.format}"]
    if facts.missing_bytes:
        lines.append(
            f"It is cut short: {facts.missing_bytes:,} bytes are missing. Copy or download it again."
        )
    lines += [f"It needs a {each.words} beside it." for each in list_parts_beside(facts)]
    if facts.is_whole:
        lines.append("Text encoder and VAE are in the same file.")
    if facts.has_encoder is False:
        lines.append("It has no encoder: references cannot be used with it.")
    names = _list_names(facts)
    return [*lines, f"Of the model sets {' and '.join(names)}."] if names else lines


def _list_names(facts: ModelFacts) -> list[str]:
    """The known sets that such a file can be part of."""
    if facts.kind == "diffusion":
        name = find_name(facts.family, facts.text_width)
        return [name] if name else []
    if facts.kind == "text encoder":
        return [name for name, each in KNOWN_SETS.items() if each.text_width == facts.text_width]
    return []


def _say_sets(sets: Sequence[FoundSet], roots: Sequence[Path]) -> None:
    if sets:
        say("\nThese files belong together. To use them, add to hotfolder.yaml:\n")
        say(build_snippet(sets, roots))


def _own_faults(endpoint: EndpointReport, sets: Iterable[SetReport]) -> list[Fault]:
    """Without those told with its model set."""
    told = {fault for each in sets if each.name == endpoint.model_set for fault in each.faults}
    return [each for each in endpoint.faults if each not in told]


def _say_faults(faults: Iterable[Fault]) -> None:
    for each in faults:
        say(f"    {one_line(each.found)}")
        say("\n".join(f"        {line}" for line in each.hint.rstrip().splitlines()))


def _state(report: SetReport | EndpointReport) -> str:
    if not report.is_ready:
        return "not ready"
    return "ready, but" if report.faults else "ready"


def _to_row(file: ShelfFile, roots: Sequence[Path]) -> tuple[str | None, ...]:
    facts, name, size = file.facts, name_below(file.path, roots), _size_words(file.size)
    if facts is None:
        return name, f"? {file.problem}", None, None, None, size
    kind = KIND_WORDS[facts.kind] + (" (cut short)" if facts.missing_bytes else "")
    return name, kind, facts.family, facts.quantisation, count_words(facts), size


def _size_words(size: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"


def _to_object(report: ModelReport) -> dict[str, Any]:
    return {
        "roots": [str(each) for each in report.roots],
        "files": [_file_object(each) for each in report.shelf.files],
        "problems": list(report.shelf.problems),
        "sets": [
            {
                "name": each.name,
                "ready": each.is_ready,
                "files": {role: str(file.path) for role, file in each.files.items()},
                "faults": [_fault_object(fault) for fault in each.faults],
            }
            for each in report.sets
        ],
        "suggestedSets": _sets_object(report.suggested),
        "suggestedYaml": build_snippet(report.suggested, report.roots) if report.suggested else None,
        "endpoints": [
            {
                "endpointKey": each.endpoint_key,
                "engine": each.engine,
                "modelSet": each.model_set,
                "ready": each.is_ready,
                "faults": [_fault_object(fault) for fault in each.faults],
            }
            for each in report.endpoints
        ],
    }


def _file_object(file: ShelfFile) -> dict[str, Any]:
    facts = file.facts
    return {
        "path": str(file.path),
        "size": file.size,
        "format": facts.format if facts else None,
        "kind": facts.kind if facts else None,
        "family": facts.family if facts else None,
        "quantisation": facts.quantisation if facts else None,
        "parameters": facts.parameters if facts else None,
        "textWidth": facts.text_width if facts else None,
        "hasEncoder": facts.has_encoder if facts else None,
        "missingBytes": facts.missing_bytes if facts else None,
        "problem": file.problem,
    }


def _needs_object(file: ShelfFile) -> dict[str, Any]:
    needs = list_parts_beside(file.facts) if file.facts else []
    names = _list_names(file.facts) if file.facts else []
    return {"needs": {each.role: each.words for each in needs}, "modelSets": names}


def _sets_object(sets: Iterable[FoundSet]) -> Mapping[str, Mapping[str, str]]:
    return {each.name: {role: str(file.path) for role, file in each.files.items()} for each in sets}


def _fault_object(fault: Fault) -> dict[str, Any]:
    return {"found": fault.found, "hint": fault.hint, "stops": fault.stops}
