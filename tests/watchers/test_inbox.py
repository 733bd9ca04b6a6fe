"""The inbox over a real library: what settled there is told apart, and goes its way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.watchers.inbox_files import list_waiting
from tests.intake_house import JOB, IntakeHouse, job


@pytest.fixture
def house(tmp_path: Path) -> Iterator[IntakeHouse]:
    house = IntakeHouse(tmp_path / "library")
    yield house
    house.close()


def test_settled_job_files_are_claimed_and_become_jobs_with_their_places(house: IntakeHouse) -> None:
    house.drop("a.yaml")
    house.drop("shots/b.yaml")
    house.take()

    assert {(each.job_file, each.status) for each in house.jobs()} == {
        ("a.yaml", "queued"),
        ("shots/b.yaml", "queued"),
    }
    assert list_waiting(house.paths.inbox) == []
    assert len(house.names_in("processing")) == 2


def test_pictures_stay_where_they_are(house: IntakeHouse) -> None:
    picture = house.draw("bay.png")
    house.take()

    assert picture.exists()
    assert house.jobs() == []


def test_inbox_accepts_jobs_and_pictures_and_nothing_else(house: IntakeHouse) -> None:
    accepts = house.intake.inbox.accepts
    names = ["a.yaml", "shots/a.png", "a.zip", "a.job", "hold/a.yaml", "a.md", "a.mov", "a.result.json"]

    assert [each for each in names if accepts(Path(each))] == names[:4]


def test_picture_that_settles_wakes_the_job_that_waits_for_it_only(house: IntakeHouse) -> None:
    house.drop("a.yaml", job("bay.png"))
    house.drop("b.yaml", job("cliff.png"))
    house.take()
    assert [house.status(each) for each in ("a.yaml", "b.yaml")] == ["waiting_refs"] * 2

    house.draw("bay.png")
    house.take()

    assert [house.status(each) for each in ("a.yaml", "b.yaml")] == ["queued", "waiting_refs"]


def test_claiming_does_not_wait_for_the_door(house: IntakeHouse) -> None:
    """A file whose reading takes long keeps nobody's file in the inbox."""
    service = house.library.service
    may_go_on, began = threading.Event(), threading.Event()
    real = service._checker.check

    def slow(*arguments: object) -> object:
        began.set()
        assert may_go_on.wait(30)
        return real(*arguments)  # type: ignore[arg-type]  # passed on as given

    service._checker.check = slow  # type: ignore[method-assign,assignment]
    house.intake.door.start()
    for number in range(2_000):
        house.drop(f"{number}.yaml", JOB)
    files = [house.paths.inbox / each for each in list_waiting(house.paths.inbox)]
    for start in range(0, len(files), 500):  # as the watcher hands them over
        house.intake.inbox.take_all(files[start : start + 500])

    assert began.wait(10)
    assert list_waiting(house.paths.inbox) == []
    assert len(house.names_in("processing")) == 2_000
    assert house.jobs() == []
    house.intake.stop()
    may_go_on.set()
    house.intake.door.stop(10)
