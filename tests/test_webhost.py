"""What the web asks of the program around it, on a real library."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hotfolder.app import Library, create_library, open_library
from hotfolder.config import load_settings
from hotfolder.diagnosis import LOW_DISK_BYTES
from hotfolder.errors import DiskFull, JobFileError
from hotfolder.events import ENGINE_STATUS
from hotfolder.webhost import HEARTBEAT, STALE_S, LibraryHost

Usage = namedtuple("Usage", ["total", "used", "free"])
JOB = {"endpointKey": "local.procedural.image", "params": {"prompt": "A quiet bay", "size": "64*64"}}
SETTINGS = """
models:
  roots: [models]
  sets:
    flux2-klein-4b: {diffusion_model: klein-4b.gguf, vae: ae.safetensors, llm: qwen3-4b.gguf}
"""
# A sidecar, as far as the lock tells one.
HOLD_LOCK = """
import sys
from pathlib import Path
from hotfolder.lock import LibraryLock
lock = LibraryLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    create_library(tmp_path / "library")
    return tmp_path / "library"


@pytest.fixture
def library(root: Path) -> Iterator[Library]:
    opened = open_library(root, load_settings(root, {}))
    yield opened
    opened.close()


@pytest.fixture
def host(library: Library) -> LibraryHost:
    return LibraryHost(library)


@pytest.fixture
def sidecar(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the library's lock and has just given a sign."""
    command = [sys.executable, "-c", HOLD_LOCK, str(root / "run" / "lock")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    (root / "run" / HEARTBEAT).touch()
    yield process
    process.communicate(timeout=10)


def text_of(**changes: Any) -> bytes:
    return json.dumps(JOB | changes).encode()


def test_a_job_that_the_inbox_would_take_has_no_problems(host: LibraryHost, root: Path) -> None:
    assert list(host.find_problems(text_of())) == []
    assert list((root / "inbox").glob("*.*")) == []


def test_all_problems_of_a_job_are_told_at_once_its_references_too(host: LibraryHost) -> None:
    problems = host.find_problems(
        text_of(params={"prompt": "x", "steps": "many"}, refs=[{"sha256": "0" * 64}, "../../etc/passwd"])
    )

    assert {"params.steps", "refs.0", "refs.1"} <= {each.path for each in problems}


def test_prompt_refused_over_the_api_stands_in_the_prompt_log(root: Path) -> None:
    (root / "hotfolder.yaml").write_text(
        "moderation: {log_prompts: true, rules: [{words: [forbidden]}]}\n", encoding="utf-8"
    )
    library = open_library(root, load_settings(root, {}))
    host = LibraryHost(library)
    host.find_problems(text_of())
    problems = host.find_problems(text_of(id="7f0c", params={"prompt": "forbidden via the API"}))
    library.close()

    assert [each.code for each in problems] == ["job.moderated"]
    (line,) = (root / "logs" / "prompts.jsonl").read_text("utf-8").splitlines()
    told = json.loads(line)
    assert (told["jobId"], told["prompt"], told["verdict"]) == ("7f0c", "forbidden via the API", "blocked")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b'{"endpointKey": "\xed\xa0\x80"}'])
def test_a_text_that_is_no_job_at_all_is_refused(host: LibraryHost, text: bytes) -> None:
    with pytest.raises(JobFileError):
        host.find_problems(text)


def test_without_a_sidecar_the_library_says_so_and_is_not_healthy(host: LibraryHost) -> None:
    assert host.describe_sidecar() == {"running": False, "since": None, "heartbeatAgeS": None}
    health = host.describe_health()
    assert (health["status"], "sidecar" in health["failing"], health["sidecar"]["alive"]) == (
        "failing",
        True,
        False,
    )


def test_a_running_sidecar_is_told_with_its_beginning_and_its_last_sign(
    host: LibraryHost, sidecar: subprocess.Popen[str]
) -> None:
    found = host.describe_sidecar()

    assert found["running"] is True
    assert found["since"].endswith("Z")
    assert 0 <= found["heartbeatAgeS"] < 10
    assert host.describe_health()["sidecar"]["alive"] is True


def test_a_sidecar_that_hangs_is_not_healthy_though_it_runs(
    host: LibraryHost, root: Path, sidecar: subprocess.Popen[str]
) -> None:
    long_ago_s = time.time() - STALE_S - 5
    os.utime(root / "run" / HEARTBEAT, (long_ago_s, long_ago_s))

    assert host.describe_sidecar()["running"] is True
    assert "sidecar" in host.describe_health()["failing"]


def test_a_heartbeat_of_the_future_is_fresh(host: LibraryHost, root: Path) -> None:
    soon_s = time.time() + 3600
    (root / "run" / HEARTBEAT).touch()
    os.utime(root / "run" / HEARTBEAT, (soon_s, soon_s))

    assert host.describe_sidecar()["heartbeatAgeS"] == 0


@pytest.mark.parametrize(("state", "is_failing"), [("error", True), ("idle", False), ("busy", False)])
def test_the_last_word_of_the_engine_counts(
    host: LibraryHost, library: Library, state: str, is_failing: bool
) -> None:
    for each in ("error", state):
        with library.database.transaction() as tx:
            tx.event(ENGINE_STATUS, "engine", "procedural", {"state": each})

    health = host.describe_health()

    assert health["engine"] == state
    assert ("engine" in health["failing"]) is is_failing


