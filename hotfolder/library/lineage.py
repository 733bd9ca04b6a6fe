"""What a picture was made from and what was made from it, over several generations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hotfolder.database import Database, Row
from hotfolder.library.media import MEDIA_COLUMNS, Media, to_media

DEPTH_MAX: Final = 6
PICTURES_MAX: Final = 200

# Of one picture at a time: in the order of the index, however many were made from it.
_SOURCES_SQL: Final = """
    SELECT target.id AS target, given.media_id, given.generation_id, given.position, given.role, given.sha256,
           given.original_name
    FROM media AS target
    JOIN generation_inputs AS given ON given.generation_id = target.generation_id
    LEFT JOIN media AS source ON source.id = given.media_id
    WHERE target.id = :media_id AND (NOT :is_reviewed OR source.review IS NOT 'awaiting')
    ORDER BY given.position
    LIMIT :limit
"""
_TARGETS_SQL: Final = """
    SELECT target.id AS target, given.media_id, given.generation_id, given.position, given.role, given.sha256,
           given.original_name
    FROM generation_inputs AS given
    JOIN media AS target ON target.generation_id = given.generation_id
    WHERE given.media_id = :media_id AND (NOT :is_reviewed OR target.review <> 'awaiting')
    ORDER BY given.rowid DESC
    LIMIT :limit
"""
_MADE_SQL: Final = """
    SELECT target.id FROM generation_inputs AS given
    JOIN media AS target ON target.generation_id = given.generation_id
    WHERE given.media_id = :media_id AND target.deleted_at IS NULL
      AND (NOT :is_reviewed OR target.review <> 'awaiting')
    ORDER BY given.rowid DESC
    LIMIT :limit
"""
_MADE_BY_SQL: Final = """
    SELECT media.id, mode, generations.endpoint_key, generations.prompt FROM media
    JOIN generations ON generations.id = media.generation_id
    WHERE media.id IN (SELECT value FROM json_each(?))
"""


@dataclass(frozen=True, slots=True)
class Link:
    """A reference: from `source`, the key of a picture, `target` was made; its thumbnail outlasts the source.

    The key of a source that is not, or no longer, a picture of the library names its content.
    """

    source: str
    target: str
    generation_id: str
    position: int
    sha256: str
    role: str | None = None
    original_name: str | None = None


@dataclass(frozen=True, slots=True)
class Relative:
    """A picture and its level: 0 is the one asked for, sources are below it, what was made from it above.

    `media` is None for a source that never joined the library, or has left it for good; a deleted one says
    so itself.
    """

    key: str
    level: int
    media: Media | None = None
    mode: str | None = None
    endpoint_key: str | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """Pictures by level, and how they follow from each other; `is_cut` when there are more than these."""

    media_id: str
    pictures: tuple[Relative, ...]
    links: tuple[Link, ...]
    is_cut: bool


def read_lineage(database: Database, media_id: str, *, is_reviewed: bool = False) -> Lineage:
    """The relatives of a picture in both directions; `is_reviewed`: none that awaits its review."""
    up, is_cut_above = _walk(_reader(database, _SOURCES_SQL, is_reviewed), media_id, "source", PICTURES_MAX)
    room = PICTURES_MAX - len({each.source for each in up})
    down, is_cut_below = _walk(_reader(database, _TARGETS_SQL, is_reviewed), media_id, "target", room)
    levels = _find_levels(media_id, up, down)
    found = _read_media(database, [*levels])
    kept = levels.keys() - _find_dead_ends(levels, down, found)
    links = [each for each in dict.fromkeys([*up, *down]) if {each.source, each.target} <= kept]
    made_by = {row["id"]: row for row in database.query(_MADE_BY_SQL, (json.dumps([*levels]),))}
    pictures = [_to_relative(key, levels[key], found.get(key), made_by.get(key)) for key in levels]
    shown = sorted((each for each in pictures if each.key in kept), key=lambda each: each.level)
    return Lineage(media_id, tuple(shown), tuple(links), is_cut_above or is_cut_below)


def list_made_from(
    database: Database, media_id: str, *, limit: int, is_reviewed: bool = False
) -> list[Media]:
    """The newest pictures for which a picture was a reference."""
    values = {"media_id": media_id, "is_reviewed": is_reviewed, "limit": limit}
    ids = list(dict.fromkeys(row["id"] for row in database.query(_MADE_SQL, values)))
    found = _read_media(database, ids)
    return [found[each] for each in ids]


def _reader(database: Database, sql: str, is_reviewed: bool) -> Callable[[str], list[Link]]:
    def read(media_id: str) -> list[Link]:
        values = {"media_id": media_id, "is_reviewed": is_reviewed, "limit": 2 * PICTURES_MAX}
        return [_to_link(row) for row in database.query(sql, values)]

    return read


def _walk(read: Callable[[str], list[Link]], start: str, end: str, room: int) -> tuple[list[Link], bool]:
    """Links from level to level, and whether there were more; a picture met before is not walked again."""
    links: list[Link] = []
    known, level, is_cut = {start}, [start], False
    for depth in range(DEPTH_MAX + 1):
        ahead: dict[str, None] = {}
        for link in (link for key in level for link in read(key)):
            reached = getattr(link, end)
            if reached not in known and (depth == DEPTH_MAX or len(known) >= room):
                is_cut = True
                continue
            links.append(link)
            if reached not in known:
                known.add(reached)
                ahead[reached] = None
        level = [*ahead]
    return links, is_cut


def _find_levels(start: str, up: Iterable[Link], down: Iterable[Link]) -> dict[str, int]:
    """Every picture as far from the start as its longest way, so that links lead from left to right.

    It is at most as far as was walked, so that a cycle ends.
    """
    levels = {start: 0}
    for steps, near, far, sign in ((up, "target", "source", -1), (down, "source", "target", 1)):
        own: dict[str, int] = {start: 0}
        for _ in range(DEPTH_MAX):
            for link in steps:
                here, there = own.get(getattr(link, near)), getattr(link, far)
                if here is not None and there != start:
                    own[there] = max(own.get(there, 0), min(here + 1, DEPTH_MAX))
        levels = {key: sign * level for key, level in own.items()} | levels
    return levels


def _find_dead_ends(
    levels: Mapping[str, int], down: Sequence[Link], found: Mapping[str, Media]
) -> frozenset[str]:
    """Deleted pictures from which nothing that is shown was made."""
    gone = {key for key, media in found.items() if media.deleted_at is not None and levels[key] > 0}
    ends: frozenset[str] = frozenset()
    while True:
        live = {each.source for each in down if each.target not in ends}
        grown = frozenset(gone - live)
        if grown == ends:
            return ends
        ends = grown


def _read_media(database: Database, ids: Sequence[str]) -> dict[str, Media]:
    sql = f"SELECT {MEDIA_COLUMNS} FROM media WHERE media.id IN (SELECT value FROM json_each(?))"
    return {media.media_id: media for media in map(to_media, database.query(sql, (json.dumps(ids),)))}


def _to_link(row: Row) -> Link:
    facts: dict[str, Any] = dict(row)
    media_id = facts.pop("media_id")
    return Link(source=media_id or f"sha256:{facts['sha256']}", **facts)


def _to_relative(key: str, level: int, media: Media | None, made_by: Row | None) -> Relative:
    relative = Relative(key, level, media)
    if made_by is None:
        return relative
    return replace(
        relative, mode=made_by["mode"], endpoint_key=made_by["endpoint_key"], prompt=made_by["prompt"]
    )
