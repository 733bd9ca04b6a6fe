"""The web process as a child: it comes back, it goes in time, and it is not told more than it needs."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from hotfolder import webchild
from hotfolder.app import create_library
from hotfolder.listening import base_url, open_socket
from hotfolder.webchild import WebChild
from tests.scenarios.service import wait_for
from tests.scenarios.web_service import start_of

MakeChild = Callable[[Path], tuple[WebChild, str]]


@pytest.fixture
def make_child() -> Iterator[MakeChild]:
    """Makes children on free ports, with their addresses; all are stopped after the test."""
    made: list[WebChild] = []

    def make(root: Path) -> tuple[WebChild, str]:
        listener = open_socket("127.0.0.1", 0)
        made.append(WebChild(root, listener))
        return made[-1], base_url(listener)

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def library(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    create_library(root)
    return root


def wait_for_pid(child: WebChild, other_than: int | None = None) -> int:
    def look() -> int | None:
        return child.pid if child.pid != other_than else None

    return wait_for(look, "a web process")


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "hotfolder.webchild"]


def test_child_answers_on_the_address_it_was_given_and_ends_when_asked(
    make_child: MakeChild, library: Path, caplog: pytest.LogCaptureFixture
) -> None:
    child, url = make_child(library)
    child.start()
    assert httpx.get(f"{url}/-/api/status", timeout=20).status_code == 200
    pid = wait_for_pid(child)

    child.stop()

    assert (start_of(pid), child.pid) == (None, None)
    assert warnings_in(caplog) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_child_that_ends_at_once_is_started_again_after_longer_and_longer_pauses(
    make_child: MakeChild, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webchild, "PAUSE_S", 0.005)
    child, _ = make_child(tmp_path / "no library at all")

    child.start()

    told = wait_for(lambda: found if len(found := warnings_in(caplog)) >= 3 else None, "three attempts")
    assert [each.rpartition("starts in ")[2] for each in told[:3]] == ["0.01 s", "0.02 s", "0.04 s"]
    assert "code 1" in told[0]


def test_pause_has_a_limit_and_begins_anew_after_a_long_life(
    make_child: MakeChild, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webchild, "PAUSE_MAX_S", 0.01)
    child, _ = make_child(tmp_path / "no library at all")
    child.start()
    wait_for(lambda: warnings_in(caplog), "an attempt")
    assert warnings_in(caplog)[0].endswith("starts in 0.01 s")

    monkeypatch.setattr(webchild, "LONG_LIFE_S", 0.0)

    wait_for(lambda: warnings_in(caplog)[-1].endswith("starts in 0.5 s"), "a short pause")


def test_stop_does_not_wait_for_the_end_of_a_pause(
    make_child: MakeChild, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webchild, "PAUSE_S", 30.0)
    child, _ = make_child(tmp_path / "no library at all")
    child.start()
    wait_for(lambda: warnings_in(caplog), "an attempt")
    began_s = time.monotonic()

    child.stop()

    assert time.monotonic() - began_s < 1.0


def test_system_that_starts_nothing_is_asked_again_until_the_stop(
    make_child: MakeChild, library: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webchild, "PAUSE_S", 0.01)
    with monkeypatch.context() as without_python:
        without_python.setattr(sys, "executable", str(library / "no-python"))
        child, _ = make_child(library)
        child.start()
        wait_for(lambda: len(warnings_in(caplog)) >= 2, "two attempts")

    assert "No such file" in warnings_in(caplog)[0]
    child.stop()


def test_child_that_hangs_is_killed_at_the_stop(
    make_child: MakeChild, library: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webchild, "TERMINATE_S", 0.3)
    child, url = make_child(library)
    child.start()
    httpx.get(f"{url}/-/api/status", timeout=20)
    pid = wait_for_pid(child)
    os.kill(pid, signal.SIGSTOP)

    child.stop()

    assert start_of(pid) is None
    assert "did not end by itself" in warnings_in(caplog)[0]


def test_child_that_was_never_started_can_be_stopped(make_child: MakeChild, library: Path) -> None:
    child, url = make_child(library)

    child.stop()

    assert child.pid is None
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_child_inherits_the_environment_without_the_secrets(
    make_child: MakeChild, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_hush")
    monkeypatch.setenv("HOTFOLDER_SECRETS__FAL_KEY", "fal-hush")
    monkeypatch.setenv("HOTFOLDER_LOGGING__LEVEL", "debug")
    child, url = make_child(library)
    child.start()
    assert httpx.get(f"{url}/-/api/status", timeout=20).status_code == 200

    environment = Path(f"/proc/{wait_for_pid(child)}/environ").read_bytes()

    assert b"hush" not in environment
    assert b"HOTFOLDER_LOGGING__LEVEL=debug" in environment
    assert b"MALLOC_ARENA_MAX=1" in environment
