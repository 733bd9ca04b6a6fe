"""An engine that fails in a running service: jobs wait for it, none is lost, and it comes back as it was."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from hotfolder.database import Database
from hotfolder.library.control import WANTED_MODEL, ControlStore
from tests.scenarios.engine_kills import kill_at_random
from tests.scenarios.service import JOB as OTHER_ENGINE
from tests.scenarios.service import wait_for
from tests.scenarios.supervised import LARGE, SMALL, SupervisedService

SOON_S = 1.0
STOP_LIMIT_S = 5.0
PRELOAD = "HOTFOLDER_ENGINE__PRELOAD"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SupervisedService, httpx.Client]]:
    """A running library, and its API for somebody who is logged in."""
    folder = tmp_path_factory.mktemp("supervision")
    service = SupervisedService(folder / "library", picture_s=0.15)
    try:
        url = service.open_web()
        with httpx.Client(base_url=url, headers={"Origin": url}, timeout=20) as client:
            client.get("/-/auth-token", params={"token": service.wait_for_link()[1]})
            yield service, client
    finally:
        service.kill()


@pytest.fixture
def studio(web: tuple[SupervisedService, httpx.Client]) -> SupervisedService:
    """The running library; its engine may be in any state."""
    return web[0]


@pytest.fixture
def make_service(tmp_path: Path) -> Iterator[Callable[..., SupervisedService]]:
    """Makes services that are not started yet."""
    made: list[SupervisedService] = []

    def make(**options: object) -> SupervisedService:
        made.append(SupervisedService(tmp_path / "library", **options))  # type: ignore[arg-type]  # as given
        return made[-1]

    yield make
    for each in made:
        each.kill()


def cancel_by_command(service: SupervisedService, client: httpx.Client, job_id: str) -> None:
    assert service.command("jobs", "cancel", job_id).returncode == 0


def cancel_by_file(service: SupervisedService, client: httpx.Client, job_id: str) -> None:
    (file,) = (service.root / "processing").glob(f"{job_id}--*")
    file.unlink()


def cancel_by_api(service: SupervisedService, client: httpx.Client, job_id: str) -> None:
    assert client.post(f"/-/api/jobs/{job_id}/cancel").status_code == 200


def made_with(service: SupervisedService, name: str) -> dict[str, object]:
    """What the sidecar of a job's only picture says of its engine, if its row says the same."""
    (generation,) = service.wait_for_result(name)["generations"]
    (output,) = generation["outputs"]
    told = json.loads((service.root / (output["path"] + ".json")).read_text(encoding="utf-8"))["engine"]
    sql = "SELECT model_hashes_json, model_file FROM generations WHERE id = ?"
    (row,) = service.query(sql, generation["generationId"])
    assert json.loads(row["model_hashes_json"]) == told["modelSha256"]
    assert row["model_file"] == told["modelFiles"]["diffusion_model"]
    return told


def test_jobs_wait_for_an_engine_that_cannot_start_and_complete_once_it_can(
    web: tuple[SupervisedService, httpx.Client],
) -> None:
    studio, client = web
    studio.flag.touch()
    studio.kill_engine()
    names = [f"patient-{number}.yaml" for number in range(4)]
    for name in names:
        studio.ask(name, name)
    ids = [studio.wait_for_status(name, "running") for name in names[:2]]
    ids += [studio.wait_for_status(name, "queued") for name in names[2:]]

    told = wait_for(lambda: (each := studio.engine_status())["retryAt"] and each, "a rest")
    assert told["state"] == "error"
    assert "the engine did not start" in told["problem"]
    assert datetime.fromisoformat(told["retryAt"]) < datetime.now(UTC) + timedelta(seconds=60)
    for job_id, name in zip(ids[:3], names, strict=False):
        cancel_by_api(studio, client, job_id)
        assert studio.wait_for_result(name)["status"] == "cancelled"
        at = studio.instants(job_id)
        asked_at = at.get("cancelling", at["cancelled"])
        assert (at["cancelled"] - asked_at).total_seconds() <= SOON_S
    studio.flag.unlink()

    result = studio.wait_for_result(names[3])
    assert (result["status"], result["generations"][0]["attempts"]) == ("completed", 1)


