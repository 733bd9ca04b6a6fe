"""An engine that fails twice: the job completes at its third attempt, and its timeline tells every step."""

from __future__ import annotations

import json
from pathlib import Path

from hotfolder.domain.instants import parse_instant
from tests.scenarios.service import wait_for
from tests.scenarios.test_engine_faults import JOB, FaultyService


def failed_attempts(service: FaultyService) -> int:
    rows = service.query("SELECT failures_json FROM work_queue WHERE task_type = 'generation.local.image'")
    return len(json.loads(rows[0]["failures_json"] or "[]")) if rows else 0


def test_job_whose_engine_fails_twice_completes_at_its_third_attempt_and_tells_each(tmp_path: Path) -> None:
    service = FaultyService(tmp_path)
    try:
        service.start()
        service.wait_until_watching()
        service.arm("crash")
        service.drop("third.yaml", JOB % ("4b", "the third time", 3))
        wait_for(lambda: failed_attempts(service) == 1, "the first failure")
        service.arm("half-output")
        wait_for(lambda: failed_attempts(service) == 2, "the second failure")
        result = service.wait_for_result("third.yaml")
        shown = json.loads(service.command("jobs", "show", result["jobId"], "--json").stdout)
        drawn = service.command("jobs", "show", result["jobId"]).stdout
    finally:
        service.kill()

    assert result["status"] == "completed"
    assert result["generations"][0]["attempts"] == 3
    steps = shown["timeline"]["steps"]
    making = [each for each in steps if each["taskType"] == "generation.local.image"]
    assert [(each["to"], each["attempt"], each["code"]) for each in making] == [
        ("pending", None, None),
        ("processing", 1, None),
        ("scheduled", 1, "engine.crashed"),
        ("pending", None, None),
        ("processing", 2, None),
        ("scheduled", 2, "engine.bad_output"),
        ("pending", None, None),
        ("processing", 3, None),
        ("completed", 3, None),
    ]
    times = [parse_instant(each["at"]) for each in steps]
    assert times == sorted(times)
    jobs = [each["to"] for each in steps if each["what"].startswith("job") and each["to"]]
    assert jobs[0] == "queued"
    assert jobs[-1] == "completed"
    for attempt in ("attempt 1", "attempt 2", "attempt 3"):
        assert attempt in drawn
