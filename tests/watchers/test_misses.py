"""Which files count as missed by the events."""

from __future__ import annotations

from hotfolder.watchers.misses import WINDOW_S, Misses


def _missed(*seen_at: float) -> Misses:
    misses = Misses()
    for number, at in enumerate(seen_at):
        misses.suspect(f"file-{number}", at)
    misses.confirm(max(seen_at) + 1)
    return misses


def test_file_that_no_event_named_when_all_were_heard_is_missed() -> None:
    misses = _missed(5.0)
    assert (misses.count, misses.are_too_many()) == (1, False)
    misses.confirm(100.0)
    assert misses.count == 1


def test_file_whose_event_may_still_come_is_not_missed() -> None:
    misses = Misses()
    misses.suspect("a", 5.0)
    for heard_until in (None, 4.0, 5.0):
        misses.confirm(heard_until)
    misses.clear("a")
    misses.confirm(6.0)
    assert misses.count == 0


def test_first_sight_counts_however_often_a_file_is_seen() -> None:
    misses = Misses()
    misses.suspect("a", 5.0)
    misses.suspect("a", 15.0)
    misses.confirm(10.0)
    assert misses.count == 1


def test_lost_events_say_nothing_about_the_watch() -> None:
    misses = Misses()
    misses.suspect("a", 5.0)
    misses.clear_all()
    misses.confirm(6.0)
    assert misses.count == 0


def test_two_within_ten_minutes_are_too_many() -> None:
    assert _missed(5.0, 5.0 + WINDOW_S).are_too_many()
    assert not _missed(5.0, 6.0 + WINDOW_S).are_too_many()
    assert _missed(5.0, 6.0 + WINDOW_S, 7.0 + WINDOW_S).are_too_many()