def test_engine_that_nobody_waits_for_holds_nobody_up_and_gets_its_model_when_it_can(
    studio: SupervisedService,
) -> None:
    studio.ask("before.yaml", "before")
    assert studio.wait_for_result("before.yaml")["status"] == "completed"
    studio.flag.touch()
    studio.kill_engine()
    wait_for(lambda: "did not start" in (studio.engine_status()["problem"] or ""), "a start that failed")
    assert studio.command("engine", "load", "flux2-klein-9b").returncode == 0

    studio.drop("other.yaml", OTHER_ENGINE)

    assert studio.wait_for_result("other.yaml")["status"] == "completed"
    assert studio.engine_status()["state"] == "error"
    studio.flag.unlink()
    wait_for(lambda: studio.loads()[-1] == LARGE, "the model that was wished for")


@pytest.mark.parametrize("cancel", [cancel_by_command, cancel_by_file, cancel_by_api])
def test_cancel_ends_the_engine_within_a_second_and_it_comes_back_with_its_model(
    web: tuple[SupervisedService, httpx.Client],
    cancel: Callable[[SupervisedService, httpx.Client, str], None],
) -> None:
    studio, client = web
    name = f"{cancel.__name__}.yaml"
    studio.ask(name, f"fault:stubborn {name}")
    wait_for(lambda: any(name in each for each in studio.prompts()), "an engine at work")
    job_id = studio.wait_for_status(name, "running")
    engines, loads = studio.find_engines(), studio.loads()
    asked_at = datetime.now(UTC)

    cancel(studio, client, job_id)

    result = studio.wait_for_result(name)
    at = studio.instants(job_id)
    since = at["cancelling"] if cancel is cancel_by_command else asked_at  # a program has to start first
    assert result["status"] == "cancelled"
    assert (at["cancelled"] - since).total_seconds() <= SOON_S
    assert not set(engines) & set(studio.find_engines())
    studio.wait_for_state("ready")
    assert studio.loads() == [*loads, SMALL]
    studio.ask(f"after-{name}", "comes next")
    assert studio.wait_for_result(f"after-{name}")["generations"][0]["attempts"] == 1
    assert studio.loads() == [*loads, SMALL]


def test_job_that_kills_the_engine_each_time_is_dead_and_says_how_each_attempt_failed(
    studio: SupervisedService,
) -> None:
    studio.ask("deadly.yaml", "fault:abort always")
    for name in ("behind-1.yaml", "behind-2.yaml"):
        studio.ask(name, name)

    error = studio.wait_for_result("deadly.yaml")["error"]

    for name in ("behind-1.yaml", "behind-2.yaml"):
        assert studio.wait_for_result(name)["status"] == "completed"
    assert error["code"] == "engine.crashed"
    assert "GGML_ASSERT(false) failed" in error["hint"]
    attempts = error["attempts"]
    assert [(each["attempt"], each["code"]) for each in attempts] == [
        (number, "engine.crashed") for number in (1, 2, 3)
    ]
    assert len({each["message"] for each in attempts}) == 3  # each names its own command
    report = (studio.root / "failed" / "deadly.yaml.error.md").read_text(encoding="utf-8")
    for each in attempts:
        assert f"Attempt {each['attempt']}: {each['message']} (`engine.crashed`)" in report


def test_job_of_another_model_loads_it_first_and_is_recorded_with_its_files(
    studio: SupervisedService,
) -> None:
    studio.ask("four.yaml", "with 4B")
    small = made_with(studio, "four.yaml")
    studio.ask("nine.yaml", "with 9B", model="9b")
    large = made_with(studio, "nine.yaml")

    assert studio.loads()[-1] == LARGE
    for told, name in ((small, SMALL), (large, LARGE)):
        digests = {
            role: hashlib.sha256((studio.root / "models" / file).read_bytes()).hexdigest()
            for role, file in (("diffusion_model", name), ("vae", "ae.safetensors"), ("llm", "qwen.gguf"))
        }
        assert (told["modelInfo"], told["modelSha256"]) == (name, digests)


