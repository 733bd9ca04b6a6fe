"""Pictures in the inbox: used ones join the library, wanted ones stay, forgotten ones are imported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hotfolder.watchers.inbox_files import is_job_picture
from hotfolder.watchers.inbox_pictures import InboxPictures
from hotfolder.watchers.waiting import WaitingRoom
from tests import pictures
from tests.intake_house import IntakeHouse, job


class _House(IntakeHouse):
    """With pictures that are as old as a test says."""

    older_s = 0.0

    def grow_older(self, keep: str = "move", timeout_s: float = 900.0) -> None:
        room: WaitingRoom = self.intake.pictures._room
        self.intake.pictures = InboxPictures(
            self.paths,
            self.library.seen,
            self.library.import_desk,
            room,
            keep=keep,  # type: ignore[arg-type]  # one of the two
            settle_s=0.05,
            timeout_s=timeout_s,
            is_job=lambda place: is_job_picture(place, self.library.recipes.find(place.parent)),
            wall_clock=lambda: time.time() + self.older_s,
        )

    def sweep(self, after_s: float = 1_000.0) -> list[str]:
        """What is brought into the library."""
        self.older_s = after_s
        self.intake.pictures.sweep()
        return self.imported()

    def imported(self) -> list[str]:
        """Places that pictures had, of which an import is queued."""
        rows = self.library.database.query("SELECT payload_json FROM work_queue WHERE lane = 'cpu'")
        return sorted(
            part for row in rows for part in str(row["payload_json"]).split('"') if "inbox/" in part
        )


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[Callable[..., _House]]:
    made: list[_House] = []

    def make(intake: str = "", root: Path | None = None) -> _House:
        made.append(_House(root or tmp_path / "library", intake))
        return made[-1]

    yield make
    for house in made:
        house.close()


@pytest.fixture
def house(make_house: Callable[..., _House]) -> _House:
    house = make_house()
    house.grow_older()
    return house


def test_used_picture_leaves_for_the_library_and_its_place_is_remembered(house: _House) -> None:
    picture = house.draw("shots/bay.png")
    house.drop("shots/a.yaml", job("bay.png"))
    house.take()

    assert not picture.exists()
    assert house.imported() == ["inbox/shots/bay.png"]
    assert house.library.seen.find_used("shots/bay.png") is not None


def test_later_job_that_names_the_place_gets_the_librarys_copy(house: _House) -> None:
    house.draw("shots/bay.png")
    house.drop("shots/a.yaml", job("bay.png"))
    house.take()
    house.drop("b.yaml", job("shots/bay.png"))
    house.take()

    assert house.status("b.yaml") == "queued"
    assert house.references("a.yaml") == house.references("b.yaml")


def test_new_picture_at_the_place_is_the_one_that_a_later_job_gets(house: _House) -> None:
    house.draw("bay.png", 10)
    house.drop("a.yaml", job("bay.png"))
    house.take()
    house.draw("bay.png", 200)
    house.drop("b.yaml", job("bay.png"))
    house.take()
    house.drop("c.yaml", job("bay.png"))
    house.take()

    assert house.references("a.yaml") != house.references("b.yaml") == house.references("c.yaml")


def test_used_picture_stays_where_the_settings_say_so(make_house: Callable[..., _House]) -> None:
    house = make_house("refs: leave")
    picture = house.draw("bay.png")
    house.drop("a.yaml", job("bay.png"))
    house.take()
    house.grow_older("leave")

    assert house.sweep() == []
    assert picture.exists()


def test_another_picture_in_the_place_of_one_that_stayed_is_imported_in_its_time(
    make_house: Callable[..., _House],
) -> None:
    house = make_house("refs: leave")
    house.draw("bay.png")
    house.drop("a.yaml", job("bay.png"))
    house.take()
    new = pictures.write_grey_png(house.paths.inbox / "new.png", value=200)
    new.rename(house.paths.inbox / "bay.png")
    house.grow_older("leave")

    assert house.sweep() == ["inbox/bay.png"]


def test_picture_that_nobody_names_is_imported_after_its_time_and_not_before(house: _House) -> None:
    picture = house.draw("shots/bay.png")

    assert house.sweep(890.0) == []
    assert picture.exists()
    assert house.sweep(901.0) == ["inbox/shots/bay.png"]
    assert not picture.exists()


def test_picture_that_a_waiting_job_names_is_not_imported(house: _House) -> None:
    house.draw("bay.png")
    house.draw("other.png")
    house.drop("a.yaml", job("bay.png", "cliff.png"))
    house.take()

    assert house.status("a.yaml") == "waiting_refs"
    assert house.sweep() == ["inbox/other.png"]


def test_picture_of_a_job_that_waits_no_more_is_imported(house: _House) -> None:
    house.draw("bay.png")
    house.drop("a.yaml", job("bay.png", "cliff.png"))
    house.take()
    house.library.control.cancel(house.job("a.yaml").job_id, "anna")
    house.draw("cliff.png", 10)
    house.take()

    assert house.sweep() == ["inbox/bay.png", "inbox/cliff.png"]


def test_picture_of_a_waiting_job_is_not_imported_right_after_a_start(house: _House) -> None:
    house.draw("bay.png")
    house.drop("a.yaml", job("bay.png", "cliff.png"))
    house.take()
    house.crash_and_start()
    house.grow_older()

    assert house.sweep() == []


def test_pictures_are_not_swept_away_before_the_jobs_that_came_while_nobody_looked(house: _House) -> None:
    """Both lay in the inbox for longer than a job would wait, because no service ran."""
    picture = house.draw("bay.png")
    house.drop("a.yaml", job("bay.png"))
    house.older_s = 1_000.0
    house.look_twice()
    assert picture.exists()

    house.take()
    house.look_twice()

    assert house.status("a.yaml") == "queued"


def test_pictures_are_not_swept_away_while_claimed_files_are_unread(house: _House) -> None:
    picture = house.draw("bay.png")
    inbox = house.intake
    inbox.door.put(inbox.claims.claim_all([house.drop("a.yaml", job("bay.png"))]))
    house.older_s = 1_000.0
    house.look_twice()

    assert picture.exists()


def test_picture_in_the_writing_is_not_imported_however_short_the_time(house: _House) -> None:
    house.grow_older(timeout_s=0.0)
    with (house.paths.inbox / "bay.png").open("wb") as writer:
        writer.write(b"half of it")
        writer.flush()
        assert house.sweep(10.0) == []
    assert house.sweep(10.0) == ["inbox/bay.png"]


def test_pictures_in_hold_and_links_are_never_imported(house: _House) -> None:
    outside = pictures.write_grey_png(house.paths.root / "originals" / "x.png")
    held = house.draw("hold/bay.png")
    link = house.paths.inbox / "link.png"
    link.symlink_to(outside)

    assert house.sweep() == []
    assert held.exists()
    assert link.is_symlink()


def test_picture_used_by_a_link_in_the_inbox_stays_where_it_is(house: _House) -> None:
    outside = pictures.write_grey_png(house.paths.root / "originals" / "x.png")
    (house.paths.inbox / "link.png").symlink_to(outside)
    house.drop("a.yaml", job("link.png"))
    house.take()

    assert house.status("a.yaml") == "queued"
    assert outside.exists()
    assert house.imported() == []


def test_used_pictures_join_a_library_that_is_reached_by_a_link(
    make_house: Callable[..., _House], tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    house = make_house(root=tmp_path / "link")
    house.draw("bay.png")
    house.drop("a.yaml", job("bay.png"))
    house.take()

    assert house.imported() == ["inbox/bay.png"]


def test_picture_that_cannot_be_moved_stays_and_its_job_runs(
    house: _House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    picture = house.draw("bay.png")
    house.drop("a.yaml", job("bay.png"))

    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as fault:
        fault.setattr(house.library.import_desk, "claim", fail)
        house.take()
    assert (house.status("a.yaml"), picture.exists()) == ("queued", True)
    assert "bay.png stays in the inbox" in caplog.text

    assert house.sweep() == ["inbox/bay.png"]


def test_picture_that_changed_a_moment_ago_is_arriving_and_one_that_is_gone_too(house: _House) -> None:
    fresh = pictures.write_grey_png(house.paths.inbox / "bay.png")
    found = [house.intake.pictures.is_arriving(each) for each in (fresh, fresh.with_name("gone.png"))]

    assert found == [True, True]
    house.older_s = 1.0
    assert not house.intake.pictures.is_arriving(fresh)


def test_picture_that_is_a_job_itself_is_not_swept_away_after_a_night_without_the_service(
    tmp_path: Path,
) -> None:
    house = _House(tmp_path / "library")
    try:
        house.grow_older()
        house.drop("moods/_folder.yaml")
        for name in ("moods/cat.png", "moods/sub/dog.png", "rerun/old.png", "held.png", "stray.png"):
            house.draw(name)
        house.drop("held.png.wait", "")
        assert house.sweep() == ["inbox/stray.png"]
    finally:
        house.close()
