"""The waiting room: who is looked at again, and when."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.generation.claimed import Waiting
from hotfolder.watchers.claiming import Claim
from hotfolder.watchers.waiting import LOOK_S, LOOK_S_PER_JOB, SOON_S, WaitingRoom


class _Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def room(clock: _Clock) -> WaitingRoom:
    return WaitingRoom(clock)


def claim(job_id: str) -> Claim:
    return Claim(Path(f"processing/{job_id}--a.yaml"), job_id, "a.yaml", PurePosixPath("a.yaml"))


def enter(
    room: WaitingRoom,
    job_id: str,
    *lacks: str,
    names: tuple[str, ...] = (),
    remaining_s: float = 900.0,
    is_arriving: bool = False,
) -> None:
    room.enter(claim(job_id), Waiting(job_id, lacks, names or lacks, remaining_s, is_arriving))


def due(room: WaitingRoom, now_s: float) -> list[str]:
    found = []
    while (each := room.next_due(now_s)) is not None:
        found.append(each.job_id)
    return found


def test_arrival_makes_only_those_due_that_lack_such_a_name(room: WaitingRoom, clock: _Clock) -> None:
    for number in range(500):
        enter(room, f"job-{number}", f"{number}.png", names=(f"{number}.png", "bay.png"))

    assert room.announce(PurePosixPath("shots/17.png"))
    assert not room.announce(PurePosixPath("bay.png"))

    assert due(room, clock.now_s) == ["job-17"]
    assert len(room) == 499


def test_two_jobs_that_lack_the_same_picture_are_both_due(room: WaitingRoom, clock: _Clock) -> None:
    enter(room, "one", "bay.png")
    enter(room, "two", "../shots/bay.png", "cliff.png")

    room.announce(PurePosixPath("bay.png"))

    assert sorted(due(room, clock.now_s)) == ["one", "two"]


@pytest.mark.parametrize(
    ("written", "arrived"),
    [
        ("bay.png", "BAY.PNG"),
        (unicodedata.normalize("NFD", "Büro.png"), unicodedata.normalize("NFC", "Büro.png")),
        (unicodedata.normalize("NFC", "BÜRO.png"), unicodedata.normalize("NFD", "büro.png")),
        ("..\\shots\\bay.png", "shots/bay.png"),
        ("Straße.png", "STRASSE.png"),
    ],
)
def test_names_that_look_alike_wake_each_other(
    room: WaitingRoom, clock: _Clock, written: str, arrived: str
) -> None:
    enter(room, "one", written)

    assert room.announce(PurePosixPath(arrived))
    assert due(room, clock.now_s) == ["one"]


def test_nobody_is_due_before_the_time_of_the_next_look(room: WaitingRoom, clock: _Clock) -> None:
    enter(room, "one", "bay.png")

    assert due(room, clock.now_s + LOOK_S - 0.01) == []
    assert room.pause_s(clock.now_s, 60.0) == LOOK_S
    assert due(room, clock.now_s + LOOK_S) == ["one"]


def test_job_is_looked_at_when_its_time_is_over(room: WaitingRoom, clock: _Clock) -> None:
    enter(room, "one", "bay.png", remaining_s=2.0)

    assert due(room, clock.now_s + 1.9) == []
    assert due(room, clock.now_s + 2.0) == ["one"]


def test_picture_that_is_being_written_is_looked_at_soon(room: WaitingRoom, clock: _Clock) -> None:
    enter(room, "one", "bay.png", is_arriving=True)

    assert room.is_due(clock.now_s)
    assert due(room, clock.now_s + SOON_S) == ["one"]


def test_many_that_wait_are_looked_at_less_often(room: WaitingRoom, clock: _Clock) -> None:
    for number in range(1_000):
        enter(room, f"job-{number}", "bay.png")

    assert len(due(room, clock.now_s + LOOK_S)) < 300
    assert len(due(room, clock.now_s + 1_000 * LOOK_S_PER_JOB)) > 700


def test_job_that_waits_on_is_looked_at_once_for_each_arrival(room: WaitingRoom, clock: _Clock) -> None:
    enter(room, "one", "bay.png", "cliff.png")
    for _ in range(3):
        room.announce(PurePosixPath("bay.png"))
    assert due(room, clock.now_s) == ["one"]

    enter(room, "one", "cliff.png", names=("bay.png", "cliff.png"))
    room.listen()

    assert due(room, clock.now_s) == []
    assert not room.announce(PurePosixPath("bay.png"))


def test_arrival_while_a_job_is_at_the_door_makes_it_due_again(room: WaitingRoom, clock: _Clock) -> None:
    room.listen()
    room.announce(PurePosixPath("bay.png"))
    enter(room, "one", "bay.png")

    assert due(room, clock.now_s) == ["one"]


def test_arrival_before_a_job_came_to_the_door_does_not(room: WaitingRoom, clock: _Clock) -> None:
    room.announce(PurePosixPath("bay.png"))
    room.listen()
    enter(room, "one", "bay.png")

    assert due(room, clock.now_s) == []


def test_every_picture_that_a_waiting_job_names_is_wanted_whether_it_is_there_or_not(
    room: WaitingRoom, clock: _Clock
) -> None:
    enter(room, "one", "bay.png", names=("bay.png", "./cliff.png"))

    assert [room.names(PurePosixPath(each)) for each in ("shots/Cliff.png", "bay.png", "sea.png")] == [
        True,
        True,
        False,
    ]


def test_picture_stays_wanted_while_its_job_is_looked_at_and_no_longer(
    room: WaitingRoom, clock: _Clock
) -> None:
    enter(room, "one", "bay.png")
    room.announce(PurePosixPath("bay.png"))
    assert room.next_due(clock.now_s) is not None

    assert room.names(PurePosixPath("bay.png"))
    room.let_go()
    assert not room.names(PurePosixPath("bay.png"))


def test_second_file_of_a_waiting_job_takes_the_place_of_the_first(room: WaitingRoom, clock: _Clock) -> None:
    enter(room, "one", "bay.png", "cliff.png")
    enter(room, "one", "bay.png")

    assert len(room) == 1
    assert not room.announce(PurePosixPath("cliff.png"))
    room.announce(PurePosixPath("bay.png"))
    assert due(room, clock.now_s) == ["one"]
    assert not room.names(PurePosixPath("bay.png"))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40))
def test_whoever_leaves_the_room_leaves_nothing_behind(moves: list[tuple[int, int]]) -> None:
    room = WaitingRoom(lambda: 0.0)
    for number, picture in moves:
        enter(room, f"job-{number}", f"{picture}.png", names=(f"{picture}.png", "bay.png"))
        room.announce(PurePosixPath(f"{number}.png"))
        room.next_due(0.0)

    due(room, 1_000_000.0)

    assert len(room) == 0
    assert not room.names(PurePosixPath("bay.png"))
    assert not any(room.announce(PurePosixPath(f"{number}.png")) for number in range(6))
    assert room.pause_s(0.0, 7.0) == 7.0
