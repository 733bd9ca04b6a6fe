"""The schema of library.db, as numbered steps that are each applied once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from hotfolder.database import connect, told_in_words
from hotfolder.errors import LibraryError
from hotfolder.schema_browse import BROWSE
from hotfolder.schema_duplicates import DUPLICATES
from hotfolder.schema_engine import ENGINE
from hotfolder.schema_intake import INTAKE
from hotfolder.schema_presets import PRESETS
from hotfolder.schema_queue import QUEUE
from hotfolder.schema_visitors import VISITORS

if TYPE_CHECKING:
    from sqlite_utils import Migrations

Statement: TypeAlias = str | Callable[[sqlite3.Connection], None]
"""SQL, or what SQL alone cannot do."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The steps of one database, oldest first, by name. A step that has been released is never changed."""

    name: str
    steps: Sequence[tuple[str, Sequence[Statement]]]


def migrate(path: Path, schema: Schema | None = None) -> list[str]:
    """Bring a database up to date and name the steps applied; refuses one that is newer than this program.

    Several processes may call this at the same time: all steps run inside one `BEGIN IMMEDIATE`. Without
    `schema` the steps are those of library.db.
    """
    schema = schema or LIBRARY
    connection = connect(path)
    try:
        return [] if _is_current(connection, schema) else _apply(connection, path, schema)
    except sqlite3.Error as error:
        raise LibraryError(
            f"{path} cannot be brought up to date: {error}.",
            code="library.database",
            hint="Keep the file, and restore a backup beside it.",
        ) from error
    finally:
        connection.close()


def is_current(path: Path, schema: Schema | None = None) -> bool:
    """Whether a database has exactly the steps of this program; one that is not there yet has none."""
    if not path.exists():
        return False
    connection = connect(path)
    try:
        return _is_current(connection, schema or LIBRARY)
    finally:
        connection.close()


def _is_current(connection: sqlite3.Connection, schema: Schema) -> bool:
    """Whether exactly our steps are applied; asked without a lock, for commands that only read."""
    table = "SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'"
    if connection.execute(table).fetchone() is None:
        return False
    sql = "SELECT name FROM _sqlite_migrations WHERE migration_set = ?"
    return {row[0] for row in connection.execute(sql, (schema.name,))} == {name for name, _ in schema.steps}


def _apply(connection: sqlite3.Connection, path: Path, schema: Schema) -> list[str]:
    # Loaded only when there is something to do: it takes numpy with it where that is installed.
    from sqlite_utils import Database

    database, migrations = Database(connection), _build(schema)
    with told_in_words():
        connection.execute("BEGIN IMMEDIATE")
    unknown = {each.name for each in migrations.applied(database)} - {name for name, _ in schema.steps}
    if unknown:
        raise LibraryError(
            f"{path} was made by a newer hotfolder (it has {', '.join(sorted(unknown))}).",
            code="library.too_new",
            hint="Update hotfolder, or open a backup made by this version.",
        )
    names = [each.name for each in migrations.pending(database)]
    migrations.apply(database)
    if connection.in_transaction:
        connection.execute("COMMIT")
    return names


def _build(schema: Schema) -> Migrations:
    from sqlite_utils import Database, Migrations

    migrations = Migrations(schema.name)

    def add(name: str, statements: Sequence[Statement]) -> None:
        @migrations(name=name)
        def step(database: Database) -> None:
            for statement in statements:
                if isinstance(statement, str):
                    database.execute(statement)
                else:
                    statement(database.conn)

    for name, statements in schema.steps:
        add(name, statements)
    return migrations


