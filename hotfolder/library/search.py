"""Finding pictures by text: prompts, names, titles, descriptions and keywords, by SQLite's FTS5."""

from __future__ import annotations

import json
import re
import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from pyroaring import BitMap

from hotfolder.database import Database

MATCHES_MAX: Final = 20_000
"""So many of the newest matches are shown; the count says that there are more."""
RANKED_MAX: Final = 1_000
"""So many of the newest are put in the order of how well they match."""
KNOWN_MAX: Final = 16
"""So many searches are remembered with all their matches."""
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
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, int], BitMap] = OrderedDict()

    def find(self, text: str, among: BitMap, *, total: int, seq: int) -> tuple[BitMap, bool]:
        """The newest matches among some pictures, and whether there are more than MATCHES_MAX.

        `total` is the number of all pictures; `seq` that of the last change of any: until another one comes,
        the matches are remembered.
        """
        expression = build_expression(text)
        if expression is None:
            return among.copy(), False
        if 2 * len(among) > total:
            found = self._find_newest(expression, among)
        else:
            found = self._find_all(expression, seq) & among
        if len(found) <= MATCHES_MAX:
            return found, False
        return BitMap(found[len(found) - MATCHES_MAX :]), True

    def find_all(self, text: str, *, seq: int) -> BitMap | None:
        """Every match, however many there are; None for a text without any letter or digit."""
        expression = build_expression(text)
        return None if expression is None else self._find_all(expression, seq)

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

    def _find_newest(self, expression: str, among: BitMap) -> BitMap:
        """One more than are shown, at least: most pictures are looked among, so few are looked at in vain."""
        found = BitMap()
        rows = self._database.connection().execute(
            "SELECT rowid FROM media_fts WHERE media_fts MATCH ? ORDER BY rowid DESC", (expression,)
        )
        while len(found) <= MATCHES_MAX and (chunk := rows.fetchmany(_CHUNK)):
            found |= BitMap(array("I", (row[0] for row in chunk))) & among
        rows.close()
        return found

    def _find_all(self, expression: str, seq: int) -> BitMap:
        """All matches at once, as JSON: half the time of reading row by row."""
        with self._lock:
            known = self._known.get((expression, seq))
        if known is not None:
            return known
        row = self._database.query_one(
            "SELECT json_group_array(rowid) FROM media_fts WHERE media_fts MATCH ?", (expression,)
        )
        found = BitMap(json.loads(row[0])) if row else BitMap()
        with self._lock:
            self._known[expression, seq] = found
            while len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return found
