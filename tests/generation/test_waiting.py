"""Jobs whose references are not there yet: how they wait, what ends it, what they are made from."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hotfolder.domain.instants import parse_instant
from hotfolder.errors import HotfolderError
from tests import pictures
from tests.intake_house import JOB, IntakeHouse, job, wait_until

OWN_ID = "3f0c1111-0000-4000-8000-000000000001"


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[Callable[..., IntakeHouse]]:
    made: list[IntakeHouse] = []

    def make(intake: str = "") -> IntakeHouse:
        made.append(IntakeHouse(tmp_path / "library", intake))
        return made[-1]

    yield make
    for house in made:
        house.close()


@pytest.fixture
def house(make_house: Callable[..., IntakeHouse]) -> IntakeHouse:
    return make_house()


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def drop_and_take(house: IntakeHouse, name: str, text: str) -> None:
    house.drop(name, text)
    house.take()


def let_time_pass(house: IntakeHouse, name: str) -> None:
    """Until the job waits no more."""

    def look() -> bool:
        house.intake.door.work_off()
        return house.status(name) != "waiting_refs"

    wait_until(look, f"an end of waiting for {name}")


def test_job_without_its_reference_waits_and_says_for_what_and_until_when(house: IntakeHouse) -> None:
    house.draw("cliff.png")
    drop_and_take(house, "shots/a.yaml", job("bay.png", "../cliff.png"))

    found = house.job("a.yaml")
    assert (found.status, found.waits_for) == ("waiting_refs", ("bay.png",))
    assert found.waits_until is not None
    waits = parse_instant(found.waits_until) - parse_instant(found.created_at)
    assert waits.total_seconds() == pytest.approx(900, abs=5)
    assert house.library.generations.list_of_job(found.job_id) == []
    assert len(house.names_in("processing")) == 1


def test_job_runs_with_the_reference_once_it_has_arrived(house: IntakeHouse) -> None:
    drop_and_take(house, "a.yaml", job("bay.png"))
    content = sha256(house.draw("bay.png"))
    house.take()

    found = house.job("a.yaml")
    assert (found.status, found.waits_for, found.waits_until) == ("queued", (), None)
    assert house.references("a.yaml") == [content]


def test_job_waits_on_until_the_last_of_its_references_is_there(house: IntakeHouse) -> None:
    drop_and_take(house, "a.yaml", job("bay.png", "cliff.png", "bay.png"))
    until = house.job("a.yaml").waits_until
    house.draw("cliff.png", 10)
    house.take()
    assert (house.status("a.yaml"), house.job("a.yaml").waits_for) == ("waiting_refs", ("bay.png",) * 2)
    assert house.job("a.yaml").waits_until == until

    house.draw("bay.png", 20)
    house.take()

    assert house.status("a.yaml") == "queued"
    assert len(house.references("a.yaml")) == 2


@pytest.mark.parametrize(
    ("written", "arrives"),
    [
        (unicodedata.normalize("NFD", "Büro.png"), unicodedata.normalize("NFC", "Büro.png")),
        (unicodedata.normalize("NFC", "Büro.png"), unicodedata.normalize("NFD", "Büro.png")),
        ("bay.png", "Bay.PNG"),
    ],
)
def test_job_is_woken_by_a_name_that_looks_alike(house: IntakeHouse, written: str, arrives: str) -> None:
    drop_and_take(house, "a.yaml", job(written))
    house.draw(arrives)
    house.take()

    assert house.status("a.yaml") == "queued"


def test_job_that_is_woken_by_two_files_that_look_alike_is_refused_with_both(house: IntakeHouse) -> None:
    drop_and_take(house, "a.yaml", job("bay.png"))
    house.draw("Bay.png")
    house.draw("BAY.png")
    house.take()

    error = house.job("a.yaml").error
    assert error is not None
    assert (house.status("a.yaml"), house.codes("a.yaml")) == ("failed", ["job.ref_refused"])
    assert "`BAY.png`, `Bay.png`" in error["problems"][0]["message"]


def test_two_jobs_wait_for_the_same_picture_and_both_get_it(house: IntakeHouse) -> None:
    house.drop("a.yaml", job("bay.png"))
    house.drop("shots/b.yaml", job("../bay.png"))
    house.take()
    picture = house.draw("bay.png")
    content = sha256(picture)
    house.take()

    assert house.references("a.yaml") == house.references("b.yaml") == [content]
    assert not picture.exists()  # the last of them has taken it


def test_picture_does_not_leave_while_another_job_still_waits_with_it(house: IntakeHouse) -> None:
    house.drop("a.yaml", job("bay.png"))
    house.drop("b.yaml", job("bay.png", "cliff.png"))
    house.take()
    picture = house.draw("bay.png")
    house.take()
    assert [house.status(each) for each in ("a.yaml", "b.yaml")] == ["queued", "waiting_refs"]
    assert picture.exists()

    house.draw("cliff.png", 10)
    house.take()

    assert house.status("b.yaml") == "queued"
    assert not picture.exists()


def test_of_five_hundred_that_wait_only_those_that_name_the_picture_are_opened_again(
    house: IntakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(500):
        house.drop(f"{number:03}.yaml", job(f"{number // 2}.png"))
    house.take()
    opened: list[str] = []
    service = house.library.service
    real = service.take_in

    def take_in(claimed, is_arriving):  # type: ignore[no-untyped-def]  # as the door calls it
        opened.append(claimed.name)
        return real(claimed, is_arriving)

    monkeypatch.setattr(service, "take_in", take_in)
    house.draw("7.png")
    house.take()

    assert sorted(opened) == ["014.yaml", "015.yaml"]
    assert len(house.library.jobs.list_waiting()) == 498


def test_job_whose_time_is_over_fails_with_what_is_missing_and_the_nearest_names(
    make_house: Callable[..., IntakeHouse],
) -> None:
    house = make_house("refs_timeout_s: 0.3")
    house.draw("lighthouse.png")
    drop_and_take(house, "a.yaml", job("lighthose.png", "none.png"))
    assert house.status("a.yaml") == "waiting_refs"
    let_time_pass(house, "a.yaml")
    house.deliver()

    found = house.job("a.yaml")
    assert found.error is not None
    assert (found.status, found.waits_for, found.waits_until) == ("failed", (), None)
    assert house.codes("a.yaml") == ["job.ref_missing"] * 2
    assert "`lighthouse.png`" in found.error["problems"][0]["hint"]
    report = (house.paths.failed / "a.yaml.error.md").read_text(encoding="utf-8")
    assert all(each in report for each in ("lighthose.png", "lighthouse.png", "none.png"))
    assert house.names_in("processing") == []


def test_nobody_waits_where_the_time_is_zero(make_house: Callable[..., IntakeHouse]) -> None:
    house = make_house("refs_timeout_s: 0")
    drop_and_take(house, "a.yaml", job("bay.png"))

    assert (house.status("a.yaml"), house.codes("a.yaml")) == ("failed", ["job.ref_missing"])


def test_picture_that_came_with_its_job_is_not_missing_even_where_nobody_waits(
    make_house: Callable[..., IntakeHouse],
) -> None:
    """It has not stood still for long enough yet; that is no question of patience."""
    house = make_house("refs_timeout_s: 0")
    pictures.write_grey_png(house.paths.inbox / "bay.png")
    drop_and_take(house, "a.yaml", job("bay.png"))
    let_time_pass(house, "a.yaml")

    assert house.status("a.yaml") == "queued"


def test_picture_that_came_with_a_file_of_several_jobs_is_not_missing(house: IntakeHouse) -> None:
    picture = pictures.write_grey_png(house.paths.inbox / "bay.png")
    whole = picture.read_bytes()
    with picture.open("wb") as writer:  # somebody still writes it
        writer.write(whole[: len(whole) // 2])
        writer.flush()
        drop_and_take(house, "set.yaml", f"{job('bay.png')}---\n{JOB}")
        assert [house.status(f"set.{number}.yaml") for number in (1, 2)] == ["waiting_refs", "queued"]
        writer.write(whole[len(whole) // 2 :])
    let_time_pass(house, "set.1.yaml")

    assert house.status("set.1.yaml") == "queued"
    assert house.references("set.1.yaml") == [hashlib.sha256(whole).hexdigest()]


def test_picture_is_used_whole_or_not_at_all_while_somebody_writes_it(house: IntakeHouse) -> None:
    whole = pictures.write_grey_png(house.paths.root / "whole.png").read_bytes()
    drop_and_take(house, "a.yaml", job("bay.png"))
    with (house.paths.inbox / "bay.png").open("wb", buffering=0) as writer:
        for start in range(0, len(whole), 40):
            writer.write(whole[start : start + 40])
            house.take()
            assert house.status("a.yaml") == "waiting_refs"
    let_time_pass(house, "a.yaml")

    assert house.references("a.yaml") == [hashlib.sha256(whole).hexdigest()]


def test_picture_that_is_no_picture_fails_the_job_that_waited(house: IntakeHouse) -> None:
    drop_and_take(house, "a.yaml", job("bay.png"))
    house.let_settle(house.drop("bay.png", "no picture"))
    house.take()

    assert (house.status("a.yaml"), house.codes("a.yaml")) == ("failed", ["job.ref_refused"])


def test_job_with_a_reference_that_may_not_be_used_does_not_wait_for_another(house: IntakeHouse) -> None:
    drop_and_take(house, "a.yaml", job("none.png", "/etc/passwd"))

    assert house.status("a.yaml") == "failed"
    assert house.codes("a.yaml") == ["job.ref_missing", "job.ref_refused"]


def test_job_with_another_problem_does_not_wait(house: IntakeHouse) -> None:
    drop_and_take(house, "a.yaml", job("none.png").replace("size", "sice"))

    assert house.status("a.yaml") == "failed"
    assert "job.ref_missing" in house.codes("a.yaml")


def test_job_that_waits_through_a_crash_runs_after_it(house: IntakeHouse) -> None:
    drop_and_take(house, "shots/a.yaml", job("bay.png"))
    before = house.job("a.yaml")
    house.crash_and_start()
    assert house.job("a.yaml") == before

    content = sha256(house.draw("shots/bay.png"))
    house.take()

    assert house.job("a.yaml").job_id == before.job_id
    assert house.references("a.yaml") == [content]


def test_picture_that_arrived_while_the_service_was_down_is_found_at_the_start(house: IntakeHouse) -> None:
    drop_and_take(house, "a.yaml", job("bay.png"))
    house.draw("bay.png")
    house.crash_and_start()

    assert house.status("a.yaml") == "queued"


def test_waiting_job_under_its_own_id_survives_a_crash_before_its_file_had_that_id(
    house: IntakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crash:
        crash.setattr(house.intake.door, "_rename_claim", _die)
        with pytest.raises(KeyboardInterrupt):
            drop_and_take(house, "a.yaml", job("bay.png", more=f"id: {OWN_ID}\n"))
    house.crash_and_start()
    house.draw("bay.png")
    house.take()

    assert [(each.job_id, each.status) for each in house.jobs()] == [(OWN_ID, "queued")]
    assert house.names_in("processing") == [f"{OWN_ID}--a.yaml"]


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_cancelled_while_it_waits_a_job_is_over_and_stays_so(house: IntakeHouse) -> None:
    drop_and_take(house, "a.yaml", job("bay.png"))
    job_id = house.job("a.yaml").job_id

    assert house.library.control.cancel(job_id, "anna").status == "cancelled"
    house.deliver()
    picture = house.draw("bay.png")
    house.take()

    assert (house.status("a.yaml"), len(house.jobs())) == ("cancelled", 1)
    assert (house.paths.failed / "a.yaml").exists()
    assert house.intake.door.retry_unfinished() == 0
    assert picture.exists()
    with pytest.raises(HotfolderError):
        house.library.control.cancel(job_id, "anna")


def test_cancelled_job_whose_file_still_lies_there_is_not_taken_up_by_an_arrival(house: IntakeHouse) -> None:
    drop_and_take(house, "a.yaml", job("bay.png"))
    house.library.control.cancel(house.job("a.yaml").job_id, "anna")
    house.draw("bay.png")
    house.take()

    assert house.status("a.yaml") == "cancelled"


def test_file_of_a_waiting_job_deleted_from_processing_cancels_it(house: IntakeHouse) -> None:
    drop_and_take(house, "shots/a.yaml", job("bay.png"))
    house.claimed_file("a.yaml").unlink()
    house.look_twice()
    house.deliver()

    assert house.status("a.yaml") == "cancelled"
    assert (house.paths.failed / "a.yaml").read_text() == job("bay.png")
    house.draw("shots/bay.png")
    house.take()
    assert (house.status("a.yaml"), house.intake.door.retry_unfinished()) == ("cancelled", 0)


def test_deleted_file_of_a_waiting_job_cancels_it_too_when_its_picture_comes_first(
    house: IntakeHouse,
) -> None:
    drop_and_take(house, "a.yaml", job("bay.png"))
    house.claimed_file("a.yaml").unlink()
    house.draw("bay.png")
    house.take()

    assert house.status("a.yaml") == "cancelled"
    assert house.intake.door.retry_unfinished() == 0


def test_same_id_dropped_again_while_its_job_waits_is_answered_by_it(house: IntakeHouse) -> None:
    text = job("bay.png", more="id: order-17\n")
    drop_and_take(house, "a.yaml", text)
    drop_and_take(house, "a.yaml", text)
    assert [each.status for each in house.jobs()] == ["waiting_refs"]
    house.draw("bay.png")
    house.take()

    assert [each.status for each in house.jobs()] == ["queued"]
    assert len(house.names_in("processing")) == 2


def test_two_files_of_a_waiting_job_survive_a_start(house: IntakeHouse) -> None:
    text = job("bay.png", more="id: order-17\n")
    drop_and_take(house, "a.yaml", text)
    drop_and_take(house, "a.yaml", text)
    house.crash_and_start()
    picture = house.draw("bay.png")
    house.take()

    assert [each.status for each in house.jobs()] == ["queued"]
    assert not picture.exists()


def test_text_edited_while_its_job_waits_is_what_runs(house: IntakeHouse) -> None:
    drop_and_take(house, "a.yaml", job("bay.png"))
    house.claimed_file("a.yaml").write_text(job("cliff.png", more="title: Mended\n"))
    content = sha256(house.draw("cliff.png"))
    house.draw("bay.png", 10)
    house.take()

    found = house.job("a.yaml")
    assert (found.status, found.title) == ("queued", "Mended")
    assert b"Mended" in found.text
    assert house.references("a.yaml") == [content]
