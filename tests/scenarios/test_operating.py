"""A running queue that is paused, drained, held, put first and cancelled looks the same from everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hotfolder.accounts.store import FILE, open_accounts
from hotfolder.cli.opening import user_name
from tests.plugins.house import page_data
from tests.scenarios.service import Service, wait_for
from tests.scenarios.web_service import WebService

ADMIN = "carl"
WAITS = ("status", "priority", "held", "waitReason", "notBefore")
LATER = "2099-12-01T08:00:00.000Z"


def job(prompt: str, more: str = "") -> str:
    params = f"{{prompt: {prompt}, size: 64*64, seed: 5, steps: 1}}"
    return f"endpointKey: local.procedural.image\nparams: {params}\n{more}"


@dataclass
class Studio:
    """A running library with its web, somebody at its command line, and an admin with a token."""

    service: WebService
    web: httpx.Client

    def command(self, *arguments: str) -> str:
        done = self.service.command(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def listed(self, *arguments: str) -> Any:
        return json.loads(self.command(*arguments, "--json"))

    def wish(self, path: str, body: dict[str, Any] | None = None) -> None:
        answer = self.web.post(f"/-/api/{path}", json=body)
        assert answer.status_code == 200, answer.text

    def id_of(self, name: str, status: str = "queued") -> str:
        """The id of the job of this file, once it has this status."""
        sql = "SELECT id FROM jobs WHERE file_name = ? AND status = ?"
        return str(wait_for(lambda: self.service.query(sql, name, status), f"{name} as {status}")[0]["id"])

    def drop(self, name: str, more: str = "") -> str:
        self.service.drop(name, job(Path(name).stem, more))
        return self.id_of(name)

    def count_events(self) -> int:
        return int(self.service.query("SELECT count(*) AS n FROM events")[0]["n"])


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    service = WebService(tmp_path / "library", settings="intake: {settle_ms: 100}\n")
    try:
        url = service.open_web()
        accounts = open_accounts(service.root / FILE)
        secret = accounts.create_token(ADMIN, ["admin"], "test")[1]
        accounts.close()
        headers = {"Authorization": f"Bearer {secret}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=20) as web:
            yield Studio(service, web)
    finally:
        service.kill()


def without_age(found: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on the moment of asking."""
    lanes = [{**each, "oldestAgeS": None} for each in found["lanes"]]
    return {name: found[name] for name in ("jobs", "next", "dead")} | {"lanes": lanes}


def lanes_in_database(service: Service) -> dict[str, tuple[str, str, int]]:
    """Of each lane that somebody wished something for: what, who, and how much waits in it."""
    sql = """
        SELECT substr(key, 6) AS lane, value, actor,
               (SELECT count(*) FROM work_queue WHERE lane = substr(key, 6) AND status = 'pending') AS n
        FROM control WHERE key LIKE 'lane.%'
    """
    return {row["lane"]: (row["value"], row["actor"], row["n"]) for row in service.query(sql)}


def jobs_in_database(service: Service) -> dict[str, tuple[Any, ...]]:
    sql = "SELECT * FROM jobs"
    return {
        row["id"]: (
            row["status"],
            row["priority"],
            bool(row["hold_requested"]) and row["status"] == "held",
            row["wait_reason"],
            row["not_before"],
        )
        for row in service.query(sql)
    }


def test_queue_under_control_looks_the_same_in_command_line_web_page_and_database(studio: Studio) -> None:
    studio.command("queue", "pause", "--lane", "gpu")
    names = ("first.yaml", "second.yaml", "urgent.yaml", "kept.yaml", "stopped.yaml")
    first, second, urgent, kept, stopped = map(studio.drop, names)
    later = studio.drop("later.yaml", f"notBefore: {LATER}\n")
    studio.service.drop("hold/laid-aside.yaml", job("laid-aside"))

    def operate() -> None:
        studio.wish("lanes/gpu/pause")
        studio.command("jobs", "prioritize", urgent, "20")
        studio.wish(f"jobs/{second}/priority", {"priority": -5})
        studio.command("jobs", "hold", kept)
        studio.wish(f"jobs/{kept}/hold")

    operate()
    studio.wish(f"jobs/{stopped}/cancel")
    studio.service.wait_for_result("stopped.yaml")
    studio.wish("lanes/io/drain")
    studio.command("queue", "drain", "--lane", "cpu")
    shown = studio.listed("queue", "show")
    told, page = studio.web.get("/-/api/queue").json(), page_data(studio.web.get("/-/queue").text)

    assert without_age(shown) == without_age(told) == without_age(page["queue"])
    lanes = {each["lane"]: (each["state"], each["actor"], each["pending"]) for each in shown["lanes"]}
    assert lanes == lanes_in_database(studio.service)
    assert lanes == {
        "gpu": ("paused", user_name(), 3),
        "cpu": ("paused", user_name(), 0),
        "io": ("paused", ADMIN, 0),
    }
    assert [each["jobId"] for each in shown["next"]] == [urgent, first, second]
    assert shown["jobs"] == {"queued": 4, "held": 1}

    listed = {each["jobId"]: each for each in studio.listed("jobs", "list", "--all") if each["jobId"]}
    answered = {each["jobId"]: each for each in studio.web.get("/-/api/jobs").json()["items"]}
    paged = {each["jobId"]: each for each in page["jobs"]["items"]}
    for found in (listed, answered, paged):
        assert {job_id: tuple(each[name] for name in WAITS) for job_id, each in found.items()} == (
            jobs_in_database(studio.service)
        )
    assert jobs_in_database(studio.service) == {
        first: ("queued", 0, False, None, None),
        second: ("queued", -5, False, None, None),
        urgent: ("queued", 20, False, None, None),
        kept: ("held", 0, True, f"held by {user_name()}", None),
        stopped: ("cancelled", 0, False, None, None),
        later: ("queued", 0, False, None, LATER),
    }
    assert [each["jobId"] for each in page["jobs"]["items"]][:3] == [urgent, first, second]

    held = [each["jobFile"] for each in studio.listed("jobs", "list", "--status", "held")]
    assert held == ["kept.yaml", "hold/laid-aside.yaml"]
    assert {"jobFile": "hold/laid-aside.yaml", "status": "held"} in page["jobs"]["waiting"]

    before = studio.count_events()
    operate()
    assert studio.count_events() == before

    sql = "SELECT subject_id, actor FROM events WHERE actor IS NOT NULL"
    told_by = {(row["subject_id"], row["actor"]) for row in studio.service.query(sql)}
    assert told_by == {
        *{("gpu", user_name()), ("cpu", user_name()), ("io", ADMIN)},
        *{(urgent, user_name()), (second, ADMIN), (kept, user_name()), (stopped, ADMIN)},
    }

    studio.command("queue", "resume")
    for name in ("first.yaml", "second.yaml", "urgent.yaml"):
        assert studio.service.wait_for_result(name)["status"] == "completed"
    sql = "SELECT id FROM jobs WHERE started_at IS NOT NULL ORDER BY started_at"
    assert [row["id"] for row in studio.service.query(sql)] == [urgent, first, second]
    assert studio.id_of("kept.yaml", "held") == kept
    studio.wish(f"jobs/{kept}/release")
    assert studio.service.wait_for_result("kept.yaml")["status"] == "completed"


