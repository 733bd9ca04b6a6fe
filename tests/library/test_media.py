"""Pictures and their keywords."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from hotfolder.errors import NotFound
from hotfolder.library.media import Media, MediaStore

PICTURE = Media(
    media_id="m0",
    file_path="originals/2026/11/m0.png",
    thumb_path="thumbnails/m0/m0.jpg",
    file_name="m0.png",
    origin="import",
    width=64,
    height=48,
    file_size=1234,
    mime_type="image/png",
    sha256="a" * 64,
    file_sha256="a" * 64,
    pixel_sha256="p" * 64,
    created_at="2026-11-21T03:00:00.000Z",
    title="Übung",
)


@pytest.fixture
def media(database):
    return MediaStore(database)


@pytest.fixture
def add(database, media):
    """Adds a picture like PICTURE."""

    def insert(media_id="m0", keywords=(), **values):
        path = f"originals/2026/11/{media_id}.png"
        picture = replace(PICTURE, media_id=media_id, file_path=path, **values)
        with database.transaction() as tx:
            media.insert(tx, picture, keywords)
        return picture

    return insert


def keywords_of(database, media_id):
    rows = database.query(
        """
        SELECT keyword FROM keywords JOIN media_keywords ON keyword_id = keywords.id
        WHERE media_id = ? ORDER BY keyword
        """,
        (media_id,),
    )
    return [row["keyword"] for row in rows]


def test_a_picture_is_read_as_it_was_written(media, add):
    add()

    assert media.get("m0") == PICTURE


def test_a_picture_that_does_not_exist_is_not_found(media):
    with pytest.raises(NotFound, match="none"):
        media.get("none")


def test_a_new_picture_is_an_event_that_names_its_file(database, add):
    add()

    (event,) = database.list_events(0)
    assert (event.topic, event.subject_id) == ("library.updated", "m0")
    assert event.data == {"added": "originals/2026/11/m0.png"}


def test_a_new_picture_is_unrated_unpicked_and_not_under_review(database, add):
    add()

    row = database.query_one("SELECT rating, status, review, media_type, deleted_at FROM media")
    assert tuple(row) == (0, None, "none", "image", None)


def test_two_pictures_cannot_lie_at_the_same_place(database, media, add):
    add("m0")

    with pytest.raises(sqlite3.IntegrityError), database.transaction() as tx:
        media.insert(tx, replace(PICTURE, media_id="m1"), ())


def test_pictures_share_their_keywords(database, add):
    add("m0", ["bay", "dawn"])
    add("m1", ["dawn", "hills"])

    assert keywords_of(database, "m0") == ["bay", "dawn"]
    assert keywords_of(database, "m1") == ["dawn", "hills"]
    assert len(database.query("SELECT * FROM keywords")) == 3


@pytest.mark.parametrize("spellings", [("Bay", "bay", "BAY"), ("Ölbild", "ölbild", "ÖLBILD")])
def test_a_keyword_is_the_same_in_whatever_case_it_is_written(database, add, spellings):
    add("m0", spellings)
    add("m1", spellings[::-1])

    assert keywords_of(database, "m0") == [spellings[0]]
    assert keywords_of(database, "m1") == [spellings[0]]
    assert len(database.query("SELECT * FROM keywords")) == 1


def test_a_keyword_given_twice_is_kept_once(database, add):
    add("m0", ["bay", "bay"])

    assert keywords_of(database, "m0") == ["bay"]


def test_letters_with_different_accents_are_different_keywords(database, add):
    add("m0", ["ete", "été"])

    assert len(keywords_of(database, "m0")) == 2


def test_the_keywords_of_a_picture_that_could_not_be_added_do_not_stay(database, media, add):
    add("m0")
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as tx:
        media.insert(tx, replace(PICTURE, generation_id="no such generation"), ["new"])

    assert database.query("SELECT * FROM keywords") == []


@pytest.mark.parametrize("content", ["a" * 64, "b" * 64])
def test_a_picture_is_found_by_the_bytes_it_came_with_and_those_it_has_now(media, add, content):
    changed = add(sha256="a" * 64, file_sha256="b" * 64)

    assert media.find_by_content(content) == changed


def test_the_pixels_alone_do_not_make_it_the_same_file(media, add):
    add()

    assert media.find_by_content("p" * 64) is None


def test_of_two_equal_pictures_the_older_is_found(media, add):
    add("m0", created_at="2026-11-21T04:00:00.000Z")
    add("m1", created_at="2026-11-21T03:00:00.000Z")

    assert media.find_by_content("a" * 64).media_id == "m1"


def test_a_picture_in_the_trash_is_not_found_by_its_content(database, media, add):
    add()
    with database.transaction() as tx:
        tx.execute("UPDATE media SET deleted_at = ?", (tx.at,))

    assert media.find_by_content("a" * 64) is None


def test_the_outputs_of_a_generation_are_listed_in_order(database, media, add):
    with database.transaction() as tx:
        tx.execute(
            """
            INSERT INTO generations (id, provider, endpoint_key, mode, params_json, status, created_at)
            VALUES ('g', 'local', 'e', 'text-to-image', '{}', 'completed', '')
            """
        )
    add("m1", generation_id="g", origin="generation")
    add("m0", generation_id="g", origin="generation")
    add("m2")

    assert [each.media_id for each in media.list_of_generation("g")] == ["m0", "m1"]


def test_content_is_looked_up_by_both_indexes(database, media):
    statements = []
    database.connection().set_trace_callback(statements.append)
    media.find_by_content("a" * 64)
    database.connection().set_trace_callback(None)

    plan = " ".join(row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {statements[0]}"))
    assert "idx_media_sha256" in plan
    assert "idx_media_file_sha256" in plan
    assert "SCAN" not in plan
