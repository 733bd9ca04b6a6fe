"""All that is known of one picture, its lineage and its sidecars, to those who may see the picture."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.plugins.furniture import (
    EMPTY,
    GENERATION,
    GONE,
    HARM,
    HARMFUL,
    HTML,
    JOBS,
    MADE,
    NOWHERE,
    PLAIN,
    RATED,
    SVG,
)
from tests.plugins.house import House

SIDECAR = '{"params": {"prompt": "A bay", "steps": 2}, "note": "<script>alert(1)</script>"}'


def describe(client: httpx.Client, media_id: str) -> Any:
    return client.get(f"/-/api/media/{media_id}").json()


def change(house: House, sql: str, *values: Any) -> None:
    """What only other programs do."""
    with sqlite3.connect(house.root / "library.db", timeout=20) as connection:
        connection.execute(sql, values)


@contextmanager
def written(house: House, media_id: str, ending: str, text: str = SIDECAR) -> Iterator[None]:
    """A sidecar lies beside a picture meanwhile."""
    path = house.root / "originals" / "2026" / "11" / f"{media_id}.png.{ending}"
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.unlink()


def test_generated_picture_is_told_with_its_run(visitor: httpx.Client) -> None:
    generation = describe(visitor, MADE)["generation"]

    assert (generation["mode"], generation["attempts"], generation["warnings"]) == ("text-to-image", 0, [])
    assert (generation["owner"], generation["modelName"], generation["queueWaitMs"]) == ("anna", None, None)
    assert generation["jobId"] == JOBS["anna", "completed"]


def test_reference_without_a_picture_keeps_its_thumbnail_and_cannot_be_opened(visitor: httpx.Client) -> None:
    (given,) = describe(visitor, MADE)["inputs"]

    assert (given["mediaId"], given["isPresent"], given["role"]) == (None, False, HARM)
    assert visitor.get(given["thumbnailUrl"]).headers["content-type"] == "image/jpeg"


def test_job_that_makes_it_again_has_the_params_of_its_sidecar(house: House, visitor: httpx.Client) -> None:
    without = describe(visitor, MADE)["generation"]["again"]
    with written(house, MADE, "json"):
        again = describe(visitor, MADE)["generation"]["again"]

    assert without["params"]["seed"] == 5
    assert again == {
        "endpointKey": "local.procedural.image",
        "params": {"prompt": "A bay", "steps": 2},
        "refs": [{"sha256": "a" * 64, "role": HARM}],
    }


@pytest.mark.parametrize("text", ["", "[]", '{"params": 3}', "[" * 100_000, "\ufeff"])
def test_damaged_sidecar_harms_nothing(house: House, visitor: httpx.Client, text: str) -> None:
    with written(house, MADE, "json", text):
        found = describe(visitor, MADE)

    assert found["generation"]["again"]["params"]["seed"] == 5
    assert found["sidecar"]["json"] is True


def test_detail_says_which_sidecars_there_are(house: House, visitor: httpx.Client) -> None:
    assert describe(visitor, PLAIN)["sidecar"] == {"json": False, "xmp": False, "embedded": False}

    with written(house, PLAIN, "json"), written(house, PLAIN, "xmp", "<x:xmpmeta/>"):
        assert describe(visitor, PLAIN)["sidecar"] == {"json": True, "xmp": True, "embedded": False}


@pytest.mark.parametrize("media_id", [GONE, EMPTY, SVG, HTML, HARMFUL])
def test_picture_with_an_odd_file_is_told_of_all_the_same(visitor: httpx.Client, media_id: str) -> None:
    found = describe(visitor, media_id)

    assert found["sidecar"]["embedded"] is False
    assert (found["made"], found["deliveries"], found["generation"]) == ([], [], None)


def test_result_file_of_an_ended_job_is_a_delivery(house: House, visitor: httpx.Client) -> None:
    assert describe(visitor, MADE)["deliveries"] == []
    change(
        house, "UPDATE jobs SET final_path = 'done/2026/11/21/a.yaml' WHERE id = ?", JOBS["anna", "completed"]
    )

    (found,) = describe(visitor, MADE)["deliveries"]

    assert (found["kind"], found["path"]) == ("result", "done/2026/11/21/a.yaml.result.json")
    assert found["at"].endswith("Z")


def test_history_tells_who_changed_what_the_newest_first(house: House, visitor: httpx.Client) -> None:
    rater = house.program("rate", "ben")
    rater.post(f"/-/api/media/{RATED}", json={"rating": 2})
    rater.post(f"/-/api/media/{RATED}", json={"keywords": ["bay"]})

    newest, before = describe(visitor, RATED)["ratingHistory"]

    assert newest | {"at": ""} == {
        "field": "keywords", "oldValue": [], "newValue": ["bay"], "actor": "ben", "at": "",
    }  # fmt: skip
    assert (before["field"], before["oldValue"], before["newValue"]) == ("rating", 4, 2)


def test_sidecar_is_shown_as_text_and_never_as_a_page(house: House, visitor: httpx.Client) -> None:
    with written(house, PLAIN, "json"), written(house, PLAIN, "xmp", "<script>alert(1)</script>"):
        answers = [visitor.get(f"/media/{PLAIN}/{name}") for name in ("sidecar", "xmp")]

    assert [each.text for each in answers] == [SIDECAR, "<script>alert(1)</script>"]
    for each in answers:
        assert each.headers["content-type"] == "text/plain; charset=utf-8"
        assert each.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in each.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["sidecar", "xmp"])
@pytest.mark.parametrize("media_id", [PLAIN, NOWHERE, "..%2f..%2flibrary.db", "%00", "x" * 2000])
def test_sidecar_that_is_not_there_is_not_found(
    house: House, visitor: httpx.Client, media_id: str, name: str
) -> None:
    answer = visitor.get(httpx.URL(house.url).copy_with(raw_path=f"/media/{media_id}/{name}".encode()))

    assert answer.status_code == 404
    assert answer.json()["error"]["code"]


def test_sidecar_that_leads_elsewhere_is_not_followed(house: House, visitor: httpx.Client) -> None:
    link = house.root / "originals" / "2026" / "11" / f"{PLAIN}.png.json"
    link.symlink_to(house.root / "hotfolder.yaml")
    try:
        assert visitor.get(f"/media/{PLAIN}/sidecar").status_code == 404
        assert describe(visitor, PLAIN)["sidecar"]["json"] is False
    finally:
        link.unlink()


def test_lineage_of_a_picture_names_its_reference(visitor: httpx.Client) -> None:
    found = visitor.get(f"/-/api/lineage/{MADE}").json()

    source, own = found["pictures"]
    assert (own["key"], own["level"], own["state"], own["mode"]) == (MADE, 0, "present", "text-to-image")
    assert (source["level"], source["state"], source["mediaId"]) == (-1, "outside", None)
    assert source["originalName"] == HARM
    assert source["thumbnailUrl"] == f"/media/inputs/{GENERATION}/0?v={'a' * 12}"
    assert found["links"] == [{"source": source["key"], "target": MADE, "role": HARM, "position": 0}]
    assert found["isCut"] is False


def test_source_and_what_was_made_of_it_know_each_other(house: House, visitor: httpx.Client) -> None:
    change(house, "UPDATE generation_inputs SET media_id = ? WHERE generation_id = ?", PLAIN, GENERATION)
    try:
        (made,) = describe(visitor, PLAIN)["made"]
        (given,) = describe(visitor, MADE)["inputs"]
        lineage = visitor.get(f"/-/api/lineage/{PLAIN}").json()
    finally:
        change(house, "UPDATE generation_inputs SET media_id = NULL")

    assert (made["mediaId"], given["mediaId"], given["isPresent"]) == (MADE, PLAIN, True)
    assert [(each["key"], each["level"]) for each in lineage["pictures"]] == [(PLAIN, 0), (MADE, 1)]


def test_picture_that_awaits_its_review_is_known_to_members_only(
    house: House, visitor: httpx.Client, admin: httpx.Client
) -> None:
    change(house, "UPDATE generation_inputs SET media_id = ? WHERE generation_id = ?", PLAIN, GENERATION)
    change(house, "UPDATE media SET review = 'awaiting' WHERE id = ?", PLAIN)
    try:
        paths = (f"/-/api/media/{PLAIN}", f"/-/api/lineage/{PLAIN}", f"/media/{PLAIN}/sidecar")
        with written(house, PLAIN, "json"):
            seen = [(visitor.get(each).status_code, admin.get(each).status_code) for each in paths]
        of_visitor, of_admin = describe(visitor, MADE), describe(admin, MADE)
        lineage = visitor.get(f"/-/api/lineage/{MADE}").json()
    finally:
        change(house, "UPDATE media SET review = 'none' WHERE id = ?", PLAIN)
        change(house, "UPDATE generation_inputs SET media_id = NULL")

    assert seen == [(404, 200)] * 3
    assert (len(of_visitor["inputs"]), len(of_admin["inputs"])) == (0, 1)
    assert len(lineage["pictures"]) == 1


@pytest.mark.parametrize(
    "path", [f"/-/api/lineage/{NOWHERE}", "/-/api/lineage/%00", "/-/api/lineage/" + "x" * 2000]
)
def test_lineage_of_nothing_is_not_found(visitor: httpx.Client, path: str) -> None:
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", [f"/-/api/lineage/{PLAIN}", f"/media/{PLAIN}/sidecar", f"/media/{PLAIN}/xmp"]
)
def test_only_reading_is_possible(admin: httpx.Client, path: str) -> None:
    assert admin.post(path).status_code == 405


def test_lineage_page_is_shown_to_visitors_with_hostile_names_as_data(visitor: httpx.Client) -> None:
    answer = visitor.get(f"/-/lineage/{MADE}", headers={"Accept": "text/html"})

    assert answer.status_code == 200
    assert "<script>alert(1)" not in answer.text
    assert visitor.get(f"/-/lineage/{NOWHERE}", headers={"Accept": "text/html"}).status_code == 404
