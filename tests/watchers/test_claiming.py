"""Claiming with a real library folder: what is moved under which id, what is left, what is found again."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from uuid import UUID

import pytest

from hotfolder.database import Database
from hotfolder.errors import LibraryError
from hotfolder.files.names import claim_name
from hotfolder.files.paths import LibraryPaths
from hotfolder.library.seen import SeenStore
from hotfolder.migrations import migrate
from hotfolder.watchers.claiming import ClaimDesk
from hotfolder.watchers.inbox_files import list_waiting

JOB = str(UUID(int=7))


class _House:
    """A claim desk over a real library folder and database."""

    def __init__(self, root: Path) -> None:
        self.paths = LibraryPaths(root)
        self.paths.create()
        migrate(self.paths.database)
        self.database = Database(self.paths.database)
        self.seen = SeenStore(self.database)
        ids = (str(UUID(int=number)) for number in range(100, 1_000))
        self.desk = ClaimDesk(self.paths, self.seen, lambda: next(ids))

    def drop(self, *names: str) -> list[Path]:
        files = [self.paths.inbox / name for name in names]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"prompt: {file.name}")
        return files

    def leave(self, name: str, job_id: str = JOB) -> Path:
        """A file that an earlier run left in processing/."""
        file = self.paths.processing / claim_name(job_id, name)
        file.write_text("prompt: a")
        return file

    def claim(self, *files: Path) -> list[str]:
        return [each.name for each in self.desk.claim_all(files)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[_House]:
    house = _House(tmp_path / "library")
    yield house
    house.database.close()


def _fail_rename(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    real = os.rename

    def rename(source: Path, target: Path) -> None:  # a mount inside the inbox needs rights
        if source.name == name:
            raise OSError(number, os.strerror(number), str(source))
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)


def test_settled_files_are_claimed_in_order_with_their_places(house: _House) -> None:
    claims = list(house.desk.claim_all(house.drop("b.yaml", "shots/a.yaml")))

    assert [(each.name, str(each.place), each.is_found) for each in claims] == [
        ("b.yaml", "b.yaml", False),
        ("a.yaml", "shots/a.yaml", False),
    ]
    assert [each.file.read_text() for each in claims] == ["prompt: b.yaml", "prompt: a.yaml"]
    assert [each.file.name for each in claims] == [f"{each.job_id}--{each.name}" for each in claims]
    assert list_waiting(house.paths.inbox) == []


def test_place_of_a_file_is_noted_before_it_is_moved_and_stays_if_it_cannot_be(
    house: _House, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = house.drop("shots/a.yaml")
    found = files[0].stat()
    _fail_rename(monkeypatch, "a.yaml", errno.EIO)

    with pytest.raises(OSError, match="Input/output"):
        house.claim(*files)

    assert house.seen.find_path(str(UUID(int=100))) == "shots/a.yaml"
    jobs = house.seen.find_jobs(
        device=found.st_dev, inode=found.st_ino, mtime_ns=found.st_mtime_ns, sha256=""
    )
    assert jobs == [(str(UUID(int=100)), True)]


def test_inbox_beside_processing_is_usable_and_one_elsewhere_is_not(house: _House) -> None:
    house.desk.check()
    shutil.rmtree(house.paths.inbox)
    house.paths.inbox.symlink_to("/proc")  # surely another file system

    with pytest.raises(LibraryError) as caught:
        house.desk.check()
    assert (caught.value.code, bool(caught.value.hint)) == ("library.unusable", True)


def test_file_on_another_file_system_is_left_and_told_of_once_in_one_line(
    house: _House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    files = house.drop("mounted/a.yaml", "b.yaml")
    _fail_rename(monkeypatch, "a.yaml", errno.EXDEV)

    assert [house.claim(*given) for given in (files, files[:1], files[:1])] == [["b.yaml"], [], []]

    assert list_waiting(house.paths.inbox) == ["mounted/a.yaml"]
    assert [(each.levelno, each.exc_info) for each in caplog.records] == [(logging.WARNING, None)]
    assert "mounted/a.yaml" in caplog.text


def test_processing_that_was_removed_is_made_again(house: _House) -> None:
    house.paths.processing.rmdir()

    assert house.claim(*house.drop("a.yaml")) == ["a.yaml"]


def test_processing_removed_between_two_claims_is_no_withdrawal(house: _House) -> None:
    files = house.drop("a.yaml", "b.yaml")
    claims = house.desk.claim_all(files)
    next(claims)
    shutil.rmtree(house.paths.processing)

    with pytest.raises(FileNotFoundError):
        next(claims)

    assert list_waiting(house.paths.inbox) == ["b.yaml"]
    assert house.claim(files[1]) == ["b.yaml"]


def test_file_that_is_gone_before_its_claim_is_withdrawn(
    house: _House, caplog: pytest.LogCaptureFixture
) -> None:
    files = house.drop("a.yaml", "b.yaml")
    files[0].unlink()
    with caplog.at_level(logging.INFO):
        assert house.claim(*files) == ["b.yaml"]

    assert "a.yaml was withdrawn" in caplog.text


def test_stop_between_two_files_leaves_the_rest_in_the_inbox(house: _House) -> None:
    claims = house.desk.claim_all(house.drop("a.yaml", "b.yaml", "c.yaml"))
    next(claims)
    house.desk.stop()

    assert list(claims) == []
    assert list_waiting(house.paths.inbox) == ["b.yaml", "c.yaml"]


def test_what_an_earlier_run_claimed_is_found_with_its_place(house: _House) -> None:
    (claimed,) = house.desk.claim_all(house.drop("shots/a.yaml"))
    unnoted = house.leave("b.yaml")

    found = {each.file: (each.job_id, each.name, each.place) for each in house.desk.find_claims()}

    assert found == {
        claimed.file: (claimed.job_id, "a.yaml", PurePosixPath("shots/a.yaml")),
        unnoted: (JOB, "b.yaml", PurePosixPath("b.yaml")),
    }
    assert all(each.is_found for each in house.desk.find_claims())


def test_file_that_was_split_is_found_before_its_parts(house: _House) -> None:
    house.leave("set.1.yaml", str(UUID(int=1)))
    house.leave("set.yaml", str(UUID(int=9)))

    assert [each.name for each in house.desk.find_claims()] == ["set.yaml", "set.1.yaml"]


def test_what_is_no_claim_is_not_found(house: _House) -> None:
    processing = house.paths.processing
    (processing / "a.yaml").write_text("prompt: a")
    (processing / "no-id--a.yaml").write_text("prompt: a")
    (processing / f".{JOB}--a.yaml.tmp").write_text("prompt: a")
    (processing / claim_name(JOB, "a.yaml")).symlink_to(processing / "a.yaml")

    assert list(house.desk.find_claims()) == []


def test_name_that_is_no_text_is_claimed_and_found(house: _House) -> None:
    file = house.paths.inbox / os.fsdecode(b"caf\xe9.yaml")
    file.write_text("prompt: a")

    (claim,) = house.desk.claim_all([file])

    assert claim.file.exists()
    assert [each.job_id for each in house.desk.find_claims()] == [claim.job_id]


def test_longest_name_is_claimed_and_keeps_its_extension(house: _House) -> None:
    (claim,) = house.desk.claim_all(house.drop("n" * 250 + ".yaml"))

    assert len(claim.file.name) == 255
    assert claim.file.suffix == ".yaml"
    assert len(claim.name) == 255


def test_file_that_cannot_be_moved_is_noted_once_however_often_it_is_tried(
    house: _House, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = house.drop("a.yaml")

    def fail(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", fail)
        for _ in range(5):
            with pytest.raises(PermissionError):
                house.claim(*files)
    (claim,) = house.desk.claim_all(files)

    rows = house.database.query("SELECT job_id FROM seen_files")
    assert [row["job_id"] for row in rows] == [claim.job_id]
