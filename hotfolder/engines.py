"""Which engines this machine has for a library, and the model files that its settings name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hotfolder.app import Library
from hotfolder.config import ModelSetSettings
from hotfolder.engine.discovery import find_binary, find_model_file
from hotfolder.engine.kinds import CN_ENGINE, EXTRAS, PROCEDURAL
from hotfolder.engine.manager import EngineCommand, EngineManager, EngineStatus, EngineTimeouts
from hotfolder.engine.messages import LoadParams
from hotfolder.engine.supervision import AT_ONCE, RestartPolicy
from hotfolder.errors import ConfigError
from hotfolder.providers.seat import Seat


@dataclass(frozen=True)
class Engines:
    """The engines of this machine by kind; none is started before it is needed."""

    by_kind: Mapping[str, EngineManager]
    seat: Seat = field(default_factory=Seat)

    @property
    def preferred(self) -> EngineManager:
        """cn-engine when there is one."""
        return self.by_kind.get(CN_ENGINE) or self.by_kind[PROCEDURAL]

    def close(self) -> None:
        """Who is at work may end; nobody begins, and nobody waits any longer."""
        self.seat.close()
        for manager in self.by_kind.values():
            manager.close()

    def stop(self) -> None:
        """Quit, terminate, kill."""
        for manager in self.by_kind.values():
            manager.stop()


def build_engines(
    library: Library,
    on_status: Callable[[EngineStatus], None] | None = None,
    restarts: RestartPolicy = AT_ONCE,
) -> Engines:
    """A manager for every engine that is there: the embedded one always."""
    settings = library.settings.engine
    timeouts = EngineTimeouts(
        load_s=settings.load_timeout_s, generate_s=settings.generate_timeout_s, stall_s=settings.stall_s
    )
    return Engines(
        {
            kind: EngineManager(EngineCommand(kind, argv, settings.env), timeouts, on_status, restarts)
            for kind, argv in _list_programs(library).items()
        }
    )


def _list_programs(library: Library) -> dict[str, tuple[str, ...]]:
    found = {PROCEDURAL: _child("hotfolder.engine.procedural")}
    binary = find_binary(library.settings.engine.path, library.paths.engines)
    if binary is not None:
        found[CN_ENGINE] = (str(binary),)
    # The preferred engine comes last: what is announced last is what a look at the engine shows.
    return {extra.kind: _child(extra.child) for extra in EXTRAS.values() if extra.is_installed()} | found


def _child(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)


class ModelSets(Mapping[str, LoadParams]):
    """The model sets of the settings with the paths of their files, which are sought while one is missing."""

    def __init__(self, settings: Mapping[str, ModelSetSettings], roots: Sequence[Path]) -> None:
        self._settings = settings
        self._roots = tuple(roots)
        self._found = {name: self._find(name) for name in settings}

    def __getitem__(self, name: str) -> LoadParams:
        found = self._found[name]
        if not all(Path(each).is_file() for each in found.files()):
            found = self._found[name] = self._find(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings)

    def __len__(self) -> int:
        return len(self._settings)

    def _find(self, name: str) -> LoadParams:
        try:
            return _to_load_params(self._settings[name], self._roots)
        except ValueError as error:
            hint = "Flags are those of cn-engine's load, with its types: flash_attn: true, n_threads: 8."
            raise ConfigError(f"`models.sets.{name}` cannot be used: {error}.", hint=hint) from error


def build_model_sets(library: Library) -> ModelSets:
    """Those of a library; raises ConfigError when one cannot be used."""
    roots = [Path(each).expanduser() for each in library.settings.models.roots] + [library.paths.models]
    return ModelSets(library.settings.models.sets, roots)


def _to_load_params(model_set: ModelSetSettings, roots: Sequence[Path]) -> LoadParams:
    def locate(name: str | None) -> str | None:
        return str(find_model_file(name, roots)) if name else None

    return LoadParams(
        diffusion_model=locate(model_set.diffusion_model),
        vae=locate(model_set.vae),
        llm=locate(model_set.llm),
        upscale_model=locate(model_set.upscale_model),
        flags=model_set.flags.model_dump(exclude_none=True),
    )
