"""Datasette's own pages: thumbnails in cells, questions that come with the library, and who may ask them."""

from __future__ import annotations

import html
import json
import re
import sqlite3

import httpx
import pytest
from datasette_hotfolder import tables

from hotfolder.library.saved_queries import SAVED_QUERIES
from tests.plugins.furniture import GENERATION, HARM, HARMFUL, MADE, PICTURES, RATED
from tests.plugins.house import House


@pytest.fixture(scope="module", autouse=True)
def more(house: House) -> None:
    """A collection and a change of a rating, beside what stands there."""
    with sqlite3.connect(house.root / "library.db", timeout=20) as connection:
        connection.execute(
            "INSERT INTO collections (id, name, created_at) VALUES ('c', ?, '2026-11-21T03:00:00.000Z')",
            (HARM,),
        )
        connection.execute(
            "INSERT INTO collection_media (collection_id, media_id, added_at) VALUES ('c', ?, '')", (RATED,)
        )
        connection.execute(
            """
            INSERT INTO rating_history (media_id, field, old_value, new_value, actor, at)
            VALUES (?, 'title', '""', ?, ?, '2026-11-21T03:00:00.000Z')
            """,
            (RATED, json.dumps(HARM), HARM),
        )
        connection.execute("UPDATE generation_inputs SET media_id = ?", (RATED,))


@pytest.mark.parametrize("table", ["generation_inputs", "collection_media", "rating_history"])
def test_picture_that_a_row_refers_to_is_shown_in_its_cell(admin: httpx.Client, table: str) -> None:
    page = admin.get(f"/library/{table}").text

    assert f'<img src="/media/{RATED}/thumbnail"' in page
    assert f'href="/-/library#{RATED}"' in page
    assert f'href="/library/media/{RATED}"' in page


def test_keyword_of_a_picture_shows_the_picture(admin: httpx.Client) -> None:
    assert f'<img src="/media/{HARMFUL}/thumbnail"' in admin.get("/library/media_keywords").text


def test_reference_shows_the_thumbnail_that_is_kept_of_it(admin: httpx.Client, visitor: httpx.Client) -> None:
    page = admin.get("/library/generation_inputs").text

    assert f'<img src="/media/inputs/{GENERATION}/0"' in page
    assert visitor.get(f"/media/inputs/{GENERATION}/0").status_code == 200


def test_every_picture_is_shown_in_its_own_row(admin: httpx.Client, visitor: httpx.Client) -> None:
    for page in (admin.get("/library/media").text, visitor.get("/library/pictures").text):
        assert len(re.findall(r'<img src="/media/[^"]+/thumbnail"', page)) == len(PICTURES)


@pytest.mark.parametrize(
    "value", ["<script>alert(1)</script>", "x' onerror='alert(1)", "../../etc/passwd", "", 7, None, b"x"]
)
def test_what_is_no_id_is_left_to_datasette(value: object) -> None:
    assert tables.render_cell({"media_id": value}, None, "media_id", "library") is None
    assert tables.render_cell({"id": value}, "media", "thumb_path", "library") is None
    assert tables.render_cell({"media_id": MADE}, None, "media_id", "another") is None


@pytest.mark.parametrize("name", SAVED_QUERIES)
def test_members_have_every_saved_query_answered(house: House, name: str) -> None:
    member = house.program("read")

    page = member.get(f"/library/{name}")
    answer = member.get(f"/library/{name}.json?_shape=array")

    assert page.status_code == answer.status_code == 200, answer.text[:300]
    assert SAVED_QUERIES[name].title in html.unescape(page.text)
    assert isinstance(answer.json(), list)


@pytest.mark.parametrize("name", SAVED_QUERIES)
@pytest.mark.parametrize("form", ["", ".json", ".csv", ".json?_shape=array&month=2026-11"])
def test_visitors_have_no_saved_query_answered(visitor: httpx.Client, name: str, form: str) -> None:
    assert visitor.get(f"/library/{name}{form}").status_code in (401, 403, 404)


def test_list_of_queries_is_for_members(house: House, visitor: httpx.Client) -> None:
    member = house.program("read")
    paths = ("/library", "/library.json", "/library/-/queries", "/library/-/queries.json")
    told, seen = ("".join(client.get(path).text for path in paths) for client in (member, visitor))

    for name in SAVED_QUERIES:
        assert f"/library/{name}" in told
        assert name not in seen


def test_saved_queries_find_what_they_say(house: House) -> None:
    member = house.program("read")

    def ask(name: str, **params: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = member.get(
            f"/library/{name}.json", params={"_shape": "array", **params}
        ).json()
        return rows

    best = ask("best_of_the_month", month="2026-11")
    assert [(row["media_id"], row["rating"]) for row in best] == [(RATED, 4)]
    assert not ask("best_of_the_month", month="2026-10")
    words = {str(row["word"]): row["pictures"] for row in ask("words_of_prompts")}
    assert words.get("onerror=alert(1)>") == 1
    failed = {row["code"]: row["failures"] for row in ask("failures_by_code")}
    assert failed == {"job.harm": 2}
    assert HARMFUL not in {row["media_id"] for row in ask("without_keywords")}
    sizes = [float(str(row["megabytes"])) for row in ask("largest_files")]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("path", ["collections", "rating_history", "failures_by_code", "words_of_prompts"])
def test_hostile_texts_stay_text_in_tables_and_answers(admin: httpx.Client, path: str) -> None:
    page = admin.get(f"/library/{path}").text

    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_pictures_can_be_counted_by_hand_and_are_not_by_themselves(admin: httpx.Client) -> None:
    page = admin.get("/library/media").text

    for column in ("rating", "status", "label", "origin", "endpoint_key", "owner", "mime_type"):
        assert f'<a href="?_facet={column}">' in page
    assert "facet-info" not in page
    assert "facet-info" in admin.get("/library/media?_facet=rating").text


def test_each_described_table_and_column_is_there(house: House) -> None:
    with sqlite3.connect(house.root / "library.db") as connection:
        for table, words in tables.COLUMN_WORDS.items():
            known = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            assert set(words) <= known, table
        for table in tables.TABLE_WORDS:
            assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone(), (
                table
            )
