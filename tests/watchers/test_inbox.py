"""The door with a real library folder: what is claimed, refused, left, and tried again."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePath
from uuid import UUID

import pytest

from hotfolder.database import Database
from hotfolder.errors import JobFileError, LibraryError
from hotfolder.files.names import claim_name
from hotfolder.files.paths import LibraryPaths
from hotfolder.generation.service import Accepted, ClaimedFile, Split
from hotfolder.library.seen import SeenStore
from hotfolder.migrations import migrate
from hotfolder.watchers import inbox as module
from hotfolder.watchers.inbox import MAX_TRIES, Inbox
from hotfolder.watchers.inbox_files import is_job_file, list_held, list_waiting

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
JOB = str(UUID(int=7))


class _Killed(BaseException):
    """Ends the process, as far as the inbox can tell."""


class _Service:
    """Notes what it is called with; `act` may do more, or answer with a split."""

    def __init__(self) -> None:
        self.taken: list[ClaimedFile] = []
        self.refused: list[tuple[ClaimedFile, JobFileError]] = []
        self.act: Callable[[ClaimedFile], Split | None] = lambda claimed: None

    def take_in(self, claimed: ClaimedFile) -> Accepted | Split:
        self.taken.append(claimed)
        return self.act(claimed) or Accepted(claimed.job_id)

    def refuse(self, claimed: ClaimedFile, error: JobFileError) -> Accepted:
        self.refused.append((claimed, error))
        return Accepted(claimed.job_id)


class _Jobs:
    """No job has a row, and no place is reserved."""

    def is_known(self, job_id: str) -> bool:
        return False

    def is_final_path_taken(self, path: str) -> bool:
        return False

    def deliver_if_ended(self, job_id: str) -> None:
        raise AssertionError("no job has ended")


class _Door:
    """An inbox over a real library folder and database, and the service behind it."""

    def __init__(self, root: Path) -> None:
        self.paths = LibraryPaths(root)
        self.paths.create()
        migrate(self.paths.database)
        self.database = Database(self.paths.database)
        self.seen = SeenStore(self.database)
        self.service = _Service()
        self.inbox = self.started_again()

    def started_again(self) -> Inbox:
        ids = (str(UUID(int=number)) for number in range(100, 1_000))
        return Inbox(
            self.paths,
            self.seen,
            self.service,
            _Jobs(),
            make_id=lambda: next(ids),
            clock=lambda: NOW,
            max_read_bytes=1_000,
        )

    def drop(self, *names: str) -> list[Path]:
        files = [self.paths.inbox / name for name in names]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"prompt: {file.name}")
        return files

    def claimed(self, name: str, job_id: str = JOB) -> Path:
        """A file that an earlier run left in processing/."""
        file = self.paths.processing / claim_name(job_id, name)
        file.write_text("prompt: a")
        return file

    def names_taken(self) -> list[str]:
        return [each.name for each in self.service.taken]

    def codes_refused(self) -> list[str]:
        return [error.code for _, error in self.service.refused]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[_Door]:
    door = _Door(tmp_path / "library")
    yield door
    door.database.close()


def _fail_open(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def open_regular(path: Path) -> None:  # the tests may run as root, whom no mode keeps out
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(module, "open_regular", open_regular)


def _fail_rename(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> None:
    real = os.rename

    def rename(source: Path, target: Path) -> None:  # a mount inside the inbox needs rights
        if source.name == name:
            raise OSError(number, os.strerror(number), str(source))
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)


def test_settled_files_are_claimed_and_taken_in_with_their_places(door: _Door) -> None:
    door.inbox.take_all(door.drop("a.yaml", "shots/b.yaml"))

    assert [(str(each.job_file), each.data) for each in door.service.taken] == [
        ("a.yaml", b"prompt: a.yaml"),
        ("shots/b.yaml", b"prompt: b.yaml"),
    ]
    assert list_waiting(door.paths.inbox) == []
    assert len(list(door.paths.processing.iterdir())) == 2


def test_unreadable_file_is_refused_once_and_not_tried_again(
    door: _Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _fail_open(monkeypatch, errno.EACCES)
    door.inbox.take_all(door.drop("shots/a.yaml"))

    assert door.inbox.retry_unfinished() == 0
    ((claimed, error),) = door.service.refused
    assert (claimed.name, str(claimed.job_file), claimed.data) == ("a.yaml", "shots/a.yaml", b"")
    assert (error.code, "Permission denied" in error.message, bool(error.hint)) == (
        "job.unreadable",
        True,
        True,
    )
    assert door.service.taken == []
    assert caplog.records == []


def test_folder_in_the_place_of_a_job_file_is_refused_as_unreadable(door: _Door) -> None:
    folder = door.paths.inbox / "a.yaml"
    folder.mkdir()
    door.inbox.take_all([folder])

    assert door.codes_refused() == ["job.unreadable"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EMFILE, errno.ESTALE])
def test_file_behind_a_passing_fault_is_tried_again_and_told_of_once(
    door: _Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    with monkeypatch.context() as fault:
        _fail_open(fault, number)
        door.inbox.take_all(door.drop("a.yaml"))
        assert [door.inbox.retry_unfinished() for _ in range(3)] == [1, 1, 1]

    assert door.inbox.retry_unfinished() == 0
    assert (door.names_taken(), door.service.refused) == (["a.yaml"], [])
    assert len(caplog.records) == 1


def test_file_that_kills_each_start_is_refused_unread_and_the_next_is_taken(door: _Door) -> None:
    def kill(claimed: ClaimedFile) -> None:
        if claimed.name == "bad.yaml":
            raise _Killed

    door.service.act = kill
    door.claimed("bad.yaml")
    door.claimed("behind.yaml", str(UUID(int=8)))
    for _ in range(MAX_TRIES):
        with pytest.raises(_Killed):
            door.started_again().recover()
    assert door.names_taken() == ["bad.yaml"] * MAX_TRIES

    assert door.started_again().recover() == 2
    assert door.names_taken() == ["bad.yaml"] * MAX_TRIES + ["behind.yaml"]
    ((claimed, error),) = door.service.refused
    assert (claimed.job_id, claimed.data, error.code) == (JOB, b"", "queue.dead")


def test_try_is_on_the_disk_before_the_file_is_opened(door: _Door) -> None:
    tries: list[int] = []

    def look(claimed: ClaimedFile) -> None:
        other = Database(door.paths.database)
        tries.extend(row["tries"] for row in other.query("SELECT tries FROM seen_files"))
        other.close()

    door.service.act = look
    door.claimed("a.yaml")
    door.inbox.recover()

    assert tries == [1]


def test_claim_without_a_record_gets_one(door: _Door) -> None:
    door.claimed("a.yaml")
    door.inbox.recover()

    assert door.seen.find_path(JOB) == "a.yaml"
    assert door.names_taken() == ["a.yaml"]


def test_recorded_claim_keeps_its_place(door: _Door) -> None:
    door.seen.record_claims({JOB: "shots/a.yaml"})
    door.claimed("a.yaml")
    door.inbox.recover()

    assert [str(each.job_file) for each in door.service.taken] == ["shots/a.yaml"]


def test_inbox_beside_processing_is_usable_and_one_elsewhere_is_not(door: _Door) -> None:
    door.inbox.check()
    shutil.rmtree(door.paths.inbox)
    door.paths.inbox.symlink_to("/proc")  # surely another file system

    with pytest.raises(LibraryError) as caught:
        door.inbox.check()
    assert (caught.value.code, bool(caught.value.hint)) == ("library.unusable", True)


def test_file_on_another_file_system_is_left_and_told_of_once_in_one_line(
    door: _Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    files = door.drop("mounted/a.yaml", "b.yaml")
    _fail_rename(monkeypatch, "a.yaml", errno.EXDEV)
    for given in (files, files[:1], files[:1]):
        door.inbox.take_all(given)

    assert list_waiting(door.paths.inbox) == ["mounted/a.yaml"]
    assert door.names_taken() == ["b.yaml"]
    assert [(each.levelno, each.exc_info) for each in caplog.records] == [(logging.WARNING, None)]
    assert "mounted/a.yaml" in caplog.text


def test_processing_that_was_removed_is_made_again(door: _Door) -> None:
    door.paths.processing.rmdir()
    door.inbox.take_all(door.drop("a.yaml"))

    assert door.names_taken() == ["a.yaml"]


def test_processing_removed_between_two_claims_is_no_withdrawal(door: _Door) -> None:
    def remove(claimed: ClaimedFile) -> None:
        shutil.rmtree(door.paths.processing, ignore_errors=True)

    door.service.act = remove
    files = door.drop("a.yaml", "b.yaml")
    with pytest.raises(FileNotFoundError):
        door.inbox.take_all(files)

    assert list_waiting(door.paths.inbox) == ["b.yaml"]
    door.service.act = lambda claimed: None
    door.inbox.take_all(files[1:])
    assert door.names_taken() == ["a.yaml", "b.yaml"]


def test_file_that_is_gone_before_its_claim_is_withdrawn(
    door: _Door, caplog: pytest.LogCaptureFixture
) -> None:
    files = door.drop("a.yaml", "b.yaml")
    files[0].unlink()
    with caplog.at_level(logging.INFO):
        door.inbox.take_all(files)

    assert door.names_taken() == ["b.yaml"]
    assert "a.yaml was withdrawn" in caplog.text


def test_stop_between_two_files_leaves_the_rest_in_the_inbox(door: _Door) -> None:
    door.service.act = lambda claimed: door.inbox.stop()
    door.inbox.take_all(door.drop("a.yaml", "b.yaml", "c.yaml"))

    assert door.names_taken() == ["a.yaml"]
    assert list_waiting(door.paths.inbox) == ["b.yaml", "c.yaml"]


def test_stop_while_recovering_leaves_the_rest_in_processing(door: _Door) -> None:
    door.service.act = lambda claimed: door.inbox.stop()
    door.claimed("a.yaml")
    left = door.claimed("b.yaml", str(UUID(int=8)))

    assert door.inbox.recover() == 1
    assert left.exists()
    assert door.started_again().recover() == 2


def test_file_that_could_not_be_taken_in_is_not_tried_after_the_stop(door: _Door) -> None:
    def fail(claimed: ClaimedFile) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    door.service.act = fail
    door.inbox.take_all(door.drop("a.yaml"))
    door.inbox.stop()

    assert door.inbox.retry_unfinished() == 1
    assert door.names_taken() == ["a.yaml"]


def test_split_file_is_put_beside_what_lies_in_its_place(door: _Door) -> None:
    folder = door.paths.done_dir(NOW)
    folder.mkdir(parents=True)
    (folder / "set.yaml").write_text("an earlier one")
    parts = [(str(UUID(int=number)), f"set.{number}.yaml", b"prompt: part") for number in (1, 2)]
    door.service.act = lambda claimed: Split(parts) if claimed.name == "set.yaml" else None
    door.inbox.take_all(door.drop("set.yaml"))

    assert (folder / "set.yaml").read_text() == "an earlier one"
    assert (folder / "set~2.yaml").read_text() == "prompt: set.yaml"
    assert door.names_taken() == ["set.yaml", "set.1.yaml", "set.2.yaml"]


def test_stop_between_two_parts_leaves_the_other_for_the_next_start(door: _Door) -> None:
    parts = [(str(UUID(int=number)), f"set.{number}.yaml", b"prompt: part") for number in (1, 2)]

    def stop_at_a_part(claimed: ClaimedFile) -> Split | None:
        if claimed.name == "set.yaml":
            return Split(parts)
        door.inbox.stop()
        return None

    door.service.act = stop_at_a_part
    door.inbox.take_all(door.drop("set.yaml"))

    assert door.names_taken() == ["set.yaml", "set.1.yaml"]
    assert (door.paths.processing / claim_name(parts[1][0], "set.2.yaml")).exists()


@pytest.mark.parametrize(
    ("relative", "is_taken"),
    [
        ("a.yaml", True),
        ("shots/a.json", True),
        ("shots/hold/a.yaml", True),
        ("a.result.json", False),
        ("shots/A.Result.JSON", False),
        ("hold/a.yaml", False),
        ("_folder.yaml", False),
        ("a.png", False),
    ],
)
def test_only_job_files_pass_the_door(relative: str, is_taken: bool) -> None:
    assert is_job_file(PurePath(relative)) is is_taken


def test_lists_name_only_what_the_watcher_would_take(door: _Door) -> None:
    names = ["a.yaml", ".draft.yaml", "b.yaml.tmp", ".git/c.yaml", "a.result.json", "shots/d.json"]
    door.drop(*names, *(f"hold/{name}" for name in names))
    (door.paths.inbox / "link.yaml").symlink_to(door.paths.inbox / "a.yaml")

    assert list_waiting(door.paths.inbox) == ["a.yaml", "shots/d.json"]
    assert list_held(door.paths.inbox) == ["hold/a.yaml", "hold/shots/d.json"]
