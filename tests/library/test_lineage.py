"""Lineage is told in both directions, over several generations, whatever became of the sources."""

from __future__ import annotations

import itertools

import pytest

from hotfolder.library import lineage
from hotfolder.library.generations import Generation, GenerationInput, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.library.lineage import DEPTH_MAX, PICTURES_MAX, list_made_from, read_lineage
from hotfolder.library.media import Media, MediaStore

AT = "2026-11-21T03:00:00.000Z"


class Studio:
    """Makes pictures from pictures; a reference that no picture has is a file from outside."""

    def __init__(self, database):
        self.database = database
        self.generations = GenerationStore(database)
        self.media = MediaStore(database)
        with database.transaction() as tx:
            JobStore(database).insert(tx, Job("job", "received", "a.yaml", "a.yaml", b"", AT))

    def add(self, name, *sources, outside=(), review="none"):
        made_of = self._generation(name, sources, outside) if sources or outside else None
        self._insert(name, made_of, review)

    def _generation(self, name, sources, outside):
        generation = Generation(
            f"g-{name}", "job", None, "local", "local.x", "image-to-image", {"prompt": name}, 8, 8, 1,
            "pending", AT,
        )  # fmt: skip
        given = [*((each, each) for each in sources), *((None, each) for each in outside)]
        inputs = [
            GenerationInput(
                f"{name}-{position}", generation.generation_id, position, content, "refs/x.png", "x.jpg",
                original_name=f"{content}.png", role="style", media_id=media_id,
            )
            for position, (media_id, content) in enumerate(given)
        ]  # fmt: skip
        with self.database.transaction() as tx:
            self.generations.insert(tx, generation, inputs)
        return generation.generation_id

    def _insert(self, name, generation_id, review):
        media = Media(
            name, f"originals/{name}.png", f"thumbnails/{name}.jpg", f"{name}.png", "import", 8, 8, 1,
            "image/png", f"sha-{name}", f"sha-{name}", None, AT, generation_id=generation_id, review=review,
        )  # fmt: skip
        with self.database.transaction() as tx:
            self.media.insert(tx, media, ())

    def refer(self, name, source):
        """One more reference, as a cycle needs it."""
        with self.database.transaction() as tx:
            tx.execute(
                """
                INSERT INTO generation_inputs (id, generation_id, media_id, position, sha256, file_path,
                                               thumb_path, created_at)
                VALUES (?, ?, ?, 9, 's', 'refs/x.png', 'x.jpg', ?)
                """,
                (f"more-{name}", f"g-{name}", source, AT),
            )

    def delete(self, name):
        with self.database.transaction() as tx:
            tx.execute("UPDATE media SET deleted_at = ? WHERE id = ?", (AT, name))

    def purge(self, name):
        with self.database.transaction() as tx:
            tx.execute("DELETE FROM media WHERE id = ?", (name,))


@pytest.fixture
def studio(database):
    return Studio(database)


def levels(lineage):
    return {each.key: each.level for each in lineage.pictures}


def arrows(lineage):
    return {(each.source, each.target) for each in lineage.links}


def test_picture_without_relatives_stands_alone(database, studio):
    studio.add("a")

    found = read_lineage(database, "a")

    assert levels(found) == {"a": 0}
    assert (found.links, found.is_cut) == ((), False)


def test_lineage_goes_both_ways_over_generations(database, studio):
    for name, *sources in (["a"], ["b", "a"], ["c", "b"], ["d", "c"], ["e", "c"], ["beside", "a"]):
        studio.add(name, *sources)

    found = read_lineage(database, "c")

    assert levels(found) == {"a": -2, "b": -1, "c": 0, "d": 1, "e": 1}
    assert arrows(found) == {("a", "b"), ("b", "c"), ("c", "d"), ("c", "e")}
    own = next(each for each in found.pictures if each.key == "c")
    assert (own.mode, own.endpoint_key, own.prompt) == ("image-to-image", "local.x", "c")
    assert {each.role for each in found.links} == {"style"}


def test_source_that_was_used_twice_stands_before_all_that_came_of_it(database, studio):
    studio.add("a")
    studio.add("b", "a")
    studio.add("c", "b", "a")
    studio.add("d", "c", "b")

    assert levels(read_lineage(database, "d")) == {"a": -3, "b": -2, "c": -1, "d": 0}
    assert levels(read_lineage(database, "a")) == {"a": 0, "b": 1, "c": 2, "d": 3}


