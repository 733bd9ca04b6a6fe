"""Queue handler that takes a made picture into the library: files first, then one transaction."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hotfolder.database import Database, Transaction
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.generation import GenerationOutcome, GenerationStatus
from hotfolder.domain.instants import parse_instant
from hotfolder.domain.work import EndStatus, WorkItem
from hotfolder.errors import HotfolderError, LibraryError
from hotfolder.events import GENERATION_RESULT
from hotfolder.files.container import splice_metadata
from hotfolder.files.images import write_thumbnail
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.xmp import build_xmp
from hotfolder.generation.closing import JobCloser, error_object
from hotfolder.generation.metadata import Provenance, build_parameters, build_sidecar, build_xmp_record
from hotfolder.library.collections import CollectionStore
from hotfolder.library.generations import GenerationStore
from hotfolder.library.ingest import Arrival, Ingest
from hotfolder.library.jobs import JobStore
from hotfolder.library.media import Media, MediaStore
from hotfolder.queue.worker import Done

log = logging.getLogger(__name__)

FindHashes = Callable[[Mapping[str, str], Mapping[str, Sequence[int]]], Mapping[str, str]]
"""SHA-256 of files by role, from where they lie and what size and mtime they had."""


class FinalizeHandler:
    """`generation.finalize`: repeatable, since every name and value in its files comes from the work item."""

    def __init__(
        self,
        database: Database,
        paths: LibraryPaths,
        jobs: JobStore,
        generations: GenerationStore,
        media: MediaStore,
        ingest: Ingest,
        closer: JobCloser,
        endpoints: Mapping[str, Endpoint],
        credit: Mapping[str, str],
        find_hashes: FindHashes = lambda paths, stamps: {},  # noqa: ARG005
        collections: CollectionStore | None = None,
    ) -> None:
        self._find_hashes = find_hashes
        self._database = database
        self._paths = paths
        self._jobs = jobs
        self._generations = generations
        self._media = media
        self._ingest = ingest
        self._closer = closer
        self._endpoints = endpoints
        self._credit = credit
        self._collections = collections or CollectionStore(database)

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:  # noqa: ARG002 - short work
        """Write the picture, sidecars and thumbnails; rows follow in the completing transaction."""
        made = self._gather(item.payload)
        arrival = self._arrival(item.payload, made)
        original = self._ingest.store_picture(arrival)
        sidecar = build_sidecar(made, arrival.sha256, len(arrival.data), self._paths.relative(original))
        self._ingest.store_sidecars(arrival, sidecar, build_xmp(build_xmp_record(made), packet=False))
        thumbnail = self._ingest.store_thumbnail(arrival.media_id, original)
        self._keep_reference_thumbnails(made)
        media = Media(
            media_id=made.media_id,
            file_path=self._paths.relative(original),
            thumb_path=self._paths.relative(thumbnail),
            file_name=original.name,
            origin="generation",
            width=made.width,
            height=made.height,
            file_size=len(arrival.data),
            mime_type=made.mime_type,
            sha256=arrival.sha256,
            file_sha256=arrival.sha256,
            pixel_sha256=made.pixel_sha256,
            created_at=made.arrived_at,
            generation_id=made.generation.generation_id,
            title=made.job.title,
            review="awaiting" if made.job.review else "none",
            preset=made.job.preset,
        )
        return Done(
            record=lambda tx: self._record(tx, made, media),
            after=lambda: shutil.rmtree(self._paths.work(made.generation.generation_id), ignore_errors=True),
        )

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        """Nothing to take back: the same files will be written again."""

    def ended(self, tx: Transaction, item: WorkItem, status: EndStatus, error: HotfolderError) -> None:
        """The picture could not be taken in; a retry makes it again with the same seed."""
        generation = self._generations.get(item.payload["generationId"])
        self._generations.set_status(
            tx,
            generation.generation_id,
            "cancelled" if status == "cancelled" else "failed",
            error=error_object(error),
        )
        self._closer.close_if_ended(tx, generation.job_id)

    def _gather(self, payload: Mapping[str, Any]) -> Provenance:
        generation = self._generations.get(payload["generationId"])
        endpoint = self._endpoints.get(generation.endpoint_key)
        job = self._jobs.get(generation.job_id)
        outcome = GenerationOutcome(**payload["outcome"])
        return Provenance(
            media_id=payload["mediaId"],
            arrived_at=payload["arrivedAt"],
            mime_type=payload["mimeType"],
            width=payload["width"],
            height=payload["height"],
            pixel_sha256=payload["pixelSha256"],
            outcome=outcome,
            generation=generation,
            inputs=tuple(self._generations.list_inputs(generation.generation_id)),
            job=job,
            endpoint=endpoint,
            credit={**self._credit, **job.metadata},
            model_hashes=self._find_hashes(outcome.model_paths, outcome.model_stamps),
        )

    def _arrival(self, payload: Mapping[str, Any], made: Provenance) -> Arrival:
        source = self._paths.absolute(payload["output"])
        try:
            picture = source.read_bytes()
        except FileNotFoundError as error:
            message = f"The engine's file {payload['output']} is gone."
            hint = "Retry the job: the same seed gives the same picture."
            raise LibraryError(message, code="library.content_missing", hint=hint) from error
        data = splice_metadata(
            picture, xmp=build_xmp(build_xmp_record(made)), texts={"parameters": build_parameters(made)}
        )
        return Arrival(made.media_id, parse_instant(made.arrived_at), payload["extension"], data)

    def _keep_reference_thumbnails(self, made: Provenance) -> None:
        for each in made.inputs:
            target = self._paths.absolute(each.thumb_path)
            try:
                if not target.exists():
                    write_thumbnail(self._paths.absolute(each.file_path), target)
            except (LibraryError, OSError) as error:  # the picture is made: it does not wait for this
                log.warning("no thumbnail of the reference %s: %s", each.file_path, error)

    def _record(self, tx: Transaction, made: Provenance, media: Media) -> None:
        generation_id = made.generation.generation_id
        self._media.insert(tx, media, made.job.keywords)
        self._generations.record_size(tx, generation_id, made.width, made.height)
        self._generations.record_model_hashes(tx, generation_id, made.model_hashes)
        waits = media.review == "awaiting"
        if made.job.collection is not None and not waits:  # else it joins when it is accepted
            self._collections.add_media(tx, made.job.collection, media.media_id)
        status: GenerationStatus = "awaiting_review" if waits else "completed"
        self._generations.set_status(tx, generation_id, status, at=made.arrived_at)
        data = {"jobId": made.job.job_id, "mediaId": media.media_id, "path": media.file_path}
        tx.event(GENERATION_RESULT, "generation", generation_id, data)
        self._closer.close_if_ended(tx, made.job.job_id)
        log.info("generation %s of job %s is %s", generation_id, made.job.job_id, media.file_path)
