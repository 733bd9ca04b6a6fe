"""Folders of the inbox that mean something: recipes, rerun/, hold/, and files that ask for patience."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import pictures
from tests.scenarios.service import JOB, Service, wait_for

RECIPE = """\
endpointKey: local.procedural.image
params: {prompt: A shoe on white, size: 64*64, steps: 2}
keywords: [studio]
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running library with a recipe folder."""
    made = Service(tmp_path_factory.mktemp("folders") / "library", settings="intake: {settle_ms: 50}\n")
    write_recipe(made, "shoes", RECIPE)
    made.start()
    made.wait_until_watching()
    yield made
    made.kill()


def write_recipe(service: Service, folder: str, text: str) -> Path:
    return service.drop(f"{folder}/_folder.yaml", text)


def job_row(service: Service, name: str) -> dict[str, Any]:
    (row,) = service.query("SELECT * FROM jobs WHERE file_name = ?", name)
    return row


def prompts(service: Service, name: str) -> list[str]:
    job_id = job_row(service, name)["id"]
    rows = service.query("SELECT prompt FROM generations WHERE job_id = ? ORDER BY position", job_id)
    return [row["prompt"] for row in rows]


def inputs(service: Service, name: str) -> int:
    sql = "SELECT * FROM generation_inputs i JOIN generations g ON g.id = i.generation_id WHERE g.job_id = ?"
    return len(service.query(sql, job_row(service, name)["id"]))


def test_picture_dropped_into_a_recipe_folder_is_a_job_with_it_as_the_reference(service: Service) -> None:
    place = service.root / "inbox" / "shoes" / "red" / "a.png"
    place.parent.mkdir(parents=True)
    pictures.write_png(place)

    result = service.wait_for_result("a.png.json")

    assert result["status"] == "completed"
    assert result["jobFile"] == "shoes/red/a.png.json"
    assert (prompts(service, "a.png.json"), inputs(service, "a.png.json")) == (["A shoe on white"], 1)
    assert job_row(service, "a.png.json")["keywords_json"] == '["studio","red"]'
    wait_for(lambda: not place.exists(), "the picture's way into the library")
    (media,) = service.query("SELECT * FROM media WHERE original_path = 'inbox/shoes/red/a.png'")
    assert media["origin"] == "import"


def test_picture_that_a_job_file_names_is_no_job_of_its_own(service: Service) -> None:
    pictures.write_png(service.root / "inbox" / "shoes" / "pose.png", (80, 60))
    service.drop("shoes/named.yaml", "refs: [pose.png]\nparams: {prompt: Another shoe}\n")

    assert service.wait_for_result("named.yaml")["status"] == "completed"

    assert prompts(service, "named.yaml") == ["Another shoe"]
    service.drop("shoes/last.yaml", "{}\n")
    service.wait_for_result("last.yaml")
    assert service.query("SELECT * FROM jobs WHERE file_name = 'pose.png.json'") == []


def test_picture_of_a_recipe_that_is_touched_is_no_second_job(make_service: Callable[..., Service]) -> None:
    service = make_service(settings="intake: {settle_ms: 50, refs: leave}\n")
    write_recipe(service, "shoes", RECIPE)
    service.start()
    service.wait_until_watching()
    place = pictures.write_png(service.root / "inbox" / "shoes" / "touched.png")
    service.wait_for_result("touched.png.json")

    os.utime(place)
    service.drop("shoes/other.yaml", "{}\n")
    service.wait_for_result("other.yaml")
    assert service.stop() == 0
    service.run_once()

    rows = service.query("SELECT file_name FROM jobs ORDER BY file_name")
    assert [row["file_name"] for row in rows] == ["other.yaml", "touched.png.json"]
    again = place.with_name(".again.tmp")
    shutil.copy(place, again)
    again.rename(place)  # dropped again: another file with the same content
    service.run_once()
    assert len(service.query("SELECT id FROM jobs")) == 3


def test_text_in_a_recipe_folder_is_one_job_a_line(service: Service) -> None:
    service.drop("shoes/lines.txt", "\ufeffA left shoe\r\n\r\n# not this one\r\nA right shoe\r\n")

    results = [service.wait_for_result(f"lines.{number}.json") for number in (1, 2)]

    assert [each["status"] for each in results] == ["completed"] * 2
    assert prompts(service, "lines.1.json") + prompts(service, "lines.2.json") == [
        "A left shoe",
        "A right shoe",
    ]


def test_text_elsewhere_stays_and_doctor_says_why(service: Service) -> None:
    service.drop("notes.txt", "Not a job")
    service.drop("shoes/behind.yaml", "{}\n")
    service.wait_for_result("behind.yaml")

    assert (service.root / "inbox" / "notes.txt").exists()
    said = " ".join(service.command("doctor").stdout.split())
    assert "notes.txt: a text is a list of prompts in a recipe folder only" in said


def test_unsound_recipe_holds_its_files_and_lets_them_go_once_it_is_mended(service: Service) -> None:
    recipe = write_recipe(service, "bad", "endpointKey: local.nowhere.image\nparms: {}\n")
    report = recipe.with_name("_folder.yaml.error.md")
    service.drop("bad/held.yaml", "params: {prompt: A shoe, size: 64*64, steps: 2}\n")
    wait_for(report.exists, "a report beside the recipe")
    service.drop("shoes/meanwhile.yaml", "{}\n")
    service.wait_for_result("meanwhile.yaml")

    assert (service.root / "inbox" / "bad" / "held.yaml").exists()
    text = report.read_text(encoding="utf-8")
    assert "line 1, column 14" in text
    assert "Did you mean `params`?" in text

    write_recipe(service, "bad", "endpointKey: local.procedural.image\n")

    assert service.wait_for_result("held.yaml")["status"] == "completed"
    wait_for(lambda: not report.exists(), "the end of the report")


def test_picture_that_was_made_here_is_made_again_from_what_stands_in_it(service: Service) -> None:
    service.drop("made.yaml", JOB)
    made = service.wait_for_result("made.yaml")["generations"][0]
    place = service.root / "inbox" / "rerun" / "again.png"
    place.parent.mkdir(exist_ok=True)
    shutil.copy(service.root / made["outputs"][0]["path"], place)

    again = service.wait_for_result("again.png.json")["generations"][0]

    assert again["outputs"][0]["pixelSha256"] == made["outputs"][0]["pixelSha256"]
    assert again["params"] == made["params"]
    wait_for(lambda: not place.exists(), "the picture's way out of rerun/")


def test_picture_that_says_nothing_of_itself_is_refused_in_rerun(service: Service) -> None:
    place = service.root / "inbox" / "rerun" / "plain.png"
    place.parent.mkdir(exist_ok=True)
    pictures.write_png(place, (50, 40))

    error = service.wait_for_result("plain.png.json")["error"]

    assert error["code"] == "job.no_metadata"
    wait_for(lambda: not place.exists(), "the picture's way out of rerun/")


def test_file_waits_while_its_wait_file_is_there(service: Service) -> None:
    waiting = service.root / "inbox" / "patient.yaml.wait"
    waiting.touch()
    service.drop("patient.yaml")
    service.drop("impatient.yaml")
    service.wait_for_result("impatient.yaml")

    assert (service.root / "inbox" / "patient.yaml").exists()
    waiting.unlink()

    assert service.wait_for_result("patient.yaml")["status"] == "completed"


def test_file_without_its_end_marker_waits(make_service: Callable[..., Service]) -> None:
    service = make_service(settings="intake: {settle_ms: 50, require_end_marker: true}\n")
    service.start()
    service.wait_until_watching()
    cut = service.drop("cut.yaml", JOB)
    service.drop("whole.yaml", JOB + "...\n")
    service.drop("other.json", '{"endpointKey": "local.nowhere.image"}')

    assert service.wait_for_result("whole.yaml")["status"] == "completed"
    assert service.wait_for_result("other.json")["status"] == "failed"
    assert cut.exists()

    with cut.open("a") as stream:
        stream.write("...\n")

    assert service.wait_for_result("cut.yaml")["status"] == "completed"


def test_jobs_found_at_start_are_held_where_the_settings_say_so(make_service: Callable[..., Service]) -> None:
    service = make_service(settings="intake: {settle_ms: 50, on_start: hold}\n")
    service.drop("before.yaml")
    service.drop("deep/before.yaml")
    service.start()
    service.wait_until_watching()
    service.drop("after.yaml")

    assert service.wait_for_result("after.yaml")["status"] == "completed"

    hold = service.root / "inbox" / "hold"
    assert (hold / "before.yaml").exists()
    assert (hold / "deep" / "before.yaml").exists()
    (hold / "before.yaml").rename(service.root / "inbox" / "before.yaml")
    assert service.wait_for_result("before.yaml")["status"] == "completed"


def test_more_than_two_hundred_equal_failures_a_minute_share_a_report(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(settings="intake: {settle_ms: 50, failed_layout: dated}\n")
    for number in range(230):
        service.drop(f"bad-{number}.yaml", "endpointKey: local.nowhere.image\n")

    assert service.run_once(90) == 1

    failed = service.root / "failed"
    assert len(list(failed.rglob("bad-*.result.json"))) == 230
    assert len(list(failed.rglob("bad-*.error.md"))) == 200
    (summary,) = failed.rglob("many-*.error.md")
    assert summary.read_text(encoding="utf-8").startswith("# 30 more job files failed for the same reason")
    assert {each.parent.relative_to(failed).as_posix().count("/") for each in failed.rglob("*.json")} == {2}


def test_recipe_that_comes_after_its_files_is_seen(service: Service) -> None:
    """As when a large folder is copied in, and the recipe happens to be its last file."""
    folder = service.root / "inbox" / "hats"
    folder.mkdir()
    pictures.write_png(folder / "fedora.png")
    (folder / "list.txt").write_text("A hat on a hook\n", encoding="utf-8")
    service.drop("later.yaml", JOB)
    service.wait_for_result("later.yaml")  # what came before it has settled and was passed over
    write_recipe(service, "hats", RECIPE.replace("keywords: [studio]", "keywords: [hats]"))

    assert service.wait_for_result("fedora.png.json")["status"] == "completed"
    assert service.wait_for_result("list.1.json")["status"] == "completed"
