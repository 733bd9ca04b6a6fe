"""Deleted pictures are in the trash: they come back as they were, or go for good; their files follow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hotfolder.errors import NotFound
from hotfolder.library.media import MediaStore
from hotfolder.library.trash import FILES_DELAY_S, MEDIA_FILES, MEDIA_PURGE, PICTURES_AN_ITEM, Trash
from tests.library.test_media import PICTURE

IDS = ("m0", "m1", "m2")
NOW = "2026-11-21T03:00:00.000Z"


@pytest.fixture
def media(database):
    store = MediaStore(database)
    with database.transaction() as tx:
        for each in IDS:
            review = "awaiting" if each == "m2" else "none"
            picture = replace(PICTURE, media_id=each, file_path=f"originals/{each}.png", review=review)
            store.insert(tx, picture, ["Bay"])
    return store


@pytest.fixture
def queued():
    return []


@pytest.fixture
def discarded():
    return []


@pytest.fixture
def trash(database, media, queued, discarded):
    def discard(tx, media_id, actor):
        media.set_review(tx, media_id, "discarded", actor)
        discarded.append(media_id)

    return Trash(database, lambda tx, work: queued.append(work), discard)


def test_deleted_picture_comes_back_as_it_was(trash, media, clock):
    before = media.get("m0")

    assert trash.trash("t1", ["m0", "nothing"], "anna") == ["m0"]
    assert media.get("m0").deleted_at == NOW
    assert trash.trash("t2", ["m0"], "anna") == []
    assert trash.list_all() == ["m0"]
    clock.advance(60)
    assert trash.restore("r1", ["m0", "m1"], "anna") == ["m0"]

    assert media.get("m0") == before
    assert trash.restore("r2", ["m0"], "anna") == []
    assert trash.list_all() == []


def test_files_follow_a_while_later_so_that_an_undo_finds_them_in_place(trash, queued):
    trash.trash("t1", ["m0", "m1"], "anna")
    trash.restore("r1", ["m0"], "anna")

    put_in, taken_out = queued
    assert (put_in.task_type, put_in.lane, put_in.correlation_id) == (MEDIA_FILES, "io", "t1")
    assert put_in.payload == {"pictures": {"m0": NOW, "m1": NOW}}
    assert put_in.run_at == f"2026-11-21T03:00:{FILES_DELAY_S:06.3f}Z"
    assert put_in.priority < taken_out.priority == 0
    assert (taken_out.payload, taken_out.run_at) == ({"pictures": {"m0": NOW}}, None)


def test_one_deleted_picture_is_told_by_its_id(trash, media, database):
    change_id = trash.trash_one("m0", "anna")

    event = database.list_events(0)[-1]
    assert (event.topic, event.subject_type, event.subject_id, event.actor, event.data) == (
        "library.updated", "media", "m0", "anna", {"deleted": True},
    )  # fmt: skip
    row = database.query_one("SELECT * FROM rating_history WHERE change_id = ?", (change_id,))
    assert (row["media_id"], row["field"], row["old_value"], row["actor"]) == (
        "m0", "deleted_at", "null", "anna",
    )  # fmt: skip
    with pytest.raises(NotFound):
        trash.trash_one("m0", "anna")


def test_many_deleted_pictures_are_told_once(trash, database):
    deleted = trash.trash("t1", IDS[:2], "anna")
    trash.announce("t1", deleted, "deleted", "anna")

    event = database.list_events(0)[-1]
    assert (event.subject_type, event.subject_id) == ("change", "t1")
    assert event.data == {"deleted": True, "count": 2, "mediaIds": ["m0", "m1"]}
    assert [each for each in database.list_events(0) if each.data.get("deleted")] == [event]


def test_picture_that_awaited_its_review_awaits_it_again_when_it_comes_back_from_the_trash(
    trash, media, discarded
):
    trash.trash("t1", IDS, "anna")
    trash.restore("r1", IDS, "anna")

    assert discarded == []
    assert (media.get("m2").review, media.get("m0").review) == ("awaiting", "none")


def test_picture_that_was_discarded_is_accepted_by_who_takes_it_back(trash, media, database):
    with database.transaction() as tx:
        media.set_review(tx, "m2", "discarded", "anna")

    trash.restore("r1", IDS, "anna")

    assert (media.get("m2").review, media.get("m2").deleted_at) == ("accepted", None)


def test_picture_that_awaits_a_review_is_discarded_when_it_goes_for_good(trash, media, discarded):
    trash.trash("t1", IDS, "anna")
    trash.restore("r1", ["m2"], "ben")
    assert trash.purge(IDS) == ["m0", "m1"]
    assert discarded == []
    trash.trash("t2", ["m2"], "ben")

    trash.purge(IDS)

    assert discarded == ["m2"]


def test_purged_picture_is_gone_and_what_was_made_from_it_says_so(trash, media, database, queued):
    with database.transaction() as tx:
        tx.execute(
            """
            INSERT INTO generations (id, provider, endpoint_key, mode, params_json, status, created_at)
            VALUES ('g', 'local', 'e', 'image-to-image', '{}', 'completed', '2026')
            """
        )
        tx.execute(
            """
            INSERT INTO generation_inputs (
                id, generation_id, media_id, position, sha256, file_path, thumb_path, created_at
            )
            VALUES ('i', 'g', 'm0', 0, 'abc', 'refs/abc.png', 'ref_thumbnails/0.jpg', '2026')
            """
        )
    trash.trash("t1", ["m0"], "anna")

    assert trash.purge(["m0", "m1"]) == ["m0"]
    assert trash.purge(["m0", "m1"]) == []

    assert media.find("m0") is None
    assert media.get("m1").deleted_at is None
    given = database.query_one("SELECT * FROM generation_inputs")
    assert (given["media_id"], given["sha256"], given["thumb_path"]) == (None, "abc", "ref_thumbnails/0.jpg")
    assert database.query("SELECT 1 FROM media_keywords WHERE media_id = 'm0'") == []
    assert database.query("SELECT 1 FROM media_texts WHERE number = 1") == []
    assert queued[-1].task_type == MEDIA_PURGE
    assert queued[-1].payload == {
        "pictures": [
            {
                "mediaId": "m0",
                "filePath": "originals/m0.png",
                "thumbPath": PICTURE.thumb_path,
                "createdAt": PICTURE.created_at,
                "deletedAt": NOW,
            }
        ]
    }


def test_work_of_many_pictures_is_cut_into_items_that_leave_the_lane_soon(database, queued):
    store = MediaStore(database)
    ids = [f"n{each}" for each in range(PICTURES_AN_ITEM + 1)]
    with database.transaction() as tx:
        for each in ids:
            store.insert(tx, replace(PICTURE, media_id=each, file_path=f"originals/{each}.png"), ())
    trash = Trash(database, lambda tx, work: queued.append(work), lambda tx, media_id, actor: None)

    trash.trash("t1", ids, "anna")
    trash.purge(ids)

    assert [len(each.payload["pictures"]) for each in queued] == [PICTURES_AN_ITEM, 1] * 2


def test_trash_is_listed_by_an_index(database):
    sql = "SELECT id FROM media WHERE deleted_at IS NOT NULL ORDER BY deleted_at"
    plan = " | ".join(row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {sql}"))

    assert "idx_media_deleted" in plan
    assert "TEMP B-TREE" not in plan
