"""Rows of `media` and their keywords: one a picture of the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from hotfolder.clock import NewId, new_id
from hotfolder.database import Database, Row, Transaction
from hotfolder.domain.transitions import check_transition
from hotfolder.errors import NotFound
from hotfolder.events import LIBRARY_UPDATED

ReviewStatus = Literal["none", "awaiting", "accepted", "discarded"]
REVIEW_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "none": frozenset(),
    "awaiting": frozenset({"accepted", "discarded"}),
    "accepted": frozenset(),
    "discarded": frozenset({"accepted"}),  # taken out of the trash
}
"""Which review of a picture may follow which; whether it awaits one is decided when it is taken in."""


@dataclass(frozen=True, slots=True)
class Media:
    """A picture as stored; paths are relative to the library."""

    media_id: str
    file_path: str
    thumb_path: str
    file_name: str
    origin: str
    width: int
    height: int
    file_size: int
    mime_type: str
    sha256: str
    file_sha256: str
    pixel_sha256: str | None
    created_at: str
    generation_id: str | None = None
    title: str | None = None
    description: str | None = None
    rating: int = 0
    status: str | None = None
    label: str | None = None
    original_name: str | None = None
    original_path: str | None = None
    deleted_at: str | None = None
    review: ReviewStatus = "none"
    number: int | None = field(default=None, compare=False)
    """Its place in the order of arrival; this and the next three are given when it is put in."""
    owner: str | None = field(default=None, compare=False)
    endpoint_key: str | None = field(default=None, compare=False)
    has_refs: int = field(default=0, compare=False)
    preset: str | None = None
    """What its job named."""


MEDIA_COLUMNS = """
    media.id, file_path, thumb_path, file_name, origin, media.width, media.height, file_size, mime_type,
    sha256, file_sha256, pixel_sha256, media.created_at, generation_id, title, description, rating,
    media.status, label, original_name, original_path, deleted_at, media.review,
    media.number, media.owner, media.endpoint_key, has_refs, media.preset
"""
"""The columns of `media` in the order of Media's fields."""


# By the generations, of which few await a review at one time, and which have an index by status.
AWAITING_SQL: Final = """
    generations JOIN media ON media.generation_id = generations.id
    WHERE generations.status = 'awaiting_review' AND review = 'awaiting' AND deleted_at IS NULL
"""


