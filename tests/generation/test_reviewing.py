"""Pictures wait for somebody's decision; those that are discarded lie in the trash with all their files."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from hotfolder.app import Library
from hotfolder.clock import new_id
from hotfolder.database import Transaction
from hotfolder.delivery.documents import build_result
from hotfolder.domain.instants import parse_instant
from hotfolder.errors import LibraryError, NotFound
from hotfolder.generation.reviewing import MEDIA_DISCARD, ReviewDesk
from hotfolder.generation.trashing import FilesHandler, PictureFiles
from hotfolder.library.collections import CollectionStore
from hotfolder.library.ingest import Ingest
from hotfolder.library.media import AWAITING_SQL, Media, MediaStore
from tests.generation.test_finalize import Painter, build_execute, build_finalize, claim, make, run, take_in

JOB = "endpointKey: local.procedural.image\nparams: {prompt: A bay, size: 64*64}\n"
REVIEW = JOB + "review: true\n"


def build_desk(library: Library, on_discarded: list[str] | None = None) -> ReviewDesk:
    noted: list[str] = [] if on_discarded is None else on_discarded

    def note(tx: Transaction, generation_id: str) -> None:
        noted.append(generation_id)

    return ReviewDesk(
        library.database,
        library.jobs,
        library.generations,
        library.media,
        CollectionStore(library.database),
        library.work,
        note,
    )


def discard_files(library: Library, handler: FilesHandler | None = None) -> None:
    """Do the work that a discard leaves behind; the results of jobs stay undelivered."""
    with library.database.transaction() as tx:
        tx.execute("UPDATE work_queue SET status = 'cancelled' WHERE task_type <> ?", (MEDIA_DISCARD,))
    run(library, "io", handler or build_discard(library))  # type: ignore[arg-type]


def build_discard(library: Library, ingest: Ingest | None = None) -> FilesHandler:
    files = PictureFiles(library.paths, library.media, ingest or Ingest(library.paths))
    return FilesHandler(files, library.paths)


def files_of(library: Library, media: Media) -> list[Path]:
    original = library.paths.absolute(media.file_path)
    return [original, library.paths.sidecar_json(original), library.paths.sidecar_xmp(original)]


def trash(library: Library) -> dict[str, bytes]:
    return {
        each.name: each.read_bytes() for each in (library.paths.root / "trash").rglob("*") if each.is_file()
    }


def status_of(library: Library, media: Media) -> str:
    return library.generations.get(str(media.generation_id)).status


def test_picture_of_a_job_with_review_waits_while_its_job_is_complete(library: Library) -> None:
    job_id, media = make(library, REVIEW, Painter())

    job, (generation,) = library.jobs.get(job_id), library.generations.list_of_job(job_id)
    assert (media.review, generation.status, job.status) == ("awaiting", "awaiting_review", "completed")
    desk = build_desk(library)
    assert (desk.list_awaiting(10), desk.count_awaiting()) == ([media], 1)
    result = build_result(job, [(generation, [media])])["generations"][0]
    assert (result["status"], result["outputs"][0]["mediaId"]) == ("awaiting_review", media.media_id)


def test_picture_of_another_job_awaits_nothing(library: Library) -> None:
    _, media = make(library, JOB, Painter())

    assert (media.review, status_of(library, media)) == ("none", "completed")
    assert build_desk(library).list_awaiting(10) == []
    with pytest.raises(LibraryError, match="awaits no review") as caught:
        build_desk(library).decide(media.media_id, True, None, "anna")
    assert caught.value.code == "library.not_in_review"


def test_accepted_picture_joins_the_named_collection_and_that_of_its_job(library: Library) -> None:
    _, media = make(library, REVIEW + "collection: Spring\n", Painter())
    collections = CollectionStore(library.database)
    assert collections.list_media("Spring") == []
    before = library.database.last_event_seq()

    accepted = build_desk(library).decide(media.media_id, True, " Best ", "anna")

    assert accepted == replace(media, review="accepted")
    generation = library.generations.get(str(media.generation_id))
    assert (generation.status, generation.completed_at) == ("completed", media.created_at)
    assert collections.list_media("Spring") == collections.list_media("Best") == [media.media_id]
    assert build_desk(library).list_awaiting(10) == []
    decisions = [each for each in library.database.list_events(before) if each.subject_id == media.media_id]
    assert [(each.topic, each.actor, each.data["review"]) for each in decisions] == [
        ("library.updated", "anna", "accepted")
    ]


def test_collection_of_a_job_without_review_has_its_pictures(library: Library) -> None:
    _, media = make(library, JOB + "collection: Spring\n", Painter())

    assert CollectionStore(library.database).list_media("Spring") == [media.media_id]


def test_picture_of_a_job_whose_collection_became_a_live_one_is_finished_and_joins_nothing(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    CollectionStore(library.database).make("Spring", "minRating=5", "anna")
    job_id, media = make(library, JOB + "collection: Spring\n", Painter())
    _, reviewed = make(library, REVIEW + "collection: Spring\n", Painter())

    build_desk(library).decide(reviewed.media_id, True, None, "anna")

    assert library.jobs.get(job_id).status == "completed"
    assert [status_of(library, each) for each in (media, reviewed)] == ["completed"] * 2
    assert CollectionStore(library.database).list_media("Spring") == []
    assert caplog.text.count("does not join 'Spring'") == 2


def test_picture_is_not_accepted_into_a_live_collection(library: Library) -> None:
    CollectionStore(library.database).make("Best", "minRating=5", "anna")
    _, media = make(library, REVIEW, Painter())

    with pytest.raises(LibraryError, match="live collection") as caught:
        build_desk(library).decide(media.media_id, True, "best", "anna")

    assert caught.value.code == "library.invalid_value"
    assert library.media.get(media.media_id) == media


def test_discarded_picture_leaves_the_library_with_all_its_files(library: Library) -> None:
    discarded: list[str] = []
    _, media = make(library, REVIEW + "collection: Spring\n", Painter())
    contents = [each.read_bytes() for each in files_of(library, media)]

    gone = build_desk(library, discarded).decide(media.media_id, False, None, "anna")

    assert (gone.review, gone.deleted_at is not None) == ("discarded", True)
    assert status_of(library, media) == "completed"
    assert discarded == [media.generation_id]
    assert CollectionStore(library.database).list_media("Spring") == []
    assert library.database.query("SELECT 1 FROM media WHERE deleted_at IS NULL") == []
    discard_files(library)
    assert not any(each.exists() for each in files_of(library, media))
    name = Path(media.file_path).name
    names = [name, f"{name}.json", f"{name}.xmp"]
    assert trash(library) == dict(zip(names, contents, strict=True))
    day = str(gone.deleted_at)[:10].replace("-", "/")
    assert (library.paths.root / "trash" / day / name).is_file()
    event = library.database.list_events(0)[-1]
    assert event.data == {"trashed": media.file_path, "to": f"trash/{day}"}
    assert library.paths.absolute(media.thumb_path).is_file()  # the trash is looked at, too


@pytest.mark.parametrize("accept", [True, False])
def test_same_decision_again_changes_nothing_and_another_is_refused(library: Library, accept: bool) -> None:
    discarded: list[str] = []
    _, media = make(library, REVIEW, Painter())
    desk = build_desk(library, discarded)
    first = desk.decide(media.media_id, accept, None, "anna")
    seq, open_items = library.database.last_event_seq(), library.work.count_open("io")

    assert desk.decide(media.media_id, accept, None, "ben") == first
    with pytest.raises(LibraryError, match="already") as caught:
        desk.decide(media.media_id, not accept, None, "ben")

    assert caught.value.code == "library.review_decided"
    assert library.media.get(media.media_id) == first
    assert (library.database.last_event_seq(), library.work.count_open("io")) == (seq, open_items)
    assert len(discarded) == (0 if accept else 1)


def test_two_reviewers_at_the_same_moment_make_one_decision(library: Library) -> None:
    _, media = make(library, REVIEW, Painter())
    desk, ends = build_desk(library), []

    def decide(accept: bool) -> None:
        try:
            ends.append(desk.decide(media.media_id, accept, None, "anna").review)
        except LibraryError as error:
            ends.append(error.code)

    threads = [threading.Thread(target=decide, args=(number % 2 == 0,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)

    final = library.media.get(media.media_id).review
    assert sorted(ends) == sorted([final] * 3 + ["library.review_decided"] * 3)
    events = [each for each in library.database.list_events(0) if "review" in each.data]
    assert len(events) == 1


def test_generation_waits_for_its_last_picture(library: Library) -> None:
    _, media = make(library, REVIEW, Painter())
    second = replace(media, media_id=new_id(), file_path="originals/2.png", thumb_path="thumbnails/2.jpg")
    with library.database.transaction() as tx:
        MediaStore(library.database).insert(tx, second, ())
    desk = build_desk(library)

    desk.decide(media.media_id, False, None, "anna")
    assert status_of(library, media) == "awaiting_review"
    desk.decide(second.media_id, True, None, "anna")

    assert status_of(library, media) == "completed"


def test_unsound_decision_changes_nothing(library: Library) -> None:
    _, media = make(library, REVIEW, Painter())
    desk = build_desk(library)

    for accept, collection in ((False, "Best"), (True, "a\nb"), (True, "x" * 5000)):
        with pytest.raises(LibraryError):
            desk.decide(media.media_id, accept, collection, "anna")
    with pytest.raises(NotFound):
        desk.decide("nothing", True, None, "anna")

    assert library.media.get(media.media_id).review == "awaiting"


def test_decision_and_what_hangs_on_it_happen_together_or_not_at_all(library: Library) -> None:
    _, media = make(library, REVIEW, Painter())

    def refuse(tx: Transaction, generation_id: str) -> None:
        raise LibraryError("no refund today")

    desk = ReviewDesk(
        library.database, library.jobs, library.generations, library.media,
        CollectionStore(library.database), library.work, refuse,
    )  # fmt: skip
    with pytest.raises(LibraryError, match="no refund"):
        desk.decide(media.media_id, False, None, "anna")

    assert library.media.get(media.media_id) == media
    assert status_of(library, media) == "awaiting_review"


class Crashing(Ingest):
    """The power fails after some files were moved."""

    def __init__(self, library: Library, left: int) -> None:
        super().__init__(library.paths)
        self._left = left

    def throw_away(self, *given):  # type: ignore[no-untyped-def]
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        return super().throw_away(*given)


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_discard_goes_on_after_a_crash_at_any_file(library: Library, moved: int) -> None:
    _, media = make(library, REVIEW, Painter())
    contents = sorted(each.read_bytes() for each in files_of(library, media))
    build_desk(library).decide(media.media_id, False, None, "anna")
    with pytest.raises(KeyboardInterrupt):
        discard_files(library, build_discard(library, Crashing(library, moved)))
    with library.database.transaction() as tx:
        library.work.recover(tx)

    discard_files(library)

    assert not any(each.exists() for each in files_of(library, media))
    assert sorted(trash(library).values()) == contents


def test_discard_repeated_after_its_files_were_moved_finds_nothing_to_do(library: Library) -> None:
    _, media = make(library, REVIEW, Painter())
    build_desk(library).decide(media.media_id, False, None, "anna")
    discard_files(library)
    before = trash(library)
    with library.database.transaction() as tx:
        tx.execute("UPDATE work_queue SET status = 'pending' WHERE task_type = ?", (MEDIA_DISCARD,))

    run(library, "io", build_discard(library))  # type: ignore[arg-type]

    assert trash(library) == before


def test_what_lies_in_the_trash_is_not_written_over(library: Library) -> None:
    _, media = make(library, REVIEW, Painter())
    gone = build_desk(library).decide(media.media_id, False, None, "anna")
    name = Path(media.file_path).name
    place = library.paths.root / "trash" / str(gone.deleted_at)[:10].replace("-", "/") / name
    place.parent.mkdir(parents=True)
    place.write_text("somebody's")

    discard_files(library)

    assert place.read_text() == "somebody's"
    assert place.with_name(f"{media.media_id}~2.png").is_file()


def test_list_is_answered_from_the_generations_that_wait(library: Library) -> None:
    rows = library.database.query(f"EXPLAIN QUERY PLAN SELECT media.id FROM {AWAITING_SQL}")

    plan = " | ".join(row["detail"] for row in rows)
    assert "idx_generations_status" in plan
    assert "SCAN" not in plan


def test_pictures_are_listed_in_the_order_of_their_making(library: Library) -> None:
    take_in(library, REVIEW + "count: 3\n")
    for _ in range(3):
        run(library, "gpu", build_execute(library, Painter()))
        run(library, "cpu", build_finalize(library))

    found = build_desk(library).list_awaiting(2)

    assert found == sorted(found, key=lambda each: (each.created_at, each.media_id))
    assert (len(found), build_desk(library).count_awaiting()) == (2, 3)


def test_crash_between_the_files_and_the_row_leaves_the_review_as_it_was(library: Library) -> None:
    take_in(library, REVIEW)
    run(library, "gpu", build_execute(library, Painter()))
    item = claim(library, "cpu")
    build_finalize(library).execute(item, threading.Event())  # and the process dies
    with library.database.transaction() as tx:
        library.work.recover(tx)

    run(library, "cpu", build_finalize(library))

    assert build_desk(library).count_awaiting() == 1


def test_files_that_could_not_be_moved_follow_when_the_picture_is_discarded_again(library: Library) -> None:
    _, media = make(library, REVIEW, Painter())
    desk = build_desk(library)
    gone = desk.decide(media.media_id, False, None, "anna")
    day = library.paths.trash_dir(parse_instant(str(gone.deleted_at)))
    with library.database.transaction() as tx:
        sql = "UPDATE work_queue SET status = 'dead' WHERE task_type = ?"
        tx.execute(sql, (MEDIA_DISCARD,))

    assert desk.decide(media.media_id, False, None, "ben") == gone

    discard_files(library)
    assert not any(each.exists() for each in files_of(library, media))
    assert len(list(day.iterdir())) == 3
    seq = library.database.last_event_seq()
    desk.decide(media.media_id, False, None, "ben")
    assert library.database.last_event_seq() == seq
