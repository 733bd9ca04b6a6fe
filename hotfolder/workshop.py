"""Who does the queued work: every handler with what it needs, and the worker that runs them."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from hotfolder.app import Engines, Library, build_engines, build_model_sets
from hotfolder.clock import new_id, utc_now
from hotfolder.delivery.results import ResultHandler
from hotfolder.generation.closing import DELIVER_RESULT
from hotfolder.generation.execute import EXECUTE, FINALIZE, ExecuteHandler
from hotfolder.generation.finalize import FinalizeHandler
from hotfolder.imports.ends import DiscardHandler, RefuseHandler
from hotfolder.imports.incoming import IMPORT_DISCARD, IMPORT_PICTURES, IMPORT_REFUSE
from hotfolder.imports.pictures import PicturesHandler
from hotfolder.library.imports import ImportStore
from hotfolder.library.ingest import Ingest
from hotfolder.providers.local import LocalProvider
from hotfolder.queue.worker import Worker, WorkHandler


def build_worker(
    library: Library, engines: Engines, lanes: Mapping[str, int], stopping: threading.Event
) -> Worker:
    """A worker that knows every kind of work; long imports end early once `stopping` is set."""
    handlers = _build_generation_handlers(library, engines) | _build_import_handlers(library, stopping)
    lease_s = library.settings.queue.lease_s
    return Worker(library.database, library.work, handlers, lanes, library.doorbell, lease_s=lease_s)


def _build_generation_handlers(library: Library, engines: Engines) -> dict[str, WorkHandler]:
    provider = LocalProvider(
        procedural=engines.procedural,
        cn_engine=engines.cn_engine,
        model_sets=build_model_sets(library),
        fallback=library.settings.engine.fallback == "procedural",
    )
    stores = (library.database, library.paths, library.jobs, library.generations)
    credit = library.settings.metadata.model_dump(exclude_none=True)
    endpoints = library.catalog.by_key
    ingest = Ingest(library.paths)
    return {
        EXECUTE: ExecuteHandler(*stores, library.work, library.closer, endpoints, provider, new_id),
        FINALIZE: FinalizeHandler(*stores, library.media, ingest, library.closer, endpoints, credit),
        DELIVER_RESULT: ResultHandler(*stores, library.media),
    }


def _build_import_handlers(library: Library, stopping: threading.Event) -> dict[str, WorkHandler]:
    paths, imports, ingest = library.paths, ImportStore(library.database), Ingest(library.paths)
    return {
        IMPORT_PICTURES: PicturesHandler(paths, library.media, imports, ingest, library.work, stopping),
        IMPORT_DISCARD: DiscardHandler(paths, imports, ingest, utc_now),
        IMPORT_REFUSE: RefuseHandler(paths, imports, ingest),
    }


class CpuWorkshop:
    """The cpu lane alone, for a command that finds no service on the library: it holds the lock meanwhile."""

    def __init__(self, library: Library) -> None:
        self._library = library
        engines = build_engines(library)  # named in the handlers; no work of this lane starts one
        lanes = {"cpu": library.settings.queue.lanes.cpu}
        self._worker = build_worker(library, engines, lanes, threading.Event())

    def start(self) -> None:
        """Lock the library, hand back what an earlier run had in hand, and work.

        Raises LibraryError when somebody else has the library; nothing of it is touched then.
        """
        self._library.lock.acquire(gives_way=True)
        try:
            self._worker.recover()
            desk = self._library.import_desk
            desk.enqueue(desk.find_lost())
            self._worker.start()
        except BaseException:
            self._library.lock.release()
            raise

    def stop(self) -> None:
        """End after the picture in hand; the rest goes back into the queue."""
        self._worker.hurry()
        self._worker.stop(self._library.settings.shutdown.grace_s)
        self._library.lock.release()
