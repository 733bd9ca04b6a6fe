"""Many pictures change under one id, are told of once, and go back where nobody has changed them since."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hotfolder.errors import LibraryError, NotFound
from hotfolder.library.changes import CHUNK, TOLD_MAX, ChangeStore, check_changes, tell_many
from hotfolder.library.media import MediaStore
from hotfolder.library.ratings import RatingStore
from hotfolder.library.trash import Trash
from tests.library.test_media import PICTURE

IDS = ("m0", "m1", "m2")


def discard_nothing(tx, media_id, actor):
    raise AssertionError("no picture awaits a review here")


@pytest.fixture
def media(database):
    store = MediaStore(database)
    with database.transaction() as tx:
        for each in IDS:
            picture = replace(PICTURE, media_id=each, file_path=f"originals/{each}.png")
            store.insert(tx, picture, ["Bay"] if each == "m1" else [])
    return store


@pytest.fixture
def ratings(database, media):
    return RatingStore(database, media)


@pytest.fixture
def queued():
    return []


@pytest.fixture
def trash(database, queued):
    return Trash(database, lambda tx, work: queued.append(work), discard_nothing)


@pytest.fixture
def changes(database, media, ratings, trash):
    return ChangeStore(database, media, ratings, trash)


def ratings_of(media):
    return [media.get(each).rating for each in IDS]


def test_many_pictures_change_together_and_only_those_that_were_otherwise_are_counted(
    changes, ratings, media
):
    ratings.change("m2", {"rating": 4}, "ben")

    changed, _ = changes.change("c1", IDS, check_changes({"rating": 4}), "anna")

    assert changed == ["m0", "m1"]
    assert ratings_of(media) == [4, 4, 4]
    assert changes.change("c2", IDS, check_changes({"rating": 4}), "anna") == ([], [])
    assert changes.list_changed("c1") == ["m0", "m1"]


def test_change_is_told_once_with_what_was_asked_for(changes, database):
    wanted = check_changes({"status": "selected", "addKeywords": ["dawn"]})
    before = database.last_event_seq()

    changed, _ = changes.change("c1", IDS, wanted, "anna")
    assert [each for each in database.list_events(before) if each.topic == "rating.changed"] == []
    changes.announce("c1", changed, wanted, "anna")

    (event,) = [each for each in database.list_events(before) if each.topic == "rating.changed"]
    assert (event.subject_type, event.subject_id, event.actor) == ("change", "c1", "anna")
    told = {"status": "selected", "addKeywords": ["dawn"]}
    assert event.data == {"count": 3, "mediaIds": list(IDS), "changes": told}
    assert "mediaIds" not in tell_many(["m"] * (TOLD_MAX + 1))


def test_keywords_come_and_go_beside_those_that_are_there(changes, media, database):
    changes.change("c1", IDS, check_changes({"addKeywords": ["dawn", "BAY"], "removeKeywords": []}), "a")
    changes.change("c2", ["m0"], check_changes({"removeKeywords": ["DAWN", "unknown"]}), "a")

    assert [media.list_keywords(each) for each in IDS] == [["Bay"], ["Bay", "dawn"], ["Bay", "dawn"]]
    found = database.query("SELECT keywords FROM media_texts ORDER BY number")
    assert [sorted(row[0].split()) for row in found] == [["Bay"], ["Bay", "dawn"], ["Bay", "dawn"]]


def test_undo_puts_back_what_each_picture_had(changes, ratings, media):
    ratings.change("m1", {"rating": 2, "label": "red"}, "ben")
    before = [media.get(each) for each in IDS]
    wanted = check_changes({"rating": 5, "label": None, "status": "rejected", "addKeywords": ["dawn"]})
    changes.change("c1", IDS, wanted, "anna")

    assert changes.undo("c1", "u1", IDS, "anna") == list(IDS)

    assert [media.get(each) for each in IDS] == before
    assert [media.list_keywords(each) for each in IDS] == [[], ["Bay"], []]


def test_later_changes_of_others_win_over_an_undo_field_by_field(changes, ratings, media):
    wanted = check_changes({"rating": 5, "status": "selected", "addKeywords": ["dawn"]})
    changes.change("c1", IDS, wanted, "anna")
    ratings.change("m0", {"rating": 3}, "ben")
    ratings.change("m1", {"keywords": ["Bay", "dawn", "night"]}, "ben")

    changes.undo("c1", "u1", IDS, "anna")

    assert ratings_of(media) == [3, 0, 0]
    assert [media.get(each).status for each in IDS] == [None, None, None]
    assert media.list_keywords("m1") == ["Bay", "night"]


def test_undo_again_changes_nothing_and_an_undo_can_be_taken_back(changes, media, database):
    changes.change("c1", IDS, check_changes({"rating": 5}), "anna")
    undone = changes.undo("c1", "u1", IDS, "ben")
    changes.announce_undo("c1", "u1", undone, "ben")

    assert changes.undo("c1", "u2", IDS, "ben") == []
    event = database.list_events(0)[-1]
    assert event.data == {"count": 3, "mediaIds": list(IDS), "undoes": "c1"}
    assert (event.topic, event.subject_id, event.actor) == ("rating.changed", "u1", "ben")
    assert changes.undo("u1", "u3", changes.list_changed("u1"), "ben") == list(IDS)
    assert ratings_of(media) == [5, 5, 5]


def test_change_goes_on_after_a_crash_between_two_pieces(changes, media):
    wanted = check_changes({"rating": 5})
    changes.change("c1", ["m0"], wanted, "anna")  # and the process dies before the next piece

    assert changes.change("c2", IDS, wanted, "anna") == (["m1", "m2"], [])
    assert changes.undo("c2", "u2", IDS, "anna") == ["m1", "m2"]
    assert changes.undo("c1", "u1", ["m0"], "anna") == ["m0"]
    assert ratings_of(media) == [0, 0, 0]


def test_deleted_and_unknown_pictures_are_left_alone(changes, trash, media):
    trash.trash("t1", ["m0"], "anna")

    changed, skipped = changes.change("c1", ["m0", "nothing", "m1"], check_changes({"rating": 5}), "anna")

    assert (changed, skipped) == (["m1"], [])
    assert media.get("m0").rating == 0


def test_undo_of_a_trash_restores_but_not_what_was_deleted_anew(changes, trash, media, clock, database):
    trash.trash("t1", IDS, "anna")
    clock.advance(5)
    trash.restore("r1", ["m1"], "ben")
    trash.trash("t2", ["m1"], "ben")

    assert changes.is_of_trash("t1")
    undone = changes.undo("t1", "u1", changes.list_changed("t1"), "anna")
    changes.announce_undo("t1", "u1", undone, "anna")

    assert undone == ["m0", "m2"]
    assert [media.get(each).deleted_at is None for each in IDS] == [True, False, True]
    event = database.list_events(0)[-1]
    assert (event.topic, event.data["restored"], event.data["undoes"]) == ("library.updated", True, "t1")
    assert changes.undo("u1", "u2", changes.list_changed("u1"), "anna") == ["m0", "m2"]
    assert [media.get(each).deleted_at is None for each in IDS] == [False, False, False]


@pytest.mark.parametrize(
    "given",
    [
        None, [], {}, {"rating": 6}, {"status": "maybe"}, {"title": "x"}, {"addKeywords": "dawn"},
        {"addKeywords": [""]}, {"removeKeywords": [1]}, {"rating": 1, "deleted_at": None},
        {"label": 7}, {"label": "Red"}, {"addKeywords": None},
    ],
)  # fmt: skip
def test_change_that_no_picture_can_have_is_refused(given):
    with pytest.raises(LibraryError) as caught:
        check_changes(given)

    assert caught.value.code == "library.invalid_value"


def test_picture_without_room_for_more_keywords_is_left_as_it_is_and_the_others_change(changes, media):
    changes.change("c1", ["m2"], check_changes({"addKeywords": [f"a{each}" for each in range(499)]}), "a")

    wanted = check_changes({"rating": 1, "addKeywords": ["b", "c"]})

    assert changes.change("c2", IDS, wanted, "anna") == (["m0", "m1"], ["m2"])
    assert ratings_of(media) == [1, 1, 0]
    assert len(media.list_keywords("m2")) == 499


def test_undo_leaves_what_others_changed_away_and_back_again(changes, ratings, media):
    wanted = check_changes({"rating": 5, "label": "red", "addKeywords": ["dawn", "noon"]})
    changes.change("c1", ["m0", "m1"], wanted, "anna")
    for rating, words in ((3, ["noon"]), (5, ["dawn", "noon"])):
        ratings.change("m0", {"rating": rating, "keywords": words}, "ben")

    changes.undo("c1", "u1", ["m0", "m1"], "anna")

    assert ratings_of(media) == [5, 0, 0]
    assert (media.get("m0").label, media.list_keywords("m0")) == (None, ["dawn"])
    assert media.list_keywords("m1") == ["Bay"]


def test_undo_of_a_restore_leaves_what_others_deleted_and_restored_since(changes, trash, media, clock):
    trash.trash("t1", ["m0", "m1"], "anna")
    trash.restore("r1", ["m0", "m1"], "anna")
    clock.advance(5)
    trash.trash("t2", ["m0"], "ben")
    trash.restore("r2", ["m0"], "ben")

    assert changes.undo("r1", "u1", changes.list_changed("r1"), "anna") == ["m1"]
    assert media.get("m0").deleted_at is None


def test_undo_does_not_break_at_a_picture_that_has_no_room_for_its_old_keywords(changes, ratings, media):
    changes.change("c1", IDS, check_changes({"rating": 5, "removeKeywords": ["Bay"]}), "anna")
    ratings.change("m1", {"keywords": [f"a{each}" for each in range(500)]}, "ben")

    assert changes.undo("c1", "u1", IDS, "anna") == list(IDS)

    assert ratings_of(media) == [0, 0, 0]
    assert len(media.list_keywords("m1")) == 500


def test_undo_puts_back_the_label_that_another_program_had_given(changes, media, database):
    with database.transaction() as tx:
        tx.execute("UPDATE media SET label = 'Winner' WHERE id = 'm0'")
    changes.change("c1", IDS, check_changes({"label": "red"}), "anna")

    changes.undo("c1", "u1", IDS, "anna")

    assert [media.get(each).label for each in IDS] == ["Winner", None, None]


def test_unknown_change_cannot_be_taken_back_and_a_piece_has_a_size(changes):
    with pytest.raises(NotFound):
        changes.list_changed("nothing")
    with pytest.raises(ValueError, match="more than"):
        changes.undo("c", "u", ["m"] * (CHUNK + 1), "anna")


def test_history_of_a_change_is_found_by_its_id(database):
    sql = "SELECT DISTINCT media_id FROM rating_history WHERE change_id = ?"
    plan = " | ".join(row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {sql}", ("c",)))

    assert "idx_rating_history_change" in plan
