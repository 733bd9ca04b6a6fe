"""What the folder of a job file adds to its priority."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.intake_house import JOB, IntakeHouse


@pytest.mark.parametrize(
    ("folder", "own", "priority"),
    [
        ("", 0, 0),
        ("shots", 3, 3),
        ("!high", 0, 10),
        ("!low", 0, -10),
        ("!HIGH/shots", 5, 15),
        ("shots/!low", -5, -15),
        ("!high/!high", 0, 20),
        ("!high/!low", 7, 7),
        ("!high", 95, 100),
        ("!low", -95, -100),
        ("!high/x/!high", -100, -80),
        ("high", 0, 0),
        ("!higher", 0, 0),
    ],
)
def test_priority_folders_add_to_the_priority_of_a_job(
    tmp_path: Path, folder: str, own: int, priority: int
) -> None:
    house = IntakeHouse(tmp_path / "library")
    house.drop(f"{folder}/a.yaml".lstrip("/"), f"{JOB}priority: {own}\n")
    house.take()

    assert house.job("a.yaml").priority == priority
    (row,) = house.library.database.query("SELECT priority FROM work_queue")
    assert row["priority"] == priority
    house.close()


def test_folder_of_a_split_file_counts_for_each_of_its_jobs(tmp_path: Path) -> None:
    house = IntakeHouse(tmp_path / "library")
    house.drop("!high/set.yaml", f"{JOB}---\n{JOB}priority: 3\n")
    house.take()

    assert [house.job(f"set.{number}.yaml").priority for number in (1, 2)] == [10, 13]
    house.close()


def test_priority_of_the_folder_is_not_added_again_on_a_retry(tmp_path: Path) -> None:
    house = IntakeHouse(tmp_path / "library")
    house.drop("!high/a.yaml", f"{JOB}priority: 3\n")
    house.take()
    job_id = house.job("a.yaml").job_id
    house.library.control.cancel(job_id, "anna")
    house.library.control.retry(job_id, "anna")

    assert house.job("a.yaml").priority == 13
    house.close()
