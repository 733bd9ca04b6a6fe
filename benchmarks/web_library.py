"""A library of a million rows for bench_web: pictures of two years, few files that all share."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from hotfolder.app import create_library
from hotfolder.database import connect

BATCH = 5_000
KEYWORDS = 400
OWNERS, ENDPOINTS, PRESETS = 12, 6, 4
SHARED_FILES = 48
WORDS = [
    f"{first}{second}"
    for first in ("amber", "birch", "cliff", "dune", "ember", "fog")
    for second in range(400)
]
COMMON = "lighthouse"  # in every fifth prompt
STEP = timedelta(seconds=61)
FIRST = datetime(2024, 11, 1, tzinfo=UTC)


def make_library(root: Path, pictures: int) -> None:
    """Rows in the order of arrival, with what triggers make of them: texts, numbers, memberships."""
    create_library(root)
    make_files(root)
    connection = connect(root / "library.db")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    connection.execute(
        "INSERT INTO jobs (id, status, job_file, file_name, text, created_at) "
        "VALUES ('job', 'completed', 'job.yaml', 'job.yaml', '', '2024-11-01')"
    )
    keywords = [(f"k{number}", f"{WORDS[number * 5]} keyword") for number in range(KEYWORDS)]
    connection.executemany("INSERT INTO keywords (id, keyword) VALUES (?, ?)", keywords)
    connection.execute(
        "INSERT INTO collections (id, name, kind, created_at) VALUES ('c1', 'Spring', 'manual', '2024-11-01')"
    )
    connection.execute("COMMIT")
    for start in range(0, pictures, BATCH):
        fill(connection, range(start, min(start + BATCH, pictures)))
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def fill(connection: sqlite3.Connection, numbers: range) -> None:
    rows = [Row(number) for number in numbers]
    connection.execute("BEGIN")
    connection.executemany(
        """
        INSERT INTO generations
            (id, job_id, provider, endpoint_key, mode, owner, prompt, params_json, status, created_at)
        VALUES (?, 'job', 'local', ?, 'text-to-image', ?, ?, '{}', 'completed', ?)
        """,
        [row.generation for row in rows if row.generation_id],
    )
    connection.executemany(
        """
        INSERT INTO media (id, file_path, thumb_path, file_name, media_type, origin, width, height, file_size,
                           mime_type, sha256, file_sha256, rating, status, label, title, original_name,
                           generation_id, preset, created_at, updated_at)
        VALUES (?, ?, ?, ?, 'image', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [row.media for row in rows],
    )
    members = [
        (f"k{number * 7 % KEYWORDS}", rows[number - numbers.start].media_id) for number in numbers[::4]
    ]
    connection.executemany("INSERT INTO media_keywords (keyword_id, media_id) VALUES (?, ?)", members)
    connection.executemany(
        """
        INSERT INTO collection_media (collection_id, media_id, position, added_at) VALUES ('c1', ?, ?, '2026')
        """,
        [(rows[number - numbers.start].media_id, number) for number in numbers[::50]],
    )
    connection.execute("COMMIT")


class Row:
    """One picture, the same for the same number."""

    def __init__(self, number: int) -> None:
        dice = random.Random(number)
        at = (FIRST + number * STEP).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self.media_id = f"{number:08x}-0000-7000-8000-{number % 256:012x}"
        self.generation_id = f"g{number}" if number % 4 else None
        words = dice.choices(WORDS, k=14) + ([COMMON] if dice.random() < 0.2 else [])
        size = dice.choice([(1024, 688), (688, 1024), (1024, 1024)])
        made, sha256 = self.generation_id is not None, f"{number:064x}"
        self.generation = (
            self.generation_id, f"local.e{number % ENDPOINTS}.image", f"owner{number % OWNERS}",
            " ".join(words), at,
        )  # fmt: skip
        self.media: tuple[Any, ...] = (
            self.media_id, f"originals/shared/{number}.png",
            f"thumbnails/shared/{number % SHARED_FILES}.jpg", f"{self.media_id}.png",
            "generation" if made else "import", *size, dice.randint(100_000, 9_000_000),
            "image/png" if number % 3 else "image/jpeg", sha256, sha256,
            dice.choices(range(6), (60, 8, 8, 10, 9, 5))[0],
            dice.choices([None, "selected", "rejected"], (80, 12, 8))[0],
            dice.choices([None, "red", "yellow", "green", "blue"], (90, 3, 3, 2, 2))[0],
            None if made else words[0], None if made else f"IMG_{number:07d}.jpg", self.generation_id,
            f"preset{dice.randrange(PRESETS)}" if made and dice.random() < 0.1 else None, at, at,
        )  # fmt: skip


def make_files(root: Path) -> None:
    """Thumbnails of the usual size in bytes, and an original that all names lead to."""
    for name in ("thumbnails", "originals"):
        (root / name / "shared").mkdir(parents=True)
    for number in range(SHARED_FILES):
        image = Image.effect_noise((400, 400), 40 + number % 8).convert("RGB")
        image.save(root / "thumbnails" / "shared" / f"{number}.jpg", quality=72)
    Image.effect_noise((1024, 688), 60).convert("RGB").save(root / "originals" / "shared" / "one.png")


def link_originals(root: Path, numbers: Iterator[int] | range) -> None:
    """Give pictures their original: a name of the one file."""
    for number in numbers:
        os.link(root / "originals" / "shared" / "one.png", root / "originals" / "shared" / f"{number}.png")
