"""Queue handlers for files that do not become pictures: known ones to trash/, bad ones to failed/."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from hotfolder.clock import Clock
from hotfolder.database import Transaction
from hotfolder.domain.work import EndStatus, WorkItem
from hotfolder.errors import HotfolderError
from hotfolder.files.names import REPORT_SUFFIX, RESULT_SUFFIX, free_name
from hotfolder.files.paths import LibraryPaths, ensure_folder, sync_folder
from hotfolder.files.storage import write_atomic, write_json
from hotfolder.imports.desk import remove_empty_folders
from hotfolder.imports.documents import build_report, build_result
from hotfolder.imports.faults import writing
from hotfolder.imports.incoming import Incoming, read_files
from hotfolder.library.imports import ImportStore
from hotfolder.library.ingest import Ingest, move_new
from hotfolder.queue.worker import Done

log = logging.getLogger(__name__)


class _EndHandler:
    """What both have in common: nothing to take back, and no harm when it fails."""

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        """Nothing to take back."""

    def ended(
        self,
        tx: Transaction,  # noqa: ARG002 - the protocol
        item: WorkItem,
        status: EndStatus,  # noqa: ARG002 - the protocol
        error: HotfolderError,
    ) -> None:
        """The file waits in work/ for the next start."""
        log.error("import %s could not be put away: %s", item.correlation_id, error.message)


class DiscardHandler(_EndHandler):
    """`import.discard`: a file whose content the library has goes to trash/."""

    def __init__(self, paths: LibraryPaths, imports: ImportStore, ingest: Ingest, clock: Clock) -> None:
        self._paths = paths
        self._imports = imports
        self._ingest = ingest
        self._clock = clock

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:  # noqa: ARG002 - short work
        """Move it there, unless an earlier run did; the file of a reference is left alone."""
        (file,) = read_files(item.payload)
        path = file.path if file.is_reference else None
        if not self._imports.has_ended(file.media_id):
            with writing():
                source = find_file(self._paths, self._ingest, file)
                if source is not None:
                    path = self._paths.relative(self._ingest.throw_away(source, file.name, self._clock()))
                self._ingest.remove_traces(file.media_id, file.arrived_at)
        data = {"outcome": "duplicate", "of": item.payload["of"], "path": path}
        return Done(
            lambda tx: self._imports.end(tx, file.media_id, data | {"originalPath": file.original_path}),
            after=lambda: remove_empty_folders(self._paths.arriving / file.media_id),
        )


class RefuseHandler(_EndHandler):
    """`import.refuse`: a file that cannot be imported goes to failed/, with the reason beside it."""

    def __init__(
        self,
        paths: LibraryPaths,
        imports: ImportStore,
        ingest: Ingest,
        *,
        failed_layout: Literal["flat", "dated"] = "flat",
    ) -> None:
        self._failed_layout = failed_layout
        self._paths = paths
        self._imports = imports
        self._ingest = ingest
        self._reserving = threading.Lock()

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:  # noqa: ARG002 - short work
        """Reserve a place by its result file, then move; a repeat finds the place that it reserved.

        The file of a reference is left alone, and nothing is written for it.
        """
        (file,) = read_files(item.payload)
        error = item.payload["error"]
        path = file.path
        if not self._imports.has_ended(file.media_id):
            with writing():
                if not file.is_reference:
                    path = self._paths.relative(self._put_away(file, error))
                self._ingest.remove_traces(file.media_id, file.arrived_at)
        data = {"outcome": "failed", "path": path, "originalPath": file.original_path, **error}
        return Done(
            lambda tx: self._imports.end(tx, file.media_id, data),
            after=lambda: remove_empty_folders(self._paths.arriving / file.media_id),
        )

    def _put_away(self, file: Incoming, error: Mapping[str, Any]) -> Path:
        source = find_file(self._paths, self._ingest, file)
        place = self._reserve(file, error, has_file=source is not None)
        if source is not None:
            move_new(source, place)
            sync_folder(place.parent)
            sync_folder(source.parent)
        report = build_report(file, error, place.name).encode("utf-8", "replace")
        write_atomic(place.with_name(place.name + REPORT_SUFFIX), report)
        return place

    def _reserve(self, file: Incoming, error: Mapping[str, Any], *, has_file: bool) -> Path:
        dated = self._failed_layout == "dated"
        failed = self._paths.failed_dir(file.arrived_at) if dated else self._paths.failed
        ensure_folder(failed)

        def is_taken(place: Path) -> bool:
            is_ours = _read_import_id(_result_of(place)) == file.media_id
            return (place.exists() and (has_file or not is_ours)) or (_has_documents(place) and not is_ours)

        with self._reserving:
            place = failed / free_name(failed, file.name, is_taken)
            write_json(_result_of(place), build_result(file, error))
        return place


def find_file(paths: LibraryPaths, ingest: Ingest, file: Incoming) -> Path | None:
    """Where the file of an import is now, waiting or in originals/; None when gone, or not ours to move."""
    if file.is_reference:
        return None
    waiting = paths.absolute(file.path)
    if os.path.lexists(waiting):  # a link that leads nowhere is put away too
        return waiting
    return ingest.find_picture(file.media_id, file.arrived_at)


def _result_of(place: Path) -> Path:
    return place.with_name(place.name + RESULT_SUFFIX)


def _has_documents(place: Path) -> bool:
    return _result_of(place).exists() or place.with_name(place.name + REPORT_SUFFIX).exists()


def _read_import_id(result: Path) -> str | None:
    try:
        found = json.loads(result.read_bytes())
    except (OSError, ValueError):
        return None
    return found.get("importId") if isinstance(found, dict) else None
