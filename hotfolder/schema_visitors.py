"""Schema step m008: the pictures as visitors see them in tables: not the trash, not what awaits a review."""

from __future__ import annotations

from typing import Final

_SHOWN: Final = "deleted_at IS NULL AND review <> 'awaiting'"

VISITORS: Final = (
    # So that Datasette counts a million of them in milliseconds.
    f"CREATE INDEX idx_media_shown ON media (number) WHERE {_SHOWN}",
    "CREATE INDEX idx_media_awaiting ON media (id) WHERE review = 'awaiting'",
    f"""
    CREATE VIEW pictures AS
    SELECT id, number, created_at, file_name, original_name, title, description, origin, width, height,
           mime_type, file_size, rating, status, label,
           (
               SELECT group_concat(keyword, ', ')
               FROM media_keywords AS given JOIN keywords ON keywords.id = given.keyword_id
               WHERE given.media_id = media.id
           ) AS keywords,
           endpoint_key, thumb_path
    FROM media WHERE {_SHOWN}
    """,
    # By taking those away that are not shown, which are few: to look at each that is takes seconds.
    """
    CREATE VIEW picture_keywords AS
    SELECT keyword, given.n - coalesce(unseen.n, 0) AS n
    FROM (SELECT keyword_id, count(*) AS n FROM media_keywords GROUP BY keyword_id) AS given
    JOIN keywords ON keywords.id = given.keyword_id
    LEFT JOIN (
        SELECT keyword_id, count(*) AS n
        FROM (
            SELECT id FROM media WHERE deleted_at IS NOT NULL
            UNION SELECT id FROM media WHERE review = 'awaiting'
        ) AS hidden
        CROSS JOIN media_keywords ON media_keywords.media_id = hidden.id
        GROUP BY keyword_id
    ) AS unseen ON unseen.keyword_id = given.keyword_id
    WHERE given.n > coalesce(unseen.n, 0)
    """,
)
