"""Any filter in any order gives what looking at every picture gives, whatever was changed by whom."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.database import Database
from hotfolder.errors import LibraryError, NotFound
from hotfolder.library import facets, search
from hotfolder.library.browse import VIEWS_MAX, MediaBrowser
from hotfolder.library.collections import CollectionStore
from hotfolder.library.filters import LABELS, MediaFilter, Order, parse_filter
from hotfolder.library.media import Media, MediaStore
from hotfolder.library.search import build_expression
from hotfolder.migrations import migrate

DAYS = ("2026-10-30", "2026-10-31", "2026-11-01")
WORDS = ("lighthouse", "harbour", "Möwe", "light", "red kite")
SIZES = ((64, 48), (48, 64), (50, 50))
SORTS = ("date", "rating", "name", "size")


class Shelf:
    """A library in which every property of a picture is drawn by dice."""

    def __init__(self, path: Path) -> None:
        migrate(path)
        self.database = Database(path)
        self.database.connection().execute("PRAGMA synchronous = OFF")
        self.media = MediaStore(self.database)
        self.browser = MediaBrowser(self.database)
        self.dice = random.Random(7)
        with self.database.transaction() as tx:
            for owner in ("anna", "ben"):
                tx.execute(
                    "INSERT INTO jobs (id, status, job_file, file_name, text, owner, created_at) "
                    "VALUES (?, 'completed', 'lamp.yaml', 'lamp.yaml', '', ?, ?)",
                    (f"job-{owner}", owner, tx.at),
                )
            tx.execute("INSERT INTO collections VALUES ('c1', 'Spring', 'manual', NULL, '2026')")

    def add(self, number: int) -> str:
        dice, media_id = self.dice, f"m{number:04}"
        is_made = dice.random() < 0.6
        at = f"{dice.choice(DAYS)}T03:00:{number % 60:02}.000Z"
        width, height = dice.choice(SIZES)
        new = Media(
            media_id, f"originals/{media_id}.png", f"thumbnails/{media_id}.jpg", f"{media_id}.png",
            "generation" if is_made else "import", width, height, dice.randint(1, 9) * 100,
            dice.choice(("image/png", "image/jpeg")), media_id, media_id, None, at,
            generation_id=f"g{number}" if is_made else None,
            title=dice.choice((None, f"{dice.choice(WORDS)} {number}")), rating=dice.randint(0, 5),
            status=dice.choice((None, "selected", "rejected")), label=dice.choice((None, *LABELS)),
            original_name=None if is_made else f"{dice.choice('xyzXYZ')}-{number}.png",
            review=dice.choice(("none", "none", "accepted", "awaiting")),
            preset=dice.choice((None, "night", "day at sea")) if is_made else None,
        )  # fmt: skip
        with self.database.transaction() as tx:
            if is_made:
                self.add_generation(tx, number)
            self.media.insert(tx, new, dice.sample(("sea", "sky", "Wände"), dice.randint(0, 2)))
            if dice.random() < 0.4:
                self.join(tx, media_id)
        return media_id

    def add_generation(self, tx: Any, number: int) -> None:
        tx.execute(
            """
            INSERT INTO generations
                (id, job_id, provider, endpoint_key, mode, prompt, params_json, status, created_at)
            VALUES (?, ?, 'local', ?, 'image', ?, '{}', 'completed', '2026')
            """,
            (f"g{number}", f"job-{self.dice.choice(('anna', 'ben'))}", f"local.e{number % 2}",
             f"a {self.dice.choice(WORDS)} at {self.dice.choice(WORDS)}"),
        )  # fmt: skip
        if self.dice.random() < 0.5:
            tx.execute(
                """
                INSERT INTO generation_inputs
                    (id, generation_id, position, sha256, file_path, thumb_path, created_at)
                VALUES (?, ?, 0, 'x', 'refs/x', 'ref_thumbnails/x', '2026')
                """,
                (f"i{number}", f"g{number}"),
            )

    def join(self, tx: Any, media_id: str) -> None:
        tx.execute(
            """
            INSERT OR IGNORE INTO collection_media (collection_id, media_id, position, added_at)
            VALUES ('c1', ?, ?, '2026')
            """,
            (media_id, self.dice.randint(0, 99)),
        )

    def write(self, sql: str, *values: object) -> None:
        with self.database.transaction() as tx:
            tx.execute(sql, values)

    def expected(self, wanted: MediaFilter) -> list[str]:
        """What a filter means, by looking at every picture."""
        rows = self.database.query(
            """
            SELECT media.*, jobs.owner AS job_owner,
                   coalesce(media.title, original_name, media.file_name) AS name,
                   generations.endpoint_key AS made_by,
                   media.generation_id IN (SELECT generation_id FROM generation_inputs) AS refs,
                   (SELECT group_concat(keyword, '|') FROM media_keywords JOIN keywords ON id = keyword_id
                    WHERE media_id = media.id) AS words,
                   EXISTS (SELECT 1 FROM collection_media c WHERE c.media_id = media.id) AS joined
            FROM media LEFT JOIN generations ON generations.id = media.generation_id
            LEFT JOIN jobs ON jobs.id = generations.job_id
            """
        )
        found = [row for row in rows if fits(row, wanted)]
        found.sort(key=lambda row: row["number"], reverse=True)
        sort, rises = wanted.order.sort, wanted.order.is_ascending
        if sort == "date":
            return [row["id"] for row in (found[::-1] if rises else found)]
        if sort == "rating":
            found.sort(key=lambda row: row["rating"], reverse=not rises)
            return [row["id"] for row in (found if not rises else by_rating_rising(found))]
        key = (
            (lambda row: (row["name"].lower(), row["number"]))
            if sort == "name"
            else (lambda row: (row["file_size"], row["number"]))
        )
        return [row["id"] for row in sorted(found, key=key, reverse=not rises)]

    def found(self, wanted: MediaFilter, limit: int = 7) -> list[str]:
        page = self.browser.read_page(wanted, limit=limit)
        ids = [each.media_id for each in page.items if each]
        while page.next is not None:
            page = self.browser.read_page(wanted, limit=limit, after=page.next)
            ids += [each.media_id for each in page.items if each]
        return ids


def by_rating_rising(rows: Sequence[Any]) -> list[Any]:
    """Within a rating the newest come first, however the ratings go."""
    return sorted(rows, key=lambda row: (row["rating"], -row["number"]))


def fits(row: Any, wanted: MediaFilter) -> bool:
    shape = (
        "landscape"
        if row["width"] > row["height"]
        else "portrait"
        if row["width"] < row["height"]
        else "square"
    )
    return (
        (row["deleted_at"] is not None) == wanted.is_deleted
        and not (wanted.is_reviewed and row["review"] == "awaiting")
        and wanted.rating in (None, row["rating"])
        and row["rating"] >= (wanted.min_rating or 0)
        and wanted.status in (None, row["status"] or "none")
        and wanted.label in (None, row["label"] or "none")
        and wanted.origin in (None, row["origin"])
        and wanted.type in (None, "image", row["mime_type"].removeprefix("image/"))
        and wanted.endpoint in (None, row["made_by"])
        and wanted.owner in (None, row["job_owner"])
        and wanted.preset in (None, row["preset"])
        and wanted.orientation in (None, shape)
        and wanted.refs in (None, "yes" if row["refs"] else "no")
        and wanted.review in (None, row["review"])
        and (wanted.first_day or "") <= row["created_at"][:10] <= (wanted.last_day or "9")
        and set(wanted.keywords) <= set((row["words"] or "").split("|"))
        and (wanted.collection is None or row["joined"])
    )


def draw_filter(dice: random.Random) -> MediaFilter:
    """A few conditions of all that there are, in some order."""
    every: dict[str, Sequence[Any]] = {
        "rating": range(6), "min_rating": range(6), "status": ("selected", "rejected", "none"),
        "label": (*LABELS, "none"), "origin": ("import", "generation"),
        "type": ("png", "jpeg", "image", "video"),
        "endpoint": ("local.e0", "local.e1", "local.none"), "owner": ("anna", "ben", "nobody"),
        "preset": ("night", "day at sea", "none"),
        "orientation": ("landscape", "portrait", "square"), "refs": ("yes", "no"),
        "review": ("none", "awaiting", "accepted"), "first_day": DAYS, "last_day": DAYS,
        "keywords": (("sea",), ("sea", "sky"), ("Wände",), ("unknown",)), "collection": ("c1",),
        "is_reviewed": (True,), "is_deleted": (True,),
    }  # fmt: skip
    chosen = {name: dice.choice(every[name]) for name in dice.sample(sorted(every), dice.randint(0, 3))}
    return MediaFilter(**chosen, order=Order(dice.choice(SORTS), dice.random() < 0.5))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    opened = Shelf(tmp_path / "library.db")
    for number in range(80):
        opened.add(number)
    yield opened
    opened.database.close()


def change_something(shelf: Shelf, number: int) -> None:
    dice, media_id = shelf.dice, f"m{shelf.dice.randrange(80):04}"
    accept = "UPDATE media SET review = 'accepted' WHERE review = 'awaiting' AND id = ?"
    rate = "UPDATE media SET rating = ?, status = NULL WHERE id = ?"
    label = "UPDATE media SET label = ? WHERE rating = ?"
    ways: Sequence[Callable[[], object]] = (
        lambda: shelf.write(rate, dice.randint(0, 5), media_id),
        lambda: shelf.write(label, dice.choice(LABELS), dice.randint(0, 5)),
        lambda: shelf.write("UPDATE media SET deleted_at = '2026' WHERE id = ?", media_id),
        lambda: shelf.write("UPDATE media SET deleted_at = NULL WHERE id = ?", media_id),
        lambda: shelf.write("DELETE FROM media WHERE id = ?", media_id),
        lambda: shelf.write("DELETE FROM media_keywords WHERE media_id = ?", media_id),
        lambda: shelf.write("DELETE FROM collection_media WHERE media_id = ?", media_id),
        lambda: shelf.write("UPDATE media SET title = ? WHERE id = ?", f"aa {number}", media_id),
        lambda: shelf.write(accept, media_id),
        lambda: shelf.add(1000 + number),
    )
    ways[number % len(ways)]()


def test_any_filter_in_any_order_gives_what_looking_at_every_picture_gives(shelf: Shelf) -> None:
    for number in range(120):
        wanted = draw_filter(shelf.dice)
        expected = shelf.expected(wanted)
        assert shelf.found(wanted, shelf.dice.choice((1, 7, 100))) == expected, wanted
        assert shelf.browser.count(wanted).total == len(expected)
        change_something(shelf, number)


def test_counts_of_values_are_those_of_the_filter_without_its_own_condition(shelf: Shelf) -> None:
    for _ in range(12):
        wanted = replace(draw_filter(shelf.dice), order=Order())
        counts = shelf.browser.count_values(wanted)
        for name in (
            *("status", "label", "origin", "endpoint", "owner", "preset"),
            *("orientation", "refs", "review"),
        ):
            for value, n in counts[name]:
                assert n == len(shelf.expected(replace(wanted, **{name: value}))), (wanted, name, value)


def test_days_count_the_pictures_of_a_view(shelf: Shelf) -> None:
    view = shelf.browser.open_view(MediaFilter(min_rating=2))

    days = shelf.browser.list_days(view)

    expected = [
        (day, len(shelf.expected(MediaFilter(min_rating=2, first_day=day, last_day=day))))
        for day in reversed(DAYS)
    ]
    assert days == [(day, n) for day, n in expected if n]


def test_a_view_stays_what_it_was_and_leaves_gaps_where_pictures_left(shelf: Shelf) -> None:
    view = shelf.browser.open_view(MediaFilter(status="none"))
    before = [each.media_id for each in shelf.browser.read_places(view, 0, 100).items if each]
    shelf.write("UPDATE media SET status = 'selected' WHERE id = ?", before[0])
    shelf.write("UPDATE media SET deleted_at = '2026' WHERE id = ?", before[1])
    shelf.add(2000)

    again = shelf.browser.find_view(view.token, is_reviewed=False)

    page = shelf.browser.read_places(again, 0, 100)
    assert [each.media_id if each else None for each in page.items] == [before[0], None, *before[2:]]
    assert shelf.browser.place_of(again, before[5]) == 5


def test_a_view_of_a_member_is_none_for_a_visitor(shelf: Shelf) -> None:
    view = shelf.browser.open_view(MediaFilter())

    with pytest.raises(LibraryError) as caught:
        shelf.browser.find_view(view.token, is_reviewed=True)

    assert caught.value.code == "web.view_expired"


def test_the_view_that_nobody_used_for_longest_is_forgotten_first(shelf: Shelf) -> None:
    first = shelf.browser.open_view(MediaFilter())
    second = shelf.browser.open_view(MediaFilter(rating=1))
    for number in range(VIEWS_MAX - 1):
        shelf.browser.find_view(first.token, is_reviewed=False)
        shelf.browser.open_view(MediaFilter(text=f"lighthouse {number}"))

    assert shelf.browser.find_view(first.token, is_reviewed=False) is first
    with pytest.raises(LibraryError):
        shelf.browser.find_view(second.token, is_reviewed=False)


def test_nothing_is_missed_when_changes_are_forgotten_before_anybody_looked(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.browser.warm_up()
    shelf.write("UPDATE media SET rating = 5 WHERE rating < 3")
    shelf.write("DELETE FROM media_changes WHERE seq < (SELECT max(seq) FROM media_changes)")

    assert shelf.found(MediaFilter(rating=5)) == shelf.expected(MediaFilter(rating=5))

    monkeypatch.setattr(facets, "CHANGES_MAX", 3)
    shelf.write("UPDATE media SET rating = 1 WHERE rating = 5")
    assert shelf.found(MediaFilter(rating=1)) == shelf.expected(MediaFilter(rating=1))


def test_a_live_collection_is_what_fits_its_filter_now(shelf: Shelf) -> None:
    made = CollectionStore(shelf.database).make("Best", "minRating=4&status=selected", "anna")
    wanted = MediaFilter(collection=made.collection_id, origin="import")

    expected = MediaFilter(min_rating=4, status="selected", origin="import")
    assert shelf.found(wanted) == shelf.expected(expected)
    shelf.write("UPDATE media SET rating = 5, status = 'selected' WHERE origin = 'import'")
    assert shelf.found(wanted) == shelf.expected(expected) != []


def test_a_live_collection_of_a_preset_holds_what_comes_with_it_later(shelf: Shelf) -> None:
    made = CollectionStore(shelf.database).make("Nights", "preset=night", "anna")
    wanted = MediaFilter(collection=made.collection_id)
    before = shelf.found(wanted)
    for number in range(80, 110):
        shelf.add(number)

    assert shelf.found(wanted) == shelf.expected(MediaFilter(preset="night"))
    assert len(shelf.found(wanted)) > len(before) > 0


def test_a_collection_that_is_not_there_is_said_so(shelf: Shelf) -> None:
    with pytest.raises(NotFound):
        shelf.browser.open_view(MediaFilter(collection="none"))


def test_a_collection_by_hand_has_its_own_order(shelf: Shelf) -> None:
    rows = shelf.database.query("SELECT media_id FROM collection_media ORDER BY position, added_at, media_id")
    living = set(shelf.expected(MediaFilter()))

    found = shelf.found(MediaFilter(collection="c1", order=Order("manual")))

    assert found == [row[0] for row in rows if row[0] in living]


def matching(shelf: Shelf, text: str, **more: Any) -> set[str]:
    return set(shelf.found(MediaFilter(text=text, **more), 50))


def texts(shelf: Shelf) -> dict[str, str]:
    rows = shelf.database.query("SELECT id, t.* FROM media_texts t JOIN media ON media.number = t.number")
    return {
        row["id"]: " ".join(str(row[each] or "") for each in ("prompt", "name", "title", "keywords")).lower()
        for row in rows
    }


def test_a_search_finds_words_of_prompts_names_titles_and_keywords(shelf: Shelf) -> None:
    known = texts(shelf)

    assert matching(shelf, "harbour") == {each for each, text in known.items() if "harbour" in text}
    assert matching(shelf, "LIGHTH") == {each for each, text in known.items() if "lighth" in text}
    assert matching(shelf, "mowe") == {each for each, text in known.items() if "möwe" in text}
    assert matching(shelf, "harbour sea") == {
        each for each, text in known.items() if "harbour" in text and "sea" in text
    }
    assert matching(shelf, '"red kite"') == {each for each, text in known.items() if "red kite" in text}
    assert matching(shelf, '"kite red"') <= matching(shelf, "kite red")
    assert matching(shelf, "nowhere") == set()


def test_a_search_cuts_with_every_other_condition(shelf: Shelf) -> None:
    expected = matching(shelf, "harbour") & set(shelf.expected(MediaFilter(min_rating=3)))

    assert matching(shelf, "harbour", min_rating=3) == expected
    assert set(shelf.found(MediaFilter(text="harbour", order=Order("relevance")), 3)) == matching(
        shelf, "harbour"
    )


def test_more_matches_than_are_shown_are_the_newest_and_said_to_be_more(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = shelf.found(MediaFilter(text="harbour"), 50)
    monkeypatch.setattr(search, "MATCHES_MAX", 5)

    view = shelf.browser.open_view(MediaFilter(text="harbour", rating=None, min_rating=0))

    assert view.is_bounded
    assert [each.media_id for each in shelf.browser.read_places(view, 0, 50).items if each] == everything[:5]


def test_words_are_found_as_they_are_now(shelf: Shelf) -> None:
    media_id = shelf.expected(MediaFilter())[0]
    shelf.write("UPDATE media SET title = 'Zeppelin' WHERE id = ?", media_id)
    assert matching(shelf, "zeppelin") == {media_id}
    shelf.write("UPDATE media SET title = 'Boat' WHERE id = ?", media_id)
    assert matching(shelf, "zeppelin") == set()


@given(st.text(max_size=40))
def test_no_text_is_syntax(text: str) -> None:
    expression = build_expression(text)

    if expression is not None:
        assert "\0" not in expression
        body = expression.removesuffix("*")
        assert body.startswith('"')
        assert body.endswith('"')


HOSTILE = [
    '"',
    '""',
    "a OR b",
    "NEAR(a b)",
    "title: x",
    "a*b",
    "-a",
    "^x",
    "(",
    "a AND",
    '"a',
    "❤",
    "'; DROP TABLE media; --",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_search_that_looks_like_syntax_finds_or_does_not_but_never_fails(shelf: Shelf, text: str) -> None:
    shelf.found(MediaFilter(text=text), 50)


@pytest.mark.parametrize(
    "query", ["rating=6", "from=2026-02-30x", "sort=up", "label=Red", "keyword=a&" * 20 + "rating=x"]
)
def test_a_filter_that_is_none_is_refused(query: str) -> None:
    given = {name: [value] for name, _, value in (each.partition("=") for each in query.split("&")) if name}

    with pytest.raises(LibraryError):
        parse_filter(given)
