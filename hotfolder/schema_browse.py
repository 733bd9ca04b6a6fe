"""Schema step m006: places, texts and changes of pictures, so that any filter is answered at once."""

from __future__ import annotations

from typing import Final

NAME_SQL: Final = "coalesce(title, original_name, file_name) COLLATE NOCASE"
"""By what pictures are sorted by name; an index holds it, so a query has to say it letter by letter."""

TOKENIZER: Final = "unicode61 remove_diacritics 2"
"""What a word is in a search, and that `Möwe` is found by `mowe`."""
_KEYWORDS: Final = """
    (
        SELECT group_concat(keyword, ' ') FROM media_keywords k JOIN keywords ON keywords.id = k.keyword_id
        WHERE k.media_id = media.id
    )
"""
TEXTS_SQL: Final = f"""
    SELECT media.number, generations.prompt, coalesce(original_name, jobs.job_file, ''),
           coalesce(media.title, ''), coalesce(description, ''), coalesce({_KEYWORDS}, '')
    FROM media
    LEFT JOIN generations ON generations.id = media.generation_id
    LEFT JOIN jobs ON jobs.id = generations.job_id
"""
"""What can be found by text of pictures: the columns of `media_texts`."""

_MADE: Final = """
    owner = (
        SELECT coalesce(generations.owner, jobs.owner) FROM generations JOIN jobs ON jobs.id = job_id
        WHERE generations.id = {0}.generation_id
    ),
    endpoint_key = (SELECT endpoint_key FROM generations WHERE id = {0}.generation_id),
    has_refs = EXISTS (SELECT 1 FROM generation_inputs WHERE generation_id = {0}.generation_id)
"""
_DELETE_TEXT: Final = """
    INSERT INTO media_fts (media_fts, rowid, prompt, name, title, description, keywords)
    VALUES ('delete', old.number, old.prompt, old.name, old.title, old.description, old.keywords);
"""
_INSERT_TEXT: Final = """
    INSERT INTO media_fts (rowid, prompt, name, title, description, keywords)
    VALUES (new.number, new.prompt, new.name, new.title, new.description, new.keywords);
"""
_RENEW_KEYWORDS: Final = f"""
    UPDATE media_texts SET keywords = coalesce((SELECT {_KEYWORDS} FROM media WHERE number = {{0}}), '')
    WHERE number = {{0}};
"""


def _follow_membership(table: str, scope: str) -> tuple[str, ...]:
    """The number of the picture beside its id, and a change for each picture that comes or goes."""
    is_keyword = table == "media_keywords"
    renew = _RENEW_KEYWORDS if is_keyword else ""
    number = "(SELECT number FROM media WHERE id = new.media_id)"
    return (
        f"ALTER TABLE {table} ADD COLUMN number INTEGER",
        f"UPDATE {table} SET number = (SELECT number FROM media WHERE id = media_id)",
        f"CREATE INDEX idx_{table}_number ON {table} ({scope}, number)",
        f"""
        CREATE TRIGGER {table}_joined AFTER INSERT ON {table}
        BEGIN
            UPDATE {table} SET number = {number} WHERE {scope} = new.{scope} AND media_id = new.media_id;
            INSERT INTO media_changes (number, scope)
            SELECT number, new.{scope} FROM media WHERE id = new.media_id;
            {renew.format(number)}
        END
        """,
        f"""
        CREATE TRIGGER {table}_left AFTER DELETE ON {table} WHEN old.number IS NOT NULL
        BEGIN
            INSERT INTO media_changes (number, scope) VALUES (old.number, old.{scope});
            {renew.format("old.number")}
        END
        """,
    )