def test_deleted_source_keeps_its_place_and_its_own_sources(database, studio):
    studio.add("a")
    studio.add("b", "a")
    studio.add("c", "b")
    studio.delete("b")

    found = read_lineage(database, "c")

    assert levels(found) == {"a": -2, "b": -1, "c": 0}
    assert [each.media.deleted_at for each in found.pictures if each.key == "b"] == [AT]


def test_source_that_is_no_picture_of_the_library_keeps_its_reference(database, studio):
    studio.add("a")
    studio.add("b", "a", outside=["s1"])
    studio.purge("a")

    found = read_lineage(database, "b")

    assert levels(found) == {"sha256:a": -1, "sha256:s1": -1, "b": 0}
    assert all(each.media is None for each in found.pictures if each.level)
    assert [(each.position, each.original_name) for each in found.links] == [(0, "a.png"), (1, "s1.png")]


def test_deleted_picture_is_shown_only_between_others(database, studio):
    studio.add("a")
    studio.add("b", "a")
    studio.add("c", "b")
    studio.add("d", "a")
    studio.add("e", "d")
    for each in ("b", "d", "e"):
        studio.delete(each)

    found = read_lineage(database, "a")

    assert levels(found) == {"a": 0, "b": 1, "c": 2}
    assert arrows(found) == {("a", "b"), ("b", "c")}


def test_cycle_is_harmless(database, studio):
    studio.add("a")
    studio.add("b", "a")
    studio.add("c", "b")
    studio.refer("b", "c")
    studio.refer("c", "c")

    for each in "abc":
        found = read_lineage(database, each)
        assert set(levels(found)) == {"a", "b", "c"}
        assert max(map(abs, levels(found).values())) <= DEPTH_MAX


def test_lineage_ends_after_six_generations_and_says_so(database, studio):
    chain = [f"p{number}" for number in range(2 * DEPTH_MAX + 3)]
    studio.add(chain[0])
    for source, name in itertools.pairwise(chain):
        studio.add(name, source)

    whole, cut = read_lineage(database, chain[DEPTH_MAX]), read_lineage(database, chain[DEPTH_MAX + 1])

    assert min(levels(whole).values()) == -DEPTH_MAX
    assert min(levels(cut).values()) == -DEPTH_MAX
    assert max(levels(cut).values()) == DEPTH_MAX
    assert whole.is_cut  # on its other side
    assert cut.is_cut


def test_lineage_of_exactly_six_generations_is_not_cut(database, studio):
    chain = [f"p{number}" for number in range(DEPTH_MAX + 1)]
    studio.add(chain[0])
    for source, name in itertools.pairwise(chain):
        studio.add(name, source)

    assert not read_lineage(database, chain[0]).is_cut
    assert not read_lineage(database, chain[-1]).is_cut


def test_lineage_holds_at_most_two_hundred_pictures(database, studio):
    studio.add("a")
    for number in range(PICTURES_MAX + 5):
        studio.add(f"b{number}", "a")

    found = read_lineage(database, "a")

    assert len(found.pictures) == PICTURES_MAX
    assert found.is_cut
    newest = f"b{PICTURES_MAX + 4}"
    assert newest in levels(found)
    assert len(list_made_from(database, "a", limit=3)) == 3
    assert list_made_from(database, "a", limit=3)[0].media_id == newest


def test_visitors_learn_nothing_of_pictures_that_await_a_review(database, studio):
    studio.add("a", review="awaiting")
    studio.add("b", "a")
    studio.add("c", "b", review="awaiting")
    studio.add("d", "c")

    assert levels(read_lineage(database, "b", is_reviewed=True)) == {"b": 0}
    assert levels(read_lineage(database, "b")) == {"a": -1, "b": 0, "c": 1, "d": 2}
    assert list_made_from(database, "b", limit=9, is_reviewed=True) == []
    assert [each.media_id for each in list_made_from(database, "b", limit=9)] == ["c"]


def test_pictures_made_from_one_are_told_once_and_without_deleted_ones(database, studio):
    studio.add("a")
    studio.add("b", "a", "a")
    studio.add("c", "a")
    studio.add("d", "b")
    studio.delete("c")

    assert [each.media_id for each in list_made_from(database, "a", limit=9)] == ["b"]


@pytest.mark.parametrize("sql", ["_SOURCES_SQL", "_TARGETS_SQL", "_MADE_SQL"])
def test_relatives_are_found_by_indexes_without_sorting(database, sql):
    values = {"media_id": "a", "is_reviewed": 0, "limit": 9}
    plan = [row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {getattr(lineage, sql)}", values)]

    assert not any(step.startswith("SCAN") for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan
