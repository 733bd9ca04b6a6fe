"""Keywords are found by how they begin; what becomes of one is on every picture and in the search."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hotfolder.errors import LibraryError, NotFound
from hotfolder.library.keywords import KeywordStore
from hotfolder.library.media import MediaStore
from tests.library.test_media import PICTURE

WORDS = {"m0": ["Bay", "dawn"], "m1": ["bay", "Übung"], "m2": ["bay", "100%", "barn"]}


@pytest.fixture
def media(database):
    store = MediaStore(database)
    with database.transaction() as tx:
        for each, words in WORDS.items():
            store.insert(tx, replace(PICTURE, media_id=each, file_path=f"originals/{each}.png"), words)
    return store


@pytest.fixture
def keywords(database, media):
    return KeywordStore(database)


def found(keywords, prefix, limit=20):
    return [(each.keyword, each.n) for each in keywords.search(prefix, limit)]


def texts(database):
    rows = database.query("SELECT keywords FROM media_texts ORDER BY number")
    return [sorted(row["keywords"].split()) for row in rows]


def matches(database, word):
    rows = database.query("SELECT rowid FROM media_fts WHERE media_fts MATCH ? ORDER BY rowid", (word,))
    return [row[0] for row in rows]


def id_of(keywords, word):
    return keywords.get_by_name(word).keyword_id


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("", [("Bay", 3), ("100%", 1), ("barn", 1), ("dawn", 1), ("Übung", 1)]),
        ("BA", [("Bay", 3), ("barn", 1)]),
        ("üb", [("Übung", 1)]),
        ("ÜBU", [("Übung", 1)]),
        ("100%", [("100%", 1)]),
        ("%", []),
        ("_ay", []),
        ("\\", []),
    ],
)
def test_keywords_are_found_by_their_beginning_those_of_most_pictures_first(keywords, prefix, words):
    assert found(keywords, prefix) == words


def test_trash_does_not_count_and_few_are_given_if_few_are_wanted(keywords, database):
    with database.transaction() as tx:
        tx.execute("UPDATE media SET deleted_at = '2026' WHERE id = 'm2'")

    assert found(keywords, "ba") == [("Bay", 2), ("barn", 0)]
    assert found(keywords, "", 1) == [("Bay", 2)]


def test_visitor_finds_no_keyword_that_only_hidden_pictures_have(keywords, media, database):
    with database.transaction() as tx:
        tx.execute(
            """
            INSERT INTO generations (id, provider, endpoint_key, mode, params_json, status, created_at)
            VALUES ('g', 'local', 'e', 'text-to-image', '{}', 'awaiting_review', '2026')
            """
        )
        tx.execute("UPDATE media SET review = 'awaiting', generation_id = 'g' WHERE id = 'm0'")
        tx.execute("UPDATE media SET deleted_at = '2026' WHERE id = 'm2'")
        tx.execute("INSERT INTO keywords (id, keyword) VALUES ('k', 'barge')")  # no picture has it

    seen = [(each.keyword, each.n) for each in keywords.search("", 20, is_reviewed=True)]

    assert seen == [("Bay", 1), ("Übung", 1)]
    assert found(keywords, "ba") == [("Bay", 2), ("barge", 0), ("barn", 0)]
    assert ("dawn", 1) in found(keywords, "")


def test_renamed_keyword_is_on_its_pictures_and_its_texts_are_renewed_a_few_at_a_time(
    keywords, media, database
):
    renamed = keywords.rename(id_of(keywords, "bay"), " Shore ", "anna")

    assert (renamed.keyword, renamed.n) == ("Shore", 3)
    assert media.list_keywords("m0") == ["dawn", "Shore"]
    event = database.list_events(0)[-1]
    assert (event.subject_type, event.data, event.actor) == (
        "keyword", {"renamed": "Shore", "from": "Bay"}, "anna",
    )  # fmt: skip
    assert matches(database, "bay") == [1, 2, 3]
    assert [keywords.renew_texts(2) for _ in range(3)] == [2, 1, 0]
    assert (matches(database, "bay"), matches(database, "shore")) == ([], [1, 2, 3])
    assert texts(database) == [["Shore", "dawn"], ["Shore", "Übung"], ["100%", "Shore", "barn"]]


def test_case_of_a_keyword_can_be_changed_but_it_cannot_take_the_name_of_another(keywords, database):
    assert keywords.rename(id_of(keywords, "Übung"), "übung", "anna").keyword == "übung"
    before = database.last_event_seq()
    assert keywords.rename(id_of(keywords, "Übung"), "übung", "anna").keyword == "übung"
    assert database.last_event_seq() == before

    for word in ("BAY", "ÜBUNG"):
        with pytest.raises(LibraryError) as caught:
            keywords.rename(id_of(keywords, "dawn"), word, "anna")
        assert caught.value.code == "library.duplicate_name"
    for word in ("", " ", "x" * 5000, "\ud800"):
        with pytest.raises(LibraryError):
            keywords.rename(id_of(keywords, "dawn"), word, "anna")


def test_merged_keyword_goes_over_to_the_other_one_a_few_at_a_time(keywords, media, database):
    source, target = id_of(keywords, "bay"), id_of(keywords, "barn")

    assert [keywords.move_some(source, target, 2) for _ in range(3)] == [2, 1, 0]
    merged = keywords.end_merge(source, target, "anna")

    assert (merged.keyword, merged.n) == ("barn", 3)
    assert [media.list_keywords(each) for each in WORDS] == [
        ["barn", "dawn"],
        ["barn", "Übung"],
        ["100%", "barn"],
    ]
    assert found(keywords, "bay") == []
    assert (matches(database, "bay"), matches(database, "barn")) == ([], [1, 2, 3])
    assert database.list_events(0)[-1].data == {"merged": "Bay", "into": target}


def test_picture_that_gets_the_old_keyword_while_it_is_merged_gets_the_new_one(keywords, media, database):
    source, target = id_of(keywords, "bay"), id_of(keywords, "barn")
    while keywords.move_some(source, target, 200):
        pass
    with database.transaction() as tx:  # somebody, between the last piece and the end
        media.add_keywords(tx, "m0", ["Bay"])

    keywords.end_merge(source, target, "anna")

    assert media.list_keywords("m0") == ["barn", "dawn"]
    assert texts(database)[0] == ["barn", "dawn"]
    with pytest.raises(NotFound):
        keywords.end_merge(target, "nothing", "anna")
    assert media.list_keywords("m0") == ["barn", "dawn"]


def test_picture_that_gets_a_keyword_while_it_is_removed_has_it_in_no_text(keywords, media, database):
    keyword_id = id_of(keywords, "bay")
    while keywords.drop_some(keyword_id, 200):
        pass
    with database.transaction() as tx:
        media.add_keywords(tx, "m0", ["Bay"])

    keywords.delete(keyword_id, "anna")

    assert (media.list_keywords("m0"), texts(database)[0]) == (["dawn"], ["dawn"])


def test_merge_goes_on_after_a_crash_between_two_pieces(keywords, database):
    source, target = id_of(keywords, "bay"), id_of(keywords, "barn")
    keywords.move_some(source, target, 1)  # and the process dies

    while keywords.move_some(source, target, 200):
        pass

    assert keywords.end_merge(source, target, "anna").n == 3


def test_removed_keyword_is_on_no_picture_and_in_no_text(keywords, media, database):
    keyword_id = id_of(keywords, "bay")

    assert [keywords.drop_some(keyword_id, 2) for _ in range(3)] == [2, 1, 0]
    keywords.delete(keyword_id, "anna")

    assert [media.list_keywords(each) for each in WORDS] == [["dawn"], ["Übung"], ["100%", "barn"]]
    assert texts(database) == [["dawn"], ["Übung"], ["100%", "barn"]]
    assert database.list_events(0)[-1].data == {"removed": "Bay"}


def test_what_is_not_there_cannot_be_changed(keywords):
    known = id_of(keywords, "bay")
    for act in (
        lambda: keywords.get("nothing"),
        lambda: keywords.get_by_name("nothing"),
        lambda: keywords.rename("nothing", "x", "anna"),
        lambda: keywords.move_some(known, "nothing", 1),
        lambda: keywords.drop_some("nothing", 1),
        lambda: keywords.delete("nothing", "anna"),
        lambda: keywords.end_merge("nothing", known, "anna"),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(LibraryError):
        keywords.move_some(known, known, 1)


def test_deleted_picture_with_a_stale_text_keeps_nobody(keywords, database):
    keywords.rename(id_of(keywords, "bay"), "shore", "anna")
    with database.transaction() as tx:
        tx.execute("DELETE FROM media WHERE id = 'm0'")

    assert [keywords.renew_texts(10), keywords.renew_texts(10)] == [2, 0]


def test_keywords_that_begin_so_are_found_by_an_index(database):
    sql = r"SELECT id FROM keywords WHERE keyword LIKE 'ba%' ESCAPE '\' ORDER BY keyword LIMIT 9"
    plan = " | ".join(row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {sql}"))

    assert "SEARCH" in plan