def test_held_job_whose_file_is_deleted_is_cancelled_by_the_file_manager(studio: Studio) -> None:
    studio.command("queue", "pause", "--lane", "gpu")
    job_id = studio.drop("unwanted.yaml")
    studio.wish(f"jobs/{job_id}/hold")

    (studio.service.root / "processing" / f"{job_id}--unwanted.yaml").unlink()

    assert studio.service.wait_for_result("unwanted.yaml")["status"] == "cancelled"
    (told,) = studio.listed("jobs", "list", "--all")
    assert (told["status"], told["held"]) == ("cancelled", False)
    sql = "SELECT actor FROM events WHERE subject_id = ? AND actor IS NOT NULL ORDER BY seq DESC LIMIT 1"
    assert studio.service.query(sql, job_id) == [{"actor": "file manager"}]


def test_drained_lane_finishes_what_is_in_line_and_leaves_what_comes_later(studio: Studio) -> None:
    for number in range(3):
        studio.service.drop(f"{number}.yaml", job("before"))
    wait_for(lambda: len(studio.service.query("SELECT id FROM jobs")) == 3, "three jobs")

    studio.wish("lanes/gpu/drain")
    studio.drop("late.yaml")

    for number in range(3):
        assert studio.service.wait_for_result(f"{number}.yaml")["status"] == "completed"

    def look() -> bool:
        (gpu, *_) = studio.listed("queue", "show")["lanes"]
        return (gpu["state"], gpu["actor"], gpu["pending"]) == ("paused", ADMIN, 1)

    wait_for(look, "a drained lane")
    assert studio.id_of("late.yaml") is not None
    studio.command("queue", "resume", "--lane", "gpu")
    assert studio.service.wait_for_result("late.yaml")["status"] == "completed"


def test_wishes_are_kept_without_a_sidecar_and_obeyed_by_the_next_one(
    make_service: Callable[..., Service],
) -> None:
    service = make_service()
    told = service.command("queue", "pause", "--lane", "gpu")
    service.start()
    service.wait_until_watching()
    service.drop("a.yaml", job("waits"))
    sql = "SELECT id FROM jobs WHERE status = 'queued'"
    job_id = str(wait_for(lambda: service.query(sql), "a job in line")[0]["id"])
    assert service.stop() == 0

    for arguments in (("jobs", "hold", job_id), ("queue", "resume"), ("jobs", "prioritize", job_id, "3")):
        assert service.command(*arguments).returncode == 0

    assert told.stdout == "gpu: paused\n"
    assert service.run_once() == 0
    assert service.query("SELECT status, priority FROM jobs") == [{"status": "held", "priority": 3}]
    assert service.command("jobs", "release", job_id).stdout == f"{job_id}: queued\n"
    assert service.run_once() == 0
    assert service.wait_for_result("a.yaml")["status"] == "completed"


def test_dead_work_is_shown_with_its_cause_and_tried_again_by_filter(
    make_service: Callable[..., Service], tmp_path: Path
) -> None:
    fault = f"{{HOTFOLDER_PROCEDURAL_FAULT: crash, HOTFOLDER_PROCEDURAL_FAULT_ONCE: {tmp_path / 'armed'}}}"
    service = make_service(settings=f"engine: {{env: {fault}}}\n")
    (tmp_path / "armed").touch()
    service.drop("unlucky.yaml", job("unlucky", "maxAttempts: 1\n"))
    assert service.run_once() == 1

    shown = json.loads(service.command("queue", "show", "--json").stdout)
    (dead,) = shown["dead"]
    assert (dead["jobFile"], dead["code"], dead["deadWork"]) == ("unlucky.yaml", "engine.crashed", 1)
    assert shown["lanes"][0]["dead"] == 1
    again = service.command("jobs", "requeue", "--code", "engine.crashed", "--since", "1h")

    assert again.stdout == f"{dead['jobId']}: queued\n"
    assert service.run_once() == 0
    assert [row["status"] for row in service.query("SELECT status FROM jobs")] == ["completed"]
    assert json.loads(service.command("queue", "show", "--json").stdout)["dead"] == []
