"""Collections have pictures in an order, or a filter; each has a name of its own."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from hotfolder.database import Database
from hotfolder.errors import LibraryError, NotFound
from hotfolder.events import LIBRARY_UPDATED
from hotfolder.library.collections import ORDERED_MAX, Collection, CollectionStore
from hotfolder.library.media import Media, MediaStore

PICTURE = Media(
    "1", "originals/1.png", "t/1.jpg", "1.png", "import", 1, 1, 1, "image/png", "a", "a", "a", "2026"
)


def test_collection_is_made_once_and_a_picture_is_in_it_once(database: Database) -> None:
    store = CollectionStore(database)
    with database.transaction() as tx:
        MediaStore(database).insert(tx, PICTURE, ())
    before = database.last_event_seq()

    for name in ("Spring", "spring", "Spring"):
        with database.transaction() as tx:
            store.add_media(tx, name, "1")

    assert store.list_media("SPRING") == ["1"]
    assert [row["name"] for row in database.query("SELECT name FROM collections")] == ["Spring"]
    (event,) = database.list_events(before)
    assert (event.topic, event.subject_type, event.data) == (
        LIBRARY_UPDATED,
        "collection",
        {"added": "Spring"},
    )


def test_collection_that_is_not_there_is_empty(database: Database) -> None:
    assert CollectionStore(database).list_media("none") == []


@pytest.fixture
def store(database: Database) -> CollectionStore:
    with database.transaction() as tx:
        for each in ("1", "2", "3", "4"):
            MediaStore(database).insert(tx, replace(PICTURE, media_id=each, file_path=each), ())
    return CollectionStore(database)


def ids_of(store: CollectionStore, collection: Collection) -> list[str]:
    return store.list_media(collection.name)


def test_pictures_join_at_the_end_and_are_put_in_order(store: CollectionStore, database: Database) -> None:
    spring = store.make(" Spring ", None, "anna")

    assert store.add(spring.collection_id, ["2", "1", "2", "nothing"]) == ["2", "1"]
    assert store.add(spring.collection_id, ["1", "3"]) == ["3"]
    store.order(spring.collection_id, ["3", "1", "2"], "anna")
    assert ids_of(store, spring) == ["3", "1", "2"]
    store.add(spring.collection_id, ["4"])
    assert ids_of(store, spring) == ["3", "1", "2", "4"]
    store.order(spring.collection_id, ["4", "1", "nothing"], "anna")

    assert ids_of(store, spring) == ["3", "4", "2", "1"]
    assert database.list_events(0)[-1].data == {"ordered": 4}
    before = database.last_event_seq()
    store.order(spring.collection_id, ["3", "4"], "anna")
    assert database.last_event_seq() == before


def test_thousands_of_pictures_are_put_in_order_at_once_and_not_within_a_minute(database: Database) -> None:
    store = CollectionStore(database)
    ids = [f"{each:05}" for each in range(5000)]
    with database.transaction() as tx:
        for each in ids:
            MediaStore(database).insert(tx, replace(PICTURE, media_id=each, file_path=each), ())
    large = store.make("Large", None, "anna")
    store.add(large.collection_id, ids)
    before, began = database.last_event_seq(), time.process_time()

    store.order(large.collection_id, ids[::-1], "anna")

    assert time.process_time() - began < 1
    assert ids_of(store, large) == ids[::-1]
    assert len(ids) > 2 * ORDERED_MAX
    assert [each.data for each in database.list_events(before)] == [{"ordered": len(ids)}]
    places = "SELECT count(*) FROM media_changes WHERE scope = ?"
    changes = database.query_one(places, (large.collection_id,))
    store.order(large.collection_id, [ids[0], ids[1]], "anna")
    after = database.query_one(places, (large.collection_id,))
    assert changes is not None
    assert after is not None
    assert after[0] - changes[0] == 2  # only those that moved are written


def test_finished_picture_joins_no_live_collection_and_is_not_lost_for_it(
    store: CollectionStore, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    best = store.make("Best", "minRating=5", "anna")

    with database.transaction() as tx:
        store.add_media(tx, "best", "1")

    assert ids_of(store, best) == []
    assert "picture 1 does not join 'Best'" in caplog.text
    with pytest.raises(LibraryError, match="live collection") as caught, database.transaction() as tx:
        store.add_chosen(tx, "best", "1")
    assert (caught.value.code, bool(caught.value.hint)) == ("library.invalid_value", True)


def test_pictures_that_leave_are_no_longer_counted_nor_are_deleted_ones(
    store: CollectionStore, database: Database
) -> None:
    spring = store.make("Spring", None, "anna")
    store.add(spring.collection_id, ["1", "2", "3", "4"])
    with database.transaction() as tx:
        tx.execute("UPDATE media SET deleted_at = '2026' WHERE id = '1'")
        tx.execute("UPDATE media SET review = 'awaiting' WHERE id = '2'")

    assert store.remove(spring.collection_id, ["4", "4", "nothing"]) == ["4"]
    assert store.count_media() == {spring.collection_id: 2}
    assert store.count_media(is_reviewed=True) == {spring.collection_id: 1}
    assert store.add(spring.collection_id, ["1"]) == []


def test_live_collection_is_a_filter_with_a_name(store: CollectionStore) -> None:
    best = store.make("Best", "minRating=4", "anna")

    assert (best.kind, best.query) == ("live", "minRating=4")
    assert store.change(best.collection_id, None, "minRating=5", "anna").query == "minRating=5"
    for act in (
        lambda: store.add(best.collection_id, ["1"]),
        lambda: store.remove(best.collection_id, ["1"]),
        lambda: store.order(best.collection_id, ["1"], "anna"),
        lambda: store.change(store.make("Spring", None, "anna").collection_id, None, "q=x", "anna"),
    ):
        with pytest.raises(LibraryError) as caught:
            act()
        assert caught.value.code == "library.invalid_value"


def test_two_collections_have_no_name_in_common_whatever_its_case(store: CollectionStore) -> None:
    spring, autumn = store.make("Spring", None, "anna"), store.make("Autumn", None, "anna")

    for act in (
        lambda: store.make("SPRING", None, "anna"),
        lambda: store.change(autumn.collection_id, "spring", None, "anna"),
    ):
        with pytest.raises(LibraryError) as caught:
            act()
        assert caught.value.code == "library.duplicate_name"
    assert store.change(spring.collection_id, "SPRING", None, "anna").name == "SPRING"
    assert [each.name for each in store.list_collections()] == ["Autumn", "SPRING"]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201, "a\u202eb"])
def test_name_that_cannot_be_shown_is_refused(store: CollectionStore, name: str) -> None:
    with pytest.raises(LibraryError):
        store.make(name, None, "anna")

    assert store.list_collections() == []


def test_removed_collection_leaves_its_pictures_in_the_library(
    store: CollectionStore, database: Database
) -> None:
    spring = store.make("Spring", None, "anna")
    store.add(spring.collection_id, ["1"])

    assert store.delete(spring.collection_id, "anna") == spring

    assert MediaStore(database).get("1").deleted_at is None
    assert database.query("SELECT 1 FROM collection_media") == []
    for act in (store.get, lambda each: store.delete(each, "anna"), lambda each: store.add(each, ["1"])):
        with pytest.raises(NotFound):
            act(spring.collection_id)
