"""Statistics over HTTP: who is told what, over which days, and how often they are made."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from datasette_hotfolder.stats_views import KEPT_S, _Kept

from hotfolder.errors import LibraryError
from tests.plugins.furniture import MADE, PICTURES
from tests.plugins.house import House

FIRST = {"from": "2026-11-21", "to": "2026-11-21"}  # the day of the furniture


def test_day_of_the_pictures_is_told_with_its_totals(visitor: httpx.Client) -> None:
    found = visitor.get("/-/api/stats", params={"from": "1970-01-01"}).json()

    assert found["from"] == "2026-11-21"
    assert found["periods"][0]["from"] == found["periods"][0]["to"] == "2026-11-21"
    assert found["periods"][0]["imported"] == len(PICTURES) - 1
    assert found["periods"][0]["generated"] == 1
    assert found["totals"]["pictures"] == len(PICTURES)
    assert found["totals"]["picked"] == 1


def test_without_days_the_last_thirty_are_told(visitor: httpx.Client) -> None:
    found = visitor.get("/-/api/stats").json()
    today = datetime.now(UTC).date()

    assert found["to"] in (today.isoformat(), (today - timedelta(days=1)).isoformat())
    assert len(found["periods"]) <= 30


def test_presets_and_the_trash_are_told_to_members_alone(house: House, visitor: httpx.Client) -> None:
    seen = visitor.get("/-/api/stats", params=FIRST).json()
    known = house.program("read").get("/-/api/stats", params=FIRST).json()

    assert seen["presets"] is None
    assert seen["totals"]["trashBytes"] is None
    assert known["presets"] == []
    assert known["totals"]["trashBytes"] == 0


def test_picture_that_awaits_a_review_counts_for_members_alone(house: House, visitor: httpx.Client) -> None:
    days = {"from": "2026-11-20", "to": "2026-11-21"}  # nobody has asked for these yet
    with sqlite3.connect(house.root / "library.db", timeout=20) as connection:
        connection.execute("UPDATE media SET review = 'awaiting' WHERE id = ?", (MADE,))
    try:
        seen = visitor.get("/-/api/stats", params=days).json()
        known = house.program("read").get("/-/api/stats", params=days).json()
    finally:
        with sqlite3.connect(house.root / "library.db", timeout=20) as connection:
            connection.execute("UPDATE media SET review = 'none' WHERE id = ?", (MADE,))

    assert (seen["totals"]["pictures"], known["totals"]["pictures"]) == (len(PICTURES) - 1, len(PICTURES))
    assert (seen["periods"][-1]["generated"], known["periods"][-1]["generated"]) == (0, 1)


@pytest.mark.parametrize(
    "query",
    ["from=x", "to=2026-13-01", "from=2026-02-30", "from=20261121", "from=2026-W47-6", "from='", "to=%00"],
)
def test_what_is_no_day_is_refused(visitor: httpx.Client, query: str) -> None:
    answer = visitor.get(f"/-/api/stats?{query}")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "web.invalid_request"


def test_days_in_the_wrong_order_and_other_methods_are_refused(admin: httpx.Client) -> None:
    assert admin.get("/-/api/stats?from=2026-11-22&to=2026-11-21").status_code == 400
    assert admin.post("/-/api/stats").status_code == 405


@pytest.mark.parametrize("query", ["from=0001-01-01", "to=9999-12-31", "from=9999-12-31", "to=0001-01-01"])
def test_days_far_away_are_answered(visitor: httpx.Client, query: str) -> None:
    assert visitor.get(f"/-/api/stats?{query}").status_code in (200, 400)


def test_same_question_is_worked_out_once_a_minute_and_a_failure_is_not_kept() -> None:
    now_s, made = [0.0], [0]

    async def make() -> dict[str, int]:
        made[0] += 1
        await asyncio.sleep(0)
        if made[0] == 1:
            raise LibraryError("The disk failed.")
        return {"made": made[0]}

    async def run() -> None:
        kept = _Kept(lambda: now_s[0])
        with pytest.raises(LibraryError):
            await kept.get("days", make)
        found = await asyncio.gather(*(kept.get("days", make) for _ in range(20)))
        assert [each["made"] for each in found] == [2] * 20
        assert (await kept.get("other", make))["made"] == 3
        now_s[0] = KEPT_S + 1
        assert (await kept.get("days", make))["made"] == 4

    asyncio.run(run())
