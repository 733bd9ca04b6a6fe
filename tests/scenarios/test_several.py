"""Several jobs: in one file, in deep folders, under odd names, under one id, many at once."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import pictures
from tests.scenarios.service import JOB, Service, wait_for

HEAD = "endpointKey: local.procedural.image\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running library with default settings."""
    made = Service(tmp_path_factory.mktemp("several") / "library")
    try:
        made.start()
        made.wait_until_watching()
        yield made
    finally:
        made.kill()


def one(prompt: str, more: str = "") -> str:
    """One YAML document of three lines."""
    params = f"params: {{prompt: '{prompt}', size: 64*64, seed: 3, steps: 1}}\n"
    return f"{HEAD}{params}extra: {{name: '{prompt}'}}\n{more}"


def as_object(prompt: str) -> dict[str, Any]:
    return {
        "endpointKey": "local.procedural.image",
        "params": {"prompt": prompt, "size": "64*64", "steps": 1},
        "extra": {"name": prompt},
    }


def find_done(service: Service, name: str) -> Path:
    """Where a file lies in done/, once it does."""
    return wait_for(lambda: next((service.root / "done").rglob(name), None), f"{name} in done/")


def wait_for_files(service: Service, pattern: str, count: int) -> list[Path]:
    """The result files of this pattern in done/ and failed/, once there are so many."""

    def look() -> list[Path] | None:
        folders = (service.root / "done", service.root / "failed")
        found = sorted(path for folder in folders for path in folder.rglob(pattern))
        return found if len(found) >= count else None

    return wait_for(look, f"{count} files like {pattern}")


def assert_each_has_a_result_of_its_own(service: Service, stem: str, extension: str) -> None:
    names = [f"{stem}.{number}{extension}" for number in (1, 2, 3)]
    results = [service.wait_for_result(name) for name in names]
    assert [each["status"] for each in results] == ["completed"] * 3
    assert [each["extra"]["name"] for each in results] == ["one", "two", "three"]
    assert [each["jobFile"] for each in results] == names
    assert len({each["jobId"] for each in results}) == 3
    for name in names:
        assert find_done(service, name).is_file()


def test_yaml_documents_become_jobs_with_results_of_their_own(service: Service) -> None:
    text = "# three\n---\n" + "---\n".join([one("one"), one("two", "# a remark\n"), one("three")]) + "...\n"
    service.drop("trio.yaml", text)

    assert_each_has_a_result_of_its_own(service, "trio", ".yaml")
    assert find_done(service, "trio.yaml").read_text(encoding="utf-8") == text


def test_items_of_a_json_array_become_jobs_with_results_of_their_own(service: Service) -> None:
    text = json.dumps([as_object("one"), as_object("two"), as_object("three")], indent=1)
    service.drop("array.json", text)

    assert_each_has_a_result_of_its_own(service, "array", ".json")
    assert find_done(service, "array.json").read_text(encoding="utf-8") == text


def test_lines_of_a_jsonl_file_become_jobs_with_results_of_their_own(service: Service) -> None:
    text = "\n\n".join(json.dumps(as_object(name)) for name in ("one", "two", "three"))
    service.drop("lines.jsonl", text)

    assert_each_has_a_result_of_its_own(service, "lines", ".jsonl")
    assert find_done(service, "lines.jsonl").read_text(encoding="utf-8") == text


def test_one_bad_job_refuses_the_whole_file_with_the_lines_of_the_whole_file(service: Service) -> None:
    bad = f"{HEAD}params: {{prompt: x, steps: 99}}\n"
    service.drop("atomic.yaml", "---\n".join([one("good"), bad, f"{HEAD}parms: {{}}\n"]))

    result = service.wait_for_result("atomic.yaml")

    assert result["status"] == "failed"
    problems = [(each["code"], each["line"], each["path"]) for each in result["error"]["problems"]]
    assert ("job.invalid_params", 6, "params.steps") in problems
    assert ("job.unknown_key", 9, "parms") in problems
    assert result["generations"] == []
    assert (service.root / "failed" / "atomic.yaml").is_file()
    assert service.query("SELECT id FROM jobs WHERE file_name LIKE 'atomic.%.yaml'") == []


def test_job_of_a_file_whose_reference_is_missing_waits_while_the_others_run(service: Service) -> None:
    service.drop("some.yaml", one("good") + "---\n" + one("late", "refs:\n  - late.png\n"))

    assert service.wait_for_result("some.1.yaml")["status"] == "completed"
    (job,) = service.query("SELECT * FROM jobs WHERE file_name = 'some.2.yaml'")
    assert (job["status"], job["waits_for_json"]) == ("waiting_refs", '["late.png"]')

    pictures.write_png(service.root / "inbox" / "late.png")
    assert service.wait_for_result("some.2.yaml")["status"] == "completed"


def test_file_that_is_not_atomic_runs_its_good_jobs_and_refuses_the_bad_one(service: Service) -> None:
    bad = f"{HEAD}params: {{prompt: x, steps: 99}}\n"
    service.drop("parts.yaml", "atomic: false\n" + "---\n".join([one("one"), bad, one("three")]))

    results = [service.wait_for_result(f"parts.{number}.yaml") for number in (1, 2, 3)]

    assert [each["status"] for each in results] == ["completed", "failed", "completed"]
    assert results[1]["error"]["problems"][0]["path"] == "params.steps"
    assert (service.root / "failed" / "parts.2.yaml.error.md").is_file()
    assert find_done(service, "parts.yaml").is_file()