class MediaStore:
    """Reads and writes media."""

    def __init__(self, database: Database, *, make_id: NewId = new_id) -> None:
        self._database = database
        self._make_id = make_id

    def insert(self, tx: Transaction, media: Media, keywords: Sequence[str]) -> None:
        """A new picture with its keywords."""
        tx.execute(
            """
            INSERT INTO media (
                id, file_path, thumb_path, file_name, media_type, origin, width, height, file_size,
                mime_type, sha256, file_sha256, pixel_sha256, title, description, rating, status, label,
                original_name, original_path, generation_id, review, preset, created_at, updated_at
            )
            VALUES (?, ?, ?, ?, 'image', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                media.media_id,
                media.file_path,
                media.thumb_path,
                media.file_name,
                media.origin,
                media.width,
                media.height,
                media.file_size,
                media.mime_type,
                media.sha256,
                media.file_sha256,
                media.pixel_sha256,
                media.title,
                media.description,
                media.rating,
                media.status,
                media.label,
                media.original_name,
                media.original_path,
                media.generation_id,
                media.review,
                media.preset,
                media.created_at,
                tx.at,
            ),
        )
        self.add_keywords(tx, media.media_id, keywords)
        # A reference that a job took from the inbox becomes a picture of the library only now.
        tx.execute(
            "UPDATE generation_inputs SET media_id = ? WHERE sha256 = ? AND media_id IS NULL",
            (media.media_id, media.sha256),
        )
        tx.event(LIBRARY_UPDATED, "media", media.media_id, {"added": media.file_path})

    def add_keywords(self, tx: Transaction, media_id: str, keywords: Sequence[str]) -> None:
        """Give a picture keywords; those it has stay."""
        for keyword in keywords:
            self._add_keyword(tx, media_id, keyword)

    def list_keywords(self, media_id: str) -> list[str]:
        """The keywords of a picture, by name."""
        rows = self._database.query(
            """
            SELECT keyword FROM keywords JOIN media_keywords ON keyword_id = id
            WHERE media_id = ? ORDER BY keyword
            """,
            (media_id,),
        )
        return [row["keyword"] for row in rows]

    def _add_keyword(self, tx: Transaction, media_id: str, keyword: str) -> None:
        keyword_id = self._find_keyword(tx, keyword)
        if keyword_id is None:
            keyword_id = self._make_id()
            tx.execute("INSERT INTO keywords (id, keyword) VALUES (?, ?)", (keyword_id, keyword))
        tx.execute(
            "INSERT OR IGNORE INTO media_keywords (media_id, keyword_id) VALUES (?, ?)",
            (media_id, keyword_id),
        )

    def _find_keyword(self, tx: Transaction, keyword: str) -> str | None:
        """The id of a keyword in whatever case it is written; the first spelling is the one that stays."""
        row = tx.execute("SELECT id FROM keywords WHERE keyword = ?", (keyword,)).fetchone()
        if row is not None or keyword.isascii():
            return row["id"] if row else None
        folded = keyword.casefold()  # SQLite's NOCASE knows the case of A to Z only
        rows = tx.execute("SELECT id, keyword FROM keywords").fetchall()
        return next((each["id"] for each in rows if each["keyword"].casefold() == folded), None)

    def get(self, media_id: str) -> Media:
        """The picture; raises NotFound."""
        media = self.find(media_id)
        if media is None:
            raise NotFound(f"There is no picture {media_id} in the library.")
        return media

    def get_present(self, media_id: str) -> Media:
        """The picture; raises NotFound for one that has been deleted, too."""
        media = self.get(media_id)
        if media.deleted_at is not None:
            raise NotFound(f"The picture {media_id} has been deleted.")
        return media

    def get_reviewed(self, media_id: str) -> Media:
        """The picture as visitors may see it; raises NotFound for one that awaits its review, too."""
        media = self.get_present(media_id)
        if media.review == "awaiting":
            raise NotFound(f"There is no picture {media_id} in the library.")
        return media

    def find(self, media_id: str) -> Media | None:
        """The picture, or None."""
        row = self._database.query_one(f"SELECT {MEDIA_COLUMNS} FROM media WHERE id = ?", (media_id,))
        return to_media(row) if row else None

    def find_thumbnail(self, media_id: str, *, is_member: bool) -> tuple[str, str] | None:
        """Where the thumbnail of a picture lies, and the content of its file; None when there is none to see.

        Members see those of deleted pictures too, visitors none of those that await a review.
        """
        row = self._database.query_one(
            "SELECT thumb_path, file_sha256, review, deleted_at FROM media WHERE id = ?", (media_id,)
        )
        if row is None or (not is_member and (row[2] == "awaiting" or row[3] is not None)):
            return None
        return (row[0], row[1]) if row[0] else None

    def find_by_content(self, sha256: str) -> Media | None:
        """The oldest picture whose file has this content, now or before a metadata change."""
        return next(iter(self.list_by_content(sha256)), None)

    def list_by_content(self, sha256: str) -> list[Media]:
        """All pictures whose file has this content, now or before a metadata change; the oldest first."""
        rows = self._database.query(
            f"""
            SELECT {MEDIA_COLUMNS} FROM media
            WHERE (sha256 = :hash OR file_sha256 = :hash) AND deleted_at IS NULL
            ORDER BY created_at
            """,
            {"hash": sha256},
        )
        return [to_media(row) for row in rows]

    def list_of_generation(self, generation_id: str) -> list[Media]:
        """The outputs of a generation, in order."""
        rows = self._database.query(
            f"SELECT {MEDIA_COLUMNS} FROM media WHERE generation_id = ? ORDER BY id", (generation_id,)
        )
        return [to_media(row) for row in rows]

    def list_awaiting(self, limit: int) -> list[Media]:
        """Pictures that wait for a review, the longest waiting first."""
        rows = self._database.query(
            f"""
            SELECT {MEDIA_COLUMNS} FROM {AWAITING_SQL}
            ORDER BY media.created_at, media.id LIMIT ?
            """,
            (limit,),
        )
        return [to_media(row) for row in rows]

    def count_awaiting(self) -> int:
        """How many pictures wait for a review."""
        row = self._database.query_one(f"SELECT count(*) AS n FROM {AWAITING_SQL}")
        return int(row["n"]) if row else 0

    def set_review(
        self,
        tx: Transaction,
        media_id: str,
        review: Literal["accepted", "discarded"],
        actor: str,
    ) -> None:
        """Decide on a picture that awaits it, else ValueError; one that is discarded leaves the library."""
        media = self.get(media_id)
        check_transition(REVIEW_TRANSITIONS, media.review, review)
        tx.execute(
            """
            UPDATE media
            SET review = :review, updated_at = :at,
                deleted_at = CASE :review WHEN 'discarded' THEN coalesce(deleted_at, :at) ELSE deleted_at END
            WHERE id = :id
            """,
            {"review": review, "at": tx.at, "id": media_id},
        )
        tx.event(LIBRARY_UPDATED, "media", media_id, {"review": review, "path": media.file_path}, actor)

    def list_newest_of_jobs(self, job_ids: Sequence[str], limit: int) -> dict[str, list[Media]]:
        """The last pictures of each of some jobs, at most `limit` a job, in the order of their making."""
        marks = ", ".join("?" for _ in job_ids)
        rows = self._database.query(
            f"""
            SELECT {MEDIA_COLUMNS}, job_id FROM (
                SELECT media.id AS chosen_id, job_id,
                       row_number() OVER (PARTITION BY job_id ORDER BY media.id DESC) AS place
                FROM generations JOIN media ON media.generation_id = generations.id
                WHERE job_id IN ({marks}) AND position IS NOT NULL AND deleted_at IS NULL
            ) JOIN media ON media.id = chosen_id
            WHERE place <= ? ORDER BY media.id
            """,
            (*job_ids, limit),
        )
        found: dict[str, list[Media]] = {}
        for row in rows:
            *columns, job_id = row
            found.setdefault(job_id, []).append(Media(*columns))
        return found


def to_media(row: Row) -> Media:
    """A row of MEDIA_COLUMNS as a value: by place, since names cost more than the query does."""
    return Media(*row)
