"""Keywords as a list of their own: found by how they begin, renamed, merged and removed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from hotfolder.database import Database, Transaction
from hotfolder.errors import LibraryError, NotFound
from hotfolder.events import LIBRARY_UPDATED
from hotfolder.library.ratings import check_value

FOUND_MAX: Final = 500
_ALL: Final = -1
"""As a limit, what SQLite takes for none."""
_MATCHES_MAX: Final = 5000
"""Of more keywords that begin alike, those that stand first by name are counted."""
# Few pictures are in the trash at one time, or await a review: what they use is taken off. Those that await
# one are found by their generations, which have an index.
_COUNT_SQL: Final = """
    WITH wanted AS (SELECT value AS id FROM json_each(:ids)),
    used AS (
        SELECT keyword_id AS id, count(*) AS n FROM media_keywords
        WHERE keyword_id IN (SELECT id FROM wanted) GROUP BY keyword_id
    ),
    hidden AS (
        SELECT id FROM media WHERE deleted_at IS NOT NULL
        UNION
        SELECT media.id FROM generations JOIN media ON media.generation_id = generations.id
        WHERE :is_reviewed AND generations.status = 'awaiting_review' AND review = 'awaiting'
    ),
    gone AS (
        SELECT keyword_id AS id, count(*) AS n FROM hidden JOIN media_keywords ON media_id = hidden.id
        WHERE keyword_id IN (SELECT id FROM wanted) GROUP BY keyword_id
    )
    SELECT keywords.id, keyword, coalesce(used.n, 0) - coalesce(gone.n, 0) AS n
    FROM keywords JOIN wanted USING (id) LEFT JOIN used USING (id) LEFT JOIN gone USING (id)
    WHERE NOT :is_reviewed OR coalesce(used.n, 0) > coalesce(gone.n, 0)
    ORDER BY n DESC, keyword LIMIT :limit
"""

_RENEW_SQL: Final = """
    UPDATE media_texts SET keywords = coalesce(
        (
            SELECT group_concat(keyword, ' ') FROM media
            JOIN media_keywords ON media_id = media.id JOIN keywords ON keywords.id = keyword_id
            WHERE media.number = media_texts.number
        ),
        ''
    )
    WHERE number IN (SELECT value FROM json_each(?))
"""


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword, and how many pictures of the library have it."""

    keyword_id: str
    keyword: str
    n: int