def test_model_file_that_is_replaced_under_its_name_makes_the_next_picture_and_is_recorded(
    studio: SupervisedService,
) -> None:
    studio.ask("older.yaml", "with the older file")
    older, loads = made_with(studio, "older.yaml"), studio.loads()
    file = studio.root / "models" / SMALL
    newer = file.with_suffix(".tmp")
    newer.write_bytes(b"a newer model of the same name")
    newer.replace(file)

    studio.ask("newer.yaml", "with the newer file")

    told = made_with(studio, "newer.yaml")
    assert studio.loads() == [*loads, SMALL]
    assert told["modelSha256"] != older["modelSha256"]
    digest = hashlib.sha256(b"a newer model of the same name").hexdigest()
    assert told["modelSha256"] == {**dict(older["modelSha256"]), "diffusion_model": digest}  # type: ignore[call-overload]  # JSON


def test_jobs_that_wait_while_the_engines_program_is_replaced_are_made_by_the_new_one(
    make_service: Callable[..., SupervisedService],
) -> None:
    service = make_service(env={"HOTFOLDER_ENGINE__FALLBACK": "procedural"})
    service.start()
    service.ask("before.yaml", "before")
    assert service.wait_for_result("before.yaml")["status"] == "completed"
    aside = service.engine.with_name("newer-engine")
    service.engine.rename(aside)
    service.kill_engine()
    names = [f"meanwhile-{number}.yaml" for number in range(4)]
    for name in names:
        service.ask(name, name)
    wait_for(lambda: "there is no engine program" in (service.engine_status()["problem"] or ""), "a problem")
    aside.rename(service.engine)

    results = [service.wait_for_result(name)["generations"][0] for name in names]

    assert [(each["attempts"], each["warnings"]) for each in results] == [(1, [])] * 4
    assert {made_with(service, name)["kind"] for name in names} == {"cn-engine"}


def test_jobs_wait_for_an_engine_that_dies_of_every_load_and_are_made_once_it_is_mended(
    make_service: Callable[..., SupervisedService],
) -> None:
    service = make_service()
    model = service.root / "models" / SMALL
    sound = model.read_bytes()
    model.write_bytes(b"deadly")
    names = [f"job-{number}.yaml" for number in range(6)]
    for name in names:
        service.ask(name, name, "maxAttempts: 1\n")
    service.start()
    for name in names[:3]:
        assert service.wait_for_result(name)["error"]["code"] == "engine.crashed"
    problem = "one job after the other fails"
    wait_for(lambda: problem in (service.engine_status()["problem"] or ""), "an error with its reason")
    assert service.engine_status()["state"] == "error"
    wait_for(
        lambda: service.query("SELECT 1 FROM work_queue WHERE error_message LIKE ?", f"{problem}%"), "one"
    )
    model.write_bytes(sound)

    results = [service.wait_for_result(name, 60) for name in names[3:]]

    assert [each["status"] for each in results] == ["completed"] * 3


def test_job_of_many_pictures_that_all_kill_the_engine_ends_without_another(
    make_service: Callable[..., SupervisedService],
) -> None:
    service = make_service()
    service.ask("poison.yaml", "fault:abort always", "count: 4\nmaxAttempts: 1\n")
    service.start()

    result = service.wait_for_result("poison.yaml")

    assert [each["error"]["code"] for each in result["generations"]] == ["engine.crashed"] * 4


def test_engine_that_dies_of_every_load_ends_a_run_that_nobody_watches(
    make_service: Callable[..., SupervisedService],
) -> None:
    service = make_service()
    (service.root / "models" / SMALL).write_bytes(b"deadly")
    for number in range(4):
        service.ask(f"job-{number}.yaml", "once", "maxAttempts: 1\n")

    assert service.run_once() == 1

    assert service.query("SELECT DISTINCT status FROM jobs") == [{"status": "failed"}]


