"""Taking pictures in: what is written, what is known already, what is refused, and whose fault waits."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from hotfolder.clock import new_id
from hotfolder.database import Transaction
from hotfolder.domain.instants import format_instant, instant_of_id
from hotfolder.files.xmp import parse_xmp
from hotfolder.imports import moving
from hotfolder.imports.incoming import Incoming
from hotfolder.library.ingest import Ingest
from hotfolder.library.media import Media, MediaStore
from tests import pictures
from tests.import_ledger import assert_books_are_closed, digest, files_in, query
from tests.imports.conftest import Porter


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    return pictures.write_rotated_jpeg(tmp_path / "photo", (60, 80)).read_bytes()


@pytest.fixture
def drawing(tmp_path: Path) -> bytes:
    return pictures.write_png(tmp_path / "drawing").read_bytes()


def test_picture_is_filed_by_its_content_with_row_thumbnail_and_sidecars(
    porter: Porter, photo: bytes
) -> None:
    porter.drop("trip/beach.png", photo)

    (end,) = porter.bring_in()

    assert (end["outcome"], end["originalPath"]) == ("imported", "import/trip/beach.png")
    media = porter.library.media.get(end["importId"])
    assert media.file_path == end["path"]
    assert media.file_path.endswith(f"/{media.media_id}.jpg")
    assert (media.origin, media.mime_type, media.width, media.height) == ("import", "image/jpeg", 60, 80)
    assert (media.original_name, media.original_path) == ("beach.png", "import/trip/beach.png")
    assert_books_are_closed(porter.root, [photo])


def test_instant_of_arrival_is_that_of_the_id(porter: Porter, photo: bytes) -> None:
    porter.drop("a.jpg", photo)

    (end,) = porter.bring_in()

    at = instant_of_id(end["importId"])
    assert porter.library.media.get(end["importId"]).created_at == format_instant(at)
    assert Path(end["path"]).parts[1:3] == (f"{at:%Y}", f"{at:%m}")


def test_sidecars_say_who_the_picture_is_and_nothing_that_nobody_knows(porter: Porter, photo: bytes) -> None:
    porter.drop("caf\udce9.jpg", photo)

    (end,) = porter.bring_in()

    original = porter.root / end["path"]
    sidecar = json.loads(original.with_name(original.name + ".json").read_bytes())
    assert (sidecar["schema"], sidecar["origin"]) == ("hotfolder/sidecar@1", "import")
    assert sidecar["original"] == {"name": "caf\udce9.jpg", "path": "import/caf\udce9.jpg"}
    assert (sidecar["aiGenerated"], sidecar["keywords"]) == (None, [])
    assert (sidecar["file"]["width"], sidecar["file"]["height"]) == (60, 80)
    record = parse_xmp(original.with_name(original.name + ".xmp").read_bytes())
    assert record.document_id == f"xmp.did:{end['importId']}"
    assert (record.digital_source_type, record.created_at) == (None, None)


def test_pixels_of_an_import_have_no_hash_which_only_serves_replay(porter: Porter, photo: bytes) -> None:
    porter.drop("a.jpg", photo)

    (end,) = porter.bring_in()

    original = porter.root / end["path"]
    sidecar = json.loads(original.with_name(original.name + ".json").read_bytes())
    assert porter.library.media.get(end["importId"]).pixel_sha256 is None
    assert sidecar["file"]["pixelSha256"] is None


def test_files_of_a_batch_are_on_the_disk_under_their_names_before_the_rows(
    porter: Porter, photo: bytes, drawing: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is flushed once, and each folder after the last file that got its name in it."""
    flushed: list[int] = []
    on_disk: list[bool] = []
    flush, insert = os.fsync, MediaStore.insert

    def flush_and_note(descriptor: int) -> None:
        flush(descriptor)
        flushed.append(os.fstat(descriptor).st_ino)

    def look_and_insert(store: MediaStore, tx: Transaction, media: Media, keywords: Sequence[str]) -> None:
        original = porter.root / media.file_path
        files = [original, *(original.with_name(original.name + end) for end in (".json", ".xmp"))]
        for file in (*files, porter.root / media.thumb_path):
            inode, folder = file.stat().st_ino, file.parent.stat().st_ino
            on_disk.append(flushed.count(inode) == 1 and folder in flushed[flushed.index(inode) :])
        insert(store, tx, media, keywords)

    for number, data in enumerate((photo, drawing, photo + b"other")):
        porter.drop(f"{number}.jpg", data)
    porter.claim()
    monkeypatch.setattr(os, "fsync", flush_and_note)
    monkeypatch.setattr(MediaStore, "insert", look_and_insert)

    porter.work()

    assert on_disk == [True] * 12


