"""One picture is made: never on a full disk, never from a reference that has changed."""

from __future__ import annotations

import shutil
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path, PurePosixPath

import pytest

from hotfolder.app import Library
from hotfolder.clock import new_id
from hotfolder.domain.generation import GenerationOutcome, GenerationRequest, Progress
from hotfolder.domain.work import WorkItem
from hotfolder.errors import ContentMissing, DiskFull, EngineError
from hotfolder.events import GENERATION_PROGRESS
from hotfolder.generation.claimed import Accepted, ClaimedFile
from hotfolder.generation.execute import ROOM_BYTES, ExecuteHandler
from tests import pictures

LIMIT_S = 20
Usage = namedtuple("Usage", "total used free")
JOB = "endpointKey: local.procedural.image\nparams: {prompt: A bay, size: 64*64}\n"


def take_in(library: Library, text: str, name: str = "a.yaml", claim: str | None = None) -> str:
    """The id of the job that a claimed file stands for."""
    outcome = library.service.take_in(
        ClaimedFile(claim or new_id(), name, PurePosixPath(name), text.encode())
    )
    assert isinstance(outcome, Accepted)
    return outcome.job_id


class Painter:
    """A provider without an engine: notes what it is asked for and draws a picture, or raises."""

    def __init__(self, *, ai_generated: bool = True, warnings: tuple[str, ...] = ()) -> None:
        self.asked: list[GenerationRequest] = []
        self.error: Exception | None = None
        self.tells: Iterable[Progress] = ()
        self._ai_generated = ai_generated
        self._warnings = warnings

    def run(
        self,
        request: GenerationRequest,
        on_progress: Callable[[Progress], None],
        interrupt: threading.Event,
    ) -> GenerationOutcome:
        self.asked.append(request)
        for progress in self.tells:
            on_progress(progress)
        pictures.write_png(Path(request.output), (request.width, request.height))
        if self.error is not None:
            raise self.error
        kind = "cn-engine" if self._ai_generated else "procedural"
        return GenerationOutcome(
            request.output, 7, None, None, kind, None, {}, self._ai_generated, self._warnings
        )


def build_execute(library: Library, painter: Painter) -> ExecuteHandler:
    stores = (library.database, library.paths, library.jobs, library.generations, library.work)
    return ExecuteHandler(*stores, library.closer, library.catalog.by_key, painter, new_id)


def claim(library: Library, lane: str) -> WorkItem:
    item = library.work.claim(lane)
    assert item is not None
    return item


def set_free_bytes(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, free_bytes))


def test_full_disk_begins_nothing_and_leaves_no_work_folder(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = Painter()
    take_in(library, JOB)
    item = claim(library, "gpu")
    set_free_bytes(monkeypatch, ROOM_BYTES - 1)

    with pytest.raises(DiskFull, match="64 MB left"):
        build_execute(library, painter).execute(item, threading.Event())

    assert painter.asked == []
    assert not any((library.paths.root / "work").iterdir())


def test_enough_room_is_enough(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    painter = Painter()
    take_in(library, JOB)
    item = claim(library, "gpu")
    set_free_bytes(monkeypatch, ROOM_BYTES)

    build_execute(library, painter).execute(item, threading.Event())

    assert len(painter.asked) == 1


def test_engine_that_fails_on_a_disk_that_ran_full_is_not_to_blame(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = Painter()
    painter.error = EngineError("cannot write the output")
    take_in(library, JOB)
    item = claim(library, "gpu")
    free_bytes = iter([ROOM_BYTES, ROOM_BYTES - 1])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, next(free_bytes)))

    with pytest.raises(DiskFull):
        build_execute(library, painter).execute(item, threading.Event())

    assert len(painter.asked) == 1
    assert not any((library.paths.root / "work").iterdir())


def test_job_that_waits_for_room_is_queued_again(library: Library) -> None:
    job_id = take_in(library, JOB)
    item = claim(library, "gpu")
    handler = build_execute(library, Painter())
    handler.execute(item, threading.Event())
    assert library.jobs.get(job_id).status == "running"

    with library.database.transaction() as tx:
        handler.returned(tx, item)

    assert library.jobs.get(job_id).status == "queued"
    assert [each.status for each in library.generations.list_of_job(job_id)] == ["pending"]


def test_reference_changed_after_acceptance_never_reaches_the_engine(library: Library) -> None:
    painter = Painter()
    pictures.write_png(library.paths.inbox / "a.png")
    take_in(library, "refs: [a.png]\n" + JOB)
    (stored,) = library.paths.refs.iterdir()
    pictures.write_grey_png(stored)

    with pytest.raises(ContentMissing) as caught:
        build_execute(library, painter).execute(claim(library, "gpu"), threading.Event())

    assert caught.value.code == "job.ref_missing"
    assert painter.asked == []


def test_picture_that_was_claimed_first_is_begun_first_though_another_thread_was_quicker(
    library: Library,
) -> None:
    painter = Painter()
    handler = build_execute(library, painter)
    take_in(library, JOB.replace("A bay", "first"), "first.yaml")
    take_in(library, JOB.replace("A bay", "second"), "second.yaml")
    first, second = claim(library, "gpu"), claim(library, "gpu")

    with ThreadPoolExecutor() as pool:
        hurried = pool.submit(handler.execute, second, threading.Event())
        with pytest.raises(TimeoutError):
            hurried.result(0.1)
        slow = pool.submit(handler.execute, first, threading.Event())
        wait([hurried, slow], LIMIT_S)

    assert [each.params["prompt"] for each in painter.asked] == ["first", "second"]


def test_picture_does_not_wait_for_one_whose_end_could_not_be_recorded(library: Library) -> None:
    painter = Painter()
    handler = build_execute(library, painter)
    for name in ("first", "second"):
        take_in(library, JOB.replace("A bay", name), f"{name}.yaml")
    first, second = claim(library, "gpu"), claim(library, "gpu")
    handler.execute(first, threading.Event())

    handler.execute(second, threading.Event())

    assert [each.params["prompt"] for each in painter.asked] == ["first", "second"]


def test_outcome_is_recorded_together_with_the_next_step(library: Library) -> None:
    job_id = take_in(library, JOB)
    done = build_execute(library, Painter()).execute(claim(library, "gpu"), threading.Event())
    assert library.work.count_open("cpu") == 0

    with library.database.transaction() as tx:
        done.record(tx)

    (generation,) = library.generations.list_of_job(job_id)
    assert (generation.engine_kind, generation.total_time_ms) == ("cn-engine", 7)
    assert claim(library, "cpu").payload["generationId"] == generation.generation_id


def test_engine_that_never_stops_telling_is_written_down_twice_a_second_and_its_last_stage_too(
    library: Library,
) -> None:
    first = []

    def chatter() -> Iterator[Progress]:
        first.append(library.database.list_events(0)[-1].seq)
        deadline = time.monotonic() + 1.2
        while time.monotonic() < deadline:
            yield Progress("sampling", 1, 4, 0.1)
            yield Progress("encoding", 1, 1, 0.1)
        yield Progress("saving")

    painter = Painter()
    painter.tells = chatter()
    take_in(library, JOB)

    build_execute(library, painter).execute(claim(library, "gpu"), threading.Event())

    told = library.database.list_events(0)[-1]
    assert (told.topic, told.data["stage"]) == (GENERATION_PROGRESS, "saving")
    assert list(told.data["stages"]) == ["sampling", "encoding", "saving"]
    assert 4 <= told.seq - first[0] <= 5
