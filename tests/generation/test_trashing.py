"""Files of deleted pictures go into trash/ and come back whole, in whatever order, after whatever crash."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hotfolder.app import Library
from hotfolder.clock import new_id
from hotfolder.domain.instants import parse_instant
from hotfolder.domain.work import NewWork, WorkItem
from hotfolder.errors import NotFound
from hotfolder.generation.trashing import FilesHandler, PictureFiles, PurgeHandler
from hotfolder.library.ingest import Ingest
from hotfolder.library.media import Media, MediaStore
from hotfolder.library.trash import MEDIA_FILES, MEDIA_PURGE, Trash
from tests.generation.test_finalize import Painter, make
from tests.pictures import write_png

JOB = "endpointKey: local.procedural.image\nparams: {prompt: A bay, size: 64*64}\n"
REVIEW = JOB + "review: true\n"


class Crash(BaseException):
    """The power fails."""


class Power(Ingest):
    """Fails before or after the n-th move of a file."""

    def __init__(self, library: Library, moves: int, *, after: bool = False) -> None:
        super().__init__(library.paths)
        self._left = moves
        self._after = after

    def throw_away(self, *given: Any) -> Path:
        return self._count(super().throw_away, *given)

    def take_picture(self, *given: Any) -> None:
        self._count(super().take_picture, *given)

    def _count(self, move: Callable[..., Any], *given: Any) -> Any:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Crash
        moved = move(*given)
        if self._left == 0:
            raise Crash
        return moved


class Desk:
    """The trash of a library, with the work that it leaves behind, done when the test says so."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.work: list[NewWork] = []
        self.trash = Trash(
            library.database, lambda tx, work: self.work.append(work), library.review_desk.discard_deleted
        )

    def put_in(self, media: Media) -> NewWork:
        assert self.trash.trash(new_id(), [media.media_id], "anna") == [media.media_id]
        return self.work[-1]

    def take_out(self, media: Media) -> NewWork:
        assert self.trash.restore(new_id(), [media.media_id], "anna") == [media.media_id]
        return self.work[-1]

    def purge(self, media: Media) -> NewWork:
        assert self.trash.purge([media.media_id]) == [media.media_id]
        return self.work[-1]

    def do(self, work: NewWork, ingest: Ingest | None = None) -> None:
        library = self.library
        files = PictureFiles(library.paths, library.media, ingest or Ingest(library.paths))
        handlers = {MEDIA_FILES: FilesHandler(files, library.paths), MEDIA_PURGE: PurgeHandler(files)}
        done = handlers[work.task_type].execute(to_item(work.task_type, work.payload), threading.Event())
        with library.database.transaction() as tx:
            done.record(tx)

    def do_until_crash(self, work: NewWork, ingest: Ingest) -> None:
        with pytest.raises(Crash):
            self.do(work, ingest)


def to_item(kind: str, payload: Mapping[str, Any]) -> WorkItem:
    return WorkItem("w", kind, "io", "processing", 0, payload, "m", 1, 20, 0, False)


@pytest.fixture
def desk(library: Library) -> Desk:
    return Desk(library)


@pytest.fixture
def media(library: Library) -> Media:
    return make(library, JOB, Painter())[1]


def in_place(library: Library, media: Media) -> dict[str, bytes]:
    original = library.paths.absolute(media.file_path)
    places = [original, library.paths.sidecar_json(original), library.paths.sidecar_xmp(original)]
    return {each.name: each.read_bytes() for each in places if each.is_file()}


def in_trash(library: Library) -> dict[str, bytes]:
    return {
        each.name: each.read_bytes() for each in (library.paths.root / "trash").rglob("*") if each.is_file()
    }


def has_thumbnail(library: Library, media: Media) -> bool:
    return library.paths.absolute(media.thumb_path).is_file()


def test_files_go_into_the_trash_of_the_day_and_come_back(library: Library, desk: Desk, media: Media) -> None:
    whole = in_place(library, media)

    desk.do(desk.put_in(media))

    assert (in_place(library, media), in_trash(library)) == ({}, whole)
    day = library.paths.trash_dir(parse_instant(str(library.media.get(media.media_id).deleted_at)))
    assert {each.name for each in day.iterdir()} == set(whole)
    assert has_thumbnail(library, media)

    desk.do(desk.take_out(media))

    assert (in_place(library, media), in_trash(library)) == (whole, {})
    assert len(whole) == 3


