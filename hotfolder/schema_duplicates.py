"""Schema step m007: which pictures hold the same or look alike, found once for each when it has come."""

from __future__ import annotations

from typing import Final

BAND_BITS: Final = 13
BANDS: Final = 5
"""A hash in five parts: of two that differ in at most four bits, one part is the same."""

_OLD_BANDS: Final = ", ".join(
    f"(({place} << {BAND_BITS}) | ((old.phash >> {place * BAND_BITS}) & {(1 << BAND_BITS) - 1}))"
    for place in range(BANDS)
)

DUPLICATES: Final = (
    # Pictures that have not been compared with the others yet, in the order of their coming.
    "CREATE TABLE likeness_due (seq INTEGER PRIMARY KEY, media_id TEXT NOT NULL)",
    "INSERT INTO likeness_due (media_id) SELECT id FROM media ORDER BY number",
    """
    CREATE TRIGGER media_to_compare AFTER INSERT ON media
    BEGIN
        INSERT INTO likeness_due (media_id) VALUES (new.id);
    END
    """,
    "CREATE INDEX idx_media_pixels ON media (pixel_sha256) WHERE pixel_sha256 IS NOT NULL",
    """
    CREATE TABLE likeness_bands (
        band INTEGER NOT NULL, number INTEGER NOT NULL, phash INTEGER NOT NULL,
        PRIMARY KEY (band, number)
    ) WITHOUT ROWID
    """,
    # Each pair stands here in both directions; what somebody calls no duplicates is removed for good.
    """
    CREATE TABLE alike (
        is_near INTEGER NOT NULL, number INTEGER NOT NULL, other INTEGER NOT NULL,
        PRIMARY KEY (is_near, number, other)
    ) WITHOUT ROWID
    """,
    f"""
    CREATE TRIGGER media_alike_removed AFTER DELETE ON media WHEN old.number IS NOT NULL
    BEGIN
        DELETE FROM alike WHERE (is_near, number, other) IN (
            SELECT is_near, other, number FROM alike WHERE is_near IN (0, 1) AND number = old.number
        );
        DELETE FROM alike WHERE is_near IN (0, 1) AND number = old.number;
        DELETE FROM likeness_bands WHERE band IN ({_OLD_BANDS}) AND number = old.number;
    END
    """,
)
