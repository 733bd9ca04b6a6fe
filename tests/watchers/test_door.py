"""The door with a real library folder: what is taken in, refused, split, and tried again."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from uuid import UUID

import pytest

from hotfolder.database import Database
from hotfolder.errors import JobFileError, Problem
from hotfolder.files.names import claim_name
from hotfolder.files.paths import LibraryPaths
from hotfolder.generation.claimed import Accepted, ClaimedFile, Split, Waiting
from hotfolder.library.jobs import Job
from hotfolder.library.seen import Origin, SeenStore
from hotfolder.migrations import migrate
from hotfolder.watchers import opening
from hotfolder.watchers.claiming import Claim, ClaimDesk
from hotfolder.watchers.door import MAX_TRIES, Door
from hotfolder.watchers.inbox_files import list_waiting
from hotfolder.watchers.opening import ClaimOpener, build_rules
from hotfolder.watchers.waiting import WaitingRoom

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
JOB = str(UUID(int=7))
OTHER = str(UUID(int=8))


class _Killed(BaseException):
    """Ends the process, as far as the door can tell."""


class _Service:
    """Notes what it is called with; `act` may do more, or answer otherwise."""

    def __init__(self) -> None:
        self.taken: list[ClaimedFile] = []
        self.refused: list[tuple[ClaimedFile, JobFileError]] = []
        self.withdrawn: list[str] = []
        self.act: Callable[[ClaimedFile], Accepted | Waiting | Split | None] = lambda claimed: None

    def take_in(
        self,
        claimed: ClaimedFile,
        is_arriving: Callable[[Path], bool],
    ) -> Accepted | Waiting | Split:
        self.taken.append(claimed)
        return self.act(claimed) or Accepted(claimed.job_id)

    def refuse(self, claimed: ClaimedFile, error: JobFileError) -> Accepted:
        self.refused.append((claimed, error))
        return Accepted(claimed.job_id)

    def withdraw(self, claimed: ClaimedFile) -> Accepted:
        self.withdrawn.append(claimed.name)
        return Accepted(claimed.job_id)


class _Jobs:
    """No place is reserved; `known` are the jobs with rows, and their states."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.delivered: list[str] = []
        self.deliver: Callable[[str], None] = self.delivered.append
        self.expected: list[str] = []

    def is_known(self, job_id: str) -> bool:
        return job_id in self.known

    def is_waiting(self, job_id: str) -> bool:
        return self.known.get(job_id) == "waiting_refs"

    def expect_file(self, job_id: str) -> None:
        self.expected.append(job_id)

    def is_final_path_taken(self, path: str) -> bool:
        return False

    def deliver_if_ended(self, job_id: str) -> None:
        self.deliver(job_id)


class _Pictures:
    def __init__(self) -> None:
        self.used: dict[Path, str] = {}

    def is_arriving(self, picture: Path) -> bool:
        return False

    def take_used(self, used: Mapping[Path, str]) -> None:
        self.used.update(used)


class _NoReturns:
    def find(self, *_: object) -> Job | None:
        return None


class _House:
    """A door over a real library folder and database, and the service behind it."""

    def __init__(self, root: Path) -> None:
        self.paths = LibraryPaths(root)
        self.paths.create()
        migrate(self.paths.database)
        self.database = Database(self.paths.database)
        self.seen = SeenStore(self.database)
        self.service, self.jobs, self.pictures = _Service(), _Jobs(), _Pictures()
        ids = (str(UUID(int=number)) for number in range(100, 10_000))
        self.claims = ClaimDesk(self.paths, self.seen, lambda: next(ids))
        self.room = WaitingRoom()
        self.door = self.started_again()

    def started_again(self) -> Door:
        opener = ClaimOpener(
            _NoReturns(), self.paths.unpacked, build_rules(max_bytes=10_000, max_job_bytes=1_000)
        )
        return Door(
            self.paths,
            self.seen,
            self.service,
            self.jobs,
            opener,
            self.pictures,
            self.room,
            clock=lambda: NOW,
        )

    def recover(self) -> Door:
        """Start again with what lies in processing/."""
        door = self.started_again()
        door.put(self.claims.find_claims())
        door.work_off()
        return door

    def drop(self, *names: str) -> list[Path]:
        files = [self.paths.inbox / name for name in names]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"prompt: {file.name}")
        return files

    def take(self, *names: str) -> None:
        self.door.put(self.claims.claim_all(self.drop(*names)))
        self.door.work_off()

    def try_again(self) -> int:
        count = self.door.retry_unfinished()
        self.door.work_off()
        return count

    def leave(self, name: str, job_id: str = JOB) -> Path:
        """A file that an earlier run left in processing/."""
        file = self.paths.processing / claim_name(job_id, name)
        file.write_text("prompt: a")
        return file

    def names_taken(self) -> list[str]:
        return [each.name for each in self.service.taken]

    def names_in_processing(self) -> list[str]:
        return sorted(each.name for each in self.paths.processing.iterdir())

    def codes_refused(self) -> list[str]:
        return [error.code for _, error in self.service.refused]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[_House]:
    house = _House(tmp_path / "library")
    yield house
    house.database.close()


