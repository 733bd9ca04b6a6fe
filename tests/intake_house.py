"""The way in of job files over a real library, driven step by step without threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from hotfolder.app import Library, create_library, open_library
from hotfolder.config import load_settings
from hotfolder.delivery.results import ResultHandler
from hotfolder.intake import Intake, build_intake
from hotfolder.library.jobs import Job
from hotfolder.watchers.inbox_files import is_picture, list_all
from tests import pictures

LIMIT_S = 10.0
PARAMS = "params: {prompt: A bay, size: 64*64, seed: 5, steps: 1}\n"
JOB = f"endpointKey: local.procedural.image\n{PARAMS}"


def job(*references: str, more: str = "") -> str:
    """A job file that names these pictures."""
    return f"{JOB}refs: [{', '.join(references)}]\n{more}"


def wait_until(look: Callable[[], bool], what: str) -> None:
    """Fail the test with `what` unless it comes about in time."""
    deadline = time.monotonic() + LIMIT_S
    while not look():
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.005)  # the pause of a poll with a limit


class IntakeHouse:
    """A library whose inbox is looked through when the test says so."""

    def __init__(self, root: Path, intake: str = "") -> None:
        create_library(root)
        settings = f"intake: {{settle_ms: 50{', ' if intake else ''}{intake}}}\n"
        (root / "hotfolder.yaml").write_text(settings, encoding="utf-8")
        self.library: Library = open_library(root, load_settings(root, {}))
        self.paths = self.library.paths
        self.intake: Intake = build_intake(self.library)

    def close(self) -> None:
        self.library.close()

    def drop(self, name: str, text: str = JOB) -> Path:
        file = self.paths.inbox / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def draw(self, name: str, value: int = 120) -> Path:
        """A picture in the inbox that nobody writes any more."""
        file = self.paths.inbox / name
        file.parent.mkdir(parents=True, exist_ok=True)
        pictures.write_grey_png(file, value=value)
        self.let_settle(file)
        return file

    def let_settle(self, file: Path) -> None:
        wait_until(lambda: not self.intake.pictures.is_arriving(file), f"{file.name} standing still")

    def take(self) -> None:
        """What lies in the inbox has settled: hand it over, and work off what is due."""
        inbox = self.paths.inbox
        there = [inbox / each for each in list_all(inbox, self.library.recipes.find)]
        self.intake.inbox.take_all(sorted(there, key=lambda each: not is_picture(each)))
        self.intake.door.work_off()

    def crash_and_start(self) -> None:
        """A new process on the same library; nothing of the old one was put in order."""
        self.intake = build_intake(self.library)
        self.intake.recover()
        self.intake.door.work_off()

    def deliver(self) -> None:
        """Write what results are due."""
        library = self.library
        handler = ResultHandler(
            library.database, library.paths, library.jobs, library.generations, library.media
        )
        while (item := library.work.claim("io")) is not None:
            done = handler.execute(item, threading.Event())
            with library.database.transaction() as tx:
                library.work.complete(tx, item)
                done.record(tx)

    def look_twice(self) -> None:
        """As the service does every two seconds."""
        for _ in range(2):
            self.intake.look_around()

    def job(self, name: str) -> Job:
        """The job of this file; there is one."""
        (found,) = [each for each in self.jobs() if each.file_name == name]
        return found

    def jobs(self) -> list[Job]:
        return [self.library.jobs.get(each.job_id) for each in self.library.jobs.list_newest()]

    def status(self, name: str) -> str:
        return self.job(name).status

    def codes(self, name: str) -> list[str]:
        error = self.job(name).error
        return [each["code"] for each in error["problems"]] if error else []

    def references(self, name: str) -> list[str]:
        """The contents that the first picture of a job is made from."""
        generations = self.library.generations
        first = generations.list_of_job(self.job(name).job_id)[0]
        return [each.sha256 for each in generations.list_inputs(first.generation_id)]

    def claimed_file(self, name: str) -> Path:
        (found,) = self.paths.processing.glob(f"*--{name}")
        return found

    def names_in(self, folder: str) -> list[str]:
        root = self.paths.root / folder
        return sorted(each.relative_to(root).as_posix() for each in root.rglob("*") if each.is_file())
