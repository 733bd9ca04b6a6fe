"""Questions in SQL that come with every library, for Datasette's pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """One question: what it is called, what it tells, and how the database is asked."""

    title: str
    description: str
    sql: str


# Each has to answer within a second in a library of a million pictures.
SAVED_QUERIES: Final[Mapping[str, SavedQuery]] = {
    "best_of_the_month": SavedQuery(
        "Best of the month",
        "Pictures that were picked, or rated four stars or more; the month as YYYY-MM, this one without.",
        """
WITH asked (first) AS (SELECT coalesce(nullif(:month, ''), strftime('%Y-%m', 'now')) || '-01')
SELECT media.id AS media_id, rating, status, coalesce(title, original_name, file_name) AS name,
       endpoint_key, owner, created_at
FROM asked CROSS JOIN media
WHERE created_at >= first AND created_at < date(first, '+1 month') AND deleted_at IS NULL
  AND (rating >= 4 OR status = 'selected')
ORDER BY rating DESC, status IS NOT 'selected', created_at DESC
LIMIT 200
""",
    ),
    "words_of_prompts": SavedQuery(
        "Words used most in prompts",
        "In the prompts of the newest 5,000 pictures that have one.",
        """
WITH newest AS (
    SELECT prompt FROM media_texts WHERE prompt IS NOT NULL ORDER BY number DESC LIMIT 5000
),
words AS (
    SELECT DISTINCT newest.prompt AS prompt, word.value AS word
    FROM newest, json_each(
        '[' || replace(json_quote(lower(replace(replace(replace(replace(prompt,
            char(10), ' '), ',', ' '), '.', ' '), ';', ' '))), ' ', '","') || ']'
    ) AS word
    WHERE length(word.value) > 3
)
SELECT word, sum(n) AS pictures, count(*) AS prompts
FROM words JOIN (SELECT prompt, count(*) AS n FROM newest GROUP BY prompt) USING (prompt)
GROUP BY word
ORDER BY pictures DESC, word
LIMIT 200
""",
    ),
    "slowest_endpoints": SavedQuery(
        "Slowest endpoints",
        "Of the last thirty days; times in seconds.",
        """
SELECT endpoint_key, count(*) AS pictures, round(avg(total_time_ms) / 1000.0, 1) AS mean_s,
       round(max(total_time_ms) / 1000.0, 1) AS longest_s, max(completed_at) AS latest
FROM generations
WHERE total_time_ms IS NOT NULL AND completed_at IS NOT NULL AND completed_at >= date('now', '-30 days')
GROUP BY endpoint_key
ORDER BY mean_s DESC
""",
    ),
    "failures_by_code": SavedQuery(
        "Failures by code",
        "Jobs and pictures that failed, with the latest of each kind.",
        """
WITH failed (what, code, message, at) AS (
    SELECT 'job', error_json ->> '$.code', error_json ->> '$.message', completed_at
    FROM jobs WHERE status = 'failed'
    UNION ALL
    SELECT 'picture', error_json ->> '$.code', error_json ->> '$.message', completed_at
    FROM generations WHERE status = 'failed'
)
SELECT code, what, count(*) AS failures, max(at) AS latest, message AS latest_message
FROM failed
GROUP BY code, what
ORDER BY failures DESC, code
LIMIT 500
""",
    ),
    "without_keywords": SavedQuery(
        "Pictures without keywords",
        "Among the newest 20,000 of the library.",
        """
SELECT id AS media_id, coalesce(title, original_name, file_name) AS name, origin, rating, created_at
FROM (SELECT * FROM media ORDER BY created_at DESC, id DESC LIMIT 20000)
WHERE deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM media_keywords WHERE media_id = id)
LIMIT 200
""",
    ),
    "largest_files": SavedQuery(
        "Largest files",
        "Originals that take the most room on the disk.",
        """
SELECT id AS media_id, round(file_size / 1e6, 1) AS megabytes, mime_type, width, height,
       coalesce(title, original_name, file_name) AS name, deleted_at IS NOT NULL AS in_trash, created_at
FROM media
ORDER BY file_size DESC, number DESC
LIMIT 200
""",
    ),
}
