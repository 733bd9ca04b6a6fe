"""Rows of `model_files`: header and SHA-256 of a model file, valid while the file stays as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hotfolder.database import Database, to_json
from hotfolder.domain.model_file import ModelFileKey

# What is known of another content of the file goes; what is known of this one stays.
_KEEP_SQL = """
    INSERT INTO model_files (path, size, mtime_ns, facts_json, sha256, checked_at)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (path) DO UPDATE
    SET facts_json = CASE WHEN size = excluded.size AND mtime_ns = excluded.mtime_ns
            THEN coalesce(excluded.facts_json, facts_json) ELSE excluded.facts_json END,
        sha256 = CASE WHEN size = excluded.size AND mtime_ns = excluded.mtime_ns
            THEN coalesce(excluded.sha256, sha256) ELSE excluded.sha256 END,
        size = excluded.size, mtime_ns = excluded.mtime_ns, checked_at = excluded.checked_at
"""


class ModelFileStore:
    """What was found out about model files."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find_facts(self, keys: Sequence[ModelFileKey]) -> Mapping[ModelFileKey, Mapping[str, Any]]:
        """What the headers of these files say, as far as it is known."""
        found = {key: self._find(key, "facts_json") for key in keys}
        return {key: json.loads(facts) for key, facts in found.items() if facts is not None}

    def keep_facts(self, found: Mapping[ModelFileKey, Mapping[str, Any]]) -> None:
        """Keep what headers say."""
        with self._database.transaction() as tx:
            for key, facts in found.items():
                values = (_path_text(key), key.size, key.mtime_ns, to_json(facts), None, tx.at)
                tx.execute(_KEEP_SQL, values)

    def find_sha256(self, key: ModelFileKey) -> str | None:
        """The SHA-256 of a file, if it was computed."""
        return self._find(key, "sha256")

    def keep_sha256(self, key: ModelFileKey, sha256: str) -> None:
        """Keep the SHA-256 of a file."""
        with self._database.transaction() as tx:
            tx.execute(_KEEP_SQL, (_path_text(key), key.size, key.mtime_ns, None, sha256, tx.at))

    def _find(self, key: ModelFileKey, column: str) -> str | None:
        row = self._database.query_one(
            f"SELECT {column} FROM model_files WHERE path = ? AND size = ? AND mtime_ns = ?",
            (_path_text(key), key.size, key.mtime_ns),
        )
        return row[column] if row else None


def _path_text(key: ModelFileKey) -> str:
    """The path as text, whatever its bytes are."""
    return key.path.encode("utf-8", "backslashreplace").decode("utf-8")
