"""The library as the grid shows it: filtered, sorted, counted exactly, read by page or by place."""

from __future__ import annotations

import re
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pyroaring import BitMap

from hotfolder.clock import NewId, new_id
from hotfolder.database import Database
from hotfolder.errors import LibraryError
from hotfolder.library.facets import Facets
from hotfolder.library.filters import RATING_MAX, MediaFilter
from hotfolder.library.listing import Listing, Segments, Sorted
from hotfolder.library.media import MEDIA_COLUMNS, Media
from hotfolder.library.search import TextSearch
from hotfolder.library.selection import Selector
from hotfolder.schema_browse import NAME_SQL

PAGE_MAX: Final = 500
VIEWS_MAX: Final = 128
LISTED_MAX: Final = 4_000_000
"""So many numbers are kept one by one, in all views together: sixteen megabytes."""
_SORTED_AT_ONCE: Final = 5_000
_CHUNK: Final = 5_000
_CURSOR: Final = re.compile(r"(?:([0-5])\.)?([0-9]{1,10})")
_COLUMNS: Final = {"name": NAME_SQL, "size": "file_size"}


@dataclass(frozen=True, slots=True)
class MediaView:
    """A snapshot of pictures in an order; it stays what it is, whatever changes."""

    token: str
    wanted: MediaFilter
    listing: Listing
    numbers: BitMap
    is_bounded: bool
    """Whether there are more that match, which are not shown."""
    library_total: int
    seq: int
    """The change up to which it is true."""


class Counts(NamedTuple):
    """How many pictures fit a filter, whether there are more that match, and how many there are in all."""

    total: int
    is_bounded: bool
    library_total: int


@dataclass(frozen=True, slots=True)
class MediaPage:
    """Pictures in their order; None for one that has left the library since the view was made."""

    items: Sequence[Media | None]
    offset: int
    view: MediaView

    @property
    def total(self) -> int:
        """How many pictures fit the filter."""
        return len(self.view.listing)

    @property
    def next(self) -> str | None:
        """The cursor of the page behind this one; None at the end."""
        return self._cursor(-1) if self.offset + len(self.items) < self.total else None

    @property
    def previous(self) -> str | None:
        """The cursor of the page in front of this one; None at the beginning."""
        return self._cursor(0) if self.offset > 0 else None

    def _cursor(self, place: int) -> str | None:
        known = [each for each in self.items if each is not None]
        if not known:
            return None
        media = known[place]
        is_by_rating = self.view.wanted.order.sort == "rating"
        return f"{media.rating}.{media.number}" if is_by_rating else str(media.number)