def test_picture_that_is_taken_back_at_once_never_leaves_its_place(
    library: Library, desk: Desk, media: Media
) -> None:
    whole = in_place(library, media)
    works = [desk.put_in(media), desk.take_out(media)]

    for work in (*works, *reversed(works)):
        desk.do(work)

    assert (in_place(library, media), in_trash(library)) == (whole, {})


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_picture_ends_whole_in_whatever_order_the_work_is_done(
    library: Library, desk: Desk, media: Media, order: tuple[int, ...]
) -> None:
    whole = in_place(library, media)
    desk.do(desk.put_in(media))
    works = [desk.take_out(media), desk.put_in(media), desk.take_out(media)]

    for each in order:
        desk.do(works[each])

    assert (in_place(library, media), in_trash(library)) == (whole, {})


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("moves", [1, 2, 3])
@pytest.mark.parametrize("is_undone_first", [False, True])
def test_crash_while_files_are_put_away_leaves_them_to_be_brought_back(
    library: Library, desk: Desk, media: Media, moves: int, after: bool, is_undone_first: bool
) -> None:
    whole = in_place(library, media)
    putting = desk.put_in(media)
    desk.do_until_crash(putting, Power(library, moves, after=after))

    bringing = desk.take_out(media)
    for work in (bringing, putting) if is_undone_first else (putting, bringing):
        desk.do(work)

    assert (in_place(library, media), in_trash(library)) == (whole, {})


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("moves", [1, 2, 3])
def test_crash_while_files_are_brought_back_and_the_picture_deleted_again_loses_nothing(
    library: Library, desk: Desk, media: Media, moves: int, after: bool
) -> None:
    whole = in_place(library, media)
    desk.do(desk.put_in(media))
    bringing = desk.take_out(media)
    desk.do_until_crash(bringing, Power(library, moves, after=after))

    desk.do(desk.put_in(media))
    assert (in_place(library, media), in_trash(library)) == ({}, whole)
    desk.do(bringing)
    assert in_place(library, media) == {}
    desk.do(desk.take_out(media))

    assert (in_place(library, media), in_trash(library)) == (whole, {})


def test_files_in_the_trash_of_two_days_come_back_together(
    library: Library, desk: Desk, media: Media
) -> None:
    whole = in_place(library, media)
    desk.do(desk.put_in(media))
    old = library.paths.root / "trash" / "2026" / "01" / "02"
    old.mkdir(parents=True)
    for each in [each for each in (library.paths.root / "trash").rglob("*.json") if each.is_file()]:
        each.rename(old / each.name)

    desk.do(desk.take_out(media))

    assert (in_place(library, media), in_trash(library)) == (whole, {})


def test_picture_whose_name_was_taken_in_the_trash_comes_back_by_its_content(
    library: Library, desk: Desk, media: Media
) -> None:
    whole = in_place(library, media)
    putting = desk.put_in(media)
    day = library.paths.trash_dir(parse_instant(str(library.media.get(media.media_id).deleted_at)))
    name = Path(media.file_path).name
    day.mkdir(parents=True)
    (day / name).write_text("somebody's")
    desk.do(putting)
    assert (day / f"{media.media_id}~2.png").is_file()

    desk.do(desk.take_out(media))

    assert in_place(library, media) == whole
    assert in_trash(library) == {name: b"somebody's"}


def test_file_that_lies_in_the_library_again_is_not_written_over(
    library: Library, desk: Desk, media: Media
) -> None:
    desk.do(desk.put_in(media))
    bringing = desk.take_out(media)
    original = library.paths.absolute(media.file_path)
    original.write_text("another")

    desk.do(bringing)

    assert original.read_text() == "another"
    assert original.name in in_trash(library)


def test_copy_that_a_crash_left_in_the_trash_goes_when_its_picture_is_whole(
    library: Library, desk: Desk, media: Media
) -> None:
    whole = in_place(library, media)
    desk.do(desk.put_in(media))
    original = library.paths.absolute(media.file_path)
    original.write_bytes(in_trash(library)[original.name])  # copied from another disk, and not removed yet

    desk.do(desk.take_out(media))

    assert (in_place(library, media), in_trash(library)) == (whole, {})


def test_purged_picture_has_no_file_left_wherever_they_lay(
    library: Library, desk: Desk, media: Media
) -> None:
    putting = desk.put_in(media)
    desk.do_until_crash(putting, Power(library, 2))
    purging = desk.purge(media)
    assert library.media.find(media.media_id) is None

    desk.do(purging)
    desk.do(putting)  # it was still to be done
    desk.do(purging)

    assert (in_place(library, media), in_trash(library)) == ({}, {})
    assert not has_thumbnail(library, media)


