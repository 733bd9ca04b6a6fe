"""How long a lane stays with one model while others wait."""

from __future__ import annotations

from dataclasses import replace

from hotfolder.domain.work import Affinity, WorkItem
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
