"""News over HTTP: at once when there is some, empty after the wait, and no server that cannot stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hotfolder.database import Database
from tests.plugins.furniture import HARM, JOBS, PICTURES, PLAIN
from tests.plugins.house import House

POLLS = 10
PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(POLLS) as made:
        yield made


@pytest.fixture
def database(house: House) -> Iterator[Database]:
    """Another process's hand on the library, as far as the server can tell."""
    opened = Database(house.root / "library.db")
    yield opened
    opened.close()


def latest(house: House) -> int:
    return int(house.visitor().get("/-/api/events").json()["seq"])


def poll(
    house: House, after: int, wait_s: int, asked: threading.Event | None = None
) -> tuple[dict[str, Any], float]:
    """One long poll, and how long it took; `asked` is set once the request is on its way."""
    client = house.visitor()
    client.get("/-/api/status")  # the connection is there
    began_at_s = time.monotonic()
    if asked is not None:
        asked.set()
    answer = client.get("/-/api/events", params={"after": after, "wait": wait_s})
    assert answer.status_code == 200, answer.text
    return answer.json(), time.monotonic() - began_at_s


def start_polls(
    house: House, pool: ThreadPoolExecutor, wait_s: int
) -> list[Future[tuple[dict[str, Any], float]]]:
    """Polls that the server has in hand; they have come in one after another on one thread of its own."""
    after, asked = latest(house), [threading.Event() for _ in range(POLLS)]
    polls = [pool.submit(poll, house, after, wait_s, each) for each in asked]
    assert all(each.wait(PATIENCE_S) for each in asked)
    for _ in range(3):
        house.visitor().get("/-/api/status")
    return polls


def test_what_has_happened_is_told_at_once_and_in_order(visitor: httpx.Client) -> None:
    found = visitor.get("/-/api/events", params={"after": 0, "wait": 20}).json()

    assert [each["seq"] for each in found["events"]] == sorted({each["seq"] for each in found["events"]})
    assert found["seq"] == found["events"][-1]["seq"]
    assert {each["subjectId"] for each in found["events"]} >= {*PICTURES, *JOBS.values()}
    assert set(found["events"][0]) == {"seq", "at", "topic", "subjectType", "subjectId", "actor", "data"}


def test_without_a_number_one_learns_where_the_news_begins(visitor: httpx.Client) -> None:
    found = visitor.get("/-/api/events").json()

    assert found["events"] == []
    assert visitor.get("/-/api/events", params={"after": found["seq"]}).json() == found


def test_an_event_of_another_process_is_told_within_300_ms_to_all_who_wait(
    house: House, pool: ThreadPoolExecutor, database: Database
) -> None:
    data = {"rating": 1, "note": f"{HARM}\ud800"}
    took_s = []
    for _ in range(3):  # a machine that is busy with other tests may be late once
        polls = start_polls(house, pool, 20)
        assert not any(each.done() for each in polls)
        with database.transaction() as tx:
            tx.event("rating.changed", "media", PLAIN, data, "anna")
        committed_at_s = time.monotonic()
        answers = [each.result(PATIENCE_S)[0] for each in polls]
        took_s.append(time.monotonic() - committed_at_s)
        assert [[each["data"] for each in answer["events"]] for answer in answers] == [[data]] * POLLS
        if took_s[-1] < 0.3:
            return

    raise AssertionError(f"told after {took_s} s")


def test_a_rating_over_the_api_is_told_to_those_who_wait(house: House, pool: ThreadPoolExecutor) -> None:
    polls = start_polls(house, pool, 20)
    rater = house.program("rate", "ben")
    rating = (rater.get(f"/-/api/media/{PLAIN}").json()["rating"] + 1) % 6

    rater.post(f"/-/api/media/{PLAIN}", json={"rating": rating})

    assert {each.result(PATIENCE_S)[0]["events"][0]["actor"] for each in polls} == {"ben"}


def test_after_the_wait_there_is_an_empty_answer_with_the_same_number(house: House) -> None:
    after = latest(house)

    answer, took_s = poll(house, after, 1)

    assert answer == {"events": [], "seq": after}
    assert 0.9 < took_s < 3


def test_a_number_that_this_library_has_not_reached_is_answered_with_where_the_news_begins(
    house: House,
) -> None:
    answer, took_s = poll(house, 2**53, 20)

    assert answer == {"events": [], "seq": latest(house), "reset": True}
    assert took_s < 5


