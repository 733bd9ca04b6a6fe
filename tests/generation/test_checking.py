"""What a job file asks for is said without touching anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from hotfolder.errors import JobFileError
from hotfolder.generation.finding import Beside
from tests.intake_house import JOB, IntakeHouse, job


@pytest.fixture
def house(tmp_path: Path) -> Iterator[IntakeHouse]:
    house = IntakeHouse(tmp_path / "library")
    yield house
    house.close()


def codes(house: IntakeHouse, text: str) -> list[str]:
    checked = house.library.checker.check(text.encode(), "yaml")
    references = house.library.checker.check_references(checked, Beside(house.paths.inbox))
    return [each.code for each in [*checked.problems, *references]]


def test_sound_job_has_a_plan_and_no_problem(house: IntakeHouse) -> None:
    house.draw("bay.png")
    checked = house.library.checker.check(job("bay.png").encode(), "yaml")

    assert checked.problems == codes(house, job("bay.png")) == []
    assert len(checked.plans) == len(checked.nodes) == len(checked.written) == 1


def test_problems_of_all_documents_and_references_are_told_at_once(house: IntakeHouse) -> None:
    house.drop("text.png", "no picture")
    text = f"{job('none.png')}---\n{job('text.png').replace('size', 'sice')}"

    assert sorted(codes(house, text)) == ["job.invalid_params", "job.ref_missing", "job.ref_refused"]


def test_check_stores_nothing(house: IntakeHouse) -> None:
    house.draw("bay.png")
    codes(house, job("bay.png"))

    assert house.names_in("refs") == house.names_in("processing") == []
    assert house.jobs() == []


def test_same_file_means_more_in_a_priority_folder(house: IntakeHouse) -> None:
    (plan,) = house.library.checker.check(JOB.encode(), "yaml", PurePosixPath("!high/a.yaml")).plans

    assert not isinstance(plan, list)
    assert plan.job.priority == 10


def test_text_that_is_no_job_file_is_an_error_with_its_place(house: IntakeHouse) -> None:
    with pytest.raises(JobFileError) as caught:
        house.library.checker.check(b"a: [1\nb: 2\n", "yaml")

    assert [each.code for each in caught.value.problems] == ["job.parse"]
    assert caught.value.problems[0].line
