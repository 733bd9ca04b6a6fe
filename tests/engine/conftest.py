"""A manager on the rough test engine, for the tests that hold a whole conversation."""

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hotfolder.engine.manager import EngineCommand, EngineManager, EngineTimeouts
from hotfolder.engine.messages import GenerateParams, LoadParams

ROUGH_ENGINE = Path(__file__).with_name("rough_engine.py")


class Desk:
    """A manager on the rough engine, a model set on disk, and notes of all that was said."""

    def __init__(self, folder, *, fault="", argv=None, **timeouts):
        self.folder = folder
        self.log = folder / "engine.log"
        self.model = LoadParams(self.file("klein.gguf"), self.file("vae.gguf"), self.file("qwen.gguf"))
        self.statuses = []
        self.progress = []
        self.under_way = threading.Event()
        self.failed = threading.Event()
        command = EngineCommand(
            "cn-engine",
            argv or (sys.executable, str(ROUGH_ENGINE)),
            {"ROUGH_ENGINE_LOG": str(self.log), "ROUGH_ENGINE_FAULT": fault},
        )
        self.manager = EngineManager(command, EngineTimeouts(**timeouts), self.note_status)

    def file(self, name):
        path = self.folder / name
        path.touch()
        return str(path)

    def generate(
        self, prompt="a lighthouse", *, model=None, cancel=None, name="a.png", refs=(), job=None, **extra
    ):
        params = GenerateParams(prompt, 60, 64, 42, 4, "euler", refs, str(self.folder / name), extra=extra)
        return self.manager.generate(
            model or self.model, params, on_progress=self.note, cancel=cancel or threading.Event(), job=job
        )

    def note_status(self, status):
        self.statuses.append(status)
        if status.state == "error":
            self.failed.set()

    def note(self, progress):
        self.progress.append(progress)
        if progress.stage == "conditioning":
            self.under_way.set()

    def commands(self):
        entries = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [(entry["pid"], json.loads(entry["line"])) for entry in entries]

    def names(self):
        return [command["cmd"] for _, command in self.commands()]

    def states(self):
        return [status.state for status in self.statuses]

    def is_gone(self, pid):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False


@pytest.fixture
def desk(tmp_path):
    desks = []

    def build(**options):
        desks.append(Desk(tmp_path, **options))
        return desks[-1]

    yield build
    for each in desks:
        each.manager.stop(1)


@pytest.fixture
def caller():
    with ThreadPoolExecutor(2) as pool:
        yield pool
