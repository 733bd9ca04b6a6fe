"""A job file dragged back from failed/ is the same job; anything else is a new one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.generation.returning import Identity, ReturnDesk
from hotfolder.watchers.door import Door
from tests.intake_house import JOB, IntakeHouse, job

OTHER = "endpointKey: local.procedural.image\nparams: {prompt: A cliff at noon, size: 96*96}\ntitle: Cliff\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[IntakeHouse]:
    house = IntakeHouse(tmp_path / "library")
    yield house
    house.close()


def fail(house: IntakeHouse, name: str = "a.yaml", text: str = JOB) -> Path:
    """Drop a job that ends in failed/; gives its file there."""
    house.drop(name, text)
    house.take()
    found = house.job(Path(name).name)
    if found.status in ("queued", "waiting_refs"):
        house.library.control.cancel(found.job_id, "anna")
    house.deliver()
    final = house.library.jobs.get(found.job_id).final_path
    assert final is not None
    return house.paths.absolute(final)


def drag(house: IntakeHouse, file: Path, to: str = "a.yaml") -> None:
    target = house.paths.inbox / to
    target.parent.mkdir(parents=True, exist_ok=True)
    file.rename(target)
    house.take()


def ids_and_runs(house: IntakeHouse) -> list[int]:
    return sorted(each.run for each in house.jobs())


def test_file_dragged_back_runs_its_job_again(house: IntakeHouse) -> None:
    file = fail(house)
    before = house.job("a.yaml")
    drag(house, file)

    again = house.job("a.yaml")
    assert (again.job_id, again.run, again.status) == (before.job_id, 2, "queued")
    assert house.names_in("processing") == [f"{before.job_id}--a.yaml"]


def test_reports_of_the_earlier_run_go_when_the_next_has_ended(house: IntakeHouse) -> None:
    drag(house, fail(house))
    assert house.names_in("failed") == ["a.yaml.error.md", "a.yaml.result.json"]
    house.library.control.cancel(house.job("a.yaml").job_id, "anna")
    house.deliver()

    assert house.names_in("failed") == ["a.yaml", "a.yaml.error.md", "a.yaml.result.json"]
    assert house.names_in("processing") == []


def test_whole_pictures_of_the_earlier_run_are_kept(house: IntakeHouse) -> None:
    house.drop("a.yaml", f"{JOB}count: 3\n")
    house.take()
    job_id, generations = house.job("a.yaml").job_id, house.library.generations
    first, *others = (each.generation_id for each in generations.list_of_job(job_id))
    with house.library.database.transaction() as tx:
        house.library.jobs.set_status(tx, job_id, "running")
        for generation_id, end in [(first, "completed"), *((each, "failed") for each in others)]:
            generations.set_status(tx, generation_id, "processing")
            generations.set_status(tx, generation_id, end)
        house.library.closer.close_if_ended(tx, job_id)
    house.deliver()
    assert house.status("a.yaml") == "partially_completed"

    drag(house, house.paths.failed / "a.yaml")

    now = generations.list_of_job(job_id)
    assert [each.status for each in now] == ["completed", "pending", "pending"]
    assert now[0].generation_id == first


def test_edited_text_is_what_runs(house: IntakeHouse) -> None:
    file = fail(house)
    file.write_text(JOB.replace("A bay", "A bay at dawn") + "title: Dawn\n")
    drag(house, file)

    again = house.job("a.yaml")
    (generation,) = house.library.generations.list_of_job(again.job_id)
    assert (again.run, again.title) == (2, "Dawn")
    assert generation.params["prompt"] == "A bay at dawn"


def test_text_saved_by_an_editor_under_a_new_inode_is_the_same_job(house: IntakeHouse) -> None:
    file = fail(house, "shots/a.yaml")
    fresh = house.paths.root / "fresh"
    fresh.write_text(OTHER)
    file.unlink()
    fresh.rename(file)
    drag(house, file)

    assert (ids_and_runs(house), house.job("a.yaml").title) == ([2], "Cliff")


@pytest.mark.parametrize("to", ["shots/a.yaml", "a.yaml", "other/a.yaml", "b.yaml"])
def test_place_of_the_first_drop_counts_wherever_the_file_is_dragged_to(house: IntakeHouse, to: str) -> None:
    house.draw("shots/bay.png")
    house.draw("a/bay.png", 10)
    file = fail(house, "shots/!high/a.yaml", job("../bay.png"))
    drag(house, file, to)

    (again,) = house.jobs()
    assert (again.run, again.status, again.priority) == (2, "queued", 10)
    assert again.job_file == "shots/!high/a.yaml"


def test_accepted_reference_is_used_though_its_picture_is_gone(house: IntakeHouse) -> None:
    picture = house.draw("shots/bay.png")
    content = hashlib.sha256(picture.read_bytes()).hexdigest()
    file = fail(house, "shots/a.yaml", job("bay.png"))
    picture.unlink(missing_ok=True)
    with house.library.database.transaction() as tx:
        tx.execute("DELETE FROM seen_files WHERE job_id IS NULL")  # nor is it known what lay there
    drag(house, file)

    assert house.status("a.yaml") == "queued"
    assert house.references("a.yaml") == [content]


def test_new_picture_under_the_name_goes_before_the_accepted_one(house: IntakeHouse) -> None:
    house.draw("bay.png", 10)
    file = fail(house, text=job("bay.png"))
    content = hashlib.sha256(house.draw("bay.png", 200).read_bytes()).hexdigest()
    drag(house, file)

    assert house.references("a.yaml") == [content]


def test_reference_added_by_the_edit_is_waited_for_under_the_same_id(house: IntakeHouse) -> None:
    file = fail(house)
    file.write_text(job("bay.png"))
    drag(house, file)
    assert (house.status("a.yaml"), ids_and_runs(house)) == ("waiting_refs", [2])
    house.draw("bay.png")
    house.take()

    assert (house.status("a.yaml"), ids_and_runs(house)) == ("queued", [2])


def test_refused_file_dragged_back_mended_runs_under_its_first_id(house: IntakeHouse) -> None:
    file = fail(house, text=JOB.replace("size", "sice"))
    job_id = house.job("a.yaml").job_id
    file.write_text(JOB)
    drag(house, file)

    assert [(each.job_id, each.run, each.status) for each in house.jobs()] == [(job_id, 2, "queued")]


def test_refused_file_dragged_back_unmended_lies_in_failed_again(house: IntakeHouse) -> None:
    file = fail(house, text=JOB.replace("size", "sice"))
    drag(house, file)
    house.deliver()

    assert len(house.jobs()) == 1
    assert house.names_in("failed") == ["a.yaml", "a.yaml.error.md", "a.yaml.result.json"]
    assert house.names_in("processing") == []


def test_file_dragged_back_again_and_again_stays_one_job(house: IntakeHouse) -> None:
    file = fail(house)
    for run in (2, 3, 4):
        drag(house, file)
        assert ids_and_runs(house) == [run]
        house.library.control.cancel(house.job("a.yaml").job_id, "anna")
        house.deliver()


def test_several_files_dragged_back_at_once_are_each_their_own_job(house: IntakeHouse) -> None:
    names = [f"{folder}/a.yaml" for folder in ("one", "two", "three")]
    files = {}
    for name in names:
        house.drop(name, JOB)
        house.take()
    for each in house.jobs():
        house.library.control.cancel(each.job_id, "anna")
    house.deliver()
    for each in house.jobs():
        assert each.final_path is not None
        files[each.job_id] = house.paths.absolute(each.final_path)
    for number, file in enumerate(files.values()):
        file.rename(house.paths.inbox / f"{number}.yaml")
    house.take()

    assert {each.job_id for each in house.jobs()} == set(files)
    assert sorted(each.job_file for each in house.jobs()) == sorted(names)
    assert ids_and_runs(house) == [2, 2, 2]


def test_copy_of_a_failed_file_is_a_new_job(house: IntakeHouse) -> None:
    file = fail(house)
    house.drop("a.yaml", file.read_text())
    house.take()

    assert ids_and_runs(house) == [1, 1]
    assert file.exists()


def test_file_of_a_completed_job_dropped_again_is_a_new_job(house: IntakeHouse) -> None:
    house.drop("a.yaml", JOB)
    house.take()
    job_id = house.job("a.yaml").job_id
    (generation,) = house.library.generations.list_of_job(job_id)
    with house.library.database.transaction() as tx:
        for status in ("processing", "completed"):
            house.library.generations.set_status(tx, generation.generation_id, status)
        house.library.jobs.set_status(tx, job_id, "running")
        house.library.closer.close_if_ended(tx, job_id)
    house.deliver()
    (done,) = (each for each in (house.paths.root / "done").rglob("a.yaml"))
    drag(house, done)

    assert ids_and_runs(house) == [1, 1]


def test_unrelated_file_of_the_same_name_after_all_of_the_failed_one_was_deleted_is_a_new_job(
    house: IntakeHouse,
) -> None:
    fail(house)
    for each in house.paths.failed.iterdir():
        each.unlink()
    house.drop("a.yaml", OTHER)
    house.take()

    assert ids_and_runs(house) == [1, 1]


def test_file_of_the_same_name_in_another_folder_is_a_new_job(house: IntakeHouse) -> None:
    fail(house, "shots/a.yaml").unlink()
    house.drop("moods/a.yaml", OTHER)
    house.take()

    assert ids_and_runs(house) == [1, 1]


def test_name_with_a_number_in_failed_is_known_by_that_name(house: IntakeHouse) -> None:
    fail(house, "one/a.yaml")
    house.drop("two/a.yaml", OTHER)
    house.take()
    second = next(each for each in house.jobs() if each.status == "queued")
    house.library.control.cancel(second.job_id, "anna")
    house.deliver()
    file = house.paths.failed / "a~2.yaml"
    fresh = house.paths.root / "fresh"
    fresh.write_text(JOB.replace("A bay", "A hill"))
    file.unlink()
    fresh.rename(file)
    drag(house, file, "a~2.yaml")

    again = house.library.jobs.get(second.job_id)
    assert (again.run, again.job_file) == (2, "two/a.yaml")


@pytest.mark.parametrize("is_report_left", [True, False])
def test_inode_used_again_for_another_text_is_a_new_job(house: IntakeHouse, is_report_left: bool) -> None:
    """A file system gives the number of a deleted file to the next one; here it is the very same file."""
    file = fail(house, "shots/a.yaml")
    if not is_report_left:
        for suffix in (".error.md", ".result.json"):
            file.with_name(file.name + suffix).unlink()
    file.write_text("task: upscale\nrefs: [x.png]\n")
    drag(house, file, "new.yaml")

    assert len(house.jobs()) == 2


def test_inode_used_again_for_a_similar_job_is_a_new_one_once_the_reports_are_gone(
    house: IntakeHouse,
) -> None:
    """Programs write jobs that differ in a word."""
    file = fail(house)
    for suffix in (".error.md", ".result.json"):
        file.with_name(file.name + suffix).unlink()
    file.write_text(JOB.replace("A bay", "A hill"))
    drag(house, file, "new.yaml")

    assert ids_and_runs(house) == [1, 1]


def test_file_dragged_back_is_recognised_after_a_start_in_between(house: IntakeHouse) -> None:
    house.drop("a.yaml", job("bay.png"))
    house.take()
    house.crash_and_start()
    house.library.control.cancel(house.job("a.yaml").job_id, "anna")
    house.deliver()
    file = house.paths.failed / "a.yaml"
    file.write_text(job("bay.png", more="title: Mended\n"))
    drag(house, file)

    assert ids_and_runs(house) == [2]


def test_new_file_that_got_the_inode_of_a_deleted_one_is_a_job_of_its_own(house: IntakeHouse) -> None:
    """Artists copy a job and change a line; the reports on a failed one may lie about for weeks."""
    file = fail(house, "one/a.yaml")
    file.write_text(f"{JOB}title: Another\n")  # the file system gives the number of a deleted file again
    drag(house, file, "two/b.yaml")

    assert sorted((each.job_file, each.run) for each in house.jobs()) == [
        ("one/a.yaml", 1),
        ("two/b.yaml", 1),
    ]


def test_same_text_in_another_recipe_is_a_job_of_that_recipe_once_failed_was_emptied(
    house: IntakeHouse,
) -> None:
    house.drop("one/_folder.yaml", "params: {seed: 1}\n")
    house.drop("two/_folder.yaml", "params: {seed: 2}\n")
    fail(house, "one/a.yaml", JOB.replace("seed: 5, ", ""))
    for each in house.paths.failed.iterdir():
        each.unlink()
    house.drop("two/a.yaml", JOB.replace("seed: 5, ", ""))
    house.take()

    assert sorted((each.job_file, each.run) for each in house.jobs()) == [
        ("one/a.yaml", 1),
        ("two/a.yaml", 1),
    ]


def test_line_of_a_list_that_failed_in_one_recipe_is_a_job_of_another(house: IntakeHouse) -> None:
    recipe = f"{JOB.replace('prompt: A bay, ', '')}"
    house.drop("one/_folder.yaml", recipe)
    house.drop("two/_folder.yaml", recipe)
    fail_line = house.drop("one/list.txt", "A bay\n")
    house.take()
    (failed,) = house.jobs()
    house.library.control.cancel(failed.job_id, "anna")
    house.deliver()
    for each in house.paths.failed.iterdir():
        each.unlink()
    assert not fail_line.exists()
    house.drop("two/list.txt", "A bay\n")
    house.take()

    assert sorted((each.job_file, each.run) for each in house.jobs()) == [
        ("one/list.1.json", 1),
        ("two/list.1.json", 1),
    ]


def test_reports_go_when_a_refused_list_comes_back_mended(house: IntakeHouse) -> None:
    house.drop("one/_folder.yaml", JOB.replace("prompt: A bay, ", ""))
    house.drop("one/list.txt", "A bay\n" + "x" * 100_000)
    house.take()
    house.deliver()
    assert house.names_in("failed") == ["list.txt", "list.txt.error.md", "list.txt.result.json"]
    file = house.paths.failed / "list.txt"
    file.write_text("A bay\nA cliff\n")
    drag(house, file, "one/list.txt")

    assert house.names_in("failed") == []
    assert sorted(each.status for each in house.jobs()) == ["failed", "queued", "queued"]


def test_reports_go_when_a_refused_file_of_several_jobs_comes_back_mended(house: IntakeHouse) -> None:
    file = fail(house, "a.yaml", f"{JOB}---\nendpointKey: local.nothing.image\n")
    file.write_text(f"{JOB}---\n{OTHER}")
    drag(house, file)

    assert house.names_in("failed") == []
    assert sorted(each.status for each in house.jobs()) == ["failed", "queued", "queued"]


def test_returned_file_waits_for_what_belongs_in_its_first_folder_also_after_a_start(
    house: IntakeHouse,
) -> None:
    file = fail(house, "shots/a.yaml")
    file.write_text(job("bay.png"))
    drag(house, file)
    house.draw("bay.png")
    house.take()
    assert house.status("a.yaml") == "waiting_refs"
    house.crash_and_start()
    assert (house.status("a.yaml"), house.job("a.yaml").job_file) == ("waiting_refs", "shots/a.yaml")

    house.draw("shots/bay.png")
    house.take()

    assert house.status("a.yaml") == "queued"


@pytest.mark.parametrize("text", [JOB, job("bay.png"), JOB.replace("A bay", "A hill")])
def test_crash_after_a_returned_file_was_taken_in_makes_no_second_job(
    house: IntakeHouse, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    file = fail(house, "shots/a.yaml")
    job_id = house.job("a.yaml").job_id
    file.write_text(text)
    with monkeypatch.context() as crash:
        crash.setattr(house.intake.door, "_rename_claim", _die)
        with pytest.raises(KeyboardInterrupt):
            drag(house, file)
    house.crash_and_start()

    assert ids_and_runs(house) == [2]
    assert house.names_in("processing") == [f"{job_id}--a.yaml"]
    house.draw("shots/bay.png")
    house.take()
    assert house.status("a.yaml") == "queued"


@pytest.mark.parametrize("text", [JOB, JOB.replace("A bay", "A hill")])
def test_returned_file_whose_job_has_ended_again_before_it_is_looked_at_makes_no_second_job(
    house: IntakeHouse, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    file = fail(house, "shots/a.yaml")
    file.write_text(text)
    with monkeypatch.context() as crash:
        crash.setattr(house.intake.door, "_rename_claim", _die)
        with pytest.raises(KeyboardInterrupt):
            drag(house, file)
    jobs, job_id = house.library.jobs, house.job("a.yaml").job_id
    with house.library.database.transaction() as tx:
        jobs.set_status(tx, job_id, "running")
        jobs.set_status(tx, job_id, "completed")
    house.crash_and_start()

    assert ids_and_runs(house) == [2]
    assert house.names_in("processing") == [f"{job_id}--a.yaml"]


def test_two_crashes_around_the_taking_in_of_a_returned_file_make_no_second_job(
    house: IntakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = fail(house, "shots/a.yaml")
    file.write_text(JOB.replace("A bay", "A hill"))
    with monkeypatch.context() as crash:
        crash.setattr(house.library.service, "_run_again", _die)
        with pytest.raises(KeyboardInterrupt):
            drag(house, file)
    with monkeypatch.context() as crash:
        crash.setattr(Door, "_rename_claim", _die)
        with pytest.raises(KeyboardInterrupt):
            house.crash_and_start()
    house.crash_and_start()

    assert (ids_and_runs(house), house.status("a.yaml")) == ([2], "queued")


def test_crash_before_a_returned_file_was_taken_in_loses_nothing(
    house: IntakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = fail(house, "shots/a.yaml")
    with monkeypatch.context() as crash:
        crash.setattr(house.library.service, "_run_again", _die)
        with pytest.raises(KeyboardInterrupt):
            drag(house, file)
    house.crash_and_start()

    assert (ids_and_runs(house), house.status("a.yaml")) == ([2], "queued")


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_desk_finds_nothing_in_an_empty_library(house: IntakeHouse) -> None:
    desk = ReturnDesk(house.paths, house.library.jobs, house.library.seen)

    assert desk.find(Path("a.yaml"), b"", "aa", Identity(1, 1, 1)) is None  # type: ignore[arg-type]  # any path will do
