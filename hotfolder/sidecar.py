"""The running service over one library: started and stopped in order."""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import time

from hotfolder.app import Library
from hotfolder.delivery.status import StatusWriter
from hotfolder.engine.supervision import RestartPolicy
from hotfolder.engine_keeper import EngineKeeper
from hotfolder.engine_news import EngineNews
from hotfolder.engines import build_engines, build_model_sets
from hotfolder.files.storage import remove_leftovers
from hotfolder.gpu_watch import GpuWatch
from hotfolder.intake import build_intake
from hotfolder.library.control import ControlStore
from hotfolder.library.duplicates import DuplicateFinder
from hotfolder.library.keywords import KeywordStore
from hotfolder.queue.nudge import NudgeListener
from hotfolder.upkeep.history import History
from hotfolder.upkeep.keeper import Keeper, Task
from hotfolder.upkeep.stale import StaleWatch
from hotfolder.watchers.finding import build_rule
from hotfolder.watchers.imports import ImportFolder
from hotfolder.watchers.inbox_files import is_bundle_folder
from hotfolder.watchers.loop import SWITCH_S, SettledFile, WatchLoop
from hotfolder.watchers.observer import RootObserver
from hotfolder.watchers.watching_file import WatchingFile
from hotfolder.workshop import IMPORT_RESCAN_S, build_import_folders, build_worker

log = logging.getLogger(__name__)

RESTART_S = 1.0
START_TRIES = 3
RETRY_S = 2.0
"""So often are claimed files tried again that could not be taken in."""
FOLDERS_LOOK_S = 60.0
"""So long may a look at all that lies in import folders take, before a stop is obeyed."""
PREPARED_AHEAD = 1
"""So many pictures are claimed and prepared while one is made: the engine never waits for a disk."""
COMPARED_AT_ONCE = 20
TEXTS_AT_ONCE = 200
"""So many texts are made anew in one transaction, which takes some milliseconds."""
SILENCE_MARGIN_S = 120.0
"""A picture that was silent for longer than the engine may take, and this, does not move any more."""
LOOK_S = 0.25
"""So often is it looked for claimed files that somebody deleted: those missing twice are cancelled."""


