"""hotfolder submit --wait: progress on the way, and the result of the right run at the end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.scenarios.service import JOB, Service

WITHOUT_MODEL = "endpointKey: local.flux2-klein-4b.image\nparams: {prompt: x, size: 64*64}\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A library whose sidecar runs, with an engine that takes its time."""
    made = Service(
        tmp_path_factory.mktemp("running") / "library", env={"HOTFOLDER_PROCEDURAL_STEP_MS": "150"}
    )
    try:
        made.start()
        made.wait_until_watching()
        yield made
    finally:
        made.kill()


def write(name: str, text: str = JOB) -> Path:
    path = Path.cwd() / name
    path.write_text(text, encoding="utf-8")
    return path


def dropped(root: Path) -> list[str]:
    return sorted(each.name for each in (root / "inbox").iterdir() if each.is_file())


def test_wait_tells_the_progress_and_then_the_pictures(command: Command, running: Service) -> None:
    job = JOB.replace("steps: 2", "steps: 8")  # long enough for several looks at the status file

    outcome = command("--library", running.root, "submit", "--wait", write("w.yaml", job))

    assert outcome.code == 0, outcome.err
    progress = [line.removeprefix("w.yaml: ") for line in outcome.err.splitlines()]
    assert progress[-1] == "completed, 100 %"
    assert any(line.startswith("sampling") for line in progress)
    head, picture = outcome.out.splitlines()
    assert head.startswith("w.yaml: completed (done/")
    path, *rest = picture.split()
    assert (running.root / path).is_file()
    assert rest == ["seed", "5", "64", "x", "64"]


def test_wait_on_a_terminal_tells_what_is_left_as_earlier_pictures_took(
    command: Command, running: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = JOB.replace("steps: 2", "steps: 7")
    on = partial(command, "--library", running.root, "submit", "--wait")
    assert on(write("once.yaml", job)).code == 0
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal

    outcome = on(write("again.yaml", job))

    assert outcome.code == 0, outcome.err
    assert re.search(r"about [012] s left", outcome.err)


def test_wait_as_json_prints_the_result_file_and_nothing_else(command: Command, running: Service) -> None:
    file = write("r.yaml", JOB + "extra: {order: [4711]}\n")

    outcome = command("--library", running.root, "submit", "--wait", "--json", file)

    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out) == running.wait_for_result("r.yaml")
    assert outcome.json["schema"] == "hotfolder/result@1"
    assert outcome.json["extra"] == {"order": [4711]}


def test_wait_for_several_jobs_prints_an_array_in_the_order_of_the_file(
    command: Command, running: Service
) -> None:
    text = JOB + "title: one\nid: first\n---\n" + JOB + "title: two\n"

    outcome = command("--library", running.root, "submit", "--wait", "--json", write("s.yaml", text))

    assert outcome.code == 0, outcome.err
    assert [each["jobFile"] for each in outcome.json] == ["s.1.yaml", "s.2.yaml"]


def test_wait_for_a_job_that_fails_ends_with_1_and_its_reason(command: Command, running: Service) -> None:
    on = lambda *more: command("--library", running.root, "submit", "--wait", *more)  # noqa: E731

    told = on(write("f.yaml", WITHOUT_MODEL))
    as_json = on("--json", write("g.yaml", WITHOUT_MODEL))

    assert told.code == as_json.code == 1
    assert told.out.startswith("f.yaml: failed (failed/f.yaml)\n")
    assert len(told.out.splitlines()) >= 3, "the reason and what to do"
    assert as_json.json["status"] == "failed"
    assert as_json.json["error"]["code"].startswith("engine.")


def test_wait_that_takes_too_long_ends_with_1_and_the_job_goes_on(on: Command, root: Path) -> None:
    outcome = on("submit", "--wait", "--timeout", "0.2", write("a.yaml"))

    assert (outcome.code, outcome.out) == (1, "")
    assert "No sidecar runs on this library" in outcome.err
    assert "[job.wait_timeout]" in outcome.err
    assert dropped(root) == ["a.yaml"]


def test_repeated_id_answers_with_the_earlier_result(command: Command, running: Service) -> None:
    file = write("o.yaml", JOB + "id: order-12\n")
    results = [command("--library", running.root, "submit", "--wait", "--json", file).json for _ in range(2)]

    assert results[0] == results[1]


def test_id_of_another_job_is_a_problem_before_anything_is_dropped(
    command: Command, running: Service
) -> None:
    command("--library", running.root, "submit", "--wait", write("p.yaml", JOB + "id: order-13\n"))
    other = write("q.yaml", JOB.replace("seed: 5", "seed: 6") + "id: order-13\n")

    outcome = command("--library", running.root, "submit", "--wait", other)

    assert (outcome.code, outcome.out) == (1, "")
    assert "[job.duplicate_id]" in outcome.err
    assert "order-13" in outcome.err
    assert dropped(running.root) == []


def test_wait_for_a_repeat_of_a_failed_job_waits_for_its_new_end(command: Command, running: Service) -> None:
    command("--library", running.root, "submit", "--wait", write("h.yaml", WITHOUT_MODEL + "id: order-14\n"))
    mended = write("h.yaml", JOB + "id: order-14\n")

    outcome = command("--library", running.root, "submit", "--wait", "--json", mended)

    assert outcome.code == 0, outcome.err
    assert outcome.json["status"] == "completed"
