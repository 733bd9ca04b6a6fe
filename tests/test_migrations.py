"""The schema is brought up to date once, by however many processes, and never backwards."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from hotfolder.errors import LibraryError
from hotfolder.migrations import LIBRARY, Schema, migrate

MIGRATE_EACH = """
import sys
from pathlib import Path
from hotfolder.errors import HotfolderError
from hotfolder.migrations import migrate
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(*migrate(Path(line.rstrip("\\n"))), flush=True)
    except HotfolderError as error:
        print("failed:", error, flush=True)
"""
TABLES = {
    "base_models",
    "events",
    "generation_inputs",
    "generations",
    "jobs",
    "keywords",
    "media",
    "media_keywords",
    "seen_files",
    "work_queue",
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "library.db"


def ask(path, sql):
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(sql).fetchall()
        connection.commit()
        return rows
    finally:
        connection.close()


def tables(path):
    return {name for (name,) in ask(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_new_file_gets_every_step_and_later_none(path):
    first = migrate(path)

    assert first[0] == "m001_initial"
    assert migrate(path) == []
    assert tables(path) >= TABLES


def test_what_is_in_the_library_stays_when_it_is_opened_again(path):
    migrate(path)
    ask(path, "INSERT INTO app_settings (key, value) VALUES ('a', 'b')")

    migrate(path)

    assert ask(path, "SELECT key, value FROM app_settings") == [("a", "b")]


def test_both_flux_klein_models_are_known_from_the_start(path):
    migrate(path)

    assert ask(path, "SELECT name FROM base_models ORDER BY name") == [
        ("FLUX.2 Klein 4B",),
        ("FLUX.2 Klein 9B",),
    ]


def test_four_processes_that_open_a_new_library_at_once_all_succeed(tmp_path):
    command = [sys.executable, "-c", MIGRATE_EACH]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    rounds = []
    for number in range(12):
        for child in children:
            child.stdin.write(f"{tmp_path / f'{number}.db'}\n")
            child.stdin.flush()
        rounds.append(sorted(child.stdout.readline() for child in children))
    for child in children:
        child.communicate(timeout=10)

    steps = " ".join(migrate(tmp_path / "alone.db"))
    assert rounds == [["\n", "\n", "\n", f"{steps}\n"]] * 12


def test_a_library_of_a_newer_program_is_refused_and_left_untouched(path):
    migrate(path)
    ask(
        path,
        f"""
        INSERT INTO _sqlite_migrations (migration_set, name, applied_at)
        VALUES ('{LIBRARY.name}', 'm999_future', '2030-01-01')
        """,
    )
    before = path.read_bytes()

    with pytest.raises(LibraryError, match="m999_future") as caught:
        migrate(path)

    assert caught.value.code == "library.too_new"
    assert path.read_bytes() == before


def test_steps_of_other_programs_in_the_same_file_are_none_of_our_business(path):
    migrate(path)
    ask(
        path,
        """
        INSERT INTO _sqlite_migrations (migration_set, name, applied_at)
        VALUES ('somebody-else', 'x001', '2030-01-01')
        """,
    )

    assert migrate(path) == []


def test_a_step_that_fails_half_way_leaves_nothing_of_it(path):
    ask(path, "CREATE TABLE generations (mine TEXT)")

    with pytest.raises(LibraryError, match="generations") as caught:
        migrate(path)

    assert caught.value.code == "library.database"
    assert tables(path) == {"generations"}


def test_a_file_that_is_no_database_is_refused_and_stays_as_it_was(path):
    path.write_bytes(b"something else entirely" * 100)
    before = path.read_bytes()

    with pytest.raises(LibraryError):
        migrate(path)

    assert path.read_bytes() == before


PICTURES_OF_M001 = [  # id, media_type, origin, rating, status, deleted_at
    ("m0", "image", "import", 0, None, None),
    ("m1", "image", "generation", 5, "selected", None),
    ("m2", "image", "generation", 5, "selected", None),
    ("m3", "image", "generation", 0, "rejected", None),
    ("m4", "image", "import", 3, None, "2026-11-20T00:00:00.000Z"),
]


@pytest.fixture
def first_library(path):
    """A library as the first step left it, with pictures in it."""
    assert migrate(path, Schema(LIBRARY.name, LIBRARY.steps[:1])) == ["m001_initial"]
    connection = sqlite3.connect(path)
    connection.executemany(
        """
        INSERT INTO media (id, file_path, file_name, media_type, origin, rating, status, deleted_at, sha256,
                           file_sha256, created_at, updated_at)
        VALUES (?1, 'originals/' || ?1, ?1, ?2, ?3, ?4, ?5, ?6, 'a', 'a', '2026-11-19', '2026-11-19')
        """,
        PICTURES_OF_M001,
    )
    connection.commit()
    connection.close()
    return path


def test_a_library_of_the_first_step_keeps_its_pictures_and_numbers_them(first_library):
    columns = "id, file_path, rating, status, title, generation_id, created_at, deleted_at"
    before = ask(first_library, f"SELECT {columns} FROM media ORDER BY created_at, id")

    applied = migrate(first_library)

    assert applied[0] == "m002_light_table"
    assert ask(first_library, f"SELECT {columns} FROM media ORDER BY number") == before
    assert ask(first_library, "SELECT number FROM media ORDER BY number") == [
        (n + 1,) for n in range(len(before))
    ]
    assert ask(first_library, "SELECT count(*) FROM media_texts") == [(len(before),)]


def test_a_library_that_was_brought_up_to_date_has_the_same_schema_as_a_new_one(first_library, tmp_path):
    migrate(first_library)
    migrate(tmp_path / "new.db")

    schema = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    assert ask(first_library, schema) == ask(tmp_path / "new.db", schema)


def test_pictures_are_numbered_on_after_the_library_was_brought_up_to_date(first_library):
    migrate(first_library)
    (known,) = ask(first_library, "SELECT max(number) FROM media")[0]
    ask(first_library, "DELETE FROM media WHERE number = (SELECT max(number) FROM media)")

    ask(
        first_library,
        """
        INSERT INTO media
            (id, file_path, file_name, media_type, origin, sha256, file_sha256, created_at, updated_at)
        VALUES ('new', 'originals/new.png', 'new.png', 'image', 'import', 'a', 'a', '2020', '2020')
        """,
    )

    assert ask(first_library, "SELECT number FROM media WHERE id = 'new'") == [(known + 1,)]
    assert ask(first_library, "SELECT number FROM media_changes ORDER BY seq DESC LIMIT 1") == [(known + 1,)]
