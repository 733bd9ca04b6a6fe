"""What people think of a picture: the last word counts, all words are kept, nonsense is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hotfolder.errors import LibraryError, NotFound
from hotfolder.library.media import MediaStore
from hotfolder.library.ratings import KEYWORDS_MAX, TEXT_MAX, RatingStore
from tests.library.test_media import PICTURE


@pytest.fixture
def media(database):
    return MediaStore(database)


@pytest.fixture
def ratings(database, media):
    with database.transaction() as tx:
        media.insert(tx, PICTURE, ["Bay", "dawn"])
    return RatingStore(database, media)


def events_of(database):
    return [each for each in database.list_events(0) if each.topic == "rating.changed"]


def test_a_rating_is_on_the_picture_in_the_history_and_in_an_event_with_who_gave_it(
    ratings, media, database, clock
):
    clock.advance(60)

    changed = ratings.change("m0", {"rating": 4, "status": "selected"}, "anna")

    assert changed == media.get("m0") == replace(PICTURE, rating=4, status="selected")
    history = [
        (each.field, each.old_value, each.new_value, each.actor, each.at)
        for each in ratings.list_history("m0")
    ]
    assert history == [
        ("rating", 0, 4, "anna", "2026-11-21T03:01:00.000Z"),
        ("status", None, "selected", "anna", "2026-11-21T03:01:00.000Z"),
    ]
    (event,) = events_of(database)
    assert (event.subject_id, event.actor, event.data) == ("m0", "anna", {"rating": 4, "status": "selected"})
    assert database.query_one("SELECT updated_at FROM media")["updated_at"] == "2026-11-21T03:01:00.000Z"


def test_the_last_word_counts_and_all_words_are_kept(ratings, media):
    for actor, rating in (("anna", 5), ("ben", 1), ("anna", 0)):
        ratings.change("m0", {"rating": rating}, actor)

    assert media.get("m0").rating == 0
    assert [(each.actor, each.old_value, each.new_value) for each in ratings.list_history("m0")] == [
        ("anna", 0, 5),
        ("ben", 5, 1),
        ("anna", 1, 0),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"rating": 0}, {"status": None}, {"title": "Übung"}, {"label": None}, {"description": None},
        {"keywords": ["Bay", "dawn"]}, {"keywords": ["dawn", "BAY", " bay "]}, {},
    ],
)  # fmt: skip
def test_what_is_so_already_makes_no_history_and_no_event(ratings, database, media, clock, changes):
    clock.advance(60)
    before = database.query_one("SELECT * FROM media")

    ratings.change("m0", changes, "anna")

    assert tuple(database.query_one("SELECT * FROM media")) == tuple(before)
    assert media.list_keywords("m0") == ["Bay", "dawn"]
    assert ratings.list_history("m0") == []
    assert events_of(database) == []


def test_of_several_fields_only_those_that_change_are_told(ratings, database):
    ratings.change("m0", {"rating": 0, "label": "red"}, "anna")

    assert [each.field for each in ratings.list_history("m0")] == ["label"]
    assert events_of(database)[0].data == {"label": "red"}


def test_a_decision_can_be_taken_back(ratings, media):
    ratings.change("m0", {"status": "rejected", "rating": 2}, "anna")
    ratings.change("m0", {"status": None, "rating": 0}, "anna")

    assert media.get("m0") == PICTURE


@pytest.mark.parametrize("number", range(6))
def test_every_rating_from_none_to_five_stars_is_possible(ratings, media, number):
    ratings.change("m0", {"rating": number}, "anna")

    assert media.get("m0").rating == number


@pytest.mark.parametrize(
    "changes",
    [
        *({"rating": each} for each in (True, False, 4.0, "4", math.nan, math.inf, -1, 6, 10**30, None, [4],
        {})),
        *({"status": each} for each in ("", "Selected", "none", True, 0, [], ["selected"], {}, math.nan)),
        *({"title": each} for each in (5, True, [], "x" * (TEXT_MAX + 1), "\ud800", "a\udfffb", "a\x00")),
        *({"label": each} for each in (math.nan, {}, "\udc00", "", "Red", "none", "pink", [])),
        *({"keywords": each} for each in (None, "bay", [""], [" "], [1], ["\ud800"],
        ["k"] * (KEYWORDS_MAX + 1), {"bay": 1})),
        {"keywords": ["x" * (TEXT_MAX + 1)]},
        {"sha256": "x"}, {"file_path": "../../etc/passwd"}, {"rating = 5 --": 1}, {"": 1},
        {"deleted_at": None},
    ],
)  # fmt: skip
def test_a_value_that_no_picture_can_have_is_refused_and_nothing_changes(ratings, media, database, changes):
    with pytest.raises(LibraryError) as caught:
        ratings.change("m0", {"rating": 3, **changes}, "anna")

    assert caught.value.code == "library.invalid_value"
    assert caught.value.hint
    assert media.get("m0") == PICTURE
    assert events_of(database) == []


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "'; DROP TABLE media; --", "\u202egnp.exe", "\x7f", "😀", "a\nb"]
)
def test_any_text_that_a_person_can_write_is_kept_as_it_is(ratings, media, text):
    assert ratings.change("m0", {"title": text}, "anna").title == text
    assert media.get("m0").title == text


def test_keywords_are_replaced_as_a_whole_and_their_history_tells_both(ratings, media):
    ratings.change("m0", {"keywords": [" hills ", "dawn"]}, "anna")

    assert media.list_keywords("m0") == ["dawn", "hills"]
    (change,) = ratings.list_history("m0")
    assert (change.old_value, change.new_value) == (["Bay", "dawn"], ["dawn", "hills"])


def test_keywords_can_all_be_taken_away(ratings, media):
    ratings.change("m0", {"keywords": []}, "anna")

    assert media.list_keywords("m0") == []


def test_a_picture_that_does_not_exist_is_not_found(ratings):
    with pytest.raises(NotFound, match="none"):
        ratings.change("none", {"rating": 1}, "anna")


def test_a_deleted_picture_is_not_rated(ratings, database):
    with database.transaction() as tx:
        tx.execute("UPDATE media SET deleted_at = ?", (tx.at,))

    with pytest.raises(NotFound):
        ratings.change("m0", {"rating": 1}, "anna")


def test_the_history_goes_with_its_picture(ratings, database):
    ratings.change("m0", {"rating": 1}, "anna")
    with database.transaction() as tx:
        tx.execute("DELETE FROM media")

    assert ratings.list_history("m0") == []


def test_the_history_of_a_picture_is_found_by_its_index(ratings, database):
    statements = []
    database.connection().set_trace_callback(statements.append)
    ratings.list_history("m0")
    database.connection().set_trace_callback(None)

    plan = " ".join(row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {statements[0]}"))
    assert "idx_rating_history_media" in plan
    assert "TEMP B-TREE" not in plan
