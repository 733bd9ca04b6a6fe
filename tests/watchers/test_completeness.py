"""What a settled file of the inbox still waits for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.intake_house import JOB, IntakeHouse, wait_until


@pytest.fixture
def house(tmp_path: Path) -> Iterator[IntakeHouse]:
    made = IntakeHouse(tmp_path / "library", intake="require_end_marker: true")
    yield made
    made.close()


def reason(house: IntakeHouse, file: Path) -> str | None:
    return house.intake.completeness.find_reason(file)


def test_files_wait_while_somebody_writes_their_recipe(house: IntakeHouse) -> None:
    file = house.drop("moods/a.json", "{}")
    with (house.paths.inbox / "moods" / "_folder.yaml").open("w") as recipe:
        recipe.write(JOB)
        recipe.flush()
        assert reason(house, file) == "the recipe of its folder is just being written"
        recipe.write("count: 3\n")
    wait_until(lambda: reason(house, file) is None, "a recipe standing still")


def test_plain_file_with_the_name_of_a_bundle_is_refused_with_a_report(house: IntakeHouse) -> None:
    file = house.drop("x.job", "no folder")
    assert reason(house, file) is None

    house.take()
    house.deliver()
    assert house.names_in("failed") == ["x.job", "x.job.error.md", "x.job.result.json"]


def test_file_that_cannot_be_read_is_left_to_the_door_which_tells_it(
    house: IntakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:  # the tests may run as root, whom no mode keeps out
        raise PermissionError(13, "Permission denied", str(path))

    file = house.drop("a.yaml")
    assert reason(house, file) == "its last line is not `...`"
    monkeypatch.setattr("hotfolder.watchers.completeness.open_regular", fail)
    assert reason(house, file) is None


def test_old_bundle_that_has_just_been_moved_in_may_still_get_its_pictures(house: IntakeHouse) -> None:
    folder = house.drop("set.job/job.yaml", f"{JOB}refs: [a.png]\n").parent
    for each in (folder / "job.yaml", folder):
        os.utime(each, (1_000_000, 1_000_000))
    assert reason(house, folder) == "it lacks a.png"
