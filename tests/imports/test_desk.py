"""The desk: where claimed pictures wait, and how they are found again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hotfolder.clock import new_id, utc_now
from hotfolder.domain.instants import uuid7
from hotfolder.imports.desk import LEFTOVER_AGE, ImportDesk
from hotfolder.imports.incoming import BATCH_FILES, Incoming, build_work, read_files
from hotfolder.imports.moving import rename_into
from tests import pictures
from tests.import_ledger import assert_books_are_closed, ends, files_in, query
from tests.imports.conftest import Porter


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    return pictures.write_jpeg(tmp_path / "photo").read_bytes()


@pytest.fixture
def desk(porter: Porter) -> ImportDesk:
    return porter.library.import_desk


def recover(desk: ImportDesk) -> int:
    lost = desk.find_lost()
    desk.enqueue(lost)
    return len(lost)


def put(desk: ImportDesk, media_id: str, name: str, data: bytes) -> Path:
    """A file as a crash leaves it: claimed, and in no work item."""
    place = desk.place(media_id, Path(name))
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    return place


def test_claimed_file_keeps_its_path_in_its_place(porter: Porter, desk: ImportDesk, photo: bytes) -> None:
    name = "sub/<script>\n" + "x" * 200 + ".jpg"
    dropped = porter.drop(name, photo)

    claimed = desk.claim(dropped, Path(name), f"import/{name}")

    assert claimed.path == f"work/import/{claimed.media_id}/{name}"
    assert (porter.root / claimed.path).read_bytes() == photo
    assert not dropped.exists()


def test_folder_that_is_swept_away_meanwhile_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")

    rename_into(tmp_path / "a", tmp_path / "1" / "2" / "a")

    assert (tmp_path / "1" / "2" / "a").read_bytes() == b"x"
    with pytest.raises(FileNotFoundError):
        rename_into(tmp_path / "a", tmp_path / "1" / "2" / "b")


def test_payload_gives_the_same_files_back_in_items_of_sixteen() -> None:
    files = [Incoming(new_id(), f"work/import/x/{n}\udce9", f"import/{n}\udce9") for n in range(40)]
    files.append(Incoming(new_id(), "/srv/a.png", "/srv/a.png", is_reference=True))

    items = build_work(files)

    assert [len(each.payload["files"]) for each in items] == [BATCH_FILES, BATCH_FILES, 9]
    assert [file for each in items for file in read_files(each.payload)] == files


def test_file_without_an_item_is_taken_up_under_its_id(
    porter: Porter, desk: ImportDesk, photo: bytes
) -> None:
    media_id = new_id()
    put(desk, media_id, "sub/a.jpg", photo)

    assert recover(desk) == 1

    porter.work()
    (end,) = ends(porter.root)
    assert (end["importId"], end["originalPath"]) == (media_id, "import/sub/a.jpg")
    assert_books_are_closed(porter.root, [photo])


def test_file_in_an_open_item_is_not_taken_up_again(porter: Porter, desk: ImportDesk, photo: bytes) -> None:
    porter.drop("a.jpg", photo)
    porter.drop("b.jpg", b"no picture")
    porter.claim()
    assert recover(desk) == 0
    porter.worker().run_one("cpu")  # the bad one waits to be refused now

    assert recover(desk) == 0


@pytest.mark.parametrize("folder", ["not-an-id", "0b6cfe8e-8f3c-4c53-9d5a-3a1d2b5f9a10"])
def test_file_in_a_folder_of_another_name_gets_an_id(
    porter: Porter, desk: ImportDesk, photo: bytes, folder: str
) -> None:
    put(desk, folder, "a.jpg", photo)

    assert recover(desk) == 1

    porter.work()
    assert_books_are_closed(porter.root, [photo])


def test_second_file_of_a_folder_and_one_of_an_ended_import_get_new_ids(
    porter: Porter, desk: ImportDesk, photo: bytes, tmp_path: Path
) -> None:
    other = pictures.write_png(tmp_path / "other").read_bytes()
    media_id = new_id()
    put(desk, media_id, "a.jpg", photo)
    (desk.place(media_id, Path("b.png"))).write_bytes(other)
    recover(desk)
    porter.work()
    put(desk, media_id, "again.jpg", photo)

    recover(desk)
    porter.work()

    assert_books_are_closed(porter.root, [photo, other, photo])


def test_half_written_copy_is_left_to_its_writer_and_removed_when_it_is_old(
    porter: Porter, desk: ImportDesk
) -> None:
    old = uuid7(int((utc_now() - LEFTOVER_AGE - timedelta(seconds=1)).timestamp() * 1000), 5)
    young = new_id()
    for media_id in (old, young):
        put(desk, media_id, ".a.jpg.tmp", b"half")

    assert recover(desk) == 0

    assert files_in_work(porter) == {f"{young}/.a.jpg.tmp"}


def files_in_work(porter: Porter) -> set[str]:
    top = porter.root / "work" / "import"
    return {each.relative_to(top).as_posix() for each in top.rglob("*") if each.is_file()}


def test_empty_folders_of_a_crash_are_removed(porter: Porter, desk: ImportDesk) -> None:
    desk.place(new_id(), Path("a/b/c.jpg")).parent.mkdir(parents=True)

    assert recover(desk) == 0

    assert list((porter.root / "work").iterdir()) == []


def test_empty_folder_of_all_imports_is_removed_after_a_crash_too(porter: Porter, desk: ImportDesk) -> None:
    desk.place(new_id(), Path("a.jpg")).parent.parent.mkdir(parents=True, exist_ok=True)

    assert recover(desk) == 0

    assert list((porter.root / "work").iterdir()) == []


def test_nothing_is_made_where_nothing_waits(porter: Porter, desk: ImportDesk) -> None:
    assert recover(desk) == 0
    assert files_in(porter.root / "work") == []
    assert query(porter.root, "SELECT * FROM work_queue") == []
