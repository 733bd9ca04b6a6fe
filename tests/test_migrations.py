"""The schema is brought up to date once, by however many processes, and never backwards."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from hotfolder.errors import LibraryError
from hotfolder.migrations import MIGRATION_SET, migrate

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
        VALUES ('{MIGRATION_SET}', 'm999_future', '2030-01-01')
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
