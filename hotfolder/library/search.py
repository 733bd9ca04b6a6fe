"""Finding pictures by text: prompts, names, titles, descriptions and keywords, by SQLite's FTS5."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pyroaring import BitMap

from hotfolder.database import Database
from hotfolder.schema_browse import TOKENIZER

MATCHES_MAX: Final = 20_000
"""So many of the newest matches are shown; the count says that there are more."""
RANKED_MAX: Final = 1_000
"""So many of the newest are put in the order of how well they match."""
KNOWN_MAX: Final = 32
"""So many searches are remembered."""
FOLLOWED_MAX: Final = 500
"""So many changes are looked through one by one; after more, a search is done anew."""
_CHUNK: Final = 5_000
_COLUMNS: Final = "prompt, name, title, description, keywords"
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


@dataclass(frozen=True, slots=True)
class Matches:
    """What a search found: everything, or the newest from a number on; and up to which change it is true."""

    numbers: BitMap
    is_complete: bool
    seq: int
    ranked: tuple[BitMap, Sequence[int]] | None = None
    """The newest matches, and the same in the order of how well they match."""


class TextSearch:
    """Asks `media_fts`, whose row ids are the numbers of the pictures; remembers what it found.

    What changes later is looked through in a small table of the same kind, so that a search stays true
    without being done again.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Matches] = OrderedDict()
        self._changed = ChangedTexts(database)

    def find(self, text: str, among: BitMap, *, total: int, seq: int) -> tuple[BitMap, bool]:
        """The newest matches among some pictures, and whether there are more than MATCHES_MAX.

        `total` is the number of all pictures; `seq` that of the last change of any.
        """
        expression = build_expression(text)
        if expression is None:
            return among.copy(), False
        known = self._recall(expression, seq)
        if known is None and 2 * len(among) > total:
            known = self._keep(expression, self._find_newest(expression, seq))
        found = known.numbers & among if known is not None else BitMap()
        if known is None or not (known.is_complete or len(found) > MATCHES_MAX):
            found = self._find_all(expression, seq).numbers & among
        if len(found) <= MATCHES_MAX:
            return found, False
        return BitMap(found[len(found) - MATCHES_MAX :]), True

    def find_all(self, text: str, *, seq: int) -> BitMap | None:
        """Every match, however many there are; None for a text without any letter or digit."""
        expression = build_expression(text)
        return None if expression is None else self._find_all(expression, seq).numbers

    def rank(self, text: str, found: BitMap, *, seq: int) -> Sequence[int]:
        """Matches, the best first; those older than the newest RANKED_MAX follow by age."""
        expression = build_expression(text)
        newest = found[max(0, len(found) - RANKED_MAX) :]
        if expression is None or not newest:
            return array("I", reversed(found))
        known = self._recall(expression, seq)
        if known is None or known.ranked is None or known.ranked[0] != newest:
            ranked = self._rank(expression, newest)
            if known is not None:
                self._keep(expression, replace(known, ranked=(newest, ranked)))
        else:
            ranked = known.ranked[1]
        return array("I", [*ranked, *reversed(found - newest)])

    def _rank(self, expression: str, newest: BitMap) -> Sequence[int]:
        rows = self._database.query(
            "SELECT rowid FROM media_fts WHERE media_fts MATCH ? AND rowid >= ? ORDER BY rank, rowid DESC",
            (expression, newest[0]),
        )
        return array("I", (row[0] for row in rows if row[0] in newest))

    def _find_newest(self, expression: str, seq: int) -> Matches:
        """A few more than are shown: most pictures are looked among, so few are found in vain."""
        found = BitMap()
        rows = self._database.connection().execute(
            "SELECT rowid FROM media_fts WHERE media_fts MATCH ? ORDER BY rowid DESC", (expression,)
        )
        is_complete = False
        while len(found) <= MATCHES_MAX + _CHUNK and not is_complete:
            chunk = rows.fetchmany(_CHUNK)
            found |= BitMap(array("I", (row[0] for row in chunk)))
            is_complete = len(chunk) < _CHUNK
        rows.close()
        return Matches(found, is_complete, seq)

    def _find_all(self, expression: str, seq: int) -> Matches:
        """All matches at once, as JSON: half the time of reading row by row."""
        known = self._recall(expression, seq)
        if known is not None and known.is_complete:
            return known
        row = self._database.query_one(
            "SELECT json_group_array(rowid) FROM media_fts WHERE media_fts MATCH ?", (expression,)
        )
        return self._keep(expression, Matches(BitMap(json.loads(row[0]) if row else ()), True, seq))

    def _recall(self, expression: str, seq: int) -> Matches | None:
        """What was found before, and is true up to a change; None when it is not known."""
        with self._lock:
            known = self._known.get(expression)
            if known is not None:
                self._known.move_to_end(expression)
        if known is None or known.seq == seq:
            return known
        changed = self._changed.find(expression, known.seq, seq) if known.seq < seq else None
        if changed is None:
            return None
        numbers, matching = changed
        lowest = 0 if known.is_complete else known.numbers.min()
        later = BitMap(each for each in matching if each >= lowest)
        return self._keep(expression, replace(known, numbers=known.numbers - numbers | later, seq=seq))

    def _keep(self, expression: str, found: Matches) -> Matches:
        with self._lock:
            self._known[expression] = found
            self._known.move_to_end(expression)
            while len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return found


class ChangedTexts:
    """Which of the pictures that changed fit a search."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._scratch = sqlite3.connect(":memory:", check_same_thread=False)
        self._scratch.execute(f'CREATE VIRTUAL TABLE texts USING fts5({_COLUMNS}, tokenize="{TOKENIZER}")')

    def find(self, expression: str, after: int, until: int) -> tuple[BitMap, BitMap] | None:
        """The pictures that changed between two changes, and those of them that fit; None for too many."""
        rows = self._database.query(
            "SELECT DISTINCT number FROM media_changes WHERE seq > ? AND seq <= ? LIMIT ?",
            (after, until, FOLLOWED_MAX + 1),
        )
        oldest = self._database.query_one("SELECT coalesce(min(seq), 0) FROM media_changes")
        if len(rows) > FOLLOWED_MAX or oldest is None or oldest[0] > after + 1:
            return None
        numbers = BitMap(row[0] for row in rows)
        marks = ",".join(map(str, numbers))
        texts = self._database.query(f"SELECT number, {_COLUMNS} FROM media_texts WHERE number IN ({marks})")
        return numbers, self._match(expression, [tuple(row) for row in texts])

    def _match(self, expression: str, texts: Sequence[tuple[object, ...]]) -> BitMap:
        with self._lock, self._scratch:
            self._scratch.execute("DELETE FROM texts")
            self._scratch.executemany(
                f"INSERT INTO texts (rowid, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", texts
            )
            rows = self._scratch.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (expression,))
            return BitMap(row[0] for row in rows)
