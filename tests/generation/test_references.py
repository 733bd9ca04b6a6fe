"""References at the door: what may be named, what is never opened, what stays in refs/."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

import pytest

from hotfolder.app import Library
from hotfolder.clock import new_id
from hotfolder.generation.claimed import Accepted, ClaimedFile
from hotfolder.generation.finding import Beside
from tests import pictures

JOB = "endpointKey: local.procedural.image\nparams: {prompt: A bay, size: 64*64}\n"


def take_in(library: Library, text: str, name: str = "a.yaml", claim: str | None = None) -> str:
    """The id of the job that a claimed file stands for."""
    outcome = library.service.take_in(
        ClaimedFile(claim or new_id(), name, PurePosixPath(name), text.encode())
    )
    assert isinstance(outcome, Accepted)
    return outcome.job_id


def codes_of(library: Library, job_id: str) -> list[str]:
    error = library.jobs.get(job_id).error
    return [each["code"] for each in error["problems"]] if error else []


def forbid_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("the file was opened")

    for name in ("store_stream", "check_image", "decode_open", "open_regular"):
        monkeypatch.setattr(f"hotfolder.generation.references.{name}", opened)


@pytest.mark.parametrize(
    "name",
    [
        "../library.db",
        "../library.db-wal",
        "../library.db-shm",
        "hard.png",
        "hard-wal.png",
        "soft.png",
        "../hotfolder.yaml",
        "../run/lock",
        "../logs/x",
        "../../elsewhere.png",
    ],
)
def test_reference_to_what_is_no_picture_of_the_library_is_refused_unopened(
    library: Library, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, database = library.paths.inbox, library.paths.database
    library.database.query("SELECT 1")  # so that the -wal is there
    os.link(database, inbox / "hard.png")
    os.link(f"{database}-wal", inbox / "hard-wal.png")
    (inbox / "soft.png").symlink_to(database)
    for each in (library.paths.run / "lock", library.paths.logs / "x"):
        each.touch()
    pictures.write_png(library.paths.root.parent / "elsewhere.png")
    forbid_opening(monkeypatch)

    job_id = take_in(library, f"refs: [{name}]\n" + JOB)

    assert codes_of(library, job_id) == ["job.ref_refused"]
    assert not any(library.paths.refs.iterdir())


def test_check_of_a_job_file_does_not_open_the_database_either(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.link(library.paths.database, library.paths.inbox / "hard.png")
    checked = library.checker.check(f"refs: [hard.png]\n{JOB}".encode(), "yaml")
    forbid_opening(monkeypatch)

    problems = library.checker.check_references(checked, Beside(library.paths.inbox))

    assert [each.code for each in problems] == ["job.ref_refused"]


def test_broken_picture_that_nobody_relies_on_does_not_stay_in_refs(library: Library) -> None:
    pictures.write_truncated_jpeg(library.paths.inbox / "half.jpg")

    job_id = take_in(library, "refs: [half.jpg]\n" + JOB)

    assert codes_of(library, job_id) == ["job.ref_refused"]
    assert not any(library.paths.refs.iterdir())


def test_refused_job_leaves_the_reference_that_another_job_was_accepted_with(library: Library) -> None:
    pictures.write_png(library.paths.inbox / "a.png")
    take_in(library, "refs: [a.png]\n" + JOB)
    (stored,) = library.paths.refs.iterdir()
    kept = stored.read_bytes()

    job_id = take_in(library, "refs: [a.png, gone.png]\n" + JOB, "b.yaml")

    assert codes_of(library, job_id) == ["job.ref_missing"]
    assert stored.read_bytes() == kept


def test_missing_reference_says_which_name_is_near(library: Library) -> None:
    pictures.write_png(library.paths.inbox / "portrait.png")

    job_id = take_in(library, "refs: [portrai.png]\n" + JOB)

    error = library.jobs.get(job_id).error
    assert error is not None
    assert (error["code"], "`portrait.png`" in error["hint"]) == ("job.ref_missing", True)
