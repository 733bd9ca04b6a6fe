"""Files that somebody deletes from processing/ cancel their jobs; nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from hotfolder.domain.generation import JobStatus
from hotfolder.errors import HotfolderError, NotFound
from hotfolder.events import FILE_MANAGER
from hotfolder.library.jobs import Job
from hotfolder.watchers.processing import ProcessingWatch

JOB = str(UUID(int=7))
OTHER = str(UUID(int=8))


class _House:
    """A processing folder, the jobs that have not ended, and who was cancelled."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "processing"
        self.folder.mkdir()
        self.jobs: dict[str, Job] = {}
        self.cancelled: list[tuple[str, str]] = []
        self.watch = ProcessingWatch(self.folder, self, self.cancel)

    def list_active_ids(self) -> set[str]:
        return set(self.jobs)

    def get(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise NotFound(f"There is no job {job_id}.")
        return self.jobs[job_id]

    def cancel(self, job_id: str, actor: str) -> None:
        self.cancelled.append((job_id, actor))
        del self.jobs[job_id]

    def begin(self, job_id: str = JOB, status: JobStatus = "queued", **values: str) -> None:
        self.jobs[job_id] = Job(job_id, status, "a.yaml", "a.yaml", b"", "", **values)  # type: ignore[arg-type]

    def put(self, job_id: str = JOB, name: str = "a.yaml") -> Path:
        file = self.folder / f"{job_id}--{name}"
        file.touch()
        return file

    def look(self, times: int = 1) -> list[str]:
        for _ in range(times):
            self.watch.look()
        return [job_id for job_id, _ in self.cancelled]


@pytest.fixture
def house(tmp_path: Path) -> _House:
    return _House(tmp_path)


def test_deleted_file_cancels_its_job_once_it_is_missing_in_two_looks(house: _House) -> None:
    house.begin()
    file = house.put()
    house.look()
    file.unlink()

    assert house.look() == []
    assert house.look() == [JOB]
    assert house.look(3) == [JOB]
    assert house.cancelled == [(JOB, FILE_MANAGER)]


def test_file_deleted_before_anybody_looked_cancels_its_job(house: _House) -> None:
    house.begin()
    file = house.put()
    house.watch.expect([JOB])
    file.unlink()

    assert house.look(2) == [JOB]


def test_file_deleted_while_the_service_was_down_cancels_its_job(house: _House) -> None:
    house.begin()
    house.begin(OTHER)
    house.put(OTHER)
    house.watch.expect([JOB, OTHER])

    assert house.look(2) == [JOB]


def test_only_the_job_whose_file_is_gone_is_cancelled(house: _House) -> None:
    house.begin()
    house.begin(OTHER)
    file = house.put()
    house.put(OTHER)
    house.look()
    file.unlink()

    assert house.look(3) == [JOB]


def test_job_with_another_file_is_not_cancelled(house: _House) -> None:
    house.begin()
    file = house.put()
    house.put(name="a~2.yaml")
    house.look()
    file.unlink()

    assert house.look(3) == []


def test_file_that_takes_on_another_id_cancels_nothing(house: _House) -> None:
    house.begin(OTHER)
    file = house.put(JOB)
    house.watch.expect([OTHER])
    assert house.look() == []  # its new id is missing for an instant
    file.rename(house.folder / f"{OTHER}--a.yaml")

    assert house.look(3) == []


def test_file_that_is_renamed_but_keeps_its_id_cancels_nothing(house: _House) -> None:
    house.begin()
    file = house.put()
    house.look()
    file.rename(house.folder / f"{JOB}--b.yaml")

    assert house.look(3) == []


def test_job_that_ended_and_whose_file_was_moved_is_left_alone(house: _House) -> None:
    house.begin()
    file = house.put()
    house.look()
    del house.jobs[JOB]
    file.unlink()

    assert house.look(3) == []


def test_job_tried_again_right_after_its_file_went_to_failed_is_not_cancelled(house: _House) -> None:
    house.begin()
    file = house.put()
    house.look()
    (house.root / "failed").mkdir()
    file.rename(house.root / "failed" / "a.yaml")
    house.begin(retry_of_path="failed/a.yaml")

    assert house.look(4) == []


def test_job_dragged_back_from_failed_is_cancelled_like_any_other(house: _House) -> None:
    house.begin(retry_of_path="failed/a.yaml")
    file = house.put()
    house.look()
    file.unlink()

    assert house.look(2) == [JOB]


def test_job_without_a_file_that_nobody_expects_is_left_alone(house: _House) -> None:
    house.begin()
    house.put(OTHER)

    assert house.look(3) == []


def test_other_names_in_processing_are_no_jobs(house: _House) -> None:
    (house.folder / "notes.txt").touch()
    house.look()
    (house.folder / "notes.txt").unlink()

    assert house.look(3) == []


def test_job_that_cannot_be_cancelled_does_not_keep_the_next_from_it(house: _House) -> None:
    def refuse(job_id: str, actor: str) -> None:
        house.cancelled.append((job_id, actor))
        if len(house.cancelled) == 1:
            raise HotfolderError("It has ended already.")

    house.watch = ProcessingWatch(house.folder, house, refuse)
    for job_id in (JOB, OTHER):
        house.begin(job_id)
        house.watch.expect([job_id])

    assert sorted(house.look(2)) == [JOB, OTHER]


def test_folder_that_is_away_for_a_while_cancels_nothing(house: _House) -> None:
    house.begin()
    house.put()
    house.look()
    away = house.folder.rename(house.root / "away")
    house.look(3)
    away.rename(house.folder)

    assert house.look(3) == []


def test_unchanged_folder_is_not_listed_again(house: _House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.put()
    house.look()

    def listed(path: Path) -> Callable[[], None]:
        raise AssertionError(f"{path} was listed")

    monkeypatch.setattr(Path, "iterdir", listed)
    house.look()


def test_file_deleted_before_its_job_had_a_row_cancels_it_all_the_same(house: _House) -> None:
    house.put().unlink()
    house.watch.look()  # the folder stands still from here on
    house.watch.look()
    house.begin()
    house.watch.expect([JOB])
    house.watch.look()
    house.watch.look()

    assert house.cancelled == [(JOB, FILE_MANAGER)]


def test_folder_that_is_gone_is_told_of_once(house: _House, caplog: pytest.LogCaptureFixture) -> None:
    house.folder.rmdir()
    for _ in range(5):
        house.watch.look()

    assert caplog.text.count("cannot be listed") == 1
