"""Which pictures are wanted, and in which order: as values, read from the query of an address (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, get_args

from hotfolder.errors import LibraryError

RATING_MAX: Final = 5
KEYWORDS_MAX: Final = 16
TEXT_MAX: Final = 500

StatusFilter = Literal["selected", "rejected", "none"]
Sort = Literal["date", "rating", "name", "size", "relevance", "manual"]
LABELS: Final = ("red", "yellow", "green", "blue", "purple")
_DAY: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "status": get_args(StatusFilter),
    "label": (*LABELS, "none"),
    "origin": ("generation", "import"),
    "orientation": ("landscape", "portrait", "square"),
    "refs": ("yes", "no"),
    "review": ("none", "awaiting", "accepted"),
    "deleted": ("only",),
    "type": ("image", "video", "png", "jpeg", "webp", "tiff", "gif", "heic", "bmp", "avif"),
}
NAMES: Final = frozenset(
    {
        *_WORDS,
        "rating",
        "minRating",
        "from",
        "to",
        "endpoint",
        "owner",
        "preset",
        "collection",
        "q",
        "keyword",
        "sort",
        "order",
    }
)
"""What a query may say of pictures."""


@dataclass(frozen=True, slots=True)
class Order:
    """In which order: dates, ratings and sizes fall, names rise, unless it is said otherwise."""

    sort: Sort = "date"
    is_ascending: bool = False


@dataclass(frozen=True, slots=True)
class MediaFilter:
    """Which pictures: what is None does not matter; a status or label of `none` is one that is not set."""

    rating: int | None = None
    min_rating: int | None = None
    status: StatusFilter | None = None
    origin: str | None = None
    is_reviewed: bool = False
    """Only those that do not await a review: what visitors see."""
    label: str | None = None
    type: str | None = None
    """`image`, `video`, or a format: `png`, `jpeg`..."""
    endpoint: str | None = None
    owner: str | None = None
    preset: str | None = None
    orientation: str | None = None
    refs: str | None = None
    """`yes`: made from reference pictures; `no`: not."""
    review: str | None = None
    is_deleted: bool = False
    """What lies in the trash, instead of the library."""
    first_day: str | None = None
    """YYYY-MM-DD in UTC, that day included; as with `last_day`."""
    last_day: str | None = None
    keywords: Sequence[str] = ()
    """All of them."""
    collection: str | None = None
    """The id of one."""
    text: str | None = None
    order: Order = field(default=Order())


def parse_filter(query: Mapping[str, Sequence[str]], *, is_reviewed: bool = False) -> MediaFilter:
    """The filter in the parameters of an address, each with its values; empty ones count as left out.

    Raises LibraryError `web.invalid_request` for a value that is not possible; names that it does not know
    are left to others.
    """
    given = {name: values[-1] for name, values in query.items() if values and values[-1]}
    words = {name: _read_word(name, given[name]) for name in _WORDS if name in given}
    return MediaFilter(
        rating=_read_rating("rating", given.get("rating")),
        min_rating=_read_rating("minRating", given.get("minRating")),
        first_day=_read_day("from", given.get("from")),
        last_day=_read_day("to", given.get("to")),
        **{name: words.get(name) for name in _WORDS if name != "deleted"},  # type: ignore[arg-type]
        endpoint=given.get("endpoint"),
        owner=given.get("owner"),
        preset=given.get("preset"),
        collection=given.get("collection"),
        text=_read_text(given.get("q")),
        keywords=_read_keywords(query.get("keyword", ())),
        is_deleted="deleted" in words,
        is_reviewed=is_reviewed,
        order=_read_order(given),
    )


def without_order(wanted: MediaFilter) -> MediaFilter:
    """The same pictures, newest first."""
    return replace(wanted, order=Order())


def _read_order(given: Mapping[str, str]) -> Order:
    sort, order = given.get("sort", "date"), given.get("order")
    if sort not in get_args(Sort):
        raise _refusal("sort", " or ".join(get_args(Sort)), sort)
    if order not in (None, "asc", "desc"):
        raise _refusal("order", "asc or desc", str(order))
    is_rising = order == "asc" if order else sort == "name"
    return Order(sort, is_rising)  # type: ignore[arg-type]


def _read_word(name: str, value: str) -> str:
    if value not in _WORDS[name]:
        raise _refusal(name, " or ".join(_WORDS[name]), value)
    return value


def _read_rating(name: str, value: str | None) -> int | None:
    if value is None:
        return None
    if not (len(value) == 1 and value in "012345"):
        raise _refusal(name, f"a whole number from 0 to {RATING_MAX}", value)
    return int(value)


def _read_day(name: str, value: str | None) -> str | None:
    if value is not None and not _DAY.fullmatch(value):
        raise _refusal(name, "a day as YYYY-MM-DD", value)
    return value


def _read_text(value: str | None) -> str | None:
    text = (value or "").strip()
    if len(text) > TEXT_MAX:
        raise _refusal("q", f"at most {TEXT_MAX} characters", text)
    return text or None


def _read_keywords(values: Sequence[str]) -> Sequence[str]:
    found = tuple(dict.fromkeys(each.strip() for each in values if each.strip()))
    if len(found) > KEYWORDS_MAX:
        raise _refusal("keyword", f"at most {KEYWORDS_MAX} words", f"{len(found)} of them")
    return found


def _refusal(name: str, possible: str, value: str) -> LibraryError:
    return LibraryError(f"`{name}` takes {possible}, not {value[:40]!r}.", code="web.invalid_request")