class Sidecar:
    """The running service over one library: watchers, lanes, engine, status files."""

    def __init__(self, library: Library, *, once: bool = False) -> None:
        """With `once` an engine that does not start fails its jobs in the end: nobody is there to mend it."""
        self._library = library
        self._news = EngineNews(library.database)
        self._engines = build_engines(
            library, self._news.tell, RestartPolicy(RESTART_S, START_TRIES if once else None)
        )
        settings = library.settings
        self._stopping = threading.Event()
        lanes = settings.queue.lanes.model_dump()
        lanes["gpu"] += PREPARED_AHEAD
        self._worker = build_worker(library, self._engines, lanes, self._stopping)
        self._intake = build_intake(library)
        self._observer = RootObserver()
        self._loop = WatchLoop(
            library.paths.inbox,
            accepts=self._intake.inbox.accepts,
            on_settled=self._on_settled,
            settle_s=settings.intake.settle_s,
            is_complete=lambda file: self._intake.completeness.find_reason(file.path) is None,
            is_unit=is_bundle_folder,
            observer=self._observer,
        )
        self._imports = ImportFolder(library.paths.imports, library.import_desk)
        self._import_loop = WatchLoop(
            library.paths.imports,
            accepts=build_rule(),
            on_settled=self._on_imports_settled,
            settle_s=settings.intake.settle_s,
            rescan_s=IMPORT_RESCAN_S,
            observer=self._observer,
            name="import",
        )
        self._folders = build_import_folders(library, self._observer)
        self._watching = WatchingFile(library.paths.run / "watching")
        self._status = StatusWriter(
            library.database, library.paths, library.jobs, library.generations, library.work, library.doorbell
        )
        self._keeper = EngineKeeper(
            self._engines,
            build_model_sets(library),
            ControlStore(library.database),
            library.doorbell,
            preload=settings.engine.preload,
            find_last=self._find_last_model,
        )
        self._upkeep = self._build_upkeep()
        self._gpus = GpuWatch(library.paths.run / "gpus")
        self._nudge = NudgeListener(library.paths.run / "nudge", library.doorbell.ring)

    def _build_upkeep(self) -> Keeper:
        library, queue, engine = self._library, self._library.settings.queue, self._library.settings.engine
        history = History(library.database, days=queue.history_days, events_max=queue.history_events)
        stale = StaleWatch(
            library.database,
            library.jobs,
            library.generations,
            library.work,
            library.closer,
            silence_s=engine.generate_timeout_s + engine.load_timeout_s + SILENCE_MARGIN_S,
        )
        tasks = [
            Task("progress", history.prune_progress, 60.0),
            Task("history", history.prune, 600.0),
            Task("changes", history.prune_changes, 600.0),
            Task("texts", self._renew_texts, 60.0),
            Task("duplicates", self._find_duplicates, 10.0),
            Task("stale work", stale.look, 60.0),
        ]
        return Keeper(tasks, library.doorbell)

    def _find_duplicates(self, stop: threading.Event) -> None:
        """Compares what has come since the last look."""
        finder = DuplicateFinder(self._library.database, self._library.paths)
        while not stop.is_set() and finder.fill_some(COMPARED_AT_ONCE):
            pass

    def _renew_texts(self, stop: threading.Event) -> None:
        """For the search, where a change of a keyword was broken off."""
        keywords = KeywordStore(self._library.database)
        while not stop.is_set() and keywords.renew_texts(TEXTS_AT_ONCE):
            pass

    def start(self) -> None:
        """Lock the library, mend what an earlier run left, then begin to work.

        Raises LibraryError when another sidecar has the library; nothing of it is touched then.
        """
        self._library.lock.acquire()
        sys.setswitchinterval(SWITCH_S)
        try:
            self._start_locked()
        except BaseException:
            self.stop()
            raise

    def _start_locked(self) -> None:
        self._intake.claims.check()
        handed_back = self._worker.recover()
        recovered = self._imports.recover()
        self._sweep_work()
        if handed_back or recovered:
            log.info("taken up again: %d work items, %d claimed pictures", handed_back, recovered)
        self._intake.recover()
        for manager in self._engines.by_kind.values():
            self._news.tell(manager.status())  # an earlier run may have ended without a word
        self._news.start()
        self._gpus.start()
        self._status.start()
        self._nudge.start()
        self._worker.start()
        self._keeper.start()
        self._intake.door.start()
        self._observer.start()
        self._loop.start()
        self._import_loop.start()
        self._folders.start()
        self._upkeep.start()
        log.info("watching %s", self._library.paths.inbox)

    def stop(self) -> None:
        """Watchers, gpu lane, io and cpu lanes, engine, status, lock: each with a deadline."""
        grace_s = self._library.settings.shutdown.grace_s
        log.info("stopping: the work in hand has %g s to end", grace_s)
        self._intake.stop()
        self._imports.stop()
        self._stopping.set()
        self._loop.stop(5.0)
        self._intake.door.stop(5.0)
        self._import_loop.stop(5.0)
        self._folders.stop(5.0)
        self._observer.stop(5.0)
        self._engines.close()
        self._keeper.stop(5.0)
        self._upkeep.stop(5.0)
        self._worker.stop(grace_s)
        self._engines.stop()
        self._news.stop()
        self._gpus.stop()
        self._nudge.stop()
        self._status.stop()
        self._library.lock.release()
        log.info("stopped")

    def hurry(self) -> None:
        """Hand back at once what is in hand."""
        self._worker.hurry()

    def run_until(self, stopping: threading.Event) -> None:
        """Wait until told to stop."""
        self._beat()
        retry_at_s = 0.0
        while not stopping.wait(LOOK_S):
            self._let_in()
            self._look_around()
            if time.monotonic() >= retry_at_s:
                retry_at_s = time.monotonic() + RETRY_S
                self._retry_unfinished()
                self._beat()

    def run_until_idle(self, stopping: threading.Event, limit_s: float = 86_400.0) -> None:
        """Work until inbox and import folder are empty and nothing is runnable, or told to stop."""
        self._imports.try_once()
        self._folders.try_once()
        deadline = time.monotonic() + limit_s
        bell = self._library.doorbell.listen()
        while not stopping.is_set() and time.monotonic() < deadline:
            quiet = self._loop.wait_until_quiet(1.0) and self._import_loop.wait_until_quiet(1.0)
            quiet = quiet and self._folders.wait_until_quiet(FOLDERS_LOOK_S)
            quiet = quiet and self._intake.is_idle()
            self._look_around()
            if quiet and self._retry_unfinished() > 0:
                stopping.wait(RETRY_S)
            elif quiet and self._let_in() == 0 and self._library.work.count_runnable("delivery") == 0:
                return
            bell.wait(0.2)
            bell.clear()

    def _look_around(self) -> None:
        """A border: a database that is locked, say, must not end the service."""
        try:
            self._intake.look_around()
        except Exception:
            log.exception("a look around the inbox failed; the next one repeats it")

    def _let_in(self) -> int:
        """Jobs that waited for their limits and may go now; a border as well."""
        try:
            return self._library.entrance.let_in_due()
        except Exception:
            log.exception("the backlog could not be looked at; the next look repeats it")
            return 0

    def _find_last_model(self) -> str | None:
        endpoint = self._library.catalog.by_key.get(self._library.generations.find_last_endpoint() or "")
        return endpoint.provider_model_id if endpoint is not None else None

    def _retry_unfinished(self) -> int:
        return self._intake.door.retry_unfinished() + self._imports.retry_unfinished()

    def _beat(self) -> None:
        """Show that the service lives: whoever watches it looks at the age of this file."""
        try:
            (self._library.paths.run / "heartbeat").touch()
        except OSError as error:  # a full disk must not end the service
            log.warning("the heartbeat could not be written: %s", error)
        self._watching.save([self._loop.report(), self._import_loop.report(), *self._folders.reports()])

    def _on_settled(self, files: list[SettledFile]) -> None:
        for folder in self._intake.inbox.take_all([each.path for each in files]):
            self._loop.give_again(folder)

    def _on_imports_settled(self, files: list[SettledFile]) -> None:
        self._imports.take_all([each.path for each in files])

    def _sweep_work(self) -> None:
        """Remove half copies, and work folders of pictures that have been taken in or were never begun."""
        folder = self._library.paths.root / "work"
        used = self._library.generations.list_work_ids_in_use()
        used |= {self._library.paths.arriving.name, "upload"}
        for each in folder.iterdir():
            if each.is_dir() and each.name not in used:
                shutil.rmtree(each, ignore_errors=True)
            elif each.name.endswith(".tmp"):
                each.unlink(missing_ok=True)
        remove_leftovers(self._library.paths.refs)  # named after files that are gone or made anew