class MediaBrowser:
    """Reads pages of pictures; keeps the views that were looked at last."""

    def __init__(self, database: Database, *, make_id: NewId = new_id) -> None:
        self._database = database
        self._make_id = make_id
        self._facets = Facets(database)
        self._search = TextSearch(database)
        self._selector = Selector(database, self._search)
        self._lock = threading.Lock()
        self._views: OrderedDict[str, MediaView] = OrderedDict()

    def warm_up(self) -> None:
        """Read what filters need before anybody asks."""
        with self._facets.current():
            pass

    def open_view(self, wanted: MediaFilter) -> MediaView:
        """A view of what fits a filter now; the same one while nothing has changed."""
        with self._facets.current() as facets:
            known = self._find_like(wanted, facets.seq)
            if known is not None:
                return known
            numbers = self._selector.select(facets, wanted)
            seen = self._selector.select(facets, MediaFilter(is_reviewed=wanted.is_reviewed))
            ratings = [facets.of("rating", each).copy() for each in range(RATING_MAX + 1)]
            seq, total = facets.seq, len(facets.of("deleted", 0))
        is_bounded = False
        if wanted.text is not None:
            numbers, is_bounded = self._search.find(wanted.text, numbers, total=total, seq=seq)
        listing = self._arrange(wanted, numbers, ratings, seq)
        numbers.run_optimize()
        view = MediaView(self._make_id(), wanted, listing, numbers, is_bounded, len(seen), seq)
        self._keep(view)
        return view

    def find_view(self, token: str, *, is_reviewed: bool) -> MediaView:
        """A view that was opened before, by somebody who may see as much; raises `web.view_expired`."""
        with self._lock:
            view = self._views.get(token)
            if view is not None:
                self._views.move_to_end(token)
        if view is None or view.wanted.is_reviewed != is_reviewed:
            raise LibraryError(
                "This view is not known any more.", code="web.view_expired", hint="Ask again without `view`."
            )
        return view

    def read_page(
        self,
        wanted: MediaFilter,
        *,
        limit: int,
        after: str | None = None,
        before: str | None = None,
    ) -> MediaPage:
        """The page behind a cursor (`after`) or in front of one (`before`), else the first."""
        limit = max(1, min(limit, PAGE_MAX))
        view = self.open_view(wanted)
        if before is not None:
            end = self._find_place(view, before)[0]
            offset = max(0, end - limit)
            return self.read_places(view, offset, end - offset)
        return self.read_places(view, self._find_place(view, after)[1] if after is not None else 0, limit)

    def read_places(self, view: MediaView, offset: int, limit: int) -> MediaPage:
        """The pictures from a place of a view on."""
        numbers = view.listing.read(offset, min(limit, PAGE_MAX))
        return MediaPage(self._read_rows(view, numbers), offset, view)

    def place_of(self, view: MediaView, media_id: str) -> int | None:
        """Where a picture stands in a view; None when it is not in it."""
        row = self._database.query_one("SELECT number FROM media WHERE id = ?", (media_id,))
        return view.listing.place_of(row["number"]) if row and row["number"] is not None else None

    def list_ids(self, view: MediaView) -> list[str]:
        """The ids of all pictures of a view that are still there, in no order."""
        found: list[str] = []
        numbers = array("I", view.numbers)
        for start in range(0, len(numbers), _CHUNK):
            marks = ",".join(map(str, numbers[start : start + _CHUNK]))
            found += [
                row[0] for row in self._database.query(f"SELECT id FROM media WHERE number IN ({marks})")
            ]
        return found

    def count(self, wanted: MediaFilter) -> Counts:
        """How many pictures fit a filter; no view is kept."""
        with self._facets.current() as facets:
            numbers, is_bounded = self._selector.select(facets, wanted), False
            if wanted.text is not None:
                numbers, is_bounded = self._selector.search(facets, wanted.text, numbers)
            seen = self._selector.select(facets, MediaFilter(is_reviewed=wanted.is_reviewed))
        return Counts(len(numbers), is_bounded, len(seen))

    def count_values(self, wanted: MediaFilter) -> dict[str, list[tuple[Any, int]]]:
        """For each property its values with the number of pictures, were that property not filtered by."""
        with self._facets.current() as facets:
            matches = self._selector.find_matches(facets, wanted.text)
            return self._selector.count_values(facets, wanted, matches)

    def list_days(self, view: MediaView) -> list[tuple[str, int]]:
        """How many pictures of a view came on each day, UTC, the newest day first."""
        with self._facets.current() as facets:
            days = sorted(facets.values("day").items(), reverse=True)
            counts = [(day, numbers.intersection_cardinality(view.numbers)) for day, numbers in days]
        return [(day, n) for day, n in counts if n]

    def _arrange(self, wanted: MediaFilter, numbers: BitMap, ratings: Sequence[BitMap], seq: int) -> Listing:
        sort, is_ascending = wanted.order.sort, wanted.order.is_ascending
        if sort == "rating":
            groups = ratings if is_ascending else ratings[::-1]
            return Segments([numbers & each for each in groups])
        if sort == "relevance" and wanted.text is not None:
            return Sorted(numbers, iter([self._search.rank(wanted.text, numbers, seq=seq)]))
        if sort == "manual" and wanted.collection is not None:
            return Sorted(numbers, self._walk_by_hand(wanted.collection))
        if sort in _COLUMNS:
            return Sorted(numbers, self._walk(_COLUMNS[sort], numbers, is_ascending))
        return Segments([numbers], is_ascending)

    def _walk(self, column: str, numbers: BitMap, is_ascending: bool) -> Iterator[Sequence[int]]:
        """Along an index; few pictures are sorted at once."""
        direction = "ASC" if is_ascending else "DESC"
        order = f"ORDER BY {column} {direction}, number {direction}"
        if len(numbers) <= _SORTED_AT_ONCE:
            marks = ",".join(map(str, numbers))
            yield self._list_numbers(f"SELECT number FROM media WHERE number IN ({marks}) {order}")
            return
        offset, step = 0, _CHUNK // 5
        while found := self._list_numbers(f"SELECT number FROM media {order} LIMIT {step} OFFSET {offset}"):
            yield found
            offset, step = offset + step, _CHUNK * 4

    def _walk_by_hand(self, collection_id: str) -> Iterator[Sequence[int]]:
        """Along the index of a collection."""
        offset = 0
        while found := self._list_numbers(
            f"""
            SELECT number FROM collection_media WHERE collection_id = ?
            ORDER BY position, added_at, media_id LIMIT {_CHUNK} OFFSET {offset}
            """,
            collection_id,
        ):
            yield found
            offset += _CHUNK

    def _list_numbers(self, sql: str, *values: Any) -> Sequence[int]:
        rows = self._database.connection().execute(sql, values)
        return array("I", (row[0] for row in rows if row[0] is not None))

    def _find_place(self, view: MediaView, cursor: str) -> tuple[int, int]:
        """The places before and behind which to go on, also for a picture that has left the view."""
        match = _CURSOR.fullmatch(cursor)
        if match is None or int(match[2]) >= 2**32:
            raise LibraryError(
                "This is no cursor as `next` and `previous` of an earlier page give it.",
                code="web.invalid_request",
            )
        number = int(match[2])
        if isinstance(view.listing, Segments):
            group = 0
            if view.wanted.order.sort == "rating":
                rating = int(match[1] or 0)
                group = rating if view.wanted.order.is_ascending else RATING_MAX - rating
            return _find_in(view.listing, number, group)
        place = view.listing.place_of(number)
        if place is None:
            raise LibraryError(
                "The picture of this cursor is gone.",
                code="web.view_expired",
                hint="Begin at the first page.",
            )
        return place, place + 1

    def _read_rows(self, view: MediaView, numbers: Sequence[int]) -> list[Media | None]:
        if not numbers:
            return []
        marks = ",".join(map(str, numbers))
        rows = self._database.query(f"SELECT {MEDIA_COLUMNS} FROM media WHERE number IN ({marks})")
        read = {media.number: media for media in (Media(*row) for row in rows)}
        return [_as_seen(read.get(each), view.wanted) for each in numbers]

    def _find_like(self, wanted: MediaFilter, seq: int) -> MediaView | None:
        """But a live collection may have another filter by now."""
        if wanted.collection is not None and self._selector.is_live(wanted.collection):
            return None
        with self._lock:
            for view in self._views.values():
                if view.seq == seq and view.wanted == wanted:
                    self._views.move_to_end(view.token)
                    return view
        return None

    def _keep(self, view: MediaView) -> None:
        with self._lock:
            self._views[view.token] = view
            while len(self._views) > 1 and (len(self._views) > VIEWS_MAX or self._listed() > LISTED_MAX):
                self._views.popitem(last=False)

    def _listed(self) -> int:
        return sum(view.listing.listed for view in self._views.values())


def _as_seen(media: Media | None, wanted: MediaFilter) -> Media | None:
    if media is None or (media.deleted_at is not None) != wanted.is_deleted:
        return None
    return None if wanted.is_reviewed and media.review == "awaiting" else media


def _find_in(listing: Segments, number: int, chosen: int) -> tuple[int, int]:
    """Where a picture stands, or would stand, in a group: the places before and behind it."""
    before, group = sum(map(len, listing.groups[:chosen])), listing.groups[chosen]
    rank, is_there = group.rank(number), number in group
    if listing.is_ascending:
        return before + rank - is_there, before + rank
    return before + len(group) - rank, before + len(group) - rank + is_there
