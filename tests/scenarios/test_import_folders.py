"""Import folders outside the library, with real processes: every picture once, no source lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests import pictures
from tests.import_ledger import digest, ends, files_in
from tests.scenarios.service import Service, wait_for
from tests.scenarios.test_imports import small_picture
from tests.scenarios.test_kill import run_until_killed

QUICK = "intake: {settle_ms: 50}\n"


@pytest.fixture
def quick(make_service: Callable[..., Service]) -> Service:
    return make_service(settings=QUICK)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk that can be mounted and unmounted, its content with it."""
    place = tmp_path / "disk"
    place.mkdir()
    store = tmp_path / "platter"
    store.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(store)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting needs root")
    plug(place)
    yield place
    for each in (place, store):
        subprocess.run(["umount", "-l", str(each)], capture_output=True)


def plug(disk: Path) -> None:
    subprocess.run(["mount", "--bind", str(disk.with_name("platter")), str(disk)], check=True)


def unplug(disk: Path) -> None:
    subprocess.run(["umount", "-l", str(disk)], check=True)


def add(service: Service, folder: Path, *options: str) -> None:
    done = service.command("folders", "add", str(folder), *options)
    assert done.returncode == 0, done.stderr


def assert_each_once(service: Service, contents: list[bytes]) -> None:
    rows = service.query("SELECT * FROM media")
    assert sorted(each["sha256"] for each in rows) == sorted({digest(each) for each in contents})
    for row in rows:
        place = Path(row["file_path"])
        kept = place if place.is_absolute() else service.root / place
        assert digest(kept.read_bytes()) == row["sha256"]
        assert Path(row["original_path"]).is_absolute()
    assert not any(files_in(service.root / each) for each in ("trash", "failed", "work"))
    assert not (service.root / "work" / "import").exists()


def test_running_service_takes_up_a_folder_and_drops_it_again(quick: Service, photos: Path) -> None:
    first = pictures.write_png(photos / "a.png").read_bytes()
    quick.start()
    quick.wait_until_watching()

    add(quick, photos, "--keywords", "sea", "--collection", "Spring")
    wait_for(lambda: len(ends(quick.root)) == 1, "the picture that was there")
    second = pictures.write_jpeg(photos / "b.jpg").read_bytes()
    wait_for(lambda: len(ends(quick.root)) == 2, "the picture that came")
    assert quick.command("folders", "remove", str(photos)).returncode == 0
    wait_for(lambda: "no longer watching" in quick.output(), "the end of the watching")
    pictures.write_webp(photos / "c.webp")
    assert quick.stop() == 0

    assert_each_once(quick, [first, second])
    assert len(quick.query("SELECT * FROM media_keywords")) == 2
    assert len(quick.query("SELECT * FROM collection_media")) == 2
    assert {each.name for each in photos.iterdir()} == {"a.png", "b.jpg", "c.webp"}


def test_run_once_includes_every_folder_and_ends(
    make_service: Callable[..., Service], tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("copied", "moved", "referred")]
    modes = ("copy", "move", "reference")
    listed = ", ".join(
        f"{{path: ../{folder.name}, mode: {mode}}}" for folder, mode in zip(folders, modes, strict=True)
    )
    service = make_service(
        settings=QUICK + f"folders: {{import: [{listed}, {{path: ../missing}}, {{path: import}}]}}\n"
    )
    contents = [small_picture(number) for number in range(3)]
    for folder, data in zip(folders, contents, strict=True):
        folder.mkdir()
        (folder / "a.png").write_bytes(data)
        pictures.write_text(folder / "bad.png")

    assert service.run_once() == 0, service.output()
    assert service.run_once() == 0, service.output()

    assert_each_once(service, contents)
    assert len(ends(service.root)) == 6
    assert [sorted(each.name for each in files_in(folder)) for folder in folders] == [
        ["a.png", "bad.png"],
        ["bad.png"],
        ["a.png", "bad.png"],
    ]


KILLED_AT = {
    "half copied": ["folder-half-copied:2"],
    "again and again": ["folder-copied", "import-moved:2", "folder-left"],
}