def test_thumbnail_that_an_earlier_version_put_away_comes_back_and_goes_with_a_purge(
    library: Library, desk: Desk, media: Media
) -> None:
    desk.do(desk.put_in(media))
    thumbnail = library.paths.absolute(media.thumb_path)
    day = library.paths.trash_dir(parse_instant(str(library.media.get(media.media_id).deleted_at)))
    thumbnail.rename(day / f"{media.media_id}.thumbnail.jpg")
    desk.do(desk.take_out(media))
    assert has_thumbnail(library, media)

    desk.do(desk.put_in(media))
    thumbnail.rename(day / f"{media.media_id}.thumbnail.jpg")
    desk.do(desk.purge(media))

    assert in_trash(library) == {}


def refer(library: Library, outside: Path) -> tuple[Media, list[Path]]:
    """A picture whose file stayed outside the library, and its sidecars."""
    write_png(outside)
    media_id = new_id()
    media = Media(
        media_id, str(outside), f"thumbnails/{media_id}.jpg", outside.name, "import", 64, 48, 7, "image/png",
        media_id, media_id, None, "2026-11-21T03:00:00.000Z",
    )  # fmt: skip
    with library.database.transaction() as tx:
        MediaStore(library.database).insert(tx, media, ())
    place = library.paths.original(parse_instant(media.created_at), media_id, ".png")
    sidecars = [library.paths.sidecar_json(place), library.paths.sidecar_xmp(place)]
    place.parent.mkdir(parents=True, exist_ok=True)
    for each in sidecars:
        each.write_text(each.name)
    return media, sidecars


def test_original_outside_the_library_is_never_touched(library: Library, desk: Desk, tmp_path: Path) -> None:
    outside = tmp_path / "mine.PNG"
    media, sidecars = refer(library, outside)
    data, noted = outside.read_bytes(), outside.stat()

    desk.do(desk.put_in(media))
    assert not any(each.exists() for each in sidecars)
    assert set(in_trash(library)) == {each.name for each in sidecars}
    desk.do(desk.take_out(media))
    assert [each.read_text() for each in sidecars] == [each.name for each in sidecars]
    desk.do(desk.put_in(media))
    desk.do(desk.purge(media))

    assert not any(each.exists() for each in sidecars)
    assert in_trash(library) == {}
    assert outside.read_bytes() == data
    assert outside.stat().st_mtime_ns == noted.st_mtime_ns


def test_generation_whose_pictures_are_deleted_before_their_review_ends_when_they_go_for_good(
    library: Library, desk: Desk
) -> None:
    _, media = make(library, REVIEW, Painter())
    second = replace(media, media_id=new_id(), file_path="originals/2.png", thumb_path="thumbnails/2.jpg")
    with library.database.transaction() as tx:
        library.media.insert(tx, second, ())
    generation_id = str(media.generation_id)

    desk.put_in(media)
    desk.put_in(second)
    assert library.review_desk.list_awaiting(10) == []
    desk.purge(media)
    assert library.generations.get(generation_id).status == "awaiting_review"
    desk.purge(second)

    assert library.generations.get(generation_id).status == "completed"
    decided = [each for each in library.database.list_events(0) if each.data.get("review") == "discarded"]
    assert [(each.subject_id, each.actor) for each in decided] == [
        (media.media_id, "anna"), (second.media_id, "anna"),
    ]  # fmt: skip


def test_picture_deleted_before_its_review_comes_back_to_the_review_queue(
    library: Library, desk: Desk
) -> None:
    _, media = make(library, REVIEW, Painter())

    desk.put_in(media)
    for accept in (True, False):
        with pytest.raises(NotFound, match="deleted"):
            library.review_desk.decide(media.media_id, accept, None, "ben")
    desk.take_out(media)

    assert library.review_desk.list_awaiting(10) == [media]
    assert library.generations.get(str(media.generation_id)).status == "awaiting_review"
    assert library.review_desk.decide(media.media_id, True, None, "ben").review == "accepted"


def test_lanes_that_move_the_files_of_one_picture_at_the_same_time_agree(
    library: Library, desk: Desk, media: Media
) -> None:
    whole = in_place(library, media)
    files = PictureFiles(library.paths, library.media, Ingest(library.paths))
    handler = FilesHandler(files, library.paths)
    works = [each for _ in range(6) for each in (desk.put_in(media), desk.take_out(media))]
    start = threading.Barrier(len(works))

    def move(work: NewWork) -> None:
        start.wait(10)
        handler.execute(to_item(MEDIA_FILES, work.payload), threading.Event())

    with ThreadPoolExecutor(len(works)) as lanes:
        for each in [lanes.submit(move, work) for work in works]:
            each.result(20)

    assert (in_place(library, media), in_trash(library)) == (whole, {})
