"""Pictures that await a review, and those in the trash: visitors meet them in no table and in no event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hotfolder.database import Database
from tests.plugins.furniture import GENERATION, JOBS, MADE, PICTURES, PLAIN, RATED
from tests.plugins.house import House, open_house

WORD = "a secret word"
PROMPT = "a secret prompt"
JOB = JOBS["anna", "completed"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house in which MADE awaits its review and RATED lies in the trash; each has a keyword of its own."""
    with open_house(tmp_path_factory.mktemp("unseen") / "library") as made:
        admin = made.program("admin", "root")
        words = {MADE: f"{WORD} of a review", RATED: f"{WORD} of the trash", PLAIN: "common"}
        for media_id, word in words.items():
            given = {"mediaIds": [media_id], "addKeywords": [word]}
            assert admin.post("/-/api/media/bulk", json=given).json()["changed"] == 1
        database = Database(made.root / "library.db")
        with database.transaction() as tx:
            tx.execute(
                "UPDATE media SET review = 'awaiting', title = ? WHERE id = ?", (f"{WORD} of a review", MADE)
            )
            tx.execute(
                "UPDATE generations SET status = 'awaiting_review', prompt = ? WHERE id = ?",
                (PROMPT, GENERATION),
            )
        database.close()
        assert admin.delete(f"/-/api/media/{RATED}").status_code == 200
        yield made


@pytest.fixture
def database(house: House) -> Iterator[Database]:
    opened = Database(house.root / "library.db")
    yield opened
    opened.close()


def ask(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def hear(client: httpx.Client, after: int = 0) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = ask(client, f"/-/api/events?after={after}")["events"]
    return events


def test_visitors_table_of_pictures_has_no_awaiting_and_no_trashed_ones(visitor: httpx.Client) -> None:
    rows = ask(visitor, "/library/pictures.json?_shape=array")

    assert {row["id"] for row in rows} == {*PICTURES} - {MADE, RATED}
    assert [row["created_at"] for row in rows] == sorted((row["created_at"] for row in rows), reverse=True)
    assert next(row["keywords"] for row in rows if row["id"] == PLAIN) == "common"
    assert not {"review", "file_path", "original_path", "owner", "generation_id"} & set(rows[0])


@pytest.mark.parametrize(
    "path",
    [
        "media.json?_shape=array&review=awaiting&_col=id&_col=file_path",
        f"media/{MADE}.json",
        "media.json?_shape=array&deleted_at__notblank=1",
        "generations.json?_shape=array&status=awaiting_review&_col=prompt",
        f"generations/{GENERATION}",
        "rating_history.json?_shape=array",
        "keywords.json?_shape=array",
        "media_keywords.json?_shape=array",
        "generation_inputs.json?_shape=array",
    ],
)
def test_visitors_do_not_read_of_them_in_the_tables_of_members(
    house: House, visitor: httpx.Client, path: str
) -> None:
    assert visitor.get(f"/library/{path}").status_code == 401
    assert house.program("read").get(f"/library/{path}").status_code == 200


def test_visitors_see_no_keyword_that_no_picture_of_theirs_has(visitor: httpx.Client) -> None:
    rows = ask(visitor, "/library/picture_keywords.json?_shape=array&_size=max")

    assert {"keyword": "common", "n": 1} in rows
    assert not [row for row in rows if WORD in row["keyword"]]


def test_nothing_that_visitors_read_names_an_awaiting_picture(visitor: httpx.Client) -> None:
    for path in (
        "/library",
        "/library.json",
        "/library/pictures",
        "/library/picture_keywords",
        "/-/api/events?after=0",
    ):
        text = visitor.get(path).text
        for secret in (MADE, f"{WORD} of a review", PROMPT, GENERATION):
            assert secret not in text, path


def test_visitors_hear_nothing_of_a_picture_that_awaits_its_review(
    house: House, visitor: httpx.Client, database: Database
) -> None:
    after, path = database.last_event_seq(), f"originals/2026/11/{MADE}.png"
    with database.transaction() as tx:
        tx.event("library.updated", "media", MADE, {"added": path})
        tx.event("rating.changed", "media", MADE, {"title": WORD}, "anna")
        tx.event("generation.result", "generation", GENERATION, {"jobId": JOB, "mediaId": MADE, "path": path})
        tx.event("generation.changed", "generation", GENERATION, {"status": "awaiting_review"})
        tx.event("rating.changed", "change", "c1", {"count": 2, "mediaIds": [MADE, PLAIN]}, "anna")
        tx.event("rating.changed", "change", "c2", {"count": 1, "mediaIds": [MADE]}, "anna")
        tx.event("job.changed", "job", JOB, {"status": "completed"})

    heard = [(each["topic"], each["subjectId"], each["data"]) for each in hear(visitor, after)]

    assert heard == [
        ("rating.changed", "c1", {"count": 1, "mediaIds": [PLAIN]}),
        ("job.changed", JOB, {"status": "completed"}),
    ]
    assert len(hear(house.program("read"), after)) == 7
    assert ask(visitor, f"/-/api/events?after={after}")["seq"] == after + 7


def test_visitors_hear_that_a_picture_left_for_the_trash(visitor: httpx.Client) -> None:
    assert {"deleted": True} in [each["data"] for each in hear(visitor) if each["subjectId"] == RATED]


def test_events_of_jobs_carry_no_prompts(visitor: httpx.Client) -> None:
    told = [each for each in hear(visitor) if each["subjectType"] == "job"]

    assert told
    assert {key for each in told for key in each["data"]} <= {"jobFile", "status", "from", "reason", "path"}


def test_visitors_hear_of_a_picture_once_it_has_been_accepted(
    house: House, visitor: httpx.Client, database: Database
) -> None:
    after = database.last_event_seq()
    assert MADE not in visitor.get("/library/pictures.json").text

    answer = house.program("review").post(f"/-/api/review/{MADE}", json={"decision": "accept"})

    assert answer.status_code == 200, answer.text
    assert MADE in {each["subjectId"] for each in hear(visitor, after)}
    assert MADE in visitor.get("/library/pictures.json").text