class KeywordStore:
    """Reads and writes keywords."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, prefix: str, limit: int, *, is_reviewed: bool = False) -> list[Keyword]:
        """Keywords that begin so, in whatever case, those of most pictures first.

        Visitors see those alone that a picture has which they may see.
        """
        return self._count(self._match(prefix), limit, is_reviewed)

    def get(self, keyword_id: str) -> Keyword:
        """The keyword; raises NotFound."""
        found = self._count([keyword_id], 1, is_reviewed=False)
        if not found:
            raise NotFound(f"There is no keyword {keyword_id[:80]}.")
        return found[0]

    def get_by_name(self, keyword: str) -> Keyword:
        """The keyword, in whatever case; raises NotFound."""
        found = self._find(keyword.strip())
        if found is None:
            raise NotFound(
                f"There is no keyword {keyword[:80]!r}.", hint="`hotfolder keywords list` shows them."
            )
        return self.get(found)

    def rename(self, keyword_id: str, keyword: str, actor: str) -> Keyword:
        """Write a keyword otherwise; raises LibraryError `library.duplicate_name` for what another is."""
        (new,) = check_value("keywords", [keyword])
        with self._database.transaction() as tx:
            old = self.get(keyword_id).keyword
            if new == old:
                return self.get(keyword_id)
            if self._find(new) not in (None, keyword_id):
                raise _taken(new)
            tx.execute("UPDATE keywords SET keyword = ? WHERE id = ?", (new, keyword_id))
            sql = """
                INSERT OR IGNORE INTO stale_texts
                SELECT number FROM media_keywords WHERE keyword_id = ? AND number IS NOT NULL
            """
            tx.execute(sql, (keyword_id,))
            tx.event(LIBRARY_UPDATED, "keyword", keyword_id, {"renamed": new, "from": old}, actor)
        return self.get(keyword_id)

    def move_some(self, keyword_id: str, into_id: str, limit: int) -> int:
        """Give pictures another keyword instead of one; their number, 0 once none has it any more."""
        with self._database.transaction() as tx:
            if keyword_id == into_id:
                raise LibraryError(
                    "A keyword cannot be merged into itself.",
                    code="library.invalid_value",
                    hint="Name another one.",
                )
            self.get(into_id)
            return self._move(tx, keyword_id, into_id, limit)

    def end_merge(self, keyword_id: str, into_id: str, actor: str) -> Keyword:
        """Remove a keyword and tell what became of it; who got it after the last piece gets the other one."""
        with self._database.transaction() as tx:
            old = self.get(keyword_id).keyword
            self.get(into_id)
            self._move(tx, keyword_id, into_id, _ALL)
            self._remove(tx, keyword_id, {"merged": old, "into": into_id}, actor)
        return self.get(into_id)

    def drop_some(self, keyword_id: str, limit: int) -> int:
        """Take a keyword from pictures; their number, 0 once none has it any more. Raises NotFound."""
        with self._database.transaction() as tx:
            self.get(keyword_id)
            return len(self._drop(tx, keyword_id, limit))

    def delete(self, keyword_id: str, actor: str) -> None:
        """Remove a keyword, also from pictures that got it after the last piece. Raises NotFound."""
        with self._database.transaction() as tx:
            old = self.get(keyword_id).keyword
            self._drop(tx, keyword_id, _ALL)
            self._remove(tx, keyword_id, {"removed": old}, actor)

    def renew_texts(self, limit: int) -> int:
        """Make texts for the search anew that hold a keyword as it was written before; gives their number."""
        with self._database.transaction(durable=False) as tx:
            sql = "SELECT number FROM stale_texts LIMIT ?"
            numbers = json.dumps([row["number"] for row in tx.execute(sql, (limit,))])
            if numbers == "[]":
                return 0
            tx.execute(_RENEW_SQL, (numbers,))
            sql = "DELETE FROM stale_texts WHERE number IN (SELECT value FROM json_each(?))"
            return tx.execute(sql, (numbers,)).rowcount

    def _count(self, keyword_ids: list[str], limit: int, is_reviewed: bool) -> list[Keyword]:
        values = {"ids": json.dumps(keyword_ids), "limit": limit, "is_reviewed": is_reviewed}
        rows = self._database.query(_COUNT_SQL, values)
        return [Keyword(row["id"], row["keyword"], row["n"]) for row in rows]

    def _match(self, prefix: str) -> list[str]:
        """By the index, if its letters are those whose case SQLite knows; else one by one."""
        if prefix.isascii():
            sql = r"SELECT id FROM keywords WHERE keyword LIKE ? ESCAPE '\' ORDER BY keyword LIMIT ?"
            rows = self._database.query(sql, (f"{_literal(prefix)}%", _MATCHES_MAX))
            return [row["id"] for row in rows]
        folded = prefix.casefold()
        rows = self._database.query("SELECT id, keyword FROM keywords ORDER BY keyword")
        found = [row["id"] for row in rows if row["keyword"].casefold().startswith(folded)]
        return found[:_MATCHES_MAX]

    def _find(self, keyword: str) -> str | None:
        """The id of a keyword in whatever case it is written."""
        row = self._database.query_one("SELECT id FROM keywords WHERE keyword = ?", (keyword,))
        if row is not None or keyword.isascii():
            return row["id"] if row else None
        folded = keyword.casefold()  # SQLite's NOCASE knows the case of A to Z only
        rows = self._database.query("SELECT id, keyword FROM keywords")
        return next((each["id"] for each in rows if each["keyword"].casefold() == folded), None)

    def _move(self, tx: Transaction, keyword_id: str, into_id: str, limit: int) -> int:
        media_ids = self._drop(tx, keyword_id, limit)
        sql = "INSERT OR IGNORE INTO media_keywords (media_id, keyword_id) SELECT value, ? FROM json_each(?)"
        tx.execute(sql, (into_id, json.dumps(media_ids)))
        return len(media_ids)

    def _drop(self, tx: Transaction, keyword_id: str, limit: int) -> list[str]:
        sql = """
            DELETE FROM media_keywords WHERE rowid IN (
                SELECT rowid FROM media_keywords WHERE keyword_id = ? LIMIT ?
            )
            RETURNING media_id
        """
        return [row["media_id"] for row in tx.execute(sql, (keyword_id, limit)).fetchall()]

    def _remove(self, tx: Transaction, keyword_id: str, data: dict[str, str], actor: str) -> None:
        tx.execute("DELETE FROM keywords WHERE id = ?", (keyword_id,))
        tx.event(LIBRARY_UPDATED, "keyword", keyword_id, data, actor)


def _literal(prefix: str) -> str:
    """What LIKE takes for the characters themselves."""
    return prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _taken(keyword: str) -> LibraryError:
    return LibraryError(
        f"There is a keyword {keyword!r} already.",
        code="library.duplicate_name",
        hint="Merge the one into the other instead.",
    )
