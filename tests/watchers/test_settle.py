"""When a file counts as complete."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.watchers.settle import SettleBook, Signature, Verdict

FULL = Signature(device=1, inode=7, size=120, mtime_ns=1_000, ctime_ns=1_000)
LONGER = replace(FULL, size=240, mtime_ns=2_000, ctime_ns=2_000)
EMPTY = replace(FULL, size=0)


def _book() -> SettleBook:
    return SettleBook(settle_s=lambda path: 0.5, rename_s=0.0625, empty_s=10.0)


def _announced(*, renamed: bool, signature: Signature, now: float = 0.0) -> SettleBook:
    """A book with one path `a`, looked at for the first time at `now`."""
    book = _book()
    book.announce("a", renamed=renamed, now=now)
    assert book.due(now) == ["a"]
    assert book.look("a", signature, now) is Verdict.WAIT
    return book


def test_announced_path_is_due_for_its_first_signature_at_once() -> None:
    book = _book()
    book.announce("a", renamed=True, now=3.0)
    assert book.next_look_at() == 3.0
    assert book.due(3.0) == ["a"]


@pytest.mark.parametrize(
    ("renamed", "signature", "due_at"),
    [(False, FULL, 0.5), (True, FULL, 0.0625), (False, EMPTY, 10.0), (True, EMPTY, 10.0)],
)
def test_unchanged_file_is_settled_when_its_time_is_up(
    renamed: bool, signature: Signature, due_at: float
) -> None:
    book = _announced(renamed=renamed, signature=signature)
    assert book.next_look_at() == due_at
    assert book.due(due_at - 0.01) == []
    assert book.due(due_at) == ["a"]
    assert book.look("a", signature, due_at) is Verdict.SETTLED
    assert "a" in book
    book.done("a")
    assert (len(book), book.next_look_at()) == (0, None)


def test_renamed_file_that_changes_falls_back_to_the_settle_rule() -> None:
    book = _announced(renamed=True, signature=FULL)
    assert book.due(0.0625) == ["a"]
    assert book.look("a", LONGER, 0.0625) is Verdict.WAIT
    assert book.next_look_at() == 0.5625


def test_write_event_does_not_restart_the_clock_of_an_unchanged_file() -> None:
    book = _announced(renamed=False, signature=FULL)
    book.announce("a", renamed=False, now=0.4)
    assert book.due(0.4) == ["a"]
    assert book.look("a", FULL, 0.4) is Verdict.WAIT
    assert book.next_look_at() == 0.5


def test_write_event_takes_the_last_signature_early() -> None:
    book = _announced(renamed=False, signature=EMPTY)
    book.announce("a", renamed=False, now=0.25)
    book.due(0.25)
    book.look("a", FULL, 0.25)
    assert book.next_look_at() == 0.75


def test_rename_onto_a_waiting_file_takes_the_fast_path() -> None:
    book = _announced(renamed=False, signature=FULL)
    book.announce("a", renamed=True, now=0.25)
    assert book.due(0.25) == ["a"]
    assert book.look("a", LONGER, 0.25) is Verdict.WAIT
    assert book.next_look_at() == 0.3125


def test_rename_heard_after_the_listing_saw_the_file_counts_from_the_first_sight() -> None:
    book = _announced(renamed=False, signature=FULL)
    book.announce("a", renamed=True, now=0.25)
    assert book.due(0.25) == ["a"]
    assert book.look("a", FULL, 0.25) is Verdict.SETTLED


def test_time_in_which_the_thread_was_held_up_in_the_stat_does_not_count() -> None:
    book = _book()
    book.announce("a", renamed=True, now=0.0)
    book.due(0.0)
    book.look("a", FULL, 0.0, taken_by=2.0)
    assert book.next_look_at() == 2.0625


@pytest.mark.parametrize("renamed", [True, False])
def test_vanished_file_is_forgotten(renamed: bool) -> None:
    book = _announced(renamed=renamed, signature=FULL)
    assert book.due(1.0) == ["a"]
    assert book.look("a", None, 1.0) is Verdict.VANISHED
    assert len(book) == 0
    assert book.next_look_at() is None


def test_empty_file_that_is_filled_follows_the_settle_rule() -> None:
    book = _announced(renamed=False, signature=EMPTY)
    book.due(10.0)
    assert book.look("a", FULL, 10.0) is Verdict.WAIT
    assert book.next_look_at() == 10.5


def test_paths_come_out_in_the_order_of_their_time() -> None:
    book = _book()
    for path, at in (("late", 3.0), ("early", 1.0), ("middle", 2.0)):
        book.announce(path, renamed=False, now=at)
    assert book.due(2.0) == ["early", "middle"]
    assert book.due(3.0) == ["late"]


def test_path_announced_many_times_is_due_once() -> None:
    book = _announced(renamed=False, signature=FULL)
    for now in (0.1, 0.2, 0.3):
        book.announce("a", renamed=False, now=now)
    assert len(book) == 1
    assert book.due(0.5) == ["a"]
    assert book.due(0.5) == []


def test_path_whose_look_never_came_is_due_again_when_announced() -> None:
    book = _book()
    book.announce("a", renamed=False, now=0.0)
    book.due(0.0)
    book.announce("a", renamed=False, now=5.0)
    assert book.due(5.0) == ["a"]


def test_signature_tells_a_rewritten_file_from_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("seed: 421337")
    before = Signature.of(path.stat())
    path.write_text("seed: 421")
    assert Signature.of(path.stat()) != before


@given(steps=st.lists(st.integers(1, 40), min_size=1, max_size=40), renamed=st.booleans())
def test_file_that_changes_at_each_look_is_never_settled(steps: list[int], renamed: bool) -> None:
    book = _book()
    now = 0.0
    book.announce("a", renamed=renamed, now=now)
    for size, step in enumerate(steps, start=1):
        now += step / 16
        book.announce("a", renamed=False, now=now)
        assert book.due(now) == ["a"]
        assert book.look("a", replace(FULL, size=size), now) is Verdict.WAIT


@given(start=st.integers(0, 10_000), events=st.lists(st.integers(1, 31), max_size=10))
def test_unchanged_file_is_settled_after_exactly_the_settle_time(start: int, events: list[int]) -> None:
    begin = start / 64
    book = _announced(renamed=False, signature=FULL, now=begin)
    for event in sorted(events):  # write events at any time before: none of them moves the end
        book.announce("a", renamed=False, now=begin + event / 64)
        assert book.due(begin + event / 64) == ["a"]
        assert book.look("a", FULL, begin + event / 64) is Verdict.WAIT
    assert book.next_look_at() == begin + 0.5
    assert book.due(begin + 0.5) == ["a"]
    assert book.look("a", FULL, begin + 0.5) is Verdict.SETTLED


def _held(now: float = 0.0) -> SettleBook:
    """A book with one settled path that was found not to be complete at `now`."""
    book = _announced(renamed=False, signature=FULL, now=now - 0.5)
    book.due(now)
    assert book.look("a", FULL, now) is Verdict.SETTLED
    book.hold("a", FULL, now)
    return book


def test_path_that_is_not_complete_is_looked_at_with_growing_pauses_up_to_ten_seconds() -> None:
    book, now, pauses = _held(), 0.0, []
    for _ in range(7):
        look_at = book.next_look_at()
        assert look_at is not None
        pauses.append(look_at - now)
        now = look_at
        assert book.due(now) == ["a"]
        assert book.look("a", FULL, now) is Verdict.SETTLED
        book.hold("a", FULL, now)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_path_that_is_not_complete_counts_as_held_until_it_changes() -> None:
    book = _held()
    assert (len(book), book.count_held(), book.is_held("a")) == (1, 1, True)
    book.announce("a", renamed=False, now=0.1)
    assert book.due(0.1) == ["a"]
    assert book.look("a", LONGER, 0.1) is Verdict.WAIT
    assert (len(book), book.count_held(), book.next_look_at()) == (1, 0, 0.6)


@pytest.mark.parametrize("end", ["done", "vanish", "restart"])
def test_held_path_that_is_done_gone_or_in_use_is_held_no_longer(end: str) -> None:
    book = _held()
    if end == "done":
        book.done("a")
    elif end == "restart":
        book.restart("a", FULL, 0.5)
    else:
        book.due(0.5)
        book.look("a", None, 0.5)
    assert book.count_held() == 0
    assert len(book) == (1 if end == "restart" else 0)


def test_announced_held_path_is_asked_about_at_once() -> None:
    book = _held()
    book.announce("a", renamed=False, now=0.125)
    assert book.due(0.125) == ["a"]
    assert book.look("a", FULL, 0.125) is Verdict.SETTLED


def test_remembered_path_keeps_the_look_that_is_planned() -> None:
    book = _announced(renamed=False, signature=FULL)
    book.remember("a", now=0.25)
    assert book.due(0.25) == []
    assert book.next_look_at() == 0.5
    book.remember("b", now=0.25)
    assert book.due(0.25) == ["b"]


def test_each_path_has_the_settle_time_of_its_file_system() -> None:
    book = SettleBook(settle_s=lambda path: 5.0 if path == "nas" else 0.5)
    for path in ("disk", "nas"):
        book.announce(path, renamed=False, now=0.0)
        book.due(0.0)
        book.look(path, FULL, 0.0)
    assert book.due(0.5) == ["disk"]
    assert book.due(4.9) == []
    assert book.due(5.0) == ["nas"]


def test_events_of_a_path_that_is_dear_to_look_at_lead_to_one_look_in_its_settle_time() -> None:
    book = _book()
    book.announce_dear("a", now=0.0)
    assert book.due(0.0) == ["a"]
    book.look("a", EMPTY, 0.0)
    for now in (1.0, 1.1, 1.4):
        book.announce_dear("a", now=now)
    assert book.next_look_at() == 1.5


def test_held_path_that_is_dear_to_look_at_is_due_at_its_first_event() -> None:
    book = _held()
    book.announce_dear("a", now=0.125)
    assert book.due(0.125) == ["a"]


def test_settled_path_is_not_due_again_unless_it_rings() -> None:
    book = _announced(renamed=False, signature=FULL)
    book.due(0.5)
    assert book.look("a", FULL, 0.5) is Verdict.SETTLED
    book.remember("a", now=0.6)
    assert (book.due(9.0), book.next_look_at()) == ([], None)
    book.announce("a", renamed=False, now=9.0)
    assert book.due(9.0) == ["a"]
