"""Who does the queued work: every handler with what it needs, and the worker that runs them.

Beside it what import folders need of the library.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath

from hotfolder.app import Library
from hotfolder.clock import new_id, utc_now
from hotfolder.delivery.results import ResultHandler
from hotfolder.engines import Engines, build_engines, build_model_sets
from hotfolder.generation.closing import DELIVER_RESULT
from hotfolder.generation.execute import EXECUTE, FINALIZE, ExecuteHandler
from hotfolder.generation.finalize import FinalizeHandler
from hotfolder.generation.model_hashes import ModelHashes
from hotfolder.generation.reviewing import MEDIA_DISCARD
from hotfolder.generation.trashing import FilesHandler, PictureFiles, PurgeHandler
from hotfolder.imports.ends import DiscardHandler, RefuseHandler
from hotfolder.imports.folder_book import FolderBook
from hotfolder.imports.folder_desk import FolderDesk
from hotfolder.imports.folder_rules import check_access, check_place
from hotfolder.imports.incoming import IMPORT_DISCARD, IMPORT_LEAVE, IMPORT_PICTURES, IMPORT_REFUSE
from hotfolder.imports.known import KnownContent
from hotfolder.imports.leaving import LeaveHandler
from hotfolder.imports.outside import OutsideDesk
from hotfolder.imports.pictures import PicturesHandler
from hotfolder.library.collections import CollectionStore
from hotfolder.library.import_folders import (
    ImportFolderStore,
    SourceFolder,
    settings_folder_id,
    tidy_word,
    tidy_words,
)
from hotfolder.library.imports import ImportStore
from hotfolder.library.ingest import Ingest
from hotfolder.library.model_files import ModelFileStore
from hotfolder.library.seen_left import SeenLeftStore
from hotfolder.library.trash import MEDIA_FILES, MEDIA_PURGE
from hotfolder.providers.local import LocalProvider
from hotfolder.queue.worker import Worker, WorkHandler
from hotfolder.watchers.finding import build_rule
from hotfolder.watchers.handover import SettledFile
from hotfolder.watchers.import_folders import ImportFolders
from hotfolder.watchers.lease import is_open_for_writing
from hotfolder.watchers.loop import WatchLoop
from hotfolder.watchers.observer import RootObserver

IMPORT_RESCAN_S = 300.0
"""A folder of pictures may hold very many files that stay there; what comes is told by events."""


def build_worker(
    library: Library, engines: Engines, lanes: Mapping[str, int], stopping: threading.Event
) -> Worker:
    """A worker that knows every kind of work; long imports end early once `stopping` is set."""
    handlers = _build_generation_handlers(library, engines) | _build_import_handlers(library, stopping)
    lease_s = library.settings.queue.lease_s
    return Worker(library.database, library.work, handlers, lanes, library.doorbell, lease_s=lease_s)


def _build_generation_handlers(library: Library, engines: Engines) -> dict[str, WorkHandler]:
    provider = LocalProvider(
        engines=engines.by_kind,
        model_sets=build_model_sets(library),
        fallback=library.settings.engine.fallback == "procedural",
        seat=engines.seat,
    )
    stores = (library.database, library.paths, library.jobs, library.generations)
    credit = library.settings.metadata.model_dump(exclude_none=True)
    endpoints = library.catalog.by_key
    ingest = Ingest(library.paths)
    hashes = ModelHashes(ModelFileStore(library.database))
    return {
        EXECUTE: ExecuteHandler(
            *stores, library.work, library.closer, endpoints, provider, new_id, engines.seat
        ),
        FINALIZE: FinalizeHandler(
            *stores, library.media, ingest, library.closer, endpoints, credit, hashes.hashes_of_files
        ),
        **_build_trash_handlers(library, ingest),
        DELIVER_RESULT: ResultHandler(
            *stores, library.media, failed_layout=library.settings.intake.failed_layout
        ),
    }


def _build_trash_handlers(library: Library, ingest: Ingest) -> dict[str, WorkHandler]:
    files = PictureFiles(library.paths, library.media, ingest)  # one: it knows which picture is in hand
    moving = FilesHandler(files, library.paths)
    return {MEDIA_DISCARD: moving, MEDIA_FILES: moving, MEDIA_PURGE: PurgeHandler(files)}


def _build_import_handlers(library: Library, stopping: threading.Event) -> dict[str, WorkHandler]:
    paths, imports, ingest = library.paths, ImportStore(library.database), Ingest(library.paths)
    book = build_folder_book(library)
    return {
        IMPORT_PICTURES: PicturesHandler(
            *(paths, library.media, imports, ingest, library.work, book, stopping),
            is_written_to=is_open_for_writing,
        ),
        IMPORT_DISCARD: DiscardHandler(paths, imports, ingest, utc_now),
        IMPORT_REFUSE: RefuseHandler(
            paths, imports, ingest, failed_layout=library.settings.intake.failed_layout
        ),
        IMPORT_LEAVE: LeaveHandler(paths, library.media, imports, ingest, book),
    }


def build_folder_desk(library: Library) -> FolderDesk:
    """Import folders as people see and change them."""
    return FolderDesk(build_folder_store(library), library.database, library.paths.root)


def build_folder_book(library: Library) -> FolderBook:
    """What the rows say of files from import folders."""
    database = library.database
    return FolderBook(ImportStore(database), SeenLeftStore(database), CollectionStore(database), library.work)


def build_outside_desk(library: Library) -> OutsideDesk:
    """Takes in what has settled in import folders."""
    return OutsideDesk(
        library.database,
        library.paths,
        KnownContent(library.paths, library.media),
        SeenLeftStore(library.database),
        library.work,
        build_folder_book(library),
        make_id=new_id,
    )


def build_folder_store(library: Library) -> ImportFolderStore:
    """The import folders of the settings and those that were added; relative paths count from the library."""
    root = library.paths.root.resolve()
    configured: list[SourceFolder] = []
    for each in library.settings.folders.imports:
        path = (root / Path(each.path).expanduser()).resolve()
        folder_id = settings_folder_id(path, sum(before.path == path for before in configured))
        values = (each.mode, each.recursive, tidy_words(each.keywords), tidy_word(each.collection))
        configured.append(SourceFolder(folder_id, path, *values, origin="settings"))
    return ImportFolderStore(library.database, configured)


def build_import_folders(library: Library, observer: RootObserver) -> ImportFolders:
    """Watches the import folders outside the library."""

    def check(folder: SourceFolder, before: Sequence[SourceFolder]) -> None:
        check_place(folder, library.paths.root, before)
        if folder.path.is_dir():
            check_access(folder)

    def make_loop(
        folder: SourceFolder,
        accepts: Callable[[PurePath], bool],
        on_settled: Callable[[list[SettledFile]], None],
    ) -> WatchLoop:
        return WatchLoop(
            folder.path,
            accepts=accepts,
            on_settled=on_settled,
            settle_s=library.settings.intake.settle_s,
            rescan_s=IMPORT_RESCAN_S,
            observer=observer,
            name=f"folder-{folder.folder_id[-6:]}",
        )

    return ImportFolders(
        build_folder_store(library).list,
        check,
        build_outside_desk(library),
        make_loop=make_loop,
        is_picture=build_rule(),
    )


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
