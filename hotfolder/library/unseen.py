"""Which pictures visitors are told nothing of: those that await their review, and those it discarded."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Final

from hotfolder.database import Database

_UNSEEN: Final = "(review = 'awaiting' OR (review = 'discarded' AND deleted_at IS NOT NULL))"
_SQL: Final = f"""
    SELECT id FROM media WHERE id IN (SELECT value FROM json_each(:ids)) AND {_UNSEEN}
    UNION
    SELECT generation_id FROM media
    WHERE generation_id IN (SELECT value FROM json_each(:ids)) AND {_UNSEEN}
"""


def find_unseen(database: Database, ids: Collection[str]) -> frozenset[str]:
    """Those of these pictures, and of these generations by their pictures, that visitors must not see now."""
    if not ids:
        return frozenset()
    return frozenset(row[0] for row in database.query(_SQL, {"ids": json.dumps(list(ids))}))
