"""The review queue: pictures are accepted or discarded, and what is discarded is put into trash/."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Literal

from hotfolder.database import Database, Transaction
from hotfolder.domain.work import NewWork
from hotfolder.errors import LibraryError
from hotfolder.library.collections import CollectionStore
from hotfolder.library.generations import GenerationStore
from hotfolder.library.jobs import JobStore
from hotfolder.library.media import Media, MediaStore
from hotfolder.queue.store import WorkStore

log = logging.getLogger(__name__)

MEDIA_DISCARD: Final = "media.discard"
DISCARD_ATTEMPTS: Final = 20
NAME_MAX: Final = 4096


class ReviewDesk:
    """Works on the database alone, so that any process may use it; a sidecar moves the files."""

    def __init__(
        self,
        database: Database,
        jobs: JobStore,
        generations: GenerationStore,
        media: MediaStore,
        collections: CollectionStore,
        work: WorkStore,
        on_discarded: Callable[[Transaction, str], None] = lambda tx, generation_id: None,  # noqa: ARG005
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._generations = generations
        self._media = media
        self._collections = collections
        self._work = work
        self._on_discarded = on_discarded

    def list_awaiting(self, limit: int) -> list[Media]:
        """Pictures that wait for a decision, the longest waiting first."""
        return self._media.list_awaiting(limit)

    def count_awaiting(self) -> int:
        """How many there are."""
        return self._media.count_awaiting()

    def decide(self, media_id: str, accept: bool, collection: str | None, actor: str) -> Media:
        """Accept a picture, into a collection if one is named, or discard it; the same again changes nothing.

        But to discard again is to try again to put files into trash/, where that failed for good. Raises
        LibraryError for a picture that nobody has to look at, or that was decided otherwise, and NotFound for
        one that lies in the trash undecided.
        """
        name = _check_collection(collection, accept)
        wanted: Literal["accepted", "discarded"] = "accepted" if accept else "discarded"
        with self._database.transaction() as tx:
            media = self._media.get(media_id)
            if media.review == "awaiting":
                self._record(tx, self._media.get_present(media_id), wanted, actor)
                if not accept:
                    self._work.enqueue(tx, _build_discard(media_id, tx.at))
            elif media.review != wanted:
                raise _refusal(media)
            elif not accept:
                self._move_again(tx, media, actor)
            if name is not None:
                self._collections.add_chosen(tx, name, media_id)
        return self._media.get(media_id)

    def discard_deleted(self, tx: Transaction, media_id: str, actor: str) -> None:
        """Decide on a picture that awaits a review in the trash, and is removed from there for good."""
        self._record(tx, self._media.get(media_id), "discarded", actor)

    def _record(
        self, tx: Transaction, media: Media, wanted: Literal["accepted", "discarded"], actor: str
    ) -> None:
        generation = self._generations.get(str(media.generation_id))  # only what was made awaits a review
        self._media.set_review(tx, media.media_id, wanted, actor)
        if wanted == "accepted":
            collection = self._jobs.get(generation.job_id).collection
            if collection is not None:
                self._collections.add_media(tx, collection, media.media_id)
        else:
            self._on_discarded(tx, generation.generation_id)
        outputs = self._media.list_of_generation(generation.generation_id)
        if generation.status == "awaiting_review" and all(each.review != "awaiting" for each in outputs):
            made_at = max(each.created_at for each in outputs)
            self._generations.set_status(tx, generation.generation_id, "completed", at=made_at)
        log.info("picture %s is %s by %s", media.media_id, wanted, actor)

    def _move_again(self, tx: Transaction, media: Media, actor: str) -> None:
        """Unless the files are in trash/ or on their way."""
        items = [each for each in self._work.list_of(media.media_id) if each.task_type == MEDIA_DISCARD]
        if not items or items[-1].status in ("failed", "cancelled"):
            self._work.enqueue(tx, _build_discard(media.media_id, media.deleted_at or tx.at))
        elif items[-1].status == "dead":
            self._work.requeue(tx, items[-1].work_id, actor)


def _build_discard(media_id: str, at: str) -> NewWork:
    payload = {"mediaId": media_id, "at": at}
    return NewWork(MEDIA_DISCARD, "io", payload, "media", media_id, max_attempts=DISCARD_ATTEMPTS)


def _check_collection(collection: str | None, accept: bool) -> str | None:
    name = (collection or "").strip() or None
    if name is not None and not accept:
        message = "A discarded picture joins no collection."
        raise LibraryError(message, code="library.invalid_value", hint="Leave the collection out.")
    if name is not None and (len(name) > NAME_MAX or not name.isprintable()):
        message = f"A collection has a name of at most {NAME_MAX} characters, all of them visible."
        raise LibraryError(message, code="library.invalid_value", hint="Choose another name.")
    return name


def _refusal(media: Media) -> LibraryError:
    if media.review == "none":
        return LibraryError(
            f"The picture {media.media_id} awaits no review.",
            code="library.not_in_review",
            hint="Only pictures of jobs with `review: true`, or of flagged ones, do.",
        )
    return LibraryError(
        f"The picture {media.media_id} was {media.review} already.",
        code="library.review_decided",
        hint="The first decision counts; see the events of the picture for who took it.",
    )