def test_credits_of_others_and_what_admins_do_are_told_to_admins_alone(
    house: House, database: Database
) -> None:
    after, secret = latest(house), {"owner": "anna", "balance": 50, "note": "do not tell"}
    with database.transaction() as tx:
        tx.event("credits.granted", "owner", "anna", secret, "root")
        tx.event("credits.debited", "generation", PLAIN, secret, "root")
        tx.event("limits.owner_blocked", "owner", "anna", {"reason": "do not tell"}, "root")
        tx.event("control.changed", "control", "modelSet", {"value": "x"}, "root")
        tx.event("rating.changed", "media", PLAIN, {"rating": 1}, "root")
        tx.event("command.done", "command", "1", {"reason": "do not tell"}, "root")
    clients = (house.visitor(), house.program("submit", "ben"), house.program("submit", "anna"))

    heard = [each.get("/-/api/events", params={"after": after}).json() for each in clients]

    topics = [[each["topic"] for each in answer["events"]] for answer in heard]
    own = ["credits.granted", "credits.debited", "rating.changed"]
    assert topics == [["rating.changed"], ["rating.changed"], own]
    assert {answer["seq"] for answer in heard} == {latest(house)} == {after + 6}
    whole = house.program("admin", "carl").get("/-/api/events", params={"after": after}).json()
    assert len(whole["events"]) == 6
    last, took_s = poll(house, after + 5, 20)
    assert (last, took_s < 5) == ({"events": [], "seq": after + 6}, True)


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=-1", "after=1&wait=26", "after=1&wait=-1", "after=1&wait=x", "after=" + "9" * 30],
)
def test_a_question_that_makes_no_sense_is_refused(visitor: httpx.Client, query: str) -> None:
    assert visitor.get(f"/-/api/events?{query}").status_code == 400


def test_who_waits_keeps_nobody_from_looking(
    house: House, pool: ThreadPoolExecutor, visitor: httpx.Client
) -> None:
    polls = start_polls(house, pool, 1)

    for path in ("/-/library", f"/media/{PLAIN}/thumbnail", "/-/api/media"):
        assert visitor.get(path).status_code == 200

    assert not all(each.done() for each in polls)
    assert all(each.result(PATIENCE_S)[0]["events"] == [] for each in polls)


def test_who_goes_away_while_waiting_harms_nobody(house: House, visitor: httpx.Client) -> None:
    after = latest(house)
    for _ in range(5):
        with pytest.raises(httpx.ReadTimeout):
            house.visitor().get("/-/api/events", params={"after": after, "wait": 2}, timeout=0.05)

    assert visitor.get("/-/library").status_code == 200


def test_a_hundred_requests_at_once_are_served_or_told_to_come_back(house: House) -> None:
    token = {"Authorization": f"Bearer {house.token('read')}"}
    limits = httpx.Limits(max_connections=100)
    with (
        ThreadPoolExecutor(100) as crowd,
        httpx.Client(
            base_url=house.url, headers=token, limits=limits, trust_env=False, verify=False, timeout=30
        ) as client,
    ):
        answers = list(
            crowd.map(lambda number: client.get(f"/media/{PLAIN}/thumbnail?n={number}"), range(300))
        )

    assert {each.status_code for each in answers} <= {200, 503}
    assert sum(each.status_code == 200 for each in answers) >= 150


def test_a_stop_ends_all_polls_and_the_server_within_four_seconds(
    house: House, pool: ThreadPoolExecutor
) -> None:
    polls = start_polls(house, pool, 25)

    began_at_s = time.monotonic()
    code = house.stop()
    took_s = time.monotonic() - began_at_s

    assert (code, took_s < 4) == (0, True), house.output()
    assert [each.result(PATIENCE_S)[0]["events"] for each in polls] == [[]] * POLLS
    assert "Traceback" not in house.output()
    house.open()


def test_who_missed_what_is_no_longer_kept_is_told_to_begin_anew(house: House, database: Database) -> None:
    with database.transaction() as tx:
        for rating in range(3):
            tx.event("rating.changed", "media", PLAIN, {"rating": rating}, "anna")
    newest = latest(house)
    with database.transaction() as tx:
        tx.execute("DELETE FROM events WHERE seq < ?", (newest - 1,))

    answers = [poll(house, after, 0)[0] for after in (newest - 3, newest - 2, newest - 1)]

    assert answers[0] == {"events": [], "seq": newest, "reset": True}
    assert [len(each["events"]) for each in answers[1:]] == [2, 1]
