"""References that were made to harm: folders swapped for links, files without end, folders full of names."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

import pytest

from hotfolder.errors import JobFileError
from hotfolder.files.decoding import MAX_FILE_BYTES
from hotfolder.generation import references
from hotfolder.generation.rerun import read_made_picture
from tests import pictures
from tests.intake_house import LIMIT_S, IntakeHouse, job, wait_until

TIB = 1024**4
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[IntakeHouse]:
    made = IntakeHouse(tmp_path / "library")
    yield made
    made.close()


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[IntakeHouse]:
    """No job waits here."""
    made = IntakeHouse(tmp_path / "hasty", "refs_timeout_s: 0")
    yield made
    made.close()


def messages(house: IntakeHouse, name: str) -> list[str]:
    """What a refused job is told."""
    error = house.job(name).error
    return [f"{each['message']} {each['hint']}" for each in error["problems"]] if error else []


def stretch(file: Path, size_bytes: int, start: bytes = b"") -> Path:
    """A file of so many bytes that takes no room on the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(start)
    os.truncate(file, size_bytes)
    return file


def test_folder_of_a_claimed_bundle_swapped_for_a_link_brings_no_outside_picture(
    house: IntakeHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the folder open can change it after the claim, between two references."""
    outside = tmp_path / "outside"
    outside.mkdir()
    secret = pictures.write_grey_png(outside / "secret.png", value=77).read_bytes()
    house.draw("set.job/inner/a.png")
    house.draw("set.job/inner/secret.png", value=5)
    house.drop("set.job/inner/job.yaml", job("a.png", "secret.png"))
    bundle = os.open(house.paths.inbox / "set.job", os.O_RDONLY)
    store = references.store_stream

    def store_and_swap(stream: BufferedReader, name: str, folder: Path, extension: str) -> tuple[str, Path]:
        if name == "a.png":
            os.rename("inner", "old", src_dir_fd=bundle, dst_dir_fd=bundle)
            os.symlink(outside, "inner", dir_fd=bundle)
        return store(stream, name, folder, extension)

    monkeypatch.setattr(references, "store_stream", store_and_swap)
    house.take()
    os.close(bundle)

    assert all(each.read_bytes() != secret for each in house.paths.refs.iterdir())
    assert house.status("set.job") != "queued"


def test_endless_file_named_as_a_reference_is_refused_and_fills_no_disk(house: IntakeHouse) -> None:
    signature = pictures.write_png(house.paths.root / "any.png").read_bytes()[:33]
    house.let_settle(stretch(house.paths.inbox / "a.png", TIB))
    house.let_settle(stretch(house.paths.inbox / "b.png", TIB, signature))
    house.drop("a.yaml", job("a.png", "b.png"))

    began_s = time.monotonic()
    house.take()

    assert time.monotonic() - began_s < 5
    assert house.codes("a.yaml") == ["job.ref_refused"] * 2
    assert all(f"{MAX_FILE_BYTES:,}" in each for each in messages(house, "a.yaml"))
    assert not any(house.paths.refs.iterdir())


def test_large_file_that_is_no_picture_is_refused_before_it_is_copied(
    house: IntakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.let_settle(stretch(house.paths.inbox / "zeros.png", 10_000_000))
    bomb = pictures.write_bomb_png(house.paths.inbox / "bomb.png")
    house.let_settle(bomb)
    house.drop("a.yaml", job("zeros.png", "bomb.png"))
    monkeypatch.setattr(references, "store_stream", lambda *_: pytest.fail("it was copied"))

    house.take()

    zeros, claims = messages(house, "a.yaml")
    assert "`zeros.png` cannot be used: it is not a picture of a known format" in zeros
    assert "`bomb.png` cannot be used: it claims 60000 x 60000 pixels" in claims


@pytest.mark.parametrize(
    ("start", "size_bytes", "reason"),
    [(PNG, TIB, "more than 128 MiB"), (PNG, 1000, "does not say"), (b"", 100_000_000, "does not say")],
)
def test_file_without_end_or_sense_in_rerun_is_refused_without_being_read_whole(
    tmp_path: Path, start: bytes, size_bytes: int, reason: str
) -> None:
    file = stretch(tmp_path / "a.png", size_bytes, start)
    with file.open("rb") as stream:
        with pytest.raises(JobFileError, match=reason) as caught:
            read_made_picture(stream, "a.png")
        assert stream.tell() <= 1000

    assert caught.value.code == "job.no_metadata"


def test_picture_in_rerun_that_takes_long_to_read_holds_up_nobody(
    house: IntakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_read, may_end = threading.Event(), threading.Event()

    def read_slowly(stream: BufferedReader, name: str) -> bytes:
        is_read.set()
        assert may_end.wait(LIMIT_S)
        return read_made_picture(stream, name)

    monkeypatch.setattr("hotfolder.intake.read_made_picture", read_slowly)
    house.intake.inbox.take_all([house.draw("rerun/a.png")])

    house.intake.look_around()

    assert is_read.wait(LIMIT_S)
    assert not house.intake.is_idle()
    may_end.set()
    wait_until(lambda: bool(house.jobs()), "the refusal of the picture")
    assert house.codes("a.png.json") == ["job.no_metadata"]
    house.intake.stop()


def test_batch_whose_references_have_not_arrived_is_taken_in_at_once_in_a_full_inbox(
    house: IntakeHouse,
) -> None:
    for number in range(2_000):
        (house.paths.inbox / f"IMG_{number:05d}_lighthouse_at_dusk.jpg").touch()
    text = "---\n".join(job(f"IMG_{number:05d}_lighthouse_at_dusk_v2.jpg") for number in range(64))
    house.drop("batch.yaml", text)

    began_s = time.monotonic()
    house.intake.inbox.take_all([house.paths.inbox / "batch.yaml"])
    house.intake.door.work_off()

    assert time.monotonic() - began_s < 5
    assert {each.status for each in house.jobs()} == {"waiting_refs"}


def test_job_that_misses_many_pictures_in_a_full_inbox_is_refused_at_once_with_few_hints(
    hasty: IntakeHouse,
) -> None:
    long = "_lighthouse_at_dusk" * 8
    for number in range(5_000):
        (hasty.paths.inbox / f"IMG_{number:05d}{long}.png").touch()
    names = [f"IMG_{number:05d}{long}x.png" for number in range(64)]
    hasty.drop("a.yaml", job(*names))

    began_s = time.monotonic()
    hasty.intake.inbox.take_all([hasty.paths.inbox / "a.yaml"])
    hasty.intake.door.work_off()

    assert time.monotonic() - began_s < 5
    told = messages(hasty, "a.yaml")
    assert f"There is `IMG_00000{long}.png`" in told[0]
    assert 0 < sum("There is `" in each for each in told) < 10


def test_hint_with_the_name_of_a_hostile_neighbour_stays_one_line(hasty: IntakeHouse) -> None:
    (hasty.paths.inbox / "cat\x1b[2J\n\n# cat.png: completed\n.png").touch()
    hasty.drop("a.yaml", job('"cat.png: completed.png"'))

    hasty.take()
    hasty.deliver()

    report = (hasty.paths.failed / "a.yaml.error.md").read_text(encoding="utf-8")
    assert "There is `cat" in report
    assert "\x1b" not in report
    assert "\n# cat.png" not in report.replace("  ", "")


@pytest.mark.parametrize(
    "place", ["hold/cat.png", "set.job/cat.png", ".set.job.tmp/cat.png", "set.tmp/cat.png"]
)
def test_picture_that_is_held_or_belongs_to_a_coming_bundle_is_used_and_stays(
    house: IntakeHouse, place: str
) -> None:
    picture = house.draw(place)
    house.drop("a.yaml", job(place))

    house.intake.inbox.take_all([house.paths.inbox / "a.yaml"])
    house.intake.door.work_off()

    assert house.status("a.yaml") == "queued"
    assert len(house.references("a.yaml")) == 1
    assert picture.exists()


def test_picture_above_the_job_file_is_found_in_its_bundle(house: IntakeHouse) -> None:
    house.draw("s.job/a.png", value=40)
    other = house.draw("a.png", value=200)
    house.drop("s.job/inner/job.yaml", job("../a.png"))

    house.take()

    assert house.status("s.job") == "queued"
    stored = {each.read_bytes() for each in house.paths.refs.iterdir()}
    assert stored == {(house.claimed_file("s.job") / "a.png").read_bytes()}
    assert other.exists()
