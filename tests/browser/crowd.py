"""More pictures than fit a window many times over: rows, with one file and one thumbnail between them."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests import pictures
from tests.browser.house import House

PICTURES = 1_500
DAYS = 75
NEWEST = datetime(2024, 11, 20, 12, tzinfo=UTC)
_MEDIA = """
INSERT INTO media (
    id, file_path, thumb_path, file_name, media_type, origin, width, height, file_size, mime_type, sha256,
    file_sha256, original_name, created_at, updated_at
) VALUES (?, ?, ?, ?, 'image', 'import', 40, 30, 1000, 'image/png', ?, ?, ?, ?, ?)
"""


def crowd_id(place: int) -> str:
    """The id of a picture of the crowd, 0 for the newest."""
    return f"00000000-0000-7000-8000-{PICTURES - place:012d}"


def fill(house: House) -> None:
    """Put the crowd into an empty library that is being served; the oldest comes first."""
    original = pictures.write_png(house.root / "work" / "crowd.png", (40, 30))
    thumbnail = pictures.write_jpeg(house.root / "work" / "crowd.jpg", (400, 400))
    database = sqlite3.connect(house.root / "library.db", timeout=15)
    try:
        with database:
            database.executemany(_MEDIA, [_row(place) for place in range(PICTURES - 1, -1, -1)])
    finally:
        database.close()
    for place in range(PICTURES):
        _, file, thumb, *_ = _row(place)
        _link(original, house.root / file)
        _link(thumbnail, house.root / thumb)


def _link(shared: Path, name: Path) -> None:
    name.parent.mkdir(parents=True, exist_ok=True)
    os.link(shared, name)


def _row(place: int) -> tuple[str, ...]:
    media_id, at = crowd_id(place), _instant(place).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    sha256 = f"{place:064x}"
    file = f"originals/{at[:4]}/{at[5:7]}/{media_id}.png"
    return media_id, file, _thumbnail(media_id), f"{media_id}.png", sha256, sha256, f"{place}.png", at, at


def _instant(place: int) -> datetime:
    return NEWEST - timedelta(days=DAYS) * (place / PICTURES)


def _thumbnail(media_id: str) -> str:
    return f"thumbnails/{media_id[-2:]}/{media_id}.jpg"
