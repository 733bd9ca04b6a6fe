"""What visitors are told nothing of, by the ids of pictures and of the generations that made them."""

from __future__ import annotations

import pytest

from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.library.media import Media, MediaStore
from hotfolder.library.unseen import find_unseen

AT = "2026-11-21T03:00:00.000Z"


@pytest.fixture
def pictures(database):
    """One generated picture for each state of a review, with a keyword of its own and a shared one."""
    generations, media = GenerationStore(database), MediaStore(database)
    with database.transaction() as tx:
        JobStore(database).insert(tx, Job("job", "received", "a.yaml", "a.yaml", b"", AT))
        for name in ("none", "awaiting", "accepted", "discarded"):
            generation = Generation(
                f"g-{name}", "job", None, "local", "local.x", "text-to-image", {"prompt": name}, 8, 8, 1,
                "pending", AT,
            )  # fmt: skip
            generations.insert(tx, generation, [])
            picture = Media(
                media_id=name, file_path=f"originals/{name}.png", thumb_path="t", file_name=f"{name}.png",
                origin="generation", width=8, height=8, file_size=1, mime_type="image/png", sha256=name,
                file_sha256=name, pixel_sha256=name, created_at=AT, generation_id=f"g-{name}",
            )  # fmt: skip
            media.insert(tx, picture, ["shared", f"of {name}"])
            tx.execute("UPDATE media SET review = :name WHERE id = :name", {"name": name})
        tx.execute("UPDATE media SET deleted_at = ? WHERE id = 'discarded'", (AT,))
    return database


def test_pictures_in_review_and_their_generations_are_unseen(pictures):
    names = ("none", "awaiting", "accepted", "discarded", "nowhere")
    asked = [*names, *(f"g-{each}" for each in names)]

    assert find_unseen(pictures, asked) == {"awaiting", "discarded", "g-awaiting", "g-discarded"}
    assert find_unseen(pictures, ["none", "g-accepted"]) == find_unseen(pictures, []) == frozenset()


def test_discarded_picture_that_was_taken_out_of_the_trash_is_seen(pictures):
    with pictures.transaction() as tx:
        tx.execute("UPDATE media SET deleted_at = NULL WHERE id = 'discarded'")

    assert find_unseen(pictures, ["discarded", "awaiting"]) == {"awaiting"}


def test_tables_of_visitors_hold_neither_the_trash_nor_what_awaits_a_review(pictures):
    shown = pictures.query("SELECT id, keywords FROM pictures ORDER BY number")
    words = pictures.query("SELECT keyword, n FROM picture_keywords ORDER BY keyword")

    assert [row["id"] for row in shown] == ["none", "accepted"]
    assert {frozenset(row["keywords"].split(", ")) for row in shown} == {
        frozenset({"shared", "of none"}),
        frozenset({"shared", "of accepted"}),
    }
    assert [tuple(row) for row in words] == [("of accepted", 1), ("of none", 1), ("shared", 2)]


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (
            "SELECT * FROM pictures ORDER BY created_at DESC LIMIT 101",
            "SCAN media USING INDEX idx_media_created",
        ),
        ("SELECT count(*) FROM pictures", "SCAN media USING INDEX idx_media_shown"),
        ("SELECT * FROM picture_keywords", "SCAN media USING INDEX idx_media_awaiting"),
    ],
)
def test_tables_of_visitors_are_read_by_an_index(pictures, sql, index):
    plan = [row["detail"] for row in pictures.query(f"EXPLAIN QUERY PLAN {sql}")]

    assert index in plan
    assert not [each for each in plan if each == "SCAN media" or "ORDER BY" in each]
