from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hotfolder.app import Library, create_library, open_library
from hotfolder.cli import run_command_line
from hotfolder.config import load_settings
from tests.scenarios.conftest import make_service, service  # noqa: F401 - fixtures for these tests
from tests.scenarios.service import JOB, Service


@dataclass(frozen=True)
class Outcome:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting from outside, and a current folder that is no library."""
    for name in [each for each in os.environ if each.startswith(("HOTFOLDER_", "FORCE_COLOR"))]:
        monkeypatch.delenv(name)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs one command in this process."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = run_command_line([str(each) for each in arguments])
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A fresh library on which no sidecar runs."""
    create_library(tmp_path / "library")
    return tmp_path / "library"


@pytest.fixture
def on(command: Command, root: Path) -> Command:
    """Runs one command on the fresh library."""
    return lambda *arguments: command("--library", root, *arguments)


@pytest.fixture
def library(root: Path) -> Iterator[Library]:
    """The fresh library, open."""
    opened = open_library(root, load_settings(root, {}))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A library whose jobs have ended (one with two pictures, one refused), for looking only."""
    made = Service(tmp_path_factory.mktemp("finished") / "library")
    made.drop("bay.yaml", JOB + "id: order-7\nextra: {order: 7}\n")
    made.drop("pair.yaml", JOB.replace("seed: 5", "seed: 8") + "count: 2\n")
    made.drop("broken.yaml", "endpointKey: local.procedurall.image\nparams: {prompt: x, steps: many}\n")
    made.drop("hold/later.yaml")
    assert made.run_once() == 1, made.output()
    return made


@pytest.fixture
def on_finished(command: Command, finished: Service) -> Command:
    """Runs one command on the library whose jobs have ended."""
    return lambda *arguments: command("--library", finished.root, *arguments)
