"""Datasette's own tables: who sees which, what a row is called, and thumbnails in cells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

import markupsafe

from datasette_hotfolder.access import VISITOR_TABLES
from datasette_hotfolder.table_words import COLUMN_WORDS, TABLE_WORDS
from hotfolder.library.saved_queries import SAVED_QUERIES

DATABASE: Final = "library"
_EVERYBODY: Final = {"unauthenticated": True, "id": "*"}
_MEMBERS: Final = {"id": "*"}
_LABELS: Final = {
    "media": "file_name",
    "generations": "prompt",
    "jobs": "id",  # visitors may not see jobs, but 0.65 shows them the labels of what a row refers to
    "base_models": "name",
    "keywords": "keyword",
    "collections": "name",
}
_FACETS: Final = ("rating", "status", "label", "origin", "endpoint_key", "owner", "mime_type")
_MEDIA_ID: Final = re.compile(r"[0-9A-Za-z-]{8,64}")
_HIDDEN: Final = ("_sqlite_migrations", "media_changes", "media_texts", "numbers_given", "stale_texts")

_PICTURE: Final = markupsafe.Markup(
    '<a href="{}"><img src="{}" width="96" height="96" loading="lazy" alt=""></a>'
)

SETTINGS: Final = {
    "suggest_facets": False,  # 0.65 spends two seconds a page on it in a large library
    "facet_time_limit_ms": 2000,  # to count a million pictures by a column takes 700 in 0.65
    "default_allow_sql": False,
    "allow_download": False,
    "num_sql_threads": 12,
    "sql_time_limit_ms": 1000,
    "max_returned_rows": 1000,
    "allow_csv_stream": False,
    "force_https_urls": False,
}


def describe_tables(names: Iterable[str]) -> dict[str, Any]:
    """The configuration of the tables: visitors see an allow-list of them, members all, visitors no SQL.

    `names` are all tables of the database: what is not on the list is closed by name.
    """
    tables: dict[str, dict[str, Any]] = {each: {"allow": _MEMBERS} for each in names}
    for table in VISITOR_TABLES:
        tables[table] = {"allow": _EVERYBODY}
    for table, column in _LABELS.items():
        tables.setdefault(table, {"allow": _MEMBERS})["label_column"] = column
    for table, words in TABLE_WORDS.items():
        known = tables.setdefault(table, {"allow": _MEMBERS})
        known |= {"description": words, "columns": dict(COLUMN_WORDS.get(table, {}))}
    for table in _HIDDEN:
        tables.setdefault(table, {"allow": _MEMBERS})["hidden"] = True
    tables["media"] |= {"sort_desc": "created_at", "description_html": _describe_media()}
    tables["pictures"]["sort_desc"] = "created_at"
    tables["events"]["sort_desc"] = "seq"
    library = {"allow": _EVERYBODY, "allow_sql": _MEMBERS, "tables": tables, "queries": _describe_queries()}
    return {"title": "hotfolder", "databases": {DATABASE: library}}


def render_cell(row: Any, table: str | None, column: str, database: str | None) -> str | None:
    """A thumbnail where a row names a picture; None leaves the cell to Datasette."""
    if database != DATABASE:
        return None
    if table in ("media", "pictures") and column == "thumb_path":
        return _render_picture(_find(row, "id"))
    if table == "generation_inputs" and column == "thumb_path":
        return _render_input(_find(row, "generation_id"), _find(row, "position"))
    if column == "media_id" or (column == "subject_id" and _find(row, "subject_type") == "media"):
        return _render_picture(_find(row, column), is_named=True)
    return None


def _describe_media() -> str:
    """Counting by a column takes a second in a large library, so it is done on request."""
    links = (markupsafe.Markup('<a href="?_facet={0}">{0}</a>').format(each) for each in _FACETS)
    return str(
        markupsafe.Markup("{} Count by {}.").format(TABLE_WORDS["media"], markupsafe.Markup(", ").join(links))
    )


def _describe_queries() -> dict[str, Any]:
    """For members alone: they tell of tables that are closed to visitors."""
    return {
        name: {
            "title": each.title,
            "description": each.description,
            "sql": each.sql.strip(),
            "allow": _MEMBERS,
        }
        for name, each in SAVED_QUERIES.items()
    }


def _find(row: Any, column: str) -> Any:
    """The value of a column; None in a query of somebody's own that lacks it."""
    try:
        value = row[column]
    except (KeyError, IndexError, TypeError):
        return None
    return (
        value.get("value") if isinstance(value, dict) else value
    )  # what refers to a row comes with its label


def _render_picture(media_id: Any, *, is_named: bool = False) -> str | None:
    """The thumbnail leads to the light table, the id below it to the row."""
    if not isinstance(media_id, str) or not _MEDIA_ID.fullmatch(media_id):
        return None
    place = quote(media_id, safe="")
    picture = _PICTURE.format(f"/-/library#{place}", f"/media/{place}/thumbnail")
    if not is_named:
        return picture
    return picture + markupsafe.Markup('<a href="/{}/media/{}">{}</a>').format(
        DATABASE, place, media_id[-12:]
    )


def _render_input(generation_id: Any, position: Any) -> str | None:
    if not isinstance(generation_id, str) or not isinstance(position, int):
        return None
    address = f"/media/inputs/{quote(generation_id, safe='')}/{position}"
    return _PICTURE.format(address, address)
