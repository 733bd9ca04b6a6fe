"""What is known of a model file is known of one content of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hotfolder.domain.model_file import ModelFileKey
from hotfolder.library.model_files import ModelFileStore

KEY = ModelFileKey("/models/klein.gguf", 2_790_000_000, 1_763_700_000_123_456_789)
OTHERS = [replace(KEY, size=1), replace(KEY, mtime_ns=KEY.mtime_ns + 1), replace(KEY, path="/models/b.gguf")]


@pytest.fixture
def store(database):
    return ModelFileStore(database)


def test_nothing_is_known_of_a_new_file(store):
    assert store.find_facts([KEY, *OTHERS]) == {}
    assert store.find_sha256(KEY) is None


def test_header_and_hash_are_known_once_kept_in_either_order(store):
    store.keep_facts({KEY: {"kind": "vae", "parameters": 2**80}})
    store.keep_sha256(KEY, "ab" * 32)
    store.keep_sha256(OTHERS[2], "cd" * 32)
    store.keep_facts({OTHERS[2]: {"kind": None}})

    assert store.find_facts([KEY, OTHERS[2]]) == {
        KEY: {"kind": "vae", "parameters": 2**80},
        OTHERS[2]: {"kind": None},
    }
    assert (store.find_sha256(KEY), store.find_sha256(OTHERS[2])) == ("ab" * 32, "cd" * 32)


@pytest.mark.parametrize("other", OTHERS)
def test_nothing_is_said_of_another_content_or_file(store, other):
    store.keep_facts({KEY: {"kind": "vae"}})
    store.keep_sha256(KEY, "ab" * 32)

    assert store.find_facts([other]) == {}
    assert store.find_sha256(other) is None


@pytest.mark.parametrize("changed", OTHERS[:2])
def test_what_was_known_of_the_old_content_goes_with_it(store, database, changed):
    store.keep_facts({KEY: {"kind": "vae"}})
    store.keep_sha256(KEY, "ab" * 32)

    store.keep_facts({changed: {"kind": "upscaler"}})

    assert store.find_facts([KEY, changed]) == {changed: {"kind": "upscaler"}}
    assert (store.find_sha256(KEY), store.find_sha256(changed)) == (None, None)
    store.keep_sha256(KEY, "ef" * 32)
    assert store.find_facts([KEY, changed]) == {}
    assert [row["path"] for row in database.query("SELECT path FROM model_files")] == [KEY.path]


def test_path_of_any_bytes_can_be_kept(store):
    odd = replace(KEY, path="/models/caf\udce9.gguf")

    store.keep_sha256(odd, "ab" * 32)

    assert store.find_sha256(odd) == "ab" * 32


def test_looking_a_file_up_uses_the_index(database):
    sql = "SELECT sha256 FROM model_files WHERE path = ? AND size = ? AND mtime_ns = ?"

    (plan,) = database.query(f"EXPLAIN QUERY PLAN {sql}", ("a", 1, 2))

    assert "USING INDEX sqlite_autoindex_model_files_1" in plan["detail"]
