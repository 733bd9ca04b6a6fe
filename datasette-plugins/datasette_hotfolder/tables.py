"""Datasette's own tables: who sees which, what a row is called, and thumbnails in cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

import markupsafe

from datasette_hotfolder.access import VISITOR_TABLES

DATABASE: Final = "library"
_EVERYBODY: Final = {"unauthenticated": True, "id": "*"}
_MEMBERS: Final = {"id": "*"}
_LABELS: Final = {
    "media": "file_name",
    "generations": "prompt",
    "jobs": "id",  # visitors may not see jobs, but 0.65 shows them the labels of what a row refers to
    "base_models": "name",
    "keywords": "keyword",
}
_HIDDEN: Final = ("_sqlite_migrations", "media_changes", "media_texts", "numbers_given", "stale_texts")

SETTINGS: Final = {
    "suggest_facets": False,  # 0.65 spends two seconds a page on it in a large library
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
        tables[table]["label_column"] = column
    for table in _HIDDEN:
        tables[table]["hidden"] = True
    tables["media"]["sort_desc"] = "created_at"
    tables["events"]["sort_desc"] = "seq"
    library = {"allow": _EVERYBODY, "allow_sql": _MEMBERS, "tables": tables}
    return {"title": "hotfolder", "databases": {DATABASE: library}}


def render_cell(row: Any, table: str | None, column: str, database: str | None) -> str | None:
    """A thumbnail where a row of `media` names its file; None leaves the cell to Datasette."""
    if database != DATABASE or table != "media" or column != "thumb_path":
        return None
    try:
        media_id = str(row["id"])
    except (KeyError, IndexError, TypeError):  # a query of somebody's own, without the id
        return None
    address = f"/media/{quote(media_id, safe='')}/thumbnail"
    link = f"/-/library#{quote(media_id, safe='')}"
    return markupsafe.Markup(
        '<a href="{}"><img src="{}" width="96" height="96" loading="lazy" alt=""></a>'
    ).format(link, address)
