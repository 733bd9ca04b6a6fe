"""What `models list` and `doctor` say of models: the files, the sets, and what each endpoint lacks."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from hotfolder.app import Library
from hotfolder.domain.endpoint import Endpoint
from hotfolder.engine.kinds import CN_ENGINE, PROCEDURAL
from hotfolder.engine.model_faults import Fault, check_set, explain_absent
from hotfolder.engine.model_sets import FoundSet, find_sets, name_below, named_files
from hotfolder.engine.model_shelf import ModelShelf, Shelf, ShelfFile
from hotfolder.engines import build_engines, build_model_sets
from hotfolder.library.model_files import ModelFileStore
from hotfolder.providers.local import find_engine
from hotfolder.providers.upscaling import UPSCALE_MODEL, UPSCALER


@dataclass(frozen=True, slots=True)
class SetReport:
    """A model set of the settings: its files by role, and what is wrong with it."""

    name: str
    files: Mapping[str, ShelfFile]
    faults: tuple[Fault, ...]

    @property
    def is_ready(self) -> bool:
        """Whether nothing is known that would stop it from being loaded."""
        return not any(each.stops for each in self.faults)


@dataclass(frozen=True, slots=True)
class EndpointReport:
    """What a local endpoint runs on: an engine, a model set where it needs one, and what it lacks."""

    endpoint_key: str
    engine: str
    model_set: str | None
    faults: tuple[Fault, ...]

    @property
    def is_ready(self) -> bool:
        """Whether nothing is known that would stop it."""
        return not any(each.stops for each in self.faults)


@dataclass(frozen=True, slots=True)
class ModelReport:
    """All about the models of a library; `suggested` are sets that the settings could name and do not."""

    roots: tuple[Path, ...]
    shelf: Shelf
    sets: tuple[SetReport, ...]
    suggested: tuple[FoundSet, ...]
    endpoints: tuple[EndpointReport, ...]


def build_report(library: Library) -> ModelReport:
    """Look at everything; raises ConfigError when the settings of a set cannot be used."""
    shelf = ModelShelf(ModelFileStore(library.database))
    roots = _list_roots(library)
    found = shelf.scan(roots)
    sets = []
    for name, load in build_model_sets(library).items():
        named = named_files(load)
        files = dict(zip(named, shelf.look([Path(each) for each in named.values()]), strict=True))
        sets.append(SetReport(name, files, tuple(check_set(name, files, found.files))))
    suggested = _list_suggested(found.files, sets)
    endpoints = _report_endpoints(library, sets, suggested, found)
    return ModelReport(tuple(roots), found, tuple(sets), tuple(suggested), tuple(endpoints))


def build_snippet(sets: Iterable[FoundSet], roots: Sequence[Path]) -> str:
    """The lines of hotfolder.yaml that name these sets."""
    named = {
        each.name: {role: name_below(file.path, roots) for role, file in each.files.items()} for each in sets
    }
    wanted = {"models": {"sets": named}}
    return str(yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True, width=float("inf")))


def _list_roots(library: Library) -> list[Path]:
    return [Path(each).expanduser() for each in library.settings.models.roots] + [library.paths.models]


def _list_suggested(files: Sequence[ShelfFile], sets: Iterable[SetReport]) -> list[FoundSet]:
    """Without those whose name is taken, or whose diffusion model stands in the settings already."""
    names = {each.name for each in sets}
    used = {os.path.realpath(file.path) for each in sets for file in each.files.values()}
    return [
        each
        for each in find_sets(files)
        if each.name not in names and os.path.realpath(each.files["diffusion_model"].path) not in used
    ]


def _report_endpoints(
    library: Library, sets: Iterable[SetReport], suggested: Iterable[FoundSet], shelf: Shelf
) -> list[EndpointReport]:
    kinds = build_engines(library).by_kind  # none is started
    by_name = {each.name: each for each in sets}
    unnamed = {each.name for each in suggested}
    reports = []
    for endpoint in library.catalog.list():
        engine, name = _find_needs(endpoint, kinds, by_name.values())
        faults = [] if engine in kinds else [_build_engine_missing(engine)]
        if name in by_name:
            faults += by_name[name].faults
        elif name in unnamed:
            faults.append(_build_unnamed(name))
        elif name is not None:
            faults.append(explain_absent(name, shelf.files))
        reports.append(EndpointReport(endpoint.endpoint_key, engine, name, tuple(faults)))
    return reports


def _find_needs(
    endpoint: Endpoint, kinds: Collection[str], sets: Iterable[SetReport]
) -> tuple[str, str | None]:
    """Kind of engine and model set; to enlarge, every engine will do, and the best that is there is taken."""
    if endpoint.provider_model_id != UPSCALE_MODEL:
        return find_engine(endpoint.provider_model_id)
    if CN_ENGINE in kinds and any("upscale_model" in each.files for each in sets):
        return CN_ENGINE, None
    return (UPSCALER if UPSCALER in kinds else PROCEDURAL), None


def _build_engine_missing(kind: str) -> Fault:
    return Fault(f"the engine {kind} is not there", "`hotfolder doctor` tells how to get it.")


def _build_unnamed(name: str) -> Fault:
    words = f"no model set `{name}` is configured, but its files are there"
    hint = "Name them in hotfolder.yaml: `hotfolder models list` ends with the lines to add."
    return Fault(words, hint)
