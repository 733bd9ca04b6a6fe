"""What the web asks of the program around it: checks of jobs, the sidecar's state, health and set-up."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from hotfolder.app import Library
from hotfolder.check import Check
from hotfolder.diagnosis import LOW_DISK_BYTES, examine
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.presets import PresetSummary
from hotfolder.engine.kinds import CN_ENGINE, EXTRAS
from hotfolder.engines import build_engines, build_model_sets
from hotfolder.errors import ConfigError, DiskFull, HotfolderError, Problem
from hotfolder.events import ENGINE_STATUS
from hotfolder.generation.finding import Beside
from hotfolder.generation.moderating import Judgement
from hotfolder.generation.presets import PresetShelf
from hotfolder.generation.preview import JobPreview
from hotfolder.library.timings import TimingStore
from hotfolder.providers.local import LocalProvider, find_engine
from hotfolder.watchers.inbox_files import list_held, list_waiting

HEARTBEAT = "heartbeat"
STALE_S = 15.0
"""A sidecar that gave no sign for so long has stopped, or hangs."""


class LibraryHost:
    """Answers from an open library, without touching engine, originals or providers."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def find_problems(self, job_file: bytes) -> Sequence[Problem]:
        """What the inbox would refuse; raises JobFileError for text that is no job at all."""
        checker = self._library.checker
        checked = checker.check(job_file, "json")
        self._log_refused(checked.judgements)
        return [*checked.problems, *checker.check_references(checked, Beside(self._library.paths.inbox))]

    def check_job(self, job_file: bytes) -> Mapping[str, Any]:
        """What a job would lead to; quick enough to be asked while somebody types."""
        return self._preview.look(job_file)

    @cached_property
    def _preview(self) -> JobPreview:
        library = self._library
        ledger = (library.charging, library.credits) if library.settings.credits.enabled else None
        return JobPreview(library.checker, library.paths.inbox, TimingStore(library.database), ledger)

    def check_room(self, wanted_bytes: int) -> None:
        """Raise DiskFull when so many more bytes would leave little on the disk."""
        if shutil.disk_usage(self._library.paths.root).free - wanted_bytes < LOW_DISK_BYTES:
            raise DiskFull("There is too little room on the disk of the library.")

    def list_endpoints(self) -> Sequence[Mapping[str, Any]]:
        """All endpoints, each with what is known to be missing for it."""
        return [self._describe_endpoint(each) for each in self._library.catalog.list()]

    def _describe_endpoint(self, endpoint: Endpoint) -> Mapping[str, Any]:
        """With a fallback it makes test pictures at least."""
        try:
            missing: HotfolderError | None = self._local.find_missing(endpoint.provider_model_id)
        except ConfigError as error:
            missing = error
        return {
            **endpoint.model_dump(mode="json", by_alias=True, exclude_none=True),
            "available": missing is None or self._has_fallback,
            "problem": f"{missing.message} {missing.hint or ''}".strip() if missing else None,
        }

    @cached_property
    def _local(self) -> LocalProvider:
        """To be asked only: it starts no engine before it makes a picture."""
        library = self._library
        return LocalProvider(
            engines=build_engines(library).by_kind,
            model_sets=build_model_sets(library),
            fallback=self._has_fallback,
        )

    @property
    def _has_fallback(self) -> bool:
        return self._library.settings.engine.fallback == "procedural"

    def list_presets(self) -> Sequence[Mapping[str, Any]]:
        """All presets, also those that have to be mended first."""
        shelf = PresetShelf(self._library.paths.presets)
        return [_preset_object(name, shelf.summarize(name)) for name in shelf.list_names()]

    def _log_refused(self, judgements: Sequence[Judgement | None]) -> None:
        """The prompts of jobs that never reach the inbox; the others are logged when they are taken in."""
        prompts = self._library.prompt_log
        for each in judgements:
            if prompts is not None and each is not None and each.problems:
                prompts.write(each.plan.job.id or "", each)

    def nudge(self) -> None:
        """Tell a running sidecar to look now."""
        self._library.nudge()

    def describe_sidecar(self) -> Mapping[str, Any]:
        """Whether it runs, since when, and how long ago it gave a sign."""
        lock = self._library.lock
        running = lock.is_held_by_another()
        return {
            "running": running,
            "since": lock.read_since() if running else None,
            "heartbeatAgeS": self._age_s(),
        }

    def describe_health(self) -> Mapping[str, Any]:
        """For monitors: ok, or failing with what is wrong."""
        age_s = self._age_s()
        free_bytes = shutil.disk_usage(self._library.paths.root).free
        engine = self._library.database.last_event(ENGINE_STATUS)
        alive = self._library.lock.is_held_by_another() and age_s is not None and age_s < STALE_S
        failing = [
            *(["sidecar"] if not alive else []),
            *(["disk"] if free_bytes < LOW_DISK_BYTES else []),
            *(["engine"] if engine is not None and engine.data.get("state") == "error" else []),
        ]
        return {
            "status": "failing" if failing else "ok",
            "failing": failing,
            "sidecar": {"alive": alive, "heartbeatAgeS": age_s},
            "engine": engine.data.get("state") if engine else None,
            "disk": {"freeBytes": free_bytes},
        }

    def describe_setup(self) -> Mapping[str, Any]:
        """Doctor's checks, the settings in force, and the model sets."""
        return {
            "checks": [_check_object(each) for each in examine(self._library.paths.root, os.environ)],
            "settings": [
                {
                    "key": each.key,
                    "value": _without_secrets(each.key, each.value),
                    "origin": each.origin,
                    "description": each.description,
                }
                for each in self._library.loaded.list()
            ],
            "modelSets": self._describe_models(),
        }

    def knows_model_set(self, wanted: str) -> bool:
        """Whether this is a model set as jobs name it: `SET`, or `KIND/SET`."""
        kind, name = find_engine(wanted)
        return name in self.list_model_sets() and (kind == CN_ENGINE or kind in EXTRAS)

    def list_model_sets(self) -> Sequence[str]:
        """The names of the model sets in the settings."""
        return sorted(self._library.settings.models.sets)

    def check_backlog(self, owner: str | None) -> None:
        """Raise QueueError `queue.backlog_full` when as many jobs of an owner wait as may."""
        self._library.limits.check_backlog(owner)

    def cap_priority(self, owner: str | None, priority: int) -> int:
        """What the limits make of the priority that an owner asks for."""
        return self._library.limits.priority_of(owner, priority)[0]

    def list_waiting(self) -> Sequence[tuple[str, str]]:
        """Job files in the inbox that nobody has claimed yet."""
        inbox = self._library.paths.inbox
        return [
            *((name, "received") for name in list_waiting(inbox)),
            *((name, "held") for name in list_held(inbox)),
        ]

    def _age_s(self) -> float | None:
        try:
            written_at_s = (self._library.paths.run / HEARTBEAT).stat().st_mtime
        except FileNotFoundError:
            return None
        return round(max(0.0, time.time() - written_at_s), 1)

    def _describe_models(self) -> list[dict[str, Any]]:
        try:
            sets = build_model_sets(self._library)
        except ConfigError:
            return []  # the checks say why
        return [
            {
                "name": name,
                "files": [
                    {"role": role, "path": path, "found": os.path.isfile(path)}  # noqa: PTH113
                    for role in ("diffusion_model", "vae", "llm", "upscale_model")
                    if (path := getattr(load, role)) is not None
                ],
            }
            for name, load in sets.items()
        ]


def _without_secrets(key: str, value: Any) -> Any:
    """What the engine is given in its environment may be a secret, whatever the documentation says."""
    return dict.fromkeys(value, "(not shown)") if key == "engine.env" else value


def _preset_object(name: str, preset: PresetSummary | list[Problem]) -> dict[str, Any]:
    if isinstance(preset, list):
        nothing = dict.fromkeys(("title", "description"))
        return {"name": name, **nothing, "params": {}, "vars": [], "problem": preset[0].message}
    return {
        "name": name,
        "title": preset.title,
        "description": preset.description,
        "params": preset.params,
        "vars": list(preset.variables),
        "problem": None,
    }


def _check_object(check: Check) -> dict[str, Any]:
    return {"name": check.name, "state": check.state, "found": check.found, "hint": check.hint}
