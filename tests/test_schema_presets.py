"""The presets of pictures that were there before presets were kept with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hotfolder.migrations import LIBRARY, Schema, migrate
from hotfolder.schema_presets import find_preset

TEXTS = {
    "yaml": b"preset: night\nendpointKey: x\n",
    "json": b'{"endpointKey": "x", "preset": "day"}',
    "none": b"endpointKey: x\n",
    "word": b"endpointKey: x\nparams: {prompt: a preset}\n",
    "text": "preset: as text\n",
}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A library before the step, with a job of each text that has made two pictures, and an import."""
    migrate(tmp_path / "library.db", Schema(LIBRARY.name, LIBRARY.steps[:8]))
    with closing(sqlite3.connect(tmp_path / "library.db", isolation_level=None)) as connection:
        for name, text in TEXTS.items():
            connection.execute(
                "INSERT INTO jobs (id, status, job_file, file_name, text, created_at) "
                "VALUES (?, 'completed', 'a.yaml', 'a.yaml', ?, '2026')",
                (name, text),
            )
            for position in (0, 1):
                connection.execute(
                    "INSERT INTO generations (id, job_id, position, provider, endpoint_key, mode, "
                    "params_json, status, created_at) "
                    "VALUES (?, ?, ?, 'local', 'x', 'text-to-image', '{}', 'completed', '2026')",
                    (f"{name}-{position}", name, position),
                )
                add_picture(connection, f"{name}-{position}", f"{name}-{position}")
        add_picture(connection, "import", None)
        yield connection


def add_picture(connection: sqlite3.Connection, media_id: str, generation_id: str | None) -> None:
    connection.execute(
        """
        INSERT INTO media (id, file_path, file_name, media_type, origin, sha256, file_sha256, generation_id,
                           created_at, updated_at)
        VALUES (?1, ?1, ?1, 'image', 'x', 'a', 'a', ?2, '2026', '2026')
        """,
        (media_id, generation_id),
    )


def test_pictures_of_an_older_library_get_the_presets_that_their_jobs_named(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    assert migrate(tmp_path / "library.db") == ["m009_presets"]

    expected = {"yaml": "night", "json": "day", "text": "as text"}
    assert dict(connection.execute("SELECT id, preset FROM jobs")) == {
        name: expected.get(name) for name in TEXTS
    }
    assert dict(connection.execute("SELECT id, preset FROM media")) == {
        **{f"{name}-{position}": expected.get(name) for name in TEXTS for position in (0, 1)},
        "import": None,
    }


def test_pictures_are_looked_up_by_their_jobs_and_not_one_after_the_other(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    migrate(tmp_path / "library.db")
    sql = next(each for each in dict(LIBRARY.steps)["m009_presets"] if "UPDATE media" in str(each))

    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]

    assert any("idx_media_generation (generation_id=?)" in each for each in plan), plan
    assert [each for each in plan if each.startswith("SCAN")] == ["SCAN jobs"], plan


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"preset: night # dark\n", "night"),
        (b"a: 1\npreset: 'two words'\n", "two words"),
        (b'preset: "x"\r\n', "x"),
        (b"params:\n  preset: inner\n", None),
        (b"preset:\nparams: {}\n", None),
        (b'{"params": {"preset": "inner"}}', None),
        (b'[{"preset": "first"}]', "first"),
        (b'{"preset": 7}', None),
        (b"{ broken preset", None),
        (b"preset: caf\xc3\xa9\n", "café"),
    ],
)
def test_preset_is_what_the_job_itself_names(text: bytes, name: str | None) -> None:
    assert find_preset(text) == name
