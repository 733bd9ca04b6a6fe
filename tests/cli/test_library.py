"""hotfolder init and run: a library is made, served until a signal, or worked off once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.scenarios.service import JOB, Service, wait_for

BROKEN = "endpointKey: local.procedural.image\nparams: {prompt: x, steps: many}\n"


def drop(root: Path, name: str, text: str = JOB) -> None:
    target = root / "inbox" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def test_init_makes_a_library_and_says_how_to_go_on(command: Command, tmp_path: Path) -> None:
    outcome = command("init", tmp_path / "new")

    assert outcome.code == 0
    assert f"Made a library in {tmp_path / 'new'}." in outcome.out
    assert "hotfolder up" in outcome.out
    assert (tmp_path / "new" / "inbox" / "hold").is_dir()
    assert (tmp_path / "new" / "library.db").is_file()
    assert command("--library", tmp_path / "new", "config", "check").code == 0


def test_init_of_a_library_keeps_its_edited_settings(command: Command, tmp_path: Path) -> None:
    command("init", tmp_path / "new")
    settings = tmp_path / "new" / "hotfolder.yaml"
    settings.write_text("# mine\nintake: {settle_ms: 100}\n", encoding="utf-8")

    outcome = command("init", tmp_path / "new")

    assert outcome.code == 0
    assert "is a library already. Nothing had to be changed." in outcome.out
    assert settings.read_text(encoding="utf-8") == "# mine\nintake: {settle_ms: 100}\n"


def test_init_uses_the_named_library_and_else_the_current_folder(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("--library", tmp_path / "named", "init")
    assert (tmp_path / "named" / "hotfolder.yaml").is_file()
    assert not (Path.cwd() / "hotfolder.yaml").exists()

    command("init")
    assert (Path.cwd() / "hotfolder.yaml").is_file()


def test_init_where_no_folder_can_be_made_is_a_known_failure(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    outcome = command("init", tmp_path / "file" / "library")

    assert outcome.code == 1
    assert "[library.unusable]" in outcome.err


def test_settings_that_init_writes_are_an_example_that_works_when_uncommented(
    command: Command, tmp_path: Path
) -> None:
    command("init", tmp_path / "new")
    settings = tmp_path / "new" / "hotfolder.yaml"
    head, *lines = settings.read_text(encoding="utf-8").splitlines()
    settings.write_text("\n".join([head, *(line.removeprefix("# ") for line in lines)]), encoding="utf-8")

    assert command("--library", tmp_path / "new", "config", "check").code == 0


def test_run_once_of_an_empty_library_ends_with_0(command: Command, root: Path) -> None:
    outcome = command("run", root, "--once")

    assert outcome.code == 0
    assert outcome.out == "No jobs were there to run.\n"


def test_run_once_tells_what_became_of_each_job_and_ends_with_1_if_one_failed(
    command: Command, root: Path
) -> None:
    drop(root, "bay.yaml")
    drop(root, "broken.yaml", BROKEN)
    drop(root, "hold/later.yaml")

    outcome = command("run", root, "--once")

    assert outcome.code == 1
    lines = outcome.out.splitlines()
    assert lines[0].split() == ["Job", "file", "Status", "Pictures", "Where", "it", "lies", "now"]
    assert lines[1].split()[:3] == ["bay.yaml", "completed", "1"]
    assert lines[1].split()[3].startswith("done/")
    assert lines[2].split() == ["broken.yaml", "failed", "0", "failed/broken.yaml"]
    assert lines[3].startswith("The pictures are in originals/")
    assert lines[4].startswith("broken.yaml: line 2, column 28: `params.steps` is")
    assert lines[5:] == ["Held: inbox/hold/later.yaml"]
    assert (root / "inbox/hold/later.yaml").is_file()


def test_run_once_as_json_is_an_array_of_jobs_and_held_files(command: Command, root: Path) -> None:
    drop(root, "bay.yaml")
    drop(root, "hold/later.yaml")

    outcome = command("run", root, "--once", "--json")

    assert outcome.code == 0
    done, held = outcome.json
    assert (done["jobFile"], done["status"], done["pictures"]) == ("bay.yaml", "completed", 1)
    assert (root / done["paths"][0]).is_file()
    assert held == {"jobId": None, "jobFile": "hold/later.yaml", "status": "held"}


def test_run_leaves_no_log_handler_behind(command: Command, root: Path) -> None:
    before = list(logging.getLogger("hotfolder").handlers)

    command("run", root, "--once")

    assert logging.getLogger("hotfolder").handlers == before
    assert "watching" in (root / "logs" / "hotfolder.log").read_text(encoding="utf-8")


def test_names_of_files_do_not_reach_the_terminal_or_the_log_raw(command: Command, root: Path) -> None:
    drop(root, "a\x1b]0;x\x07\x9bb.yaml", BROKEN)
    drop(root, "hold/c\x1b[2J\nError: d.yaml")

    outcome = command("run", root, "--once")

    log = (root / "logs" / "hotfolder.log").read_text(encoding="utf-8")
    assert not set("\x1b\x07\x9b") & set(outcome.out + outcome.err + log)
    assert len(outcome.out.splitlines()) == 4  # heading, job, its problem, what is held
    assert "b.yaml" in outcome.out


def test_json_without_once_is_wrong_use(command: Command, root: Path) -> None:
    assert command("run", root, "--json").code == 2


def test_second_sidecar_is_refused_and_the_first_goes_on(service: Service) -> None:
    service.start()
    service.wait_until_watching()

    second = service.command("run", "--once")

    assert second.returncode == 1
    assert "[library.locked]" in second.stderr
    assert str(service.process.pid if service.process else None) in second.stderr
    assert (service.root / "run" / "nudge").exists(), "the first can still be nudged"
    service.drop("bay.yaml")
    assert service.wait_for_result("bay.yaml")["status"] == "completed"


def test_sidecar_says_what_it_watches_and_ends_with_0_on_a_signal(
    make_service: Callable[..., Service],
) -> None:
    service = make_service()
    service.start()
    wait_for(lambda: "Ctrl-C stops." in service.output(), "the greeting")
    service.wait_until_watching()

    assert service.stop() == 0
    assert f"Watching {service.root / 'inbox'}" in service.output()


def test_engine_of_the_command_line_wins_and_may_be_relative(command: Command, root: Path) -> None:
    drop(root, "flux.yaml", "endpointKey: local.flux2-klein-4b.image\nparams: {prompt: x}\n")
    (root / "models" / "a.gguf").write_bytes(b"x")
    models = "models: {sets: {flux2-klein-4b: {diffusion_model: a.gguf}}}\n"
    (root / "hotfolder.yaml").write_text(models + "engine: {path: /from/the/file}\n", encoding="utf-8")

    outcome = command("run", root, "--once", "--engine", "no-engine-here")

    assert outcome.code == 1
    assert str(Path.cwd() / "no-engine-here") in outcome.out + outcome.err
    assert "/from/the/file" not in outcome.out + outcome.err
