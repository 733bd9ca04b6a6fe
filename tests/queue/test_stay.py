"""How long a lane stays with one model while others wait."""

from __future__ import annotations

from dataclasses import replace

from hotfolder.domain.work import Affinity, NewWork, WorkItem
from hotfolder.queue.lanes import LaneBook
from hotfolder.queue.stay import STAY_S, Stay

SMALL = Affinity("4b", "bay")


def item(affinity: Affinity | None = SMALL, *, overtakes: bool = False, priority: int = 0) -> WorkItem:
    made = WorkItem("w", "paint", "gpu", "processing", priority, {}, "s", 1, 3, 0, cancel_requested=False)
    return replace(made, affinity=affinity, has_overtaken=overtakes)


def test_lane_wants_what_is_like_the_last_item_and_nothing_at_first() -> None:
    stay = Stay(lambda: 0.0)
    assert stay.wanted() is None

    stay.claimed(item())
    stay.claimed(item(None))
    assert stay.wanted() == SMALL


def test_who_was_overtaken_for_long_enough_goes_next_and_the_time_begins_anew() -> None:
    now = [0.0]
    stay = Stay(lambda: now[0])
    stay.claimed(item())
    for now[0] in (10.0, 100.0, 10.0 + STAY_S - 1):
        stay.claimed(item(overtakes=True))
        assert stay.wanted() == SMALL

    now[0] = 10.0 + STAY_S
    assert stay.wanted() is None
    stay.claimed(item(Affinity("9b")))
    assert stay.wanted() == Affinity("9b")


def test_urgent_items_in_between_do_not_let_those_that_were_overtaken_wait_for_longer() -> None:
    now = [0.0]
    stay = Stay(lambda: now[0])
    stay.claimed(item())
    stay.claimed(item(overtakes=True))

    now[0] = STAY_S - 1
    stay.claimed(item(overtakes=True, priority=10))
    stay.claimed(item(priority=10))
    now[0] = STAY_S

    assert stay.wanted() is None


def test_a_lane_that_stays_with_its_model_does_not_hand_work_back_and_forth(queue, database, clock) -> None:
    """An old job of another model, a young one of the loaded model, and an urgent one between the two."""
    with database.transaction() as tx:
        queue.store.enqueue(tx, NewWork("paint", "gpu", {}, "tests", "old", affinity=Affinity("9b")))
    clock.advance(1800)
    with database.transaction() as tx:
        queue.store.enqueue(tx, NewWork("paint", "gpu", {}, "tests", "young", affinity=SMALL))
        queue.store.enqueue(tx, NewWork("paint", "gpu", {}, "tests", "urgent", 1, affinity=SMALL))

    item = queue.store.claim("gpu", SMALL)

    assert item is not None
    assert item.correlation_id == "old"
    assert not queue.store.gives_way(item)


def test_a_lane_that_drains_does_not_give_way_to_what_came_later(queue, database, clock) -> None:
    queue.put("before")
    clock.advance(1)
    LaneBook(database).put("gpu", "draining", "anna")
    clock.advance(1)
    queue.put("after", priority=50)

    item = queue.claim()

    assert item.correlation_id == "before"
    assert not queue.store.gives_way(item)


def test_a_drain_of_all_lanes_waits_for_what_is_still_to_pass_through_them(queue, database, clock) -> None:
    queue.put("picture")
    book = LaneBook(database)
    clock.advance(1)
    book.put_all(["gpu", "cpu", "io"], "draining", "anna")
    book.settle(["gpu", "cpu", "io"])
    while_it_waits = [book.find(lane).state for lane in ("gpu", "cpu", "io")]

    item = queue.claim()
    with database.transaction() as tx:
        queue.store.complete(tx, item)
        queue.store.enqueue(tx, NewWork("keep", "cpu", {}, "tests", "picture", since=item.since))
    book.settle(["gpu", "cpu", "io"])
    in_between = [book.find(lane).state for lane in ("gpu", "cpu", "io")]
    queue.do("complete", queue.claim("cpu"))
    book.settle(["gpu", "cpu", "io"])

    assert while_it_waits == in_between == ["draining"] * 3
    assert [book.find(lane).state for lane in ("gpu", "cpu", "io")] == ["paused"] * 3


def test_a_drain_does_not_wait_for_what_is_to_be_run_next_year(queue, database, clock) -> None:
    with database.transaction() as tx:
        work = NewWork("paint", "gpu", {}, "tests", "later", run_at="2030-01-01T00:00:00.000Z")
        queue.store.enqueue(tx, work)
    clock.advance(1)
    book = LaneBook(database)
    book.put("gpu", "draining", "anna")

    book.settle(["gpu"])

    assert book.find("gpu").state == "paused"