@pytest.mark.parametrize("points", KILLED_AT.values(), ids=KILLED_AT.keys())
def test_folder_imports_killed_at_any_point_end_exactly_once(
    make_service: Callable[..., Service], tmp_path: Path, points: list[str]
) -> None:
    service = make_service(
        settings=QUICK + "folders: {import: [{path: ../copied}, {path: ../moved, mode: move}]}\n"
    )
    contents: list[bytes] = []
    for number, name in enumerate(("copied", "moved")):
        (tmp_path / name).mkdir()
        made = [small_picture(10 * number + each) for each in range(3)]
        contents += made
        for file, data in enumerate([*made, made[0], b"no picture"]):
            (tmp_path / name / f"{file}.png").write_bytes(data)
    for point in points:
        run_until_killed(service, point)

    assert service.run_once() == 0, service.output()

    assert_each_once(service, contents)
    assert len(files_in(tmp_path / "copied")) == 5
    assert [each.read_bytes() for each in files_in(tmp_path / "moved")] == [b"no picture"]
    outcomes = [each["outcome"] for each in ends(service.root)]
    assert sorted(outcomes) == ["duplicate"] * 2 + ["failed"] * 2 + ["imported"] * 6


def test_many_pictures_survive_kills_at_any_time(
    make_service: Callable[..., Service], tmp_path: Path
) -> None:
    service = make_service(
        settings=QUICK + "folders: {import: [{path: ../copied}, {path: ../moved, mode: move}]}\n"
    )
    folders = [tmp_path / "copied", tmp_path / "moved"]
    contents = [small_picture(number) for number in range(200)]
    for folder in folders:
        folder.mkdir()
    for number, data in enumerate(contents):
        (folders[number % 2] / f"{number}.png").write_bytes(data)
    for ended_before in (0, 80):
        service.start()
        wait_for(partial(has_ended, service, ended_before), "some more pictures")
        service.kill()
        assert_no_picture_is_lost(service, folders, contents)

    assert service.run_once() == 0, service.output()

    assert_each_once(service, contents)
    assert [len(files_in(folder)) for folder in folders] == [100, 0]


def has_ended(service: Service, number: int) -> bool:
    return len(ends(service.root)) > number


def assert_no_picture_is_lost(service: Service, folders: list[Path], contents: list[bytes]) -> None:
    """Each is whole in its folder or in originals/."""
    found = {digest(each.read_bytes()) for folder in folders for each in folder.iterdir()}
    originals = (each for each in (service.root / "originals").rglob("*.png"))
    found |= {digest(each.read_bytes()) for each in originals}
    assert {digest(each) for each in contents} <= found


def test_unplugged_disk_loses_nothing_and_comes_back(
    make_service: Callable[..., Service], disk: Path
) -> None:
    modes = ("copy", "move", "reference")
    listed = ", ".join(f"{{path: ../disk/{mode}, mode: {mode}}}" for mode in modes)
    service = make_service(settings=QUICK + f"folders: {{import: [{listed}]}}\n")
    contents = [small_picture(number) for number in range(240)]
    for mode in modes:
        (disk / mode).mkdir()
    for number, data in enumerate(contents):
        (disk / modes[number % 3] / f"{number}.png").write_bytes(data)
    service.start()
    wait_for(lambda: len(ends(service.root)) > 5, "the first pictures")

    unplug(disk)
    wait_for(lambda: service.output().count("no longer watching") == 3, "the end of the watching")
    wait_for(lambda: "claimed" not in outcomes_of(service), "the end of what was queued")
    assert service.output().count("WARNING") <= 6, service.output()
    plug(disk)
    (disk / "reference" / "late.png").write_bytes(small_picture(999))
    wait_for(lambda: len(service.query("SELECT id FROM media")) == 241, "all pictures")
    wait_for(lambda: not files_in(disk / "move"), "the end of the moving")
    assert service.stop() == 0

    assert (len(files_in(disk / "copy")), len(files_in(disk / "reference"))) == (80, 81)
    assert_each_once(service, [*contents, small_picture(999)])
    assert {each["outcome"] for each in ends(service.root)} <= {"imported", "duplicate"}


def outcomes_of(service: Service) -> set[str]:
    rows: list[dict[str, Any]] = service.query("SELECT outcome FROM seen_files WHERE job_id IS NULL")
    return {each["outcome"] for each in rows}
