"""Builds every object once, starts and stops them in order; nothing else constructs services."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from hotfolder.catalog.endpoints import EndpointCatalog
from hotfolder.catalog.model_sets import build_set_endpoints
from hotfolder.catalog.store import load_builtin_providers, load_extra_provider
from hotfolder.clock import new_id, new_seed, utc_now
from hotfolder.config import LoadedSettings, Settings
from hotfolder.database import Database
from hotfolder.domain.credits import Prices, to_amount
from hotfolder.domain.limits import LimitRules, OwnerRules
from hotfolder.domain.moderation import Rule, RuleBook
from hotfolder.domain.resources import find_lacking
from hotfolder.engine.kinds import EXTRAS
from hotfolder.engine.params import MAX_UPSCALED_PIXELS
from hotfolder.errors import LibraryError
from hotfolder.events import Doorbell
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.vocabulary import find_names, find_old_names, find_vocabulary
from hotfolder.generation.admission import Admission
from hotfolder.generation.charging import Charging
from hotfolder.generation.checking import JobChecker
from hotfolder.generation.closing import JobCloser
from hotfolder.generation.context import PRIORITY_FOLDERS, FolderContexts
from hotfolder.generation.control import JobControl
from hotfolder.generation.entrance import Entrance, NoCharges
from hotfolder.generation.finding import ReferenceFinder
from hotfolder.generation.moderating import Moderation, PromptLog
from hotfolder.generation.presets import PresetShelf
from hotfolder.generation.recipes import RecipeShelf
from hotfolder.generation.references import ReferenceDesk
from hotfolder.generation.reviewing import ReviewDesk
from hotfolder.generation.runs import RunBook
from hotfolder.generation.service import GenerationService
from hotfolder.generation.waiting import WaitingBook
from hotfolder.imports.desk import ImportDesk
from hotfolder.library.collections import CollectionStore
from hotfolder.library.credits import CreditBook
from hotfolder.library.generations import GenerationStore
from hotfolder.library.imports import ImportStore
from hotfolder.library.jobs import JobStore
from hotfolder.library.media import MediaStore
from hotfolder.library.owner_blocks import OwnerBlockStore
from hotfolder.library.owners import OwnerStore
from hotfolder.library.seen import SeenStore
from hotfolder.library.trash import Trash
from hotfolder.lock import LibraryLock
from hotfolder.migrations import is_current, migrate
from hotfolder.queue.nudge import send_nudge
from hotfolder.queue.store import WorkStore
from hotfolder.watchers.inbox_files import HOLD, RERUN

log = logging.getLogger(__name__)

SETTINGS_TEMPLATE = """\
# Settings of this library. Everything is optional; `hotfolder config show` lists every key with its default.
#
# engine:
#   path: /opt/cn-engine/cn-engine
#   fallback: none            # procedural: draw test pictures when there is no engine or model
# models:
#   roots: [/srv/models]
#   sets:
#     flux2-klein-4b: {diffusion_model: klein-4b.gguf, vae: ae.safetensors, llm: qwen3-4b.gguf}
"""


def create_library(root: Path) -> list[str]:
    """Make a library, or bring an existing one up to date; gives the names of the migrations applied."""
    paths = LibraryPaths(root.absolute(), find_names(root, find_vocabulary(root)))
    paths.create()
    if not paths.settings_file.exists():
        paths.settings_file.write_text(SETTINGS_TEMPLATE, encoding="utf-8")
    return _bring_up_to_date(paths)


def _bring_up_to_date(paths: LibraryPaths) -> list[str]:
    """Not under a running service of another version: it would go on writing as it always has."""
    if not is_current(paths.database) and LibraryLock(paths.run / "lock").is_held_by_another():
        raise LibraryError(
            f"A service of another version runs on {paths.root}; its database cannot be changed meanwhile.",
            code="library.locked",
            hint="Stop it, then try again; or use the hotfolder that it runs with.",
        )
    return migrate(paths.database)


def is_library(root: Path) -> bool:
    """Whether a folder looks like a library."""
    return (root / "hotfolder.yaml").is_file()


def build_catalog(settings: Settings) -> EndpointCatalog:
    """The endpoints of the package, and those that installed extras make of the settings."""
    providers = load_builtin_providers()
    if EXTRAS["sdcpp"].is_installed():
        providers.append(build_set_endpoints(settings.models.sets, providers))
    if EXTRAS["style"].is_installed():
        providers.append(load_extra_provider("style"))
    return EndpointCatalog(providers)


@dataclass(frozen=True)
class Library:
    """An open library: what every command may use, whether the sidecar runs or not."""

    paths: LibraryPaths
    loaded: LoadedSettings
    doorbell: Doorbell

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.loaded.settings

    @cached_property
    def database(self) -> Database:
        """The library's database; every commit rings the doorbell."""
        return Database(self.paths.database, on_commit=self.doorbell.ring)

    @cached_property
    def catalog(self) -> EndpointCatalog:
        """The endpoints."""
        return build_catalog(self.settings)

    @cached_property
    def jobs(self) -> JobStore:
        """Jobs."""
        return JobStore(self.database)

    @cached_property
    def generations(self) -> GenerationStore:
        """Generations."""
        return GenerationStore(self.database, self.charging.ended)

    @cached_property
    def media(self) -> MediaStore:
        """Pictures."""
        return MediaStore(self.database)

    @cached_property
    def work(self) -> WorkStore:
        """The queue."""
        queue = self.settings.queue
        return WorkStore(self.database, lease_s=queue.lease_s, aging_s=queue.aging_s)

    @cached_property
    def closer(self) -> JobCloser:
        """Ends jobs."""
        return JobCloser(self.database, self.jobs, self.generations, self.work)

    @cached_property
    def desk(self) -> ReferenceDesk:
        """Takes references in."""
        roots = [Path(each).expanduser() for each in self.settings.intake.allowed_roots]
        finder = ReferenceFinder(self.paths, roots, self._find_used)
        return ReferenceDesk(self.paths, self.media, self.generations, finder)

    def _find_used(self, path: str) -> str | None:
        used = self.seen.find_used(path)
        return used[1] if used else None

    @cached_property
    def seen(self) -> SeenStore:
        """What the inbox has taken in."""
        return SeenStore(self.database)

    @cached_property
    def recipes(self) -> RecipeShelf:
        """The recipe folders of the inbox."""
        presets = PresetShelf(self.paths.presets)
        return RecipeShelf(
            self.paths.inbox, self.catalog.by_key, presets.find, no_keywords=(*PRIORITY_FOLDERS, HOLD, RERUN)
        )

    @cached_property
    def checker(self) -> JobChecker:
        """Reads job files."""
        return JobChecker(
            FolderContexts(self.recipes),
            self.desk,
            PresetShelf(self.paths.presets),
            self.catalog.by_key,
            self.limits,
            self.moderation,
            max_job_bytes=self.settings.intake.max_job_bytes,
        )

    @cached_property
    def limits(self) -> Admission:
        """How much each owner may ask for."""
        owners = OwnerStore(self.database, aging_s=self.settings.queue.aging_s)
        return Admission(self.database, self._limit_rules, owners)

    @cached_property
    def _limit_rules(self) -> LimitRules:
        limits, credit = self.settings.limits, self.settings.credits
        owners = {name: OwnerRules(**each.model_dump()) for name, each in limits.owners.items()}
        if credit.enabled and credit.boost is not None:  # what is above it is paid for, not lowered
            owners = {name: replace(each, priority_max=None) for name, each in owners.items()}
        return LimitRules(limits.queue_depth, limits.low_priority_below, owners)

    @cached_property
    def credits(self) -> CreditBook:
        """The ledger."""
        credit = self.settings.credits
        return CreditBook(
            self.database,
            daily=to_amount(credit.daily),
            daily_cap=None if credit.daily_cap is None else to_amount(credit.daily_cap),
            approval_over=None if credit.approval_over is None else to_amount(credit.approval_over),
            reject_refund=credit.reject_refund,
        )

    @cached_property
    def charging(self) -> Charging:
        """Settles what was kept back, also after credits have been turned off."""
        credit = self.settings.credits
        prices = Prices(**credit.cost.model_dump(), boost=credit.boost)
        plain = GenerationStore(self.database)
        waits = credit.without == "wait"
        rules = (prices, self._free_priority, self._most_pixels)
        return Charging(self.jobs, plain, self.credits, *rules, waits=waits)

    def _most_pixels(self, endpoint_key: str | None) -> int:
        """How large a picture can be whose size follows from its reference; 0 where it is known before."""
        endpoint = self.catalog.by_key.get(endpoint_key or "")
        if endpoint is None or endpoint.takes_size:
            return 0
        return endpoint.limits.max_pixels or MAX_UPSCALED_PIXELS

    def _free_priority(self, owner: str | None) -> int | None:
        """The highest priority that an owner has for nothing."""
        owners = self.settings.limits.owners
        own = owners.get(owner or "default") or owners.get("default")
        return own.priority_max if own is not None else None

    @cached_property
    def moderation(self) -> Moderation:
        """Which jobs are refused or looked at."""
        given = self.settings.moderation
        rules = RuleBook([Rule(**each.model_dump()) for each in given.rules])
        return Moderation(rules, given.blocked_owners, OwnerBlockStore(self.database))

    @cached_property
    def review_desk(self) -> ReviewDesk:
        """Accepts and discards pictures."""
        stores = (self.jobs, self.generations, self.media, CollectionStore(self.database), self.work)
        return ReviewDesk(self.database, *stores, on_discarded=self.credits.refund_discarded)

    @cached_property
    def trash(self) -> Trash:
        """Deletes pictures, and takes them back."""
        return Trash(self.database, self.work.enqueue, self.review_desk.discard_deleted)

    @cached_property
    def entrance(self) -> Entrance:
        """Every job's way into the queue."""
        stores = (self.database, self.jobs, self.generations, self.work, self.closer)
        charges = self.charging if self.settings.credits.enabled else NoCharges()
        return Entrance(*stores, self.limits, charges, self._find_lacking)

    def _find_lacking(self, endpoint_key: str | None) -> Sequence[str]:
        """What pictures of an endpoint need and the gpu lane does not have."""
        endpoint = self.catalog.by_key.get(endpoint_key or "")
        return find_lacking(endpoint.tags, "gpu", self.settings.queue.lane_tags) if endpoint else ()

    @cached_property
    def runs(self) -> RunBook:
        """Writes the pictures of a job."""
        return RunBook(
            self.paths,
            self.jobs,
            self.generations,
            self.work,
            self.closer,
            self.entrance,
            max_attempts=self.settings.queue.max_attempts,
            make_id=new_id,
            make_seed=new_seed,
        )

    @cached_property
    def service(self) -> GenerationService:
        """Takes job files in."""
        return GenerationService(
            self.database,
            self.paths,
            self.jobs,
            self.runs,
            self.closer,
            self.desk,
            self.checker,
            WaitingBook(
                self.database,
                self.jobs,
                self.runs,
                refs_timeout_s=self.settings.intake.refs_timeout_s,
                clock=utc_now,
            ),
            self.prompt_log,
        )

    @cached_property
    def prompt_log(self) -> PromptLog | None:
        """Where prompts are written down; None where they are not."""
        kept = self.settings.logging
        if not self.settings.moderation.log_prompts:
            return None
        file = self.paths.logs / "prompts.jsonl"
        return PromptLog(file, utc_now, max_bytes=kept.max_bytes, backups=kept.backups)

    @cached_property
    def control(self) -> JobControl:
        """Cancels and retries jobs."""
        return JobControl(
            self.database,
            self.paths,
            self.jobs,
            self.generations,
            self.work,
            self.runs,
            self.entrance,
            self.closer,
            self.desk,
            self.checker,
        )

    @cached_property
    def import_desk(self) -> ImportDesk:
        """Queues pictures that are to join the library."""
        imports = ImportStore(self.database)
        return ImportDesk(self.database, self.paths, imports, self.work, make_id=new_id, clock=utc_now)

    @cached_property
    def lock(self) -> LibraryLock:
        """Held by the sidecar."""
        return LibraryLock(self.paths.run / "lock")

    def nudge(self) -> None:
        """Tell a running sidecar to look now."""
        send_nudge(self.paths.run / "nudge")

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def open_library(root: Path, loaded: LoadedSettings) -> Library:
    """Open a library for any command; raises LibraryError when there is none."""
    vocabulary = loaded.settings.folders.vocabulary
    paths = LibraryPaths(root.absolute(), find_names(root, vocabulary))
    if not paths.settings_file.exists():
        raise LibraryError(
            f"{root} is not a hotfolder library.",
            code="library.not_found",
            hint=f"Make one with `hotfolder init {root}`, or name another with --library.",
        )
    if _rename_folders(paths, vocabulary):
        paths = LibraryPaths(paths.root, find_names(root, vocabulary))
    paths.create()
    _bring_up_to_date(paths)
    return Library(paths, loaded, Doorbell())


def _rename_folders(paths: LibraryPaths, vocabulary: str) -> bool:
    """Give the working folders the names that the settings ask for, unless a service runs on them."""
    old = list(find_old_names(paths.root, vocabulary))
    if not old:
        return False
    lock = LibraryLock(paths.run / "lock")
    try:
        lock.acquire()
    except LibraryError:
        log.warning("The folders get their new names at the next start of the service.")
        return False
    try:
        for _, name, new in old:
            (paths.root / name).rename(paths.root / new)
            log.info("%s/ is called %s/ now", name, new)
    finally:
        lock.release()
    return True
