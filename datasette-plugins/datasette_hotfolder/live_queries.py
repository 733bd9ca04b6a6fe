"""Filters that are kept as collections: checked, written in one way, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qs, urlencode

from hotfolder.errors import HotfolderError, LibraryError
from hotfolder.library.browse import MediaBrowser
from hotfolder.library.filters import NAMES, parse_filter


def check_query(query: str) -> str:
    """The query of an address as it is kept, without its order; raises LibraryError for what is no filter."""
    given = parse_qs(query.lstrip("?"))
    wanted = parse_filter(given)
    if wanted.collection is not None or wanted.is_deleted:
        message = "A live collection is made of pictures of the library, not of a collection or the trash."
        raise LibraryError(message, code="library.invalid_value", hint="Leave that out of the filter.")
    kept = sorted((name, each) for name in (NAMES - {"sort", "order"}) & set(given) for each in given[name])
    return urlencode(kept)


def count_queries(browser: MediaBrowser, queries: Sequence[str], is_visitor: bool) -> list[int | None]:
    """How many pictures fit each; None for one that is no filter any more."""
    return [_count(browser, each, is_visitor) for each in queries]


def _count(browser: MediaBrowser, query: str, is_visitor: bool) -> int | None:
    try:
        return browser.count(replace(parse_filter(parse_qs(query)), is_reviewed=is_visitor)).total
    except HotfolderError:
        return None