def test_jobs_of_two_models_that_wait_together_load_each_once_and_the_urgent_one_goes_first(
    web: tuple[SupervisedService, httpx.Client],
) -> None:
    studio, client = web
    held = studio.hold()
    for number in range(10):
        studio.ask(f"turn-{number}.yaml", f"turn {number}", model="9b" if number % 2 else "4b")
        studio.wait_for_status(f"turn-{number}.yaml", "queued")
    studio.ask("urgent.yaml", "urgent", "priority: 10\n", model="9b")
    studio.wait_for_status("urgent.yaml", "running")  # prepared, in place of what was before
    studio.wait_for_status("ahead.yaml", "queued")
    loads, made = studio.loads(), studio.prompts()

    cancel_by_api(studio, client, held)

    for name in ("ahead.yaml", *(f"turn-{number}.yaml" for number in range(10))):
        result = studio.wait_for_result(name)
        assert (result["status"], result["generations"][0]["attempts"]) == ("completed", 1)
    order = [each.removeprefix("turn ") for each in studio.prompts()[len(made) :]]
    assert order == ["urgent", *"13579", "ahead", *"02468"]
    assert studio.loads()[len(loads) :] == [LARGE, SMALL]


def test_jobs_whose_engine_is_killed_at_random_complete_once_and_in_their_order(
    make_service: Callable[..., SupervisedService],
) -> None:
    service = make_service(picture_s=0.15)
    service.start()
    service.wait_until_watching()

    outcome = kill_at_random(service, jobs=40, seed=3, every_s=1.0)

    assert outcome.findings == []
    assert outcome.kills >= 3


def test_no_engine_outlives_a_service_that_is_killed_during_a_picture(
    make_service: Callable[..., SupervisedService],
) -> None:
    service = make_service()
    service.start()
    service.ask("endless.yaml", "fault:stubborn endless")
    wait_for(service.prompts, "an engine at work")
    assert service.find_engines()

    service.kill()

    wait_for(lambda: not service.find_engines(), "the end of the engine", SOON_S)


def test_wanted_model_is_loaded_at_the_start_and_when_somebody_wishes(
    make_service: Callable[..., SupervisedService],
) -> None:
    service = make_service(env={PRELOAD: "flux2-klein-9b"})
    service.start()
    wait_for(service.loads, "a load at the start")
    service.wait_for_state("ready")
    database = Database(service.root / "library.db")
    control = ControlStore(database)

    control.put(WANTED_MODEL, "flux2-klein-4b", "tests")
    wait_for(lambda: service.loads() == [LARGE, SMALL], "the model that was wished for")
    control.put(WANTED_MODEL, "", "tests")
    wait_for(lambda: service.commands("unload"), "an unload")
    database.close()

    service.wait_for_state("idle")
    assert (service.engine_status()["modelInfo"], service.prompts()) == (None, [])


def test_last_model_is_loaded_at_the_start(make_service: Callable[..., SupervisedService]) -> None:
    service = make_service(env={PRELOAD: "last"})
    service.ask("nine.yaml", "with 9B", model="9b")
    assert service.run_once() == 0
    assert service.loads() == [LARGE]

    service.start()

    wait_for(lambda: service.loads() == [LARGE, LARGE], "a load at the start")


def test_stop_waits_for_no_engine_that_cannot_start(make_service: Callable[..., SupervisedService]) -> None:
    service = make_service()
    service.flag.touch()
    service.ask("patient.yaml", "patient")
    service.start()
    wait_for(lambda: "the engine rests" in service.output(), "a rest")
    began_s = time.monotonic()

    assert service.stop() == 0

    assert time.monotonic() - began_s < STOP_LIMIT_S
    (item,) = service.query("SELECT status, attempt_count FROM work_queue WHERE lane = 'gpu'")
    assert item == {"status": "scheduled", "attempt_count": 0}
