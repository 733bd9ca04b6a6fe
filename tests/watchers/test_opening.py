"""What is read of a claimed file, and what is never read."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path, PurePosixPath
from uuid import UUID

import pytest

from hotfolder.errors import JobFileError, LibraryError
from hotfolder.generation.claimed import ClaimedFile
from hotfolder.generation.returning import Identity
from hotfolder.library.jobs import Job
from hotfolder.watchers.claiming import Claim
from hotfolder.watchers.opening import ClaimOpener, build_rules

JOB = str(UUID(int=7))
OTHER = str(UUID(int=8))


class _Returns:
    """Answers with the job it is told to, and notes what it was asked."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self.asked: list[tuple[object, ...]] = []

    def find(self, *question: object) -> Job | None:
        self.asked.append(question)
        return self.job


class _House:
    def __init__(self, root: Path) -> None:
        self.folder = root / "processing"
        self.folder.mkdir()
        self.unpacked = root / "unpacked"
        self.returns = _Returns()
        rules = build_rules(max_bytes=100_000, max_job_bytes=1_024)
        self.opener = ClaimOpener(self.returns, self.unpacked, rules)

    def claim(self, name: str) -> Claim:
        return Claim(self.folder / f"{JOB}--{name}", JOB, name, PurePosixPath(f"shots/{name}"))

    def open(self, claim: Claim) -> ClaimedFile:
        opened = self.opener.open(claim)
        assert isinstance(opened, ClaimedFile)
        return opened


@pytest.fixture
def house(tmp_path: Path) -> _House:
    return _House(tmp_path)


def test_job_file_is_read_with_its_name_and_place(house: _House) -> None:
    claim = house.claim("a.yaml")
    claim.file.write_bytes(b"prompt: caf\xe9")

    assert house.open(claim) == ClaimedFile(JOB, "a.yaml", PurePosixPath("shots/a.yaml"), b"prompt: caf\xe9")


def test_no_more_of_a_huge_file_is_read_than_tells_that_it_is_too_large(house: _House) -> None:
    claim = house.claim("a.yaml")
    with claim.file.open("wb") as writer:
        writer.truncate(2 * 1024**3)

    assert len(house.open(claim).data) == 1_025


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_no_file_is_refused_without_waiting(house: _House, kind: str) -> None:
    claim = house.claim("a.yaml")
    {
        "pipe": lambda: os.mkfifo(claim.file),
        "link": lambda: claim.file.symlink_to("/etc/passwd"),
        "folder": claim.file.mkdir,
    }[kind]()

    with pytest.raises(LibraryError) as caught:
        house.open(claim)
    assert caught.value.code == "library.not_a_file"


def test_file_that_is_gone_is_the_systems_own_error(house: _House) -> None:
    with pytest.raises(FileNotFoundError):
        house.open(house.claim("a.yaml"))


def test_file_that_came_back_keeps_the_place_of_its_job(house: _House) -> None:
    house.returns.job = Job(OTHER, "failed", "moods/first.yaml", "first.yaml", b"", "")
    claim = house.claim("a.yaml")
    claim.file.write_text("prompt: a")
    found = claim.file.stat()

    opened = house.open(claim)

    assert (opened.job_id, opened.again, opened.name) == (JOB, OTHER, "a.yaml")
    assert opened.job_file == PurePosixPath("moods/first.yaml")
    ((place, data, _, identity, claim_id),) = house.returns.asked
    assert (place, data, identity, claim_id) == (
        PurePosixPath("shots/a.yaml"),
        b"prompt: a",
        Identity(found.st_dev, found.st_ino, found.st_mtime_ns),
        JOB,
    )


def test_file_of_the_job_itself_has_not_come_back(house: _House) -> None:
    house.returns.job = Job(JOB, "failed", "moods/first.yaml", "first.yaml", b"", "")
    claim = house.claim("a.yaml")
    claim.file.write_text("prompt: a")

    assert house.open(claim).again is None


def test_zip_is_unpacked_while_it_is_taken_in_and_nothing_of_that_is_left(house: _House) -> None:
    claim = house.claim("set.zip")
    with zipfile.ZipFile(claim.file, "w") as archive:
        archive.writestr("job.yaml", "prompt: a")
        archive.writestr("bay.png", b"a picture")

    opened = house.open(claim)

    assert opened.bundle is not None
    assert (opened.data, opened.text_name, opened.folder) == (
        b"prompt: a",
        "job.yaml",
        PurePosixPath("shots/set.zip"),
    )
    assert (opened.bundle / "bay.png").read_bytes() == b"a picture"
    assert opened.bundle.is_relative_to(house.unpacked)
    house.opener.close(claim)
    assert not any(house.unpacked.iterdir())


def test_folder_is_a_bundle_where_it_lies(house: _House) -> None:
    claim = house.claim("set.job")
    claim.file.mkdir()
    (claim.file / "job.yaml").write_text("prompt: a")
    (claim.file / "bay.png").write_bytes(b"a picture")

    opened = house.open(claim)
    house.opener.close(claim)

    assert opened.bundle == claim.file
    assert (claim.file / "bay.png").exists()


def test_bundle_without_a_job_file_is_refused_with_its_reason(house: _House) -> None:
    claim = house.claim("set.zip")
    with zipfile.ZipFile(claim.file, "w") as archive:
        archive.writestr("bay.png", b"a picture")

    with pytest.raises(JobFileError) as caught:
        house.open(claim)
    assert [each.code for each in caught.value.problems] == ["job.bundle_refused"]
