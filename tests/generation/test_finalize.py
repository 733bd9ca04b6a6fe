"""A made picture is taken in: what it says of its making is true, and nothing small keeps it out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from hotfolder.app import Library
from hotfolder.clock import new_id
from hotfolder.delivery.documents import build_result
from hotfolder.domain.generation import GenerationOutcome, GenerationRequest, Progress
from hotfolder.domain.work import WorkItem
from hotfolder.files.container import read_metadata
from hotfolder.files.xmp import XmpRecord, parse_xmp
from hotfolder.generation.claimed import Accepted, ClaimedFile
from hotfolder.generation.execute import ExecuteHandler
from hotfolder.generation.finalize import FinalizeHandler
from hotfolder.library.ingest import Ingest
from hotfolder.library.media import Media
from tests import pictures

FLUX = "endpointKey: local.flux2-klein-4b.image\nparams: {prompt: A bay, size: 64*64}\n"
WARNING = "Drawn by the procedural engine, not by an AI model: No cn-engine was found."
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
        self._ai_generated = ai_generated
        self._warnings = warnings

    def run(
        self,
        request: GenerationRequest,
        on_progress: Callable[[Progress], None],
        interrupt: threading.Event,
    ) -> GenerationOutcome:
        self.asked.append(request)
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


def build_finalize(library: Library) -> FinalizeHandler:
    stores = (library.database, library.paths, library.jobs, library.generations, library.media)
    ingest = Ingest(library.paths)
    return FinalizeHandler(*stores, ingest, library.closer, library.catalog.by_key, {})


def run(library: Library, lane: str, handler: ExecuteHandler | FinalizeHandler) -> None:
    item = claim(library, lane)
    done = handler.execute(item, threading.Event())
    with library.database.transaction() as tx:
        library.work.complete(tx, item)
        done.record(tx)
    done.after()


def make(library: Library, text: str, painter: Painter) -> tuple[str, Media]:
    """The job and the picture that it made."""
    job_id = take_in(library, text)
    run(library, "gpu", build_execute(library, painter))
    run(library, "cpu", build_finalize(library))
    (generation,) = library.generations.list_of_job(job_id)
    (media,) = library.media.list_of_generation(generation.generation_id)
    return job_id, media


def xmp_of(library: Library, media: Media) -> XmpRecord:
    packet = read_metadata(library.paths.absolute(media.file_path).read_bytes()).xmp
    assert packet is not None
    return parse_xmp(packet)


def test_picture_has_the_preset_that_its_job_names_itself_or_by_its_folder(library: Library) -> None:
    (library.paths.presets / "night.yaml").write_text("params: {prompt: A night, size: 64*64}\n")
    folder = library.paths.inbox / "dark"
    folder.mkdir()
    (folder / "_folder.yaml").write_text("preset: night\n")
    endpoint = "endpointKey: local.procedural.image\n"

    jobs = [
        take_in(library, f"{endpoint}preset: night\n"),
        take_in(library, endpoint, "dark/b.yaml"),
        take_in(library, JOB),
    ]
    for _ in jobs:
        run(library, "gpu", build_execute(library, Painter()))
        run(library, "cpu", build_finalize(library))

    made = [library.generations.list_of_job(each)[0].generation_id for each in jobs]
    found = [library.media.list_of_generation(each)[0].preset for each in made]
    assert found == ["night", "night", None]


def test_picture_of_the_fallback_says_everywhere_that_no_model_drew_it(library: Library) -> None:
    job_id, media = make(library, FLUX, Painter(ai_generated=False, warnings=(WARNING,)))

    xmp = xmp_of(library, media)
    (generation,) = library.generations.list_of_job(job_id)
    result = build_result(library.jobs.get(job_id), [(generation, [media])])
    sidecar = json.loads(library.paths.sidecar_json(library.paths.absolute(media.file_path)).read_text())
    assert xmp.description == WARNING
    assert (xmp.ai_system_used, xmp.ai_prompt_information) == (None, None)
    assert str(xmp.digital_source_type).endswith("/algorithmicMedia")
    assert result["generations"][0]["warnings"] == [WARNING]
    assert (sidecar["aiGenerated"], sidecar["warnings"]) == (False, [WARNING])
    assert generation.base_model_id is None


def test_picture_of_the_model_names_it_and_carries_no_warning(library: Library) -> None:
    job_id, media = make(library, FLUX, Painter())

    xmp = xmp_of(library, media)
    (generation,) = library.generations.list_of_job(job_id)
    assert xmp.description is None
    assert xmp.ai_prompt_information == "A bay"
    assert str(xmp.digital_source_type).endswith("/trainedAlgorithmicMedia")
    assert generation.base_model_id == "flux2-klein-4b"
    assert list(generation.warnings) == []


def test_picture_is_taken_in_although_the_file_of_its_reference_is_gone(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    pictures.write_png(library.paths.inbox / "a.png")
    job_id = take_in(library, "refs: [a.png]\n" + JOB)
    run(library, "gpu", build_execute(library, Painter()))
    (stored,) = library.paths.refs.iterdir()
    stored.unlink()

    run(library, "cpu", build_finalize(library))

    assert library.jobs.get(job_id).status == "completed"
    (generation,) = library.generations.list_of_job(job_id)
    (reference,) = library.generations.list_inputs(generation.generation_id)
    assert not library.paths.absolute(reference.thumb_path).exists()
    warnings = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert [each for each in warnings if f"no thumbnail of the reference refs/{stored.name}" in each]


def test_thumbnail_of_a_reference_is_kept_beside_the_picture(library: Library) -> None:
    pictures.write_png(library.paths.inbox / "a.png")

    job_id, _ = make(library, "refs: [a.png]\n" + JOB, Painter())

    (generation,) = library.generations.list_of_job(job_id)
    (reference,) = library.generations.list_inputs(generation.generation_id)
    assert library.paths.absolute(reference.thumb_path).is_file()


def test_finalize_run_again_after_a_crash_writes_the_same_files(library: Library) -> None:
    take_in(library, JOB)
    run(library, "gpu", build_execute(library, Painter()))
    item = claim(library, "cpu")
    handler = build_finalize(library)

    def contents() -> dict[Path, bytes]:
        handler.execute(item, threading.Event())  # and the process dies before its record
        files = sorted(library.paths.originals.rglob("*.*"))
        return {each: each.read_bytes() for each in files}

    first = contents()

    assert len(first) == 3
    assert contents() == first