def test_picture_that_the_library_has_goes_to_the_trash(porter: Porter, photo: bytes) -> None:
    porter.drop("a.jpg", photo)
    (first,) = porter.bring_in()
    porter.drop("again.jpg", photo)

    _, second = porter.bring_in()

    assert (second["outcome"], second["of"]) == ("duplicate", first["importId"])
    assert (porter.root / second["path"]).read_bytes() == photo
    assert Path(second["path"]).parts[0] == "trash"
    assert_books_are_closed(porter.root, [photo] * 2)


def test_equal_pictures_that_come_together_are_one(porter: Porter, photo: bytes) -> None:
    for name in ("a.jpg", "b.jpg", "sub/a.jpg"):
        porter.drop(name, photo)

    porter.bring_in()

    assert_books_are_closed(porter.root, [photo] * 3)


def test_equal_pictures_in_two_hands_at_the_same_time_are_one(porter: Porter, photo: bytes) -> None:
    """Both are in originals/ before the first has its row."""
    items = []
    for name in ("a.jpg", "b.jpg"):
        porter.drop(name, photo)
        porter.claim()
        item = porter.library.work.claim("cpu")
        assert item is not None
        items.append(item)
    handler = porter.worker()._handler(items[0])
    done = [handler.execute(item, threading.Event()) for item in items]
    assert len([each for each in files_in(porter.root / "originals") if each.suffix == ".jpg"]) == 2

    for item, each in zip(items, done, strict=True):
        with porter.library.database.transaction() as tx:
            porter.library.work.complete(tx, item)
            each.record(tx)
        each.after()
    porter.work()

    assert_books_are_closed(porter.root, [photo] * 2)


def test_picture_that_was_queued_twice_is_taken_in_once(porter: Porter, photo: bytes) -> None:
    desk = porter.library.import_desk
    claimed = desk.claim(porter.drop("a.jpg", photo), Path("a.jpg"), "import/a.jpg")
    desk.enqueue([claimed])
    desk.enqueue([claimed])

    porter.work()

    assert_books_are_closed(porter.root, [photo])


def test_one_bad_file_keeps_none_of_the_others(porter: Porter, photo: bytes, tmp_path: Path) -> None:
    bad = {
        "text.jpg": b"no picture at all",
        "empty.png": b"",
        "half.jpg": pictures.write_truncated_jpeg(tmp_path / "half").read_bytes(),
        "bomb.png": pictures.write_bomb_png(tmp_path / "bomb").read_bytes(),
    }
    for name, data in {"a.jpg": photo, **bad}.items():
        porter.drop(name, data)

    porter.bring_in()

    assert_books_are_closed(porter.root, [photo], bad.values())
    assert query(porter.root, "SELECT DISTINCT attempt_count AS n FROM work_queue") == [{"n": 1}]


def test_made_picture_that_is_dropped_again_is_known(porter: Porter, photo: bytes, drawing: bytes) -> None:
    """By the bytes as first stored, and by those after a change of its metadata."""
    porter.drop("a.jpg", photo)
    porter.bring_in()
    (original,) = (porter.root / "originals").rglob("*.jpg")
    original.write_bytes(drawing)
    with porter.library.database.transaction() as tx:
        tx.execute("UPDATE media SET file_sha256 = ?, file_size = ?", (digest(drawing), len(drawing)))
    porter.drop("b.png", drawing)
    porter.drop("b.jpg", photo)

    outcomes = [each["outcome"] for each in porter.bring_in()]

    assert outcomes == ["imported", "duplicate", "duplicate"]


def test_imports_wait_behind_the_pictures_of_jobs(porter: Porter, photo: bytes) -> None:
    porter.drop("a.jpg", photo)
    porter.claim()

    (item,) = query(porter.root, "SELECT priority, owner_module FROM work_queue")
    assert item["priority"] < -100
    assert item["owner_module"] == "imports"


