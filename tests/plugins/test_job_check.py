"""A job looked at before it is submitted, and the file of one that was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hotfolder.app import open_library
from hotfolder.clock import new_id
from hotfolder.config import load_settings
from tests.plugins.furniture import GONE, HARM, JOBS, NOWHERE, PLAIN, RATED
from tests.plugins.house import House, open_house

CHECK = "/-/api/jobs/check"
JOB: dict[str, Any] = {
    "endpointKey": "local.procedural.image",
    "params": {"prompt": "A quiet bay", "size": "64*64"},
}
COSTLY = """
credits: {enabled: true, daily: 10, without: fail, cost: {picture: 1, megapixel: 0, step: 0.5}}
moderation: {log_prompts: true, rules: [{words: [forbidden]}]}
"""


@pytest.fixture(scope="module")
def anna(house: House) -> httpx.Client:
    return house.program("submit", "anna")


@pytest.fixture(scope="module")
def costly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A library where pictures cost something."""
    with open_house(tmp_path_factory.mktemp("costly") / "library", settings=COSTLY) as made:
        yield made


def check(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = client.post(CHECK, json=JOB | changes)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def paths_of(found: dict[str, Any]) -> set[str]:
    return {each["path"] for each in found["problems"]}


def test_sound_job_says_what_it_makes(anna: httpx.Client) -> None:
    assert check(anna) == {
        "problems": [],
        "pictures": 1,
        "cost": None,
        "balance": None,
        "estimateS": None,
        "width": 64,
        "height": 64,
    }


def test_size_is_the_one_that_the_picture_will_have(anna: httpx.Client) -> None:
    found = check(anna, params={"prompt": "x", "resolution": 1024, "aspectRatio": "3:2"})

    assert (found["width"], found["height"]) == (1024, 688)


@pytest.mark.parametrize(
    ("changes", "pictures"),
    [
        ({"count": 5}, 5),
        ({"matrix": {"seed": [1, 2, 3], "steps": [1, 2]}}, 6),
        ({"matrix": {"steps": [1, 2]}, "count": 3}, 6),
        ({"count": 5, "params": {"prompt": "x", "steps": "many"}}, 5),
        ({"matrix": {"steps": list(range(1, 11))}, "count": 64}, 640),
    ],
)
def test_pictures_are_counted_also_of_a_job_with_problems(
    anna: httpx.Client, changes: dict[str, Any], pictures: int
) -> None:
    assert check(anna, **changes)["pictures"] == pictures


def test_all_problems_are_told_with_their_place(anna: httpx.Client) -> None:
    found = check(anna, params={"prompt": "x", "steps": "many", "stepz": 4}, refs=[{"media": NOWHERE}])

    assert {"params.steps", "params.stepz", "refs.0"} <= paths_of(found)
    assert all(set(each) == {"code", "path", "message", "hint"} for each in found["problems"])
    assert (found["width"], found["cost"]) == (None, None)


def test_job_that_is_no_job_at_all_has_problems_too(anna: httpx.Client) -> None:
    nested: Any = 1
    for _ in range(40):
        nested = {"a": nested}

    for job in ({}, {"extra": nested}, {"params": 5}, {"endpointKey": "\ud800"}):
        body = json.dumps(job)
        answer = anna.post(CHECK, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, bool(answer.json()["problems"])) == (200, True)


def test_references_are_looked_for_by_id_and_by_content(house: House, anna: httpx.Client) -> None:
    sha256 = next(each for each in items(anna) if each["mediaId"] == RATED)["sha256"]
    refs = [{"media": PLAIN}, {"media": NOWHERE}, {"sha256": sha256}, {"sha256": "0" * 64}, {"media": GONE}]

    found = check(anna, refs=refs)

    assert paths_of(found) == {"refs.1", "refs.3", "refs.4"}
    assert {each["code"] for each in found["problems"]} == {"job.ref_missing"}


def items(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/-/api/media").json()["items"]
    return found


def test_more_references_than_the_endpoint_takes_are_a_problem(anna: httpx.Client) -> None:
    sound = {"endpointKey": "local.upscale", "params": {"factor": 2}, "refs": [{"media": PLAIN}]}
    assert check(anna, **sound)["problems"] == []

    found = check(anna, **{**sound, "refs": [{"media": PLAIN}, {"media": RATED}]})

    assert paths_of(found) == {"refs"}
    assert check(anna, **{**sound, "refs": [{"media": PLAIN}] * 2})["problems"] == []


def test_size_that_follows_from_the_reference_is_not_known(anna: httpx.Client) -> None:
    found = check(anna, endpointKey="local.upscale", params={"factor": 2}, refs=[{"media": PLAIN}])

    assert (found["width"], found["height"], found["pictures"]) == (None, None, 1)


def test_cost_and_balance_are_told_where_pictures_cost_something(costly: House) -> None:
    eve = costly.program("submit", "eve")

    found = check(eve, params={"prompt": "x", "size": "64*64", "steps": 2}, count=3)
    assert (found["cost"], found["balance"], found["problems"]) == (6.0, 10.0, [])

    found = check(eve, params={"prompt": "x", "size": "64*64", "steps": 2}, count=6)
    assert (found["cost"], found["balance"]) == (12.0, 10.0)
    assert [each["code"] for each in found["problems"]] == ["queue.no_credits"]


def test_check_writes_nothing(costly: House) -> None:
    library = open_library(costly.root, load_settings(costly.root, {}))
    tables = [each for each in library.database.list_tables() if "fts" not in each]

    def count() -> dict[str, Any]:
        return {each: library.database.query(f"SELECT count(*) AS n FROM {each}")[0]["n"] for each in tables}

    before, files = count(), sorted(costly.root.glob("*/**/*.*"))
    carl = costly.program("submit", "carl")
    check(carl)
    found = check(carl, params={"prompt": "forbidden", "size": "64*64"})

    assert [each["code"] for each in found["problems"]] == ["job.moderated"]
    assert count() == before
    assert sorted(costly.root.glob("*/**/*.*")) == files
    library.close()


def test_time_is_told_from_earlier_pictures(house: House, anna: httpx.Client) -> None:
    library = open_library(house.root, load_settings(house.root, {}))
    with library.database.transaction() as tx:
        tx.execute(
            """
            UPDATE generations SET total_time_ms = 2000, steps = 4, width = 64, height = 64,
                engine_kind = 'procedural', completed_at = '2026-11-21T03:00:00.000Z'
            WHERE endpoint_key = 'local.procedural.image'
            """
        )
    library.close()

    one = check(anna, params={"prompt": "x", "size": "64*64", "steps": 4})["estimateS"]
    assert one == pytest.approx(2.0)
    assert check(anna, params={"prompt": "x", "size": "64*64", "steps": 4}, count=4)["estimateS"] == 8.0


@pytest.mark.parametrize(
    "more", [{"owner": "ben"}, {"deliver": [{"folder": "outbox/x"}]}, {"refs": ["../a.png"]}]
)
def test_what_may_not_be_submitted_may_not_be_checked(anna: httpx.Client, more: dict[str, Any]) -> None:
    answer = anna.post(CHECK, json=JOB | more)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "web.scope_missing")


def test_who_may_not_submit_checks_nothing(house: House, visitor: httpx.Client, anna: httpx.Client) -> None:
    assert house.program("review", "dora").post(CHECK, json=JOB).status_code == 403
    assert visitor.post(CHECK, json=JOB).status_code == 401
    assert anna.get(CHECK).status_code == 405


def test_file_of_a_job_is_saved_and_never_shown(anna: httpx.Client) -> None:
    answer = anna.get(f"/-/api/jobs/{JOBS['anna', 'completed']}/file")

    assert answer.status_code == 200
    assert json.loads(answer.content)["title"] == HARM
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="')
    assert "\n" not in answer.headers["Content-Disposition"]


def test_file_of_a_job_that_nobody_has_claimed_is_there_too(house: House, anna: httpx.Client) -> None:
    job_id = anna.post("/-/api/jobs", json=JOB).json()["jobId"]
    file = house.root / "inbox" / f"{job_id}.json"

    answer = anna.get(f"/-/api/jobs/{job_id.upper()}/file")

    assert answer.content == file.read_bytes()
    file.unlink()


def test_file_of_a_job_is_for_its_owner_and_for_admins(
    house: House, admin: httpx.Client, visitor: httpx.Client, anna: httpx.Client
) -> None:
    address = f"/-/api/jobs/{JOBS['ben', 'failed']}/file"

    assert house.program("read", "ben").get(address).status_code == 200
    assert admin.get(address).status_code == 200
    assert anna.get(address).status_code == 403
    assert visitor.get(address).status_code == 401
    assert admin.get(f"/-/api/jobs/{new_id()}/file").status_code == 404
    assert anna.post(f"/-/api/jobs/{JOBS['anna', 'completed']}/file").status_code == 405


@pytest.mark.parametrize("job_id", ["..", "..%2f..%2flibrary.db", "%00", "*", "check"])
def test_no_path_leads_out_of_the_jobs(admin: httpx.Client, house: House, job_id: str) -> None:
    answer = admin.get(f"/-/api/jobs/{job_id}/file")

    assert answer.status_code in (400, 404)
    assert str(house.root) not in answer.text
