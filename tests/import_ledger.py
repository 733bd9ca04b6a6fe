"""Books of an import: what was dropped is in the library, trash/ or failed/, whole and exactly once."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def query(root: Path, sql: str) -> list[dict[str, Any]]:
    connection = sqlite3.connect(root / "library.db", timeout=15)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(sql)]
    finally:
        connection.close()


def ends(root: Path) -> list[dict[str, Any]]:
    """How each import ended, in order."""
    rows = query(root, "SELECT subject_id, data_json FROM events WHERE topic = 'import.ended' ORDER BY seq")
    return [{"importId": each["subject_id"], **json.loads(each["data_json"])} for each in rows]


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder; no temporary one is among them."""
    found = [Path(path) / name for path, _, names in os.walk(folder) for name in names]
    assert not [each for each in found if each.name.endswith(".tmp")]
    return found


def assert_books_are_closed(root: Path, good: Iterable[bytes], bad: Iterable[bytes] = ()) -> None:
    """`good` and `bad` are the contents of all files that were dropped, equal ones as often as they were."""
    dropped = Counter(digest(each) for each in good)
    refused = Counter(digest(each) for each in bad)
    assert not any(files_in(root / folder) for folder in ("import", "work"))
    assert not (root / "work" / "import").exists()
    assert_one_end_each(root, dropped, refused)
    assert_pictures(root, dropped)
    thrown = Counter(digest(each.read_bytes()) for each in files_in(root / "trash"))
    assert thrown == dropped - Counter(dropped.keys())
    assert_refused(root, refused)
    open_items = "SELECT * FROM work_queue WHERE status IN ('pending', 'scheduled', 'processing')"
    assert query(root, open_items) == []


def assert_one_end_each(root: Path, dropped: Counter[str], refused: Counter[str]) -> None:
    found = ends(root)
    assert len({each["importId"] for each in found}) == len(found)
    assert Counter(each["outcome"] for each in found) == Counter(
        imported=len(dropped), duplicate=dropped.total() - len(dropped), failed=refused.total()
    )


def assert_pictures(root: Path, dropped: Counter[str]) -> None:
    """Rows, originals, sidecars and thumbnails tell of the same pictures, one a content."""
    rows = query(root, "SELECT * FROM media")
    assert sorted(each["sha256"] for each in rows) == sorted(dropped)
    expected = []
    for row in rows:
        original = root / row["file_path"]
        assert digest(original.read_bytes()) == row["sha256"] == row["file_sha256"]
        sidecar = json.loads(original.with_name(original.name + ".json").read_bytes())
        assert (sidecar["mediaId"], sidecar["file"]["sha256"]) == (row["id"], row["sha256"])
        assert sidecar["createdAt"] == row["created_at"]
        expected += [original, *(original.with_name(original.name + end) for end in (".json", ".xmp"))]
    assert sorted(files_in(root / "originals")) == sorted(expected)
    assert sorted(files_in(root / "thumbnails")) == sorted(root / each["thumb_path"] for each in rows)


def assert_refused(root: Path, refused: Counter[str]) -> None:
    """Each in failed/ with its two documents; the result names the import."""
    found = files_in(root / "failed")
    results = [each for each in found if each.name.endswith(".result.json")]
    reports = [each for each in found if each.name.endswith(".error.md")]
    files = sorted(set(found) - set(results) - set(reports))
    assert Counter(digest(each.read_bytes()) for each in files) == refused
    assert sorted(results) == sorted(each.with_name(each.name + ".result.json") for each in files)
    assert sorted(reports) == sorted(each.with_name(each.name + ".error.md") for each in files)
    ids = {json.loads(each.read_bytes())["importId"] for each in results}
    assert ids == {each["importId"] for each in ends(root) if each["outcome"] == "failed"}
