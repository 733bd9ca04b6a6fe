"""What Datasette's pages say of our tables and columns, with their units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TABLE_WORDS: Final[Mapping[str, str]] = {
    "pictures": "Pictures, without those in the trash and those that await a review.",
    "picture_keywords": "Keywords of these pictures, and how many have each.",
    "media": "Pictures: one row each, also those in the trash (deleted_at).",
    "generations": "What was asked of an endpoint: one row a picture, with its params and times.",
    "generation_inputs": "The reference pictures of each generation.",
    "base_models": "Models by the names that people know.",
    "jobs": "Job files as they came, and what became of them.",
    "keywords": "All keywords.",
    "media_keywords": "Which picture has which keyword.",
    "rating_history": "Every change of a rating, mark, label, title or keyword: who, when, and what.",
    "collections": "Manual collections hold what somebody chose, live ones whatever fits their filter.",
    "collection_media": "Which picture is in which manual collection.",
    "work_queue": "Work that waits, runs or ended, by lane.",
    "events": "What happened, in order.",
    "import_folders": "Folders outside the library from which pictures join it.",
}
COLUMN_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "media": {
        "endpoint_key": "What made it",
        "owner": "Whose job it was",
        "preset": "What its job named",
        "width": "Pixels",
        "height": "Pixels",
        "file_size": "Bytes",
        "duration": "Seconds, of a video",
        "rating": "0 (none) to 5 stars",
        "status": "selected, rejected, or nothing",
        "label": "red, yellow, green, blue, purple, or nothing",
        "origin": "generation or import",
        "review": "none, awaiting, accepted or discarded",
        "sha256": "SHA-256 of the bytes as first stored",
        "file_sha256": "SHA-256 of the bytes as they are now",
        "pixel_sha256": "SHA-256 of the pixels alone",
        "deleted_at": "When it was put into the trash (UTC); empty for what is in the library",
        "number": "Place in the order of arrival",
        "has_refs": "1 when it was made from reference pictures",
        "phash": "Difference hash of 64 bits, for near-duplicates",
    },
    "generations": {
        "total_time_ms": "Milliseconds the engine took",
        "peak_memory_mb": "Megabytes the engine had at most",
        "attempts": "How often it was tried",
        "credit_cost": "Credits",
        "position": "Place within the job; empty once a retry has taken it",
    },
    "generation_inputs": {"position": "Place among the references, from 0", "role": "What it was used as"},
    "jobs": {
        "priority": "Higher goes first",
        "run": "2 after the first retry, and so on",
        "text": "The job file as it came",
    },
    "work_queue": {"rank": "Lowest goes first", "lease_until": "Until when a worker has it (UTC)"},
    "rating_history": {"actor": "Who changed it", "at": "When (UTC)", "field": "What was changed"},
    "events": {"at": "When (UTC)", "subject_id": "The row it is about", "actor": "Who brought it about"},
}
"""By table: what its name does not say."""
