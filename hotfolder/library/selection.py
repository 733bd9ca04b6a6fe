"""Which pictures fit a filter, by cutting sets; and how many have each value of a property."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qs

from pyroaring import BitMap

from hotfolder.database import Database
from hotfolder.errors import NotFound
from hotfolder.library.facets import EMPTY, Facets
from hotfolder.library.filters import LABELS, RATING_MAX, MediaFilter, parse_filter
from hotfolder.library.search import TextSearch

FACETS: Final = (
    *("rating", "status", "label", "origin", "type", "endpoint", "owner", "preset", "orientation", "refs"),
    "review",
)
"""The properties by which pictures are counted: names of fields of a filter and of sets."""
FACET_KEYWORDS: Final = 50
_LIVE_DEPTH: Final = 4


class Selector:
    """Answers from `Facets`, which are handed in as they are now."""

    def __init__(self, database: Database, search: TextSearch) -> None:
        self._database = database
        self._search = search

    def select(self, facets: Facets, wanted: MediaFilter, depth: int = 0) -> BitMap:
        """What fits all conditions but the text; a new set."""
        found = facets.of("deleted", int(wanted.is_deleted)).copy()
        for condition in self._list_conditions(facets, wanted, depth):
            found &= condition
        if wanted.is_reviewed:
            found -= facets.of("review", "awaiting")
        return found

    def _list_conditions(self, facets: Facets, wanted: MediaFilter, depth: int) -> Iterator[BitMap]:
        for name in FACETS:
            value = getattr(wanted, name)
            if value is not None and (name, value) != ("type", "image"):
                yield facets.of(name, value)
        if wanted.min_rating:
            yield BitMap.union(
                *(facets.of("rating", each) for each in range(wanted.min_rating, RATING_MAX + 1))
            )
        if wanted.type == "image":
            yield facets.of("deleted", int(wanted.is_deleted)) - facets.of("type", "video")
        if wanted.first_day or wanted.last_day:
            yield _between(facets.values("day"), wanted.first_day or "", wanted.last_day or "9999")
        for word in wanted.keywords:
            yield self._with_keyword(facets, word)
        if wanted.collection is not None:
            yield self._in_collection(facets, wanted.collection, depth)

    def _with_keyword(self, facets: Facets, word: str) -> BitMap:
        row = self._database.query_one("SELECT id FROM keywords WHERE keyword = ?", (word,))
        return facets.in_scope("keyword", row["id"]) if row else EMPTY

    def _in_collection(self, facets: Facets, collection_id: str, depth: int) -> BitMap:
        """Raises NotFound; a live collection is what fits its filter now."""
        row = self._database.query_one(
            "SELECT kind, query_json -> '$.query' AS query FROM collections WHERE id = ?", (collection_id,)
        )
        if row is None:
            raise NotFound(f"There is no collection {collection_id[:80]}.")
        if row["kind"] != "live":
            return facets.in_scope("collection", collection_id)
        if depth >= _LIVE_DEPTH:
            return EMPTY
        live = read_query(row["query"] or '""')
        found = self.select(facets, live, depth + 1)
        return _cut(found, self.find_matches(facets, live.text))

    def is_live(self, collection_id: str) -> bool:
        """Whether a collection is a filter that was kept."""
        sql = "SELECT 1 FROM collections WHERE id = ? AND kind = 'live'"
        return self._database.query_one(sql, (collection_id,)) is not None

    def find_matches(self, facets: Facets, text: str | None) -> BitMap | None:
        """Every picture that fits a text; None where there is none to fit."""
        return None if text is None else self._search.find_all(text, seq=facets.seq)

    def search(self, facets: Facets, text: str, among: BitMap) -> tuple[BitMap, bool]:
        """The newest of some pictures that fit a text, and whether there are more."""
        total = len(facets.of("deleted", 0))
        return self._search.find(text, among, total=total, seq=facets.seq)

    def count_values(
        self, facets: Facets, wanted: MediaFilter, matches: BitMap | None
    ) -> dict[str, list[tuple[Any, int]]]:
        """For each property its values with the number of pictures, were that property not filtered by.

        `matches` are the pictures that fit the text of the filter.
        """
        found = {}
        for name in FACETS:
            among = _cut(self.select(facets, _without(wanted, name)), matches)
            counts = [
                (value, each.intersection_cardinality(among))
                for value, each in facets.values(name).items()
                if name != "label"
                or value in (*LABELS, "none")  # pictures may bring labels of other programs
            ]
            found[name] = sorted(((value, n) for value, n in counts if n), key=_by_number)
        found["keyword"] = self._count_keywords(facets, _cut(self.select(facets, wanted), matches))
        return found

    def _count_keywords(self, facets: Facets, among: BitMap) -> list[tuple[Any, int]]:
        """Of the keywords that most pictures have."""
        rows = self._database.query(
            """
            SELECT keyword_id, keyword FROM (
                SELECT keyword_id, count(*) AS n FROM media_keywords GROUP BY keyword_id
                ORDER BY n DESC LIMIT ?
            ) JOIN keywords ON keywords.id = keyword_id
            """,
            (FACET_KEYWORDS,),
        )
        counts = [
            (word, facets.in_scope("keyword", each).intersection_cardinality(among)) for each, word in rows
        ]
        return sorted(((word, n) for word, n in counts if n), key=_by_number)


def read_query(query: str) -> MediaFilter:
    """The filter that a live collection stores, as JSON text of the query of an address."""
    return parse_filter(parse_qs(query.strip('"')))


def _between(days: Mapping[str, BitMap], first: str, last: str) -> BitMap:
    found = [numbers for day, numbers in days.items() if first <= day <= last]
    return BitMap.union(*found) if found else EMPTY


def _cut(numbers: BitMap, matches: BitMap | None) -> BitMap:
    return numbers if matches is None else numbers & matches


def _without(wanted: MediaFilter, name: str) -> MediaFilter:
    changed: dict[str, Any] = {name: None, "min_rating": None} if name == "rating" else {name: None}
    return replace(wanted, **changed)


def _by_number(entry: tuple[Any, int]) -> tuple[int, str]:
    return -entry[1], str(entry[0])
