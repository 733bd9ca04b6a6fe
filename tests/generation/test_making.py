"""From an accepted job to a picture in the library, with the handlers driven by hand."""

from __future__ import annotations

import shutil
import threading
from collections import namedtuple
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest
from PIL import Image

from hotfolder.app import Library
from hotfolder.clock import new_id
from hotfolder.delivery.documents import build_report, build_status_line
from hotfolder.domain.generation import GenerationOutcome, GenerationRequest, Progress
from hotfolder.errors import DiskFull, EngineBusy, HotfolderError
from hotfolder.files.xmp import parse_xmp
from hotfolder.generation.claimed import ClaimedFile
from hotfolder.generation.closing import DELIVER_RESULT
from hotfolder.generation.execute import EXECUTE, FINALIZE, ExecuteHandler
from hotfolder.generation.finalize import FinalizeHandler
from hotfolder.library.ingest import Ingest
from hotfolder.queue.worker import Done, Worker, WorkHandler

JOB = "endpointKey: local.flux2-klein-4b.image\nparams: {prompt: A bay, size: 64*64}\n"
Usage = namedtuple("Usage", "total used free")


class Painter:
    """A provider that paints one colour, or raises what it is told to."""

    def __init__(self, *, error: HotfolderError | None = None, warnings: tuple[str, ...] = ()) -> None:
        self.error = error
        self.warnings = warnings

    def run(
        self,
        request: GenerationRequest,
        on_progress: Callable[[Progress], None],
        interrupt: threading.Event,
    ) -> GenerationOutcome:
        if self.error is not None:
            raise self.error
        Image.new("RGB", (request.width, request.height), "teal").save(request.output)
        kind = "procedural" if self.warnings else "cn-engine"
        return GenerationOutcome(
            request.output, 1, None, None, kind, None, {}, not self.warnings, self.warnings
        )


def take_in(library: Library, text: str = JOB, name: str = "a.yaml") -> str:
    claimed = ClaimedFile(new_id(), name, PurePosixPath(name), text.encode())
    library.service.take_in(claimed)
    return claimed.job_id


def handlers(library: Library, provider: Painter) -> Mapping[str, WorkHandler]:
    stores = (library.database, library.paths, library.jobs, library.generations)
    endpoints = library.catalog.by_key
    ingest = Ingest(library.paths)
    return {
        EXECUTE: ExecuteHandler(*stores, library.work, library.closer, endpoints, provider, new_id),
        FINALIZE: FinalizeHandler(*stores, library.media, ingest, library.closer, endpoints, {}),
        DELIVER_RESULT: _Nothing(),
    }


class _Nothing:
    def execute(self, item: Any, interrupt: threading.Event) -> Done:
        return Done(lambda tx: None)

    def returned(self, tx: Any, item: Any) -> None: ...

    def ended(self, tx: Any, item: Any, status: Any, error: Any) -> None: ...


def worker(library: Library, provider: Painter) -> Worker:
    lanes = {"gpu": 1, "cpu": 1, "io": 1}
    known = handlers(library, provider)
    return Worker(library.database, library.work, known, lanes, library.doorbell, lease_s=60)


def work_row(library: Library) -> dict[str, Any]:
    row = library.database.query_one("SELECT status, attempt_count FROM work_queue WHERE lane = 'gpu'")
    assert row is not None
    return dict(row)


def test_full_disk_lets_work_wait_and_spends_no_attempt(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = take_in(library)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 4_000_000, 4_000_000))

    worker(library, Painter()).run_one("gpu")

    assert work_row(library) == {"status": "scheduled", "attempt_count": 0}
    assert library.jobs.get(job_id).status == "queued"
    assert not any((library.paths.root / "work").iterdir())


@pytest.mark.parametrize("error", [EngineBusy("at work"), DiskFull("no room")])
def test_what_is_nobodys_fault_spends_no_attempt(library: Library, error: HotfolderError) -> None:
    take_in(library, JOB + "maxAttempts: 1\n")

    worker(library, Painter(error=error)).run_one("gpu")

    assert work_row(library) == {"status": "scheduled", "attempt_count": 0}


def test_picture_is_taken_in_although_its_reference_is_gone(library: Library) -> None:
    Image.new("RGB", (40, 30), "red").save(library.paths.inbox / "red.png")
    job_id = take_in(library, "refs: [red.png]\n" + JOB)
    lanes = worker(library, Painter())
    assert lanes.run_one("gpu")
    for file in library.paths.refs.iterdir():
        file.unlink()

    assert lanes.run_one("cpu")

    assert library.jobs.get(job_id).status == "completed"


def test_picture_of_the_fallback_says_in_its_metadata_that_no_model_drew_it(library: Library) -> None:
    job_id = take_in(library)
    lanes = worker(library, Painter(warnings=("Drawn without a model.",)))
    assert lanes.run_one("gpu")

    assert lanes.run_one("cpu")

    (generation,) = library.generations.list_of_job(job_id)
    (media,) = library.media.list_of_generation(generation.generation_id)
    record = parse_xmp(library.paths.absolute(media.file_path + ".xmp").read_bytes())
    assert record.description == "Drawn without a model."
    assert record.ai_system_used is None
    assert generation.base_model_id is None


def test_once_does_not_wait_for_a_delivery_that_was_tried(library: Library) -> None:
    job_id = take_in(library, "broken", "b.yaml")
    with library.database.transaction() as tx:
        library.closer.deliver(tx, job_id)
    while (item := library.work.claim("io")) is not None:
        with library.database.transaction() as tx:
            library.work.retry(tx, item, 60.0, "the folder is read-only")

    assert library.work.count_runnable("delivery") == 0
    assert library.work.count_open() == 2


def test_report_and_status_name_the_file_on_one_line_without_control_characters(library: Library) -> None:
    job = library.jobs.get(take_in(library, "broken", "a\x1b[2J\n# forged.yaml"))
    progress = {"queuePosition": None, "totalImages": 0, "stage": None, "percentage": 0, "etaSeconds": None}

    report = build_report(job, [], "a\x1b[2J\n# forged~2.yaml")
    line = build_status_line(job, progress)

    assert report.splitlines()[0] == "# a\ufffd[2J\ufffd# forged~2.yaml: failed"
    assert "\n" not in line
    assert not {"\x1b"} & {*report, *line}