BROWSE: Final = (
    # The number is the place of a picture in the order of arrival: never given twice, never changed.
    "ALTER TABLE media ADD COLUMN number INTEGER",
    "ALTER TABLE media ADD COLUMN owner TEXT",
    "ALTER TABLE media ADD COLUMN endpoint_key TEXT",
    "ALTER TABLE media ADD COLUMN has_refs INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE media ADD COLUMN phash INTEGER",  # difference hash of 64 bits, signed; NULL: not known
    "DROP TRIGGER media_counted_insert",
    "DROP TRIGGER media_counted_delete",
    "DROP TRIGGER media_counted_update",
    "DROP TABLE media_counts",
    "DROP INDEX idx_media_created",
    "DROP INDEX idx_media_rating",
    """
    UPDATE media SET number = places.number
    FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS number FROM media) AS places
    WHERE places.id = media.id
    """,
    f"UPDATE media SET {_MADE.format('media')} WHERE generation_id IS NOT NULL",
    "CREATE UNIQUE INDEX idx_media_number ON media (number)",
    "CREATE INDEX idx_media_created ON media (created_at DESC, id DESC)",
    "CREATE INDEX idx_media_size ON media (file_size, number)",
    f"CREATE INDEX idx_media_name ON media ({NAME_SQL}, number)",
    "CREATE INDEX idx_media_deleted ON media (deleted_at) WHERE deleted_at IS NOT NULL",
    """
    CREATE INDEX idx_collection_media_order
    ON collection_media (collection_id, position, added_at, media_id)
    """,
    "CREATE INDEX idx_media_phash ON media (phash) WHERE phash IS NOT NULL",
    # What changed, for whoever keeps what filters need in memory. The newest row is never removed, so its
    # number is never given again; `scope` is the id of a keyword or collection, else NULL.
    "CREATE TABLE media_changes (seq INTEGER PRIMARY KEY, number INTEGER NOT NULL, scope TEXT)",
    "CREATE TABLE numbers_given (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO numbers_given SELECT 'media', coalesce(max(number), 0) FROM media",
    # Texts whose keywords were renamed, merged or removed: to be made anew, a few at a time.
    "CREATE TABLE stale_texts (number INTEGER PRIMARY KEY)",
    """
    CREATE TABLE media_texts (
        number INTEGER PRIMARY KEY,
        prompt TEXT, name TEXT NOT NULL, title TEXT NOT NULL, description TEXT NOT NULL,
        keywords TEXT NOT NULL
    )
    """,
    f"""
    CREATE VIRTUAL TABLE media_fts USING fts5(
        prompt, name, title, description, keywords,
        content='media_texts', content_rowid='number', prefix='2 3 4 5',
        tokenize="{TOKENIZER}"
    )
    """,
    f"CREATE TRIGGER media_texts_insert AFTER INSERT ON media_texts BEGIN {_INSERT_TEXT} END",
    f"CREATE TRIGGER media_texts_delete AFTER DELETE ON media_texts BEGIN {_DELETE_TEXT} END",
    f"CREATE TRIGGER media_texts_update AFTER UPDATE ON media_texts BEGIN {_DELETE_TEXT} {_INSERT_TEXT} END",
    f"INSERT INTO media_texts {TEXTS_SQL}",
    f"""
    CREATE TRIGGER media_arrived AFTER INSERT ON media
    BEGIN
        UPDATE numbers_given SET number = number + 1 WHERE name = 'media' AND new.number IS NULL;
        UPDATE media SET
            number = (SELECT number FROM numbers_given WHERE name = 'media'), {_MADE.format("new")}
        WHERE id = new.id AND new.number IS NULL;
        INSERT INTO media_texts {TEXTS_SQL} WHERE media.id = new.id;
        INSERT INTO media_changes (number) SELECT number FROM media WHERE id = new.id;
    END
    """,
    """
    CREATE TRIGGER media_changed
    AFTER UPDATE OF rating, status, label, review, deleted_at, origin, media_type, mime_type, width, height,
        owner, endpoint_key, has_refs, created_at ON media WHEN old.number IS NOT NULL
    BEGIN
        INSERT INTO media_changes (number) VALUES (new.number);
    END
    """,
    """
    CREATE TRIGGER media_reworded AFTER UPDATE OF title, description, original_name ON media
    WHEN old.number IS NOT NULL
    BEGIN
        UPDATE media_texts SET
            title = coalesce(new.title, ''), description = coalesce(new.description, ''),
            name = coalesce(new.original_name, name)
        WHERE number = new.number;
        INSERT INTO media_changes (number) VALUES (new.number);
    END
    """,
    """
    CREATE TRIGGER media_removed AFTER DELETE ON media
    BEGIN
        DELETE FROM media_texts WHERE number = old.number;
        DELETE FROM stale_texts WHERE number = old.number;
        INSERT INTO media_changes (number) VALUES (old.number);
    END
    """,
    *_follow_membership("media_keywords", "keyword_id"),
    *_follow_membership("collection_media", "collection_id"),
    """
    CREATE TRIGGER collection_media_moved AFTER UPDATE OF position ON collection_media
    WHEN old.number IS NOT NULL
    BEGIN
        INSERT INTO media_changes (number, scope) VALUES (old.number, old.collection_id);
    END
    """,
    # A change of many pictures at once, so that it can be taken back.
    "ALTER TABLE rating_history ADD COLUMN change_id TEXT",
    "CREATE INDEX idx_rating_history_change ON rating_history (change_id) WHERE change_id IS NOT NULL",
)