_INITIAL = (
    """
    CREATE TABLE base_models (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        family TEXT NOT NULL,
        media_type TEXT NOT NULL,
        created_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY,
        submit_key TEXT UNIQUE,            -- the submitter's own id, when it is not a UUID
        status TEXT NOT NULL,
        job_file TEXT NOT NULL,            -- the path it had, relative to inbox/
        file_name TEXT NOT NULL,           -- its name, for done/ and failed/
        text BLOB NOT NULL,                -- the whole file as it came
        content_sha256 TEXT,               -- of the parsed content: tells a repeat from another job
        endpoint_key TEXT,
        title TEXT,
        owner TEXT,
        priority INTEGER NOT NULL DEFAULT 0,
        max_attempts INTEGER,
        keywords_json TEXT NOT NULL DEFAULT '[]',
        metadata_json TEXT NOT NULL DEFAULT '{}',
        extra_json TEXT NOT NULL DEFAULT '{}',
        error_json TEXT,
        cancel_requested INTEGER NOT NULL DEFAULT 0,
        run INTEGER NOT NULL DEFAULT 1,    -- 2 after the first retry, and so on
        final_path TEXT UNIQUE,            -- where the file ends: done/... or failed/...
        retry_of_path TEXT,                -- where an earlier run of the same job left it
        created_at TEXT NOT NULL,
        started_at TEXT,
        completed_at TEXT
    )
    """,
    "CREATE INDEX idx_jobs_status ON jobs (status, created_at)",
    """
    CREATE TABLE generations (
        id TEXT PRIMARY KEY,
        job_id TEXT REFERENCES jobs (id),
        position INTEGER,                  -- place within the job; NULL once a retry has taken it
        base_model_id TEXT REFERENCES base_models (id),
        provider TEXT NOT NULL,
        endpoint_key TEXT NOT NULL,
        mode TEXT NOT NULL,
        model_file TEXT,
        model_hashes_json TEXT,
        engine_kind TEXT,
        worker_id TEXT,
        owner TEXT,
        prompt TEXT,
        negative_prompt TEXT,
        width INTEGER,
        height INTEGER,
        seed INTEGER,
        steps INTEGER,
        guidance REAL,
        sampling_method TEXT,
        scheduler TEXT,
        workflow_hash TEXT,
        workflow_version TEXT,
        params_json TEXT NOT NULL,
        status TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        warnings_json TEXT NOT NULL DEFAULT '[]',
        error_json TEXT,
        total_time_ms INTEGER,
        prompt_cache_hit INTEGER,
        ref_latent_cache_hit INTEGER,
        credit_cost REAL,
        created_at TEXT NOT NULL,
        started_at TEXT,
        completed_at TEXT
    )
    """,
    "CREATE UNIQUE INDEX idx_generations_job ON generations (job_id, position)",
    "CREATE INDEX idx_generations_status ON generations (status)",
    """
    CREATE TABLE media (
        id TEXT PRIMARY KEY,
        file_path TEXT NOT NULL UNIQUE,
        thumb_path TEXT,
        file_name TEXT NOT NULL,
        media_type TEXT NOT NULL,
        origin TEXT NOT NULL,
        width INTEGER,
        height INTEGER,
        duration REAL,
        file_size INTEGER,
        mime_type TEXT,
        sha256 TEXT NOT NULL,              -- of the bytes as first stored: identity
        file_sha256 TEXT NOT NULL,         -- of the bytes now
        pixel_sha256 TEXT,
        rating INTEGER NOT NULL DEFAULT 0,
        status TEXT,
        label TEXT,
        review TEXT NOT NULL DEFAULT 'none',
        title TEXT,
        description TEXT,
        original_name TEXT,
        original_path TEXT,
        generation_id TEXT REFERENCES generations (id),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        deleted_at TEXT
    )
    """,
    "CREATE INDEX idx_media_created ON media (created_at DESC, id DESC, rating, status, media_type, origin)",
    "CREATE INDEX idx_media_sha256 ON media (sha256)",
    "CREATE INDEX idx_media_file_sha256 ON media (file_sha256)",
    "CREATE INDEX idx_media_generation ON media (generation_id)",
    """
    CREATE TABLE generation_inputs (
        id TEXT PRIMARY KEY,
        generation_id TEXT NOT NULL REFERENCES generations (id),
        media_id TEXT REFERENCES media (id) ON DELETE SET NULL,
        position INTEGER NOT NULL,
        role TEXT,
        sha256 TEXT NOT NULL,
        file_path TEXT NOT NULL,           -- refs/<sha256>.<ext>
        original_name TEXT,
        thumb_path TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (generation_id, position)
    )
    """,
    "CREATE INDEX idx_generation_inputs_media ON generation_inputs (media_id)",
    "CREATE INDEX idx_generation_inputs_sha256 ON generation_inputs (sha256)",
    "CREATE TABLE keywords (id TEXT PRIMARY KEY, keyword TEXT NOT NULL UNIQUE COLLATE NOCASE)",
    """
    CREATE TABLE media_keywords (
        media_id TEXT NOT NULL REFERENCES media (id) ON DELETE CASCADE,
        keyword_id TEXT NOT NULL REFERENCES keywords (id) ON DELETE CASCADE,
        PRIMARY KEY (media_id, keyword_id)
    )
    """,
    "CREATE INDEX idx_media_keywords_keyword ON media_keywords (keyword_id)",
    """
    CREATE TABLE work_queue (
        id TEXT PRIMARY KEY,
        task_type TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'pending',
        priority INTEGER NOT NULL DEFAULT 0,
        payload_json TEXT NOT NULL,
        correlation_id TEXT,
        owner_module TEXT NOT NULL,
        error_message TEXT,
        attempt_count INTEGER NOT NULL DEFAULT 0,
        max_attempts INTEGER NOT NULL DEFAULT 1,
        crash_count INTEGER NOT NULL DEFAULT 0,
        created_at TEXT NOT NULL,
        started_at TEXT,
        completed_at TEXT,
        lane TEXT NOT NULL,
        run_at TEXT,
        rank INTEGER NOT NULL DEFAULT 0,
        dedupe_key TEXT,
        lease_token TEXT,
        lease_until TEXT,
        cancel_requested INTEGER NOT NULL DEFAULT 0,
        tags TEXT
    )
    """,
    """
    CREATE INDEX idx_work_claim ON work_queue (lane, priority DESC, created_at) WHERE status = 'pending'
    """,
    "CREATE INDEX idx_work_processing ON work_queue (lane, lease_until) WHERE status = 'processing'",
    "CREATE INDEX idx_work_scheduled ON work_queue (lane, run_at) WHERE status = 'scheduled'",
    """
    CREATE UNIQUE INDEX idx_work_dedupe ON work_queue (dedupe_key)
    WHERE status IN ('pending', 'scheduled', 'processing')
    """,
    "CREATE INDEX idx_work_correlation ON work_queue (correlation_id)",
    "CREATE INDEX idx_work_owner ON work_queue (owner_module)",
    """
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        topic TEXT NOT NULL,
        subject_type TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        actor TEXT,
        data_json TEXT NOT NULL
    )
    """,
    "CREATE INDEX idx_events_subject ON events (subject_id, seq)",
    "CREATE INDEX idx_events_topic ON events (topic, seq)",
    """
    CREATE TABLE seen_files (
        job_id TEXT PRIMARY KEY,           -- written before the file is claimed
        path TEXT NOT NULL,                -- relative to inbox/
        outcome TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,  -- at a start, each counted before it: some end the process
        seen_at TEXT NOT NULL
    )
    """,
    "CREATE TABLE app_settings (key TEXT PRIMARY KEY, value TEXT)",
    # The two models that the built-in endpoints name; their ids are those of canonicalModelId.
    """
    INSERT INTO base_models (id, name, family, media_type, created_at) VALUES
        ('flux2-klein-4b', 'FLUX.2 Klein 4B', 'FLUX.2 Klein', 'image', '2026-01-01T00:00:00.000Z'),
        ('flux2-klein-9b', 'FLUX.2 Klein 9B', 'FLUX.2 Klein', 'image', '2026-01-01T00:00:00.000Z')
    """,
)

