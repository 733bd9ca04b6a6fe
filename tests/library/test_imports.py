"""How an import ended is said once."""

from __future__ import annotations

from hotfolder.domain.work import NewWork
from hotfolder.events import IMPORT_ENDED
from hotfolder.library.imports import ImportStore
from hotfolder.queue.store import WorkStore

MEDIA_ID = "019aa4a0-0000-7000-8000-0000000000ab"


def test_the_end_of_an_import_is_said_once(database):
    imports = ImportStore(database)
    assert not imports.has_ended(MEDIA_ID)
    for outcome in ("imported", "failed"):
        with database.transaction() as tx:
            imports.end(tx, MEDIA_ID, {"outcome": outcome})

    (event,) = [each for each in database.list_events(0) if each.topic == IMPORT_ENDED]
    assert (event.subject_type, event.subject_id, event.data) == ("media", MEDIA_ID, {"outcome": "imported"})
    assert imports.has_ended(MEDIA_ID)


def test_a_place_without_a_picture_is_free(database):
    assert not ImportStore(database).is_path_taken("/srv/a.png")


def test_asking_for_an_end_does_not_look_through_all_of_them(database):
    statements = []
    database.connection().set_trace_callback(statements.append)
    ImportStore(database).has_ended(MEDIA_ID)
    database.connection().set_trace_callback(None)

    plan = " ".join(row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {statements[0]}"))
    assert "idx_events_subject" in plan


def test_pictures_that_wait_are_counted_by_their_items(database):
    store, work = ImportStore(database), WorkStore(database)
    assert store.count_waiting() == 0
    with database.transaction() as tx:
        for number in range(30):
            payload = {"files": [{} for _ in range(16)]}
            work.enqueue(tx, NewWork("import.pictures", "cpu", payload, "imports", str(number)))
        work.enqueue(tx, NewWork("generation.finalize", "cpu", {}, "generation", "g"))
    assert store.count_waiting() == 480

    work.claim("cpu")
    assert store.count_waiting() == 464
