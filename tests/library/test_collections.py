from __future__ import annotations

from hotfolder.database import Database
from hotfolder.events import LIBRARY_UPDATED
from hotfolder.library.collections import CollectionStore
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