def test_a_disk_that_is_nearly_full_is_not_healthy(
    host: LibraryHost, sidecar: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12 - 5, 5))

    health = host.describe_health()

    assert health["failing"] == ["disk"]
    assert health["disk"] == {"freeBytes": 5}


def test_what_would_leave_little_room_on_the_disk_is_refused(
    host: LibraryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12, LOW_DISK_BYTES + 500))

    host.check_room(500)
    with pytest.raises(DiskFull):
        host.check_room(501)


def test_job_is_looked_at_without_reading_its_references(host: LibraryHost, root: Path) -> None:
    sha256 = "ab" * 32
    (root / "refs" / f"{sha256}.png").write_text("no picture")
    text = text_of(refs=[{"sha256": sha256}])

    assert [each.code for each in host.find_problems(text)] == ["job.ref_refused"]
    assert host.check_job(text)["problems"] == []
    assert [each.code for each in host.check_job(text_of(refs=[{"sha256": "cd" * 32}]))["problems"]] == [
        "job.ref_missing"
    ]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b'{"endpointKey": "\xed\xa0\x80"}'])
def test_look_at_a_text_that_is_no_job_at_all_says_so(host: LibraryHost, text: bytes) -> None:
    found = host.check_job(text)

    assert (found["pictures"], bool(found["problems"])) == (0, True)


def test_fallback_makes_every_endpoint_available_and_what_is_missing_is_still_told(root: Path) -> None:
    (root / "hotfolder.yaml").write_text("engine: {fallback: procedural}\n")
    library = open_library(root, load_settings(root, {}))
    try:
        found = {each["endpointKey"]: each for each in LibraryHost(library).list_endpoints()}
    finally:
        library.close()

    assert all(each["available"] for each in found.values())
    problem = found["local.flux2-klein-4b.image"]["problem"]
    assert "Until then test pictures are drawn" in problem
    assert "engine.fallback" not in problem  # nobody is told to set what is set
    assert found["local.procedural.image"]["problem"] is None


def test_endpoint_is_available_once_its_engine_and_all_its_files_are_there(root: Path) -> None:
    (root / "hotfolder.yaml").write_text(SETTINGS + "engine: {path: engines/cn-engine}\n")
    library = open_library(root, load_settings(root, {}))
    try:
        host = LibraryHost(library)

        def look() -> tuple[bool, str | None]:
            key = "local.flux2-klein-4b.image"
            found = next(each for each in host.list_endpoints() if each["endpointKey"] == key)
            return found["available"], found["problem"]

        is_available, problem = look()
        assert (is_available, "klein-4b.gguf" in (problem or "")) == (False, True)
        for name in ("klein-4b.gguf", "ae.safetensors", "qwen3-4b.gguf"):
            (root / "models" / name).write_bytes(b"x")
        assert look() == (True, None)
    finally:
        library.close()


def test_set_up_shows_checks_and_settings_with_where_they_come_from(host: LibraryHost) -> None:
    setup = host.describe_setup()

    assert {"ok"} <= {each["state"] for each in setup["checks"]} <= {"ok", "warning", "failure"}
    port = next(each for each in setup["settings"] if each["key"] == "web.port")
    assert (port["value"], port["origin"], bool(port["description"])) == (8001, "default", True)
    assert setup["modelSets"] == []
    json.dumps(setup)


def test_set_up_tells_which_files_of_a_model_set_are_there(root: Path) -> None:
    (root / "hotfolder.yaml").write_text(SETTINGS)
    (root / "models" / "ae.safetensors").write_bytes(b"x")
    library = open_library(root, load_settings(root, {}))
    try:
        (found,) = LibraryHost(library).describe_setup()["modelSets"]
    finally:
        library.close()

    assert found["name"] == "flux2-klein-4b"
    assert {each["role"]: each["found"] for each in found["files"]} == {
        "diffusion_model": False,
        "vae": True,
        "llm": False,
    }


def test_model_sets_of_the_settings_are_known_alone_and_for_an_engine_of_an_extra(root: Path) -> None:
    (root / "hotfolder.yaml").write_text(SETTINGS)
    library = open_library(root, load_settings(root, {}))
    try:
        host = LibraryHost(library)
        assert host.list_model_sets() == ["flux2-klein-4b"]
        assert all(map(host.knows_model_set, ("flux2-klein-4b", "sdcpp/flux2-klein-4b")))
        unknown = ("", "flux2-klein-9b", "sdcpp/flux2-klein-9b", "nothing/flux2-klein-4b", "procedural", "/")
        assert not any(map(host.knows_model_set, unknown))
    finally:
        library.close()


def test_files_in_the_inbox_are_listed_with_whether_they_are_held(host: LibraryHost, root: Path) -> None:
    for name in ("b.yaml", "hold/a.yaml", "note.txt", ".c.yaml.tmp"):
        (root / "inbox" / name).write_text("x")

    assert list(host.list_waiting()) == [("b.yaml", "received"), ("hold/a.yaml", "held")]
