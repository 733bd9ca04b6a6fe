"""Pictures that are jobs: which files beside them keep them waiting, and which do not."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hotfolder.watchers.picture_jobs import BUSY_S, PATIENCE_S
from tests.intake_house import JOB, IntakeHouse, job

RECIPE = JOB


class _House(IntakeHouse):
    """With a clock for the patience with pictures."""

    later_s = 0.0

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.intake.picture_jobs._clock = lambda: time.monotonic() + self.later_s
        self.drop("moods/_folder.yaml", RECIPE)

    def arrive(self, name: str) -> Path:
        picture = self.draw(name)
        self.intake.picture_jobs.arrive(picture, is_rerun=False)
        return picture

    def work_off(self, turns: int = 1) -> None:
        for _ in range(turns):
            self.later_s += PATIENCE_S
            self.intake.picture_jobs.work_off()

    def jobs_of_pictures(self) -> list[str]:
        return sorted(each.name.partition("--")[2] for each in self.paths.processing.iterdir())


@pytest.fixture
def house(tmp_path: Path) -> Iterator[_House]:
    made = _House(tmp_path / "library")
    yield made
    made.close()


def test_picture_is_a_job_once_its_patience_is_over(house: _House) -> None:
    house.arrive("moods/cat.png")
    house.intake.picture_jobs.work_off()
    assert house.jobs_of_pictures() == []

    house.work_off()
    assert house.jobs_of_pictures() == ["cat.png.json"]


def _link(file: Path) -> None:
    file.symlink_to("nowhere")


def _wait(file: Path) -> None:
    file.write_text(JOB)
    file.with_name(f"{file.name}.wait").touch()


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("._notes.json", Path.touch),
        (".#a.yaml", _link),
        ("a.yaml", _link),
        ("a.yaml", os.mkfifo),
        ("a.yaml", Path.mkdir),
        ("a.yaml", _wait),
    ],
)
def test_what_nobody_will_take_does_not_keep_the_pictures_beside_it_waiting(
    house: _House, name: str, make: Callable[[Path], None]
) -> None:
    make(house.paths.inbox / "moods" / name)
    house.arrive("moods/cat.png")
    house.work_off()

    assert house.jobs_of_pictures() == ["cat.png.json"]


def test_picture_waits_while_a_job_file_of_its_folder_is_at_the_door(house: _House) -> None:
    """Many pairs at once: job files are claimed at once, but read one after the other."""
    file = house.drop("moods/a.yaml", job("cat.png"))
    house.arrive("moods/cat.png")
    house.intake.inbox.take_all([file])
    house.work_off()
    assert house.jobs_of_pictures() == ["a.yaml"]

    house.intake.door.work_off()
    house.work_off()
    assert [each.file_name for each in house.jobs()] == ["a.yaml"]
    assert house.intake.picture_jobs.count() == 0


def test_picture_beside_a_job_file_that_is_held_keeps_no_service_from_ending(house: _House) -> None:
    house.drop("moods/a.yaml", JOB)
    house.arrive("moods/cat.png")
    assert house.intake.picture_jobs.count() == 1

    house.work_off(turns=2)
    assert house.intake.picture_jobs.count() == 0
    assert house.jobs_of_pictures() == []


def test_thousands_of_pictures_take_their_thread_a_moment_at_a_time(house: _House) -> None:
    picture = house.draw("moods/0.png")
    for number in range(2_000):
        other = picture.with_name(f"{number}.png")
        if not other.exists():
            os.link(picture, other)
        house.intake.picture_jobs.arrive(other, is_rerun=False)
    house.let_settle(other)
    house.later_s = PATIENCE_S

    began_at = time.thread_time()
    house.intake.picture_jobs.work_off()

    assert time.thread_time() - began_at < 4 * BUSY_S
    assert 0 < len(house.jobs_of_pictures()) < 2_000


def test_picture_that_raises_is_told_of_once_and_keeps_no_other(
    house: _House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> bytes:
        if name == "bad.png":
            raise MemoryError
        return JOB.encode()

    monkeypatch.setattr(house.intake.picture_jobs, "_text_of_recipe_picture", fail)
    house.arrive("moods/bad.png")
    house.arrive("moods/cat.png")
    house.work_off(turns=3)

    assert house.jobs_of_pictures() == ["cat.png.json"]
    assert caplog.text.count("bad.png is not taken yet") == 1
