"""The auditor finds what is wrong: a whole library, harmed in one way after the other."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenarios.drops import SETTINGS, Drops, Ledger
from tests.scenarios.service import Service
from tests.scenarios.wholeness import audit


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Ledger]]:
    """A library in which everything has ended, and what was dropped there."""
    service = Service(tmp_path_factory.mktemp("whole") / "library", settings=SETTINGS)
    drops = Drops(service)
    for story in ("plain", "reference", "pictures", "broken", "many"):
        drops.stories[story]()
    try:
        service.run_once()
        yield service.root, drops.ledger
    finally:
        service.kill()


def first(root: Path, pattern: str) -> Path:
    return next(each for each in sorted(root.rglob(pattern)) if each.is_file())


def change(root: Path, sql: str) -> None:
    with closing(sqlite3.connect(root / "library.db")) as connection, connection:
        connection.execute(sql)


def lie_about_the_status(root: Path) -> None:
    result = first(root, "done/*/*/*/plain-*.result.json")
    result.write_text(json.dumps(json.loads(result.read_bytes()) | {"status": "failed"}))


def double_a_picture(root: Path) -> None:
    change(root, "UPDATE media SET generation_id = (SELECT min(generation_id) FROM media)")


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no thumbnail": (lambda root: first(root, "thumbnails/*/*.jpg").unlink(), "has no thumbnails/"),
    "no sidecar": (lambda root: first(root, "originals/*/*/*.xmp").unlink(), "has no originals/"),
    "other bytes": (lambda root: first(root, "originals/*/*/*.png").write_bytes(b"!"), "other bytes"),
    "other pixels": (
        lambda root: change(root, "UPDATE media SET pixel_sha256 = 'x' WHERE origin = 'generation'"),
        "other pixels",
    ),
    "a picture without a row": (lambda root: (root / "originals" / "a.png").touch(), "has no row"),
    "a reference without a row": (lambda root: (root / "refs" / "a.png").touch(), "has no row"),
    "half a file": (lambda root: (root / "done" / ".a.json.tmp").touch(), "is half a file"),
    "a claimed file": (lambda root: (root / "processing" / "a.yaml").touch(), "is left over"),
    "no result": (lambda root: first(root, "done/*/*/*/plain-*.result.json").unlink(), "has no result"),
    "a result of nothing": (lambda root: first(root, "done/*/*/*/plain-?.yaml").unlink(), "has no file"),
    "another text": (lambda root: first(root, "done/*/*/*/plain-?.yaml").write_text("x"), "another text"),
    "another status": (lie_about_the_status, "says failed, the row completed"),
    "no report": (lambda root: first(root, "failed/*.error.md").unlink(), "has no report"),
    "two pictures": (double_a_picture, "is completed and has 6 pictures"),
    "open work": (
        lambda root: change(root, "UPDATE work_queue SET status = 'pending' WHERE rowid = 1"),
        "is pending",
    ),
    "a lost job": (lambda root: change(root, "DELETE FROM jobs WHERE status = 'failed'"), "is missing"),
    "a lost duplicate": (lambda root: first(root, "trash/*/*/*/*.png").unlink(), "picture"),
    "an import told of twice": (
        lambda root: change(
            root,
            """
            INSERT INTO events (at, topic, subject_type, subject_id, data_json)
            SELECT at, topic, subject_type, subject_id, data_json FROM events WHERE topic = 'import.ended'
            """,
        ),
        "ended 2 times",
    ),
}


def test_whole_library_has_no_fault(whole: tuple[Path, Ledger]) -> None:
    assert audit(*whole) == []


@pytest.mark.parametrize(("harm", "expected"), HARMS.values(), ids=HARMS.keys())
def test_harm_is_named(
    whole: tuple[Path, Ledger], tmp_path: Path, harm: Callable[[Path], object], expected: str
) -> None:
    root, ledger = whole
    copy = tmp_path / "library"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("nudge"))
    harm(copy)

    assert [each for each in audit(copy, ledger) if expected in each]