def test_picture_whose_file_the_library_has_lost_is_taken_in_again(porter: Porter, photo: bytes) -> None:
    porter.drop("a.jpg", photo)
    porter.bring_in()
    (first,) = query(porter.root, "SELECT file_path FROM media")
    (porter.root / first["file_path"]).unlink()
    porter.drop("again.jpg", photo)
    porter.drop("twin.jpg", photo)

    outcomes = [each["outcome"] for each in porter.bring_in()]

    assert outcomes == ["imported", "imported", "duplicate"]
    rows = query(porter.root, "SELECT file_path FROM media ORDER BY id")
    assert (porter.root / rows[1]["file_path"]).read_bytes() == photo


def test_dropped_file_of_a_reference_is_not_thrown_away(porter: Porter, tmp_path: Path, photo: bytes) -> None:
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(photo)
    porter.library.import_desk.enqueue([Incoming(new_id(), str(outside), str(outside), is_reference=True)])
    porter.work()
    outside.rename(porter.root / "import" / "outside.jpg")

    outcomes = [each["outcome"] for each in porter.bring_in()]

    assert outcomes == ["imported", "imported"]
    assert [each.read_bytes() for each in files_in(porter.root / "originals") if each.suffix == ".jpg"] == [
        photo
    ]


def test_good_pictures_wait_while_the_disk_of_the_library_cannot_be_written(
    porter: Porter, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    porter.drop("a.jpg", photo)
    porter.claim()

    def refuse(*_values: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", "originals/2026")

    with monkeypatch.context() as broken:
        broken.setattr(Ingest, "take_picture", refuse)
        porter.work()
    (item,) = query(porter.root, "SELECT status, attempt_count FROM work_queue")

    assert (item["status"], item["attempt_count"]) == ("scheduled", 0)
    assert files_in(porter.root / "failed") == []


def test_pictures_on_another_file_system_are_copied_and_then_removed(
    porter: Porter, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def far_away(*_values: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(moving, "rename_into", far_away)
    dropped = porter.drop("card/a.jpg", photo)

    (end,) = porter.bring_in()

    assert end["outcome"] == "imported"
    assert end["originalPath"] == "import/card/a.jpg"
    assert not dropped.exists()
    assert files_in(porter.root / "work") == []


def test_other_name_of_a_dropped_file_cannot_change_the_picture_of_the_library(
    porter: Porter, tmp_path: Path, photo: bytes
) -> None:
    dropped = porter.drop("a.jpg", photo)
    (tmp_path / "other").hardlink_to(dropped)

    (end,) = porter.bring_in()
    (tmp_path / "other").write_bytes(b"changed")

    assert (porter.root / end["path"]).read_bytes() == photo
    assert not dropped.exists()


def test_picture_on_another_file_system_that_may_not_be_removed_stays_and_leaves_no_copy(
    porter: Porter, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def far_away(*_values: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    def keep(*_values: object, **_named: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    dropped = porter.drop("a.jpg", photo)
    with monkeypatch.context() as broken:
        broken.setattr(moving, "rename_into", far_away)
        broken.setattr(moving, "remove_source", keep)
        porter.claim()

        porter.work()

    assert dropped.exists()
    assert files_in(porter.root / "work") == []
    assert query(porter.root, "SELECT id FROM media") == []


def test_picture_that_changes_while_it_is_taken_in_is_taken_again_as_it_is_then(
    porter: Porter, photo: bytes, drawing: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    porter.drop("a.jpg", photo)
    porter.claim()
    take_picture = Ingest.take_picture

    def write_on(ingest: Ingest, source: Path, target: Path) -> None:
        take_picture(ingest, source, target)
        target.write_bytes(photo + b"more")

    with monkeypatch.context() as changing:
        changing.setattr(Ingest, "take_picture", write_on)
        porter.worker().run_one("cpu")
    assert query(porter.root, "SELECT id FROM media") == []
    with porter.library.database.transaction() as tx:
        tx.execute("UPDATE work_queue SET run_at = NULL, status = 'pending'")
    porter.work()

    (row,) = query(porter.root, "SELECT sha256 FROM media")
    assert row["sha256"] == digest(photo + b"more")
    assert_books_are_closed(porter.root, [photo + b"more"])


def test_link_that_leads_nowhere_is_not_left_in_work_for_ever(porter: Porter, photo: bytes) -> None:
    porter.drop("a.jpg", photo)
    porter.claim()
    (waiting,) = files_in(porter.root / "work" / "import")
    waiting.unlink()
    waiting.symlink_to("nowhere")

    porter.work()

    assert not list((porter.root / "work" / "import").rglob("*.jpg"))