def _fail_open(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def open_regular(path: Path) -> None:  # the tests may run as root, whom no mode keeps out
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(opening, "open_regular", open_regular)


def _waits(claimed: ClaimedFile, job_id: str | None = None) -> Waiting:
    return Waiting(job_id or claimed.job_id, ["bay.png"], ["bay.png"], 900.0, is_arriving=False)


def test_claimed_files_are_taken_in_with_their_places(house: _House) -> None:
    house.take("a.yaml", "shots/b.yaml")

    assert [(str(each.job_file), each.data) for each in house.service.taken] == [
        ("a.yaml", b"prompt: a.yaml"),
        ("shots/b.yaml", b"prompt: b.yaml"),
    ]
    assert len(house.names_in_processing()) == 2
    assert house.jobs.expected == [each.job_id for each in house.service.taken]


def test_unreadable_file_is_refused_once_and_not_tried_again(
    house: _House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _fail_open(monkeypatch, errno.EACCES)
    house.take("shots/a.yaml")

    assert house.try_again() == 0
    ((claimed, error),) = house.service.refused
    assert (claimed.name, str(claimed.job_file), claimed.data) == ("a.yaml", "shots/a.yaml", b"")
    assert (error.code, "Permission denied" in error.message, bool(error.hint)) == (
        "job.unreadable",
        True,
        True,
    )
    assert house.service.taken == []
    assert caplog.records == []


def test_folder_in_the_place_of_a_job_file_is_refused_as_unreadable(house: _House) -> None:
    folder = house.paths.inbox / "a.yaml"
    folder.mkdir()
    house.door.put(house.claims.claim_all([folder]))
    house.door.work_off()

    assert house.codes_refused() == ["job.unreadable"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EMFILE, errno.ESTALE])
def test_file_behind_a_passing_fault_is_tried_again_and_told_of_once(
    house: _House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    with monkeypatch.context() as fault:
        _fail_open(fault, number)
        house.take("a.yaml")
        assert [house.try_again() for _ in range(3)] == [1, 1, 1]

    assert [house.try_again() for _ in range(2)] == [1, 0]
    assert (house.names_taken(), house.service.refused) == (["a.yaml"], [])
    assert len(caplog.records) == 1


def test_file_that_raises_does_not_hold_up_the_next_and_is_tried_again(
    house: _House, caplog: pytest.LogCaptureFixture
) -> None:
    def fail_once(claimed: ClaimedFile) -> None:
        if house.names_taken() == ["bad.yaml"]:
            raise RuntimeError("a fault nobody thought of")

    house.service.act = fail_once
    house.take("bad.yaml", "good.yaml")

    assert house.names_taken() == ["bad.yaml", "good.yaml"]
    assert house.try_again() == 1
    assert house.names_taken() == ["bad.yaml", "good.yaml", "bad.yaml"]
    assert [each.exc_info is not None for each in caplog.records] == [True]


def test_file_that_kills_each_start_is_refused_unread_and_the_next_is_taken(house: _House) -> None:
    def kill(claimed: ClaimedFile) -> None:
        if claimed.name == "bad.yaml":
            raise _Killed

    house.service.act = kill
    house.leave("bad.yaml")
    house.leave("behind.yaml", OTHER)
    for _ in range(MAX_TRIES):
        with pytest.raises(_Killed):
            house.recover()
    assert house.names_taken() == ["bad.yaml"] * MAX_TRIES

    house.recover()
    assert house.names_taken() == ["bad.yaml"] * MAX_TRIES + ["behind.yaml"]
    ((claimed, error),) = house.service.refused
    assert (claimed.job_id, claimed.data, error.code) == (JOB, b"", "queue.dead")


def test_try_is_on_the_disk_before_the_file_is_opened(house: _House) -> None:
    tries: list[int] = []

    def look(claimed: ClaimedFile) -> None:
        other = Database(house.paths.database)
        tries.extend(row["tries"] for row in other.query("SELECT tries FROM seen_files"))
        other.close()

    house.service.act = look
    house.leave("a.yaml")
    house.recover()

    assert tries == [1]


def test_job_that_waits_through_many_starts_is_not_taken_for_one_that_ends_them(house: _House) -> None:
    house.jobs.known[JOB] = "waiting_refs"
    house.service.act = _waits
    house.leave("a.yaml")
    for _ in range(MAX_TRIES + 3):
        house.room = WaitingRoom()
        house.recover()

    assert house.service.refused == []


def test_job_that_waits_is_not_blamed_for_starts_that_another_file_ended(house: _House) -> None:
    def act(claimed: ClaimedFile) -> Waiting | None:
        if claimed.name == "bad.yaml":
            raise _Killed
        return _waits(claimed)

    house.service.act = act
    house.jobs.known[JOB] = "waiting_refs"
    house.leave("a.yaml")
    house.leave("bad.yaml", OTHER)
    for _ in range(MAX_TRIES):
        house.room = WaitingRoom()
        with pytest.raises(_Killed):
            house.recover()
    house.recover()

    assert [claimed.name for claimed, _ in house.service.refused] == ["bad.yaml"]


def test_claim_without_a_record_gets_one(house: _House) -> None:
    house.leave("a.yaml")
    house.recover()

    assert house.seen.find_path(JOB) == "a.yaml"
    assert house.names_taken() == ["a.yaml"]


def test_recorded_claim_keeps_its_place(house: _House) -> None:
    house.seen.record_claims({JOB: Origin("shots/a.yaml")})
    house.leave("a.yaml")
    house.recover()

    assert [str(each.job_file) for each in house.service.taken] == ["shots/a.yaml"]


@pytest.mark.parametrize(("status", "taken"), [("queued", []), ("failed", []), ("waiting_refs", ["a.yaml"])])
def test_claim_with_a_row_goes_through_the_door_again_only_if_it_waits(
    house: _House, status: str, taken: list[str]
) -> None:
    house.jobs.known[JOB] = status
    house.leave("a.yaml")
    house.recover()

    assert house.names_taken() == taken
    assert house.jobs.delivered == [JOB]


def test_stop_while_recovering_leaves_the_rest_in_processing(house: _House) -> None:
    door = house.started_again()
    house.service.act = lambda claimed: door.stop()
    house.leave("a.yaml")
    left = house.leave("b.yaml", OTHER)
    door.put(house.claims.find_claims())
    door.work_off()

    assert house.names_taken() == ["a.yaml"]
    assert left.exists()
    house.service.act = lambda claimed: None
    house.jobs.known[JOB] = "queued"
    house.recover()
    assert house.names_taken() == ["a.yaml", "b.yaml"]


def test_file_that_could_not_be_taken_in_is_not_tried_after_the_stop(house: _House) -> None:
    def fail(claimed: ClaimedFile) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    house.service.act = fail
    house.take("a.yaml")
    house.door.stop()
    house.try_again()

    assert house.names_taken() == ["a.yaml"]
    assert len(house.names_in_processing()) == 1


def test_split_file_is_put_beside_what_lies_in_its_place(house: _House) -> None:
    folder = house.paths.done_dir(NOW)
    folder.mkdir(parents=True)
    (folder / "set.yaml").write_text("an earlier one")
    parts = [(str(UUID(int=number)), f"set.{number}.yaml", b"prompt: part") for number in (1, 2)]
    house.service.act = lambda claimed: Split(parts) if claimed.name == "set.yaml" else None
    house.take("shots/set.yaml")

    assert (folder / "set.yaml").read_text() == "an earlier one"
    assert (folder / "set~2.yaml").read_text() == "prompt: set.yaml"
    assert [str(each.job_file) for each in house.service.taken] == [
        "shots/set.yaml",
        "shots/set.1.yaml",
        "shots/set.2.yaml",
    ]


def test_stop_between_two_parts_leaves_the_other_for_the_next_start(house: _House) -> None:
    parts = [(str(UUID(int=number)), f"set.{number}.yaml", b"prompt: part") for number in (1, 2)]

    def stop_at_a_part(claimed: ClaimedFile) -> Split | None:
        if claimed.name == "set.yaml":
            return Split(parts)
        house.door.stop()
        return None

    house.service.act = stop_at_a_part
    house.take("set.yaml")

    assert house.names_taken() == ["set.yaml", "set.1.yaml"]
    assert (house.paths.processing / claim_name(parts[1][0], "set.2.yaml")).exists()


def test_part_that_raises_does_not_hold_up_the_next_part(house: _House) -> None:
    parts = [(str(UUID(int=number)), f"set.{number}.yaml", b"prompt: part") for number in (1, 2)]

    def act(claimed: ClaimedFile) -> Split | None:
        if claimed.name == "set.yaml":
            return Split(parts)
        if house.names_taken() == ["set.yaml", "set.1.yaml"]:
            raise OSError(errno.EIO, "Input/output error")
        return None

    house.service.act = act
    house.take("set.yaml")
    house.try_again()

    assert house.names_taken() == ["set.yaml", "set.1.yaml", "set.2.yaml", "set.1.yaml"]


def test_file_deleted_before_it_is_read_is_withdrawn(house: _House) -> None:
    house.door.put(house.claims.claim_all(house.drop("a.yaml", "b.yaml")))
    next(house.paths.processing.glob("*--a.yaml")).unlink()
    house.door.work_off()

    assert (house.service.withdrawn, house.names_taken()) == (["a.yaml"], ["b.yaml"])


def test_claims_outlive_a_processing_folder_that_is_away_for_a_while(house: _House) -> None:
    house.door.put(house.claims.claim_all(house.drop("a.yaml")))
    away = house.paths.root / "away"
    house.paths.processing.rename(away)
    house.door.work_off()
    away.rename(house.paths.processing)

    assert house.try_again() == 1
    assert (house.service.withdrawn, house.names_taken()) == ([], ["a.yaml"])


def test_file_takes_on_the_id_that_its_submitter_chose_and_the_next_one_stands_beside_it(
    house: _House,
) -> None:
    house.service.act = lambda claimed: Accepted(OTHER)
    house.take("a.yaml")
    house.take("a.yaml")

    assert house.names_in_processing() == [f"{OTHER}--a.yaml", f"{OTHER}--a~2.yaml"]
    assert house.jobs.delivered == [OTHER, OTHER]
    assert house.jobs.expected == [OTHER, OTHER]
    assert house.seen.find_path(OTHER) == "a.yaml"


def test_fault_after_the_file_took_on_its_own_id_does_not_make_it_a_withdrawn_one(house: _House) -> None:
    def fail(job_id: str) -> None:
        house.jobs.deliver = house.jobs.delivered.append
        raise OSError(errno.ENOSPC, "No space left on device")

    house.service.act = lambda claimed: Accepted(OTHER)
    house.jobs.deliver = fail
    house.take("a.yaml")
    house.jobs.known[OTHER] = "completed"

    assert house.try_again() == 1
    assert house.service.withdrawn == []
    assert house.names_in_processing() == [f"{OTHER}--a.yaml"]
    assert house.jobs.delivered == [OTHER]
    assert house.try_again() == 0


def test_pictures_that_a_job_used_are_handed_on(house: _House) -> None:
    picture = house.paths.inbox / "bay.png"
    house.service.act = lambda claimed: Accepted(claimed.job_id, {picture: "aa"})
    house.take("a.yaml")

    assert house.pictures.used == {picture: "aa"}


def test_job_that_waits_is_looked_at_again_when_what_it_lacks_arrives(house: _House) -> None:
    house.service.act = _waits
    house.take("a.yaml")
    house.door.work_off()
    assert house.names_taken() == ["a.yaml"]

    house.service.act = lambda claimed: None
    house.room.announce(PurePosixPath("shots/BAY.png"))
    house.door.work_off()

    assert house.names_taken() == ["a.yaml", "a.yaml"]
    assert len({each.job_id for each in house.service.taken}) == 1
    assert len(house.room) == 0


def test_picture_that_arrives_while_its_job_is_at_the_door_is_not_missed(house: _House) -> None:
    def arrive(claimed: ClaimedFile) -> Waiting | None:
        if len(house.service.taken) > 1:
            return None
        house.room.announce(PurePosixPath("bay.png"))  # nobody waits for it yet
        return _waits(claimed)

    house.service.act = arrive
    house.take("a.yaml")

    assert house.names_taken() == ["a.yaml", "a.yaml"]


def test_those_that_wait_and_those_that_come_take_turns(house: _House) -> None:
    house.service.act = _waits
    house.take("w1.yaml", "w2.yaml", "w3.yaml")
    house.service.taken.clear()
    house.service.act = lambda claimed: None
    house.room.announce(PurePosixPath("bay.png"))
    house.take("n1.yaml", "n2.yaml")

    assert [each[0] for each in house.names_taken()] == ["w", "n", "w", "n", "w"]


def test_job_that_waits_under_its_own_id_is_looked_at_under_it_and_at_its_new_place(house: _House) -> None:
    house.service.act = lambda claimed: _waits(claimed, OTHER)
    house.take("a.yaml")
    house.service.act = lambda claimed: None
    house.room.announce(PurePosixPath("bay.png"))
    house.door.work_off()

    assert [each.job_id for each in house.service.taken][1:] == [OTHER]
    assert house.service.withdrawn == []


def test_job_whose_row_waits_already_begins_to_wait_after_a_crash_before_its_file_had_its_id(
    house: _House,
) -> None:
    house.jobs.known[OTHER] = "waiting_refs"
    house.leave("a.yaml")
    house.service.act = lambda claimed: Accepted(OTHER) if claimed.job_id == JOB else _waits(claimed)
    house.recover()

    assert house.names_in_processing() == [f"{OTHER}--a.yaml"]
    assert len(house.room) == 1


def test_refusal_by_the_opener_is_told_with_its_own_reason(house: _House) -> None:
    def refuse(claim: Claim) -> ClaimedFile:
        raise JobFileError([Problem("job.bundle_refused", "It holds no job.", None)])

    door = house.started_again()
    door._opener = type("Opener", (), {"open": staticmethod(refuse), "close": staticmethod(lambda c: None)})()
    door.put(house.claims.claim_all(house.drop("a.yaml")))
    door.work_off()

    assert house.codes_refused() == ["job.bundle_refused"]


def test_door_is_idle_only_when_nothing_is_left_to_do(house: _House) -> None:
    seen: list[bool] = []
    house.service.act = lambda claimed: seen.append(house.door.is_idle())  # type: ignore[func-returns-value]
    assert house.door.is_idle()

    house.door.put(house.claims.claim_all(house.drop("a.yaml")))
    seen.append(house.door.is_idle())
    house.door.work_off()

    assert seen == [False, False]
    assert house.door.is_idle()


def test_thread_of_the_door_takes_in_what_is_put_and_ends_when_told(house: _House) -> None:
    taken = threading.Event()
    house.service.act = lambda claimed: taken.set()
    house.door.start()
    house.door.put(house.claims.claim_all(house.drop("a.yaml")))

    assert taken.wait(10)
    house.door.stop(10)
    assert "inbox-door" not in {each.name for each in threading.enumerate()}


def test_two_thousand_files_are_all_claimed_before_the_second_is_taken_in(house: _House) -> None:
    """The door is slow here; claiming does not wait for it."""
    may_go_on, first = threading.Event(), threading.Event()

    def act(claimed: ClaimedFile) -> None:
        first.set()
        assert may_go_on.wait(30)

    house.service.act = act
    house.door.start()
    files = house.drop(*(f"{number}.yaml" for number in range(2_000)))
    house.door.put(house.claims.claim_all(files))

    assert first.wait(10)
    assert list_waiting(house.paths.inbox) == []
    assert len(house.service.taken) == 1
    house.door.stop()
    may_go_on.set()
    house.door.stop(10)