def test_jobs_of_a_file_in_a_folder_find_the_references_beside_it(service: Service) -> None:
    folder = service.root / "inbox" / "set"
    folder.mkdir()
    pictures.write_png(folder / "layout.png")
    service.drop(
        "set/pair.yaml", one("a", "refs: [layout.png]\n") + "---\n" + one("b", "refs: [./layout.png]\n")
    )

    results = [service.wait_for_result(f"pair.{number}.yaml") for number in (1, 2)]

    assert [each["status"] for each in results] == ["completed"] * 2
    assert [each["jobFile"] for each in results] == ["set/pair.1.yaml", "set/pair.2.yaml"]


def test_job_in_a_deep_subfolder_keeps_its_path(service: Service) -> None:
    place = "2026/Kampagne Frühling/shots/deep.yaml"
    service.drop(place)

    result = service.wait_for_result("deep.yaml")

    assert (result["status"], result["jobFile"]) == ("completed", place)


def test_file_in_hold_waits_until_it_is_moved_out(service: Service) -> None:
    held = service.drop("hold/later.yaml")
    service.drop("sooner.yaml")
    service.wait_for_result("sooner.yaml")
    assert held.is_file()
    listed = json.loads(service.command("jobs", "list", "--json").stdout)
    assert {"jobId": None, "jobFile": "hold/later.yaml", "status": "held"} in listed

    held.rename(service.root / "inbox" / "later.yaml")

    assert service.wait_for_result("later.yaml")["jobFile"] == "later.yaml"


def test_file_whose_name_is_not_utf8_completes_with_its_text_untouched(service: Service) -> None:
    service.drop(os.fsdecode(b"caf\xe9.yaml"))

    done = wait_for(lambda: next((service.root / "done").rglob("caf*.result.json"), None), "a result")

    result = json.loads(done.read_text(encoding="utf-8"))
    assert result["status"] == "completed"
    assert done.with_name(done.name.removesuffix(".result.json")).read_text(encoding="utf-8") == JOB


@pytest.mark.parametrize("stem", ["n" * 245, "ü" * 120], ids=["ascii", "umlauts"])
def test_very_long_file_name_is_shortened_and_completes(service: Service, stem: str) -> None:
    temporary = service.root / "inbox" / ".long.tmp"
    temporary.write_text(one("long"), encoding="utf-8")
    temporary.rename(service.root / "inbox" / f"{stem}.yaml")

    def look() -> dict[str, Any] | None:
        rows = service.query("SELECT * FROM jobs WHERE job_file = ?", f"{stem}.yaml")
        return rows[0] if rows and rows[0]["final_path"] else None

    row = wait_for(look, "the end of the job with the long name")
    final = service.root / row["final_path"]
    result = wait_for(
        lambda: final.is_file() and final.with_name(f"{final.name}.result.json").is_file() and final,
        "its files",
    )

    assert row["status"] == "completed"
    assert result.suffix == ".yaml"
    assert result.name.startswith(stem[:80])


def test_thirty_jobs_dropped_at_once_all_complete(service: Service) -> None:
    names = [f"many-{number:02}.yaml" for number in range(30)]
    for name in names:
        service.drop(f"many/{name}", one(name))

    results = [service.wait_for_result(name) for name in names]

    assert [each["status"] for each in results] == ["completed"] * 30
    assert [each["extra"]["name"] for each in results] == names
    assert not list((service.root / "inbox" / "many").iterdir())
    assert not any((service.root / "processing").iterdir())


@pytest.mark.parametrize("own_id", [str(uuid.UUID(int=0x1234)).upper(), "order 2026/17"])
def test_same_id_dropped_twice_gives_one_picture_and_the_same_result_twice(
    service: Service, own_id: str
) -> None:
    name = f"twice-{len(own_id)}"
    text = one("only once", f"id: '{own_id}'\n")
    service.drop(f"{name}-a.yaml", text)
    service.drop(f"{name}-b.yaml", "# the same job, sent again\n" + text)

    results = [
        path.read_text(encoding="utf-8") for path in wait_for_files(service, f"{name}*.result.json", 2)
    ]

    first, second = map(json.loads, results)
    assert first == second
    assert first["status"] == "completed"
    if "-" in own_id:
        assert first["jobId"] == own_id.lower()
    wait_for(lambda: len(list((service.root / "done").rglob(f"{name}*.yaml"))) == 2, "both files in done/")
    generations = service.query("SELECT id FROM generations WHERE job_id = ?", first["jobId"])
    assert len(generations) == 1

    service.drop(f"{name}-c.yaml", text)
    third = wait_for_files(service, f"{name}*.result.json", 3)[-1]

    assert json.loads(third.read_text(encoding="utf-8")) == first
    assert service.query("SELECT id FROM generations WHERE job_id = ?", first["jobId"]) == generations


def test_used_id_with_another_content_is_refused_and_the_first_job_keeps_its_result(
    service: Service,
) -> None:
    service.drop("owner.yaml", one("came first", "id: taken\n"))
    first = service.wait_for_result("owner.yaml")

    service.drop("thief.yaml", one("came second", "id: taken\n"))
    second = service.wait_for_result("thief.yaml")

    problem = second["error"]["problems"][0]
    assert second["status"] == "failed"
    assert (problem["code"], problem["path"]) == ("job.duplicate_id", "id")
    assert second["jobId"] != first["jobId"]
    assert service.wait_for_result("owner.yaml") == first