_LIGHT_TABLE = (
    # What the grid asks for is answered from an index alone; deleted pictures are in none of them.
    "DROP INDEX idx_media_created",
    """
    CREATE INDEX idx_media_created ON media (created_at DESC, id DESC, rating, status, media_type, origin)
    WHERE deleted_at IS NULL
    """,
    """
    CREATE INDEX idx_media_rating ON media (rating, created_at DESC, id DESC, status, media_type, origin)
    WHERE deleted_at IS NULL
    """,
    """
    CREATE TABLE rating_history (
        id INTEGER PRIMARY KEY,
        media_id TEXT NOT NULL REFERENCES media (id) ON DELETE CASCADE,
        field TEXT NOT NULL,               -- rating, status, label, title, description or keywords
        old_value TEXT,
        new_value TEXT,
        actor TEXT,
        at TEXT NOT NULL
    )
    """,
    "CREATE INDEX idx_rating_history_media ON rating_history (media_id, id)",
    # How many pictures there are of each kind, so that counting a filtered set reads a handful of rows.
    """
    CREATE TABLE media_counts (
        media_type TEXT NOT NULL,
        origin TEXT NOT NULL,
        status TEXT NOT NULL,              -- '' for NULL
        rating INTEGER NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (media_type, origin, status, rating)
    ) WITHOUT ROWID
    """,
    """
    INSERT INTO media_counts
    SELECT media_type, origin, coalesce(status, ''), rating, count(*) FROM media
    WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4
    """,
    """
    CREATE TRIGGER media_counted_insert AFTER INSERT ON media WHEN new.deleted_at IS NULL
    BEGIN
        INSERT INTO media_counts VALUES (new.media_type, new.origin, coalesce(new.status, ''), new.rating, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
    END
    """,
    """
    CREATE TRIGGER media_counted_delete AFTER DELETE ON media WHEN old.deleted_at IS NULL
    BEGIN
        UPDATE media_counts SET n = n - 1
        WHERE media_type = old.media_type AND origin = old.origin
          AND status = coalesce(old.status, '') AND rating = old.rating;
    END
    """,
    """
    CREATE TRIGGER media_counted_update
    AFTER UPDATE OF media_type, origin, status, rating, deleted_at ON media
    BEGIN
        UPDATE media_counts SET n = n - 1
        WHERE old.deleted_at IS NULL AND media_type = old.media_type AND origin = old.origin
          AND status = coalesce(old.status, '') AND rating = old.rating;
        INSERT INTO media_counts
        SELECT new.media_type, new.origin, coalesce(new.status, ''), new.rating, 1
        WHERE new.deleted_at IS NULL
        ON CONFLICT DO UPDATE SET n = n + 1;
    END
    """,
)

LIBRARY = Schema(
    "hotfolder",
    (
        ("m001_initial", _INITIAL),
        ("m002_light_table", _LIGHT_TABLE),
        ("m003_intake", INTAKE),
        ("m004_engine", ENGINE),
        ("m005_queue", QUEUE),
        ("m006_browse", BROWSE),
        ("m007_duplicates", DUPLICATES),
        ("m008_visitors", VISITORS),
        ("m009_presets", PRESETS),
    ),
)
