"""Finding pictures by text: prompts, names, titles, descriptions and keywords, by SQLite's FTS5."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import Final

from pyroaring import BitMap

from hotfolder.database import Database

MATCHES_MAX: Final = 20_000
"""So many of the newest matches are shown; the count says that there are more."""
RANKED_MAX: Final = 2_000
"""So many of the newest are put in the order of how well they match."""
PROBED_MAX: Final = 200
"""Among so few pictures each is looked at, instead of all that match."""
_CHUNK: Final = 5_000
_QUOTED: Final = re.compile(r'"([^"]*)"|(\S+)')
_WORD: Final = re.compile(r"\w", re.UNICODE)


def build_expression(text: str) -> str | None:
    """What FTS5 is asked for: every word and every "phrase in quotes", the last word as a beginning.

    None for a text without any letter or digit. Each part is a quoted string, so nothing in it is syntax.
    """
    parts = [match[1] if match[1] is not None else match[2] for match in _QUOTED.finditer(text)]
    words = [each.replace('"', "").replace("\0", "") for each in parts]
    found = [f'"{each}"' for each in words if _WORD.search(each)]
    if not found:
        return None
    is_phrase = text.rstrip().endswith('"')
    return " ".join(found) + ("" if is_phrase else "*")


class TextSearch:
    """Asks `media_fts`, whose row ids are the numbers of the pictures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, text: str, among: BitMap) -> tuple[BitMap, bool]:
        """The newest matches among some pictures, and whether there are more than MATCHES_MAX."""
        expression = build_expression(text)
        if expression is None:
            return among.copy(), False
        if len(among) <= PROBED_MAX:
            return self._probe(expression, among), False
        found = BitMap()
        rows = self._database.connection().execute(
            "SELECT rowid FROM media_fts WHERE media_fts MATCH ? ORDER BY rowid DESC", (expression,)
        )
        while chunk := rows.fetchmany(_CHUNK):
            found |= BitMap(array("I", (row[0] for row in chunk))) & among
            if len(found) > MATCHES_MAX:
                rows.close()
                return BitMap(found[len(found) - MATCHES_MAX :]), True
        return found, False

    def rank(self, text: str, found: BitMap) -> Sequence[int]:
        """Matches, the best first; those older than the newest RANKED_MAX follow by age."""
        expression = build_expression(text)
        newest = found[max(0, len(found) - RANKED_MAX) :]
        if expression is None or not newest:
            return array("I", reversed(found))
        rows = self._database.query(
            "SELECT rowid FROM media_fts WHERE media_fts MATCH ? AND rowid >= ? ORDER BY rank, rowid DESC",
            (expression, newest[0]),
        )
        ranked = array("I", (row[0] for row in rows if row[0] in newest))
        ranked.extend(reversed(found - newest))
        return ranked

    def _probe(self, expression: str, among: BitMap) -> BitMap:
        numbers = ",".join(map(str, among))
        rows = self._database.query(
            f"SELECT rowid FROM media_fts WHERE media_fts MATCH ? AND rowid IN ({numbers})", (expression,)
        )
        return BitMap(row[0] for row in rows)
