"""Pictures dropped into import/ join the library; everything else ends where people find it."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from tests import pictures
from tests.import_ledger import assert_books_are_closed, ends
from tests.scenarios.service import Service, wait_for
from tests.scenarios.test_kill import run_until_killed

QUICK = "intake: {settle_ms: 50}\n"


def test_dropped_picture_joins_the_library_with_thumbnail_and_sidecars(
    service: Service, tmp_path: Path
) -> None:
    picture = pictures.write_rotated_jpeg(tmp_path / "Übung.JPG", (90, 120))
    content = picture.read_bytes()
    service.start()
    service.wait_until_watching()

    (service.root / "import" / "holiday").mkdir()
    picture.rename(service.root / "import" / "holiday" / "Übung.JPG")
    wait_for(lambda: ends(service.root), "the end of the import")

    (media,) = service.query("SELECT * FROM media")
    original = service.root / media["file_path"]
    assert original.read_bytes() == content
    assert (media["origin"], media["width"], media["height"]) == ("import", 90, 120)
    assert (media["original_name"], media["original_path"]) == ("Übung.JPG", "import/holiday/Übung.JPG")
    assert media["sha256"] == media["file_sha256"] == hashlib.sha256(content).hexdigest()
    assert pictures.colours_are_close(
        pictures.corner_colours(service.root / media["thumb_path"]), pictures.CORNERS
    )
    sidecar = json.loads(original.with_name(original.name + ".json").read_bytes())
    assert sidecar["original"] == {"name": "Übung.JPG", "path": "import/holiday/Übung.JPG"}
    assert original.with_name(original.name + ".xmp").is_file()
    assert (service.root / "import" / "holiday").is_dir()
    assert service.stop() == 0
    assert list((service.root / "work").iterdir()) == []


def test_mixed_folder_ends_where_people_find_everything(service: Service, tmp_path: Path) -> None:
    """Found at start: pictures with odd names, files that are none, and what is not even looked at."""
    folder = service.root / "import"
    good = write_good(folder)
    bad = write_bad(folder)
    left = write_what_stays(folder, tmp_path)

    assert service.run_once() == 0, service.output()

    assert {each.name for each in folder.rglob("*") if not each.is_dir() or each.is_symlink()} == left
    for name in left:
        (folder / name).unlink()
    assert_books_are_closed(service.root, good, bad)
    assert_names_are_kept(service)


def write_good(folder: Path) -> list[bytes]:
    names = [
        "<script>alert(1)<!--.jpg",
        "a\nb.png",
        os.fsdecode(b"caf\xe9.jpg"),
        "sub/" + "x" * 246 + ".png",
        "'; --.JPG",
    ]
    (folder / "sub").mkdir()
    made = [
        pictures.write_png(folder / name, (20 + number, 20)).read_bytes() for number, name in enumerate(names)
    ]
    twin = folder / "twin.png"
    twin.write_bytes(made[0])
    return [*made, made[0]]


def write_bad(folder: Path) -> list[bytes]:
    (folder / "other").mkdir()
    paths = [
        pictures.write_truncated_jpeg(folder / "half.jpg"),
        pictures.write_bomb_png(folder / "bomb.png"),
        pictures.write_text(folder / "text.jpg"),
        pictures.write_text(folder / "other" / "text.jpg"),
        pictures.write_text(folder / os.fsdecode(b"t\xe9xt.jpg")),
        pictures.write_text(folder / ("y" * 251 + ".png")),
        pictures.write_empty(folder / "empty.png"),
    ]
    return [each.read_bytes() for each in paths]


def write_what_stays(folder: Path, elsewhere: Path) -> set[str]:
    os.mkfifo(folder / "pipe.png")
    (folder / "link.png").symlink_to(pictures.write_png(elsewhere / "target.png"))
    (folder / "notes.txt").write_text("x")
    (folder / "half-copied.png.part").write_bytes(b"x")
    return {"pipe.png", "link.png", "notes.txt", "half-copied.png.part"}


def assert_names_are_kept(service: Service) -> None:
    sidecars = (service.root / "originals").rglob("*.json")
    names = {json.loads(each.read_bytes())["original"]["name"] for each in sidecars}
    assert os.fsdecode(b"caf\xe9.jpg") in names
    assert {"a\nb.png", "x" * 246 + ".png"} < names


def test_thousand_pictures_survive_kills_at_any_time(make_service: Callable[..., Service]) -> None:
    """1,000 small pictures at once, 100 of them twins, and the power goes again and again."""
    service = make_service(settings=QUICK)
    contents = [small_picture(number) for number in range(900)]
    contents += contents[:100]
    for number, data in enumerate(contents):
        target = service.root / "import" / f"{number % 7}" / f"{number}.png"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)
    for ended_before in (0, 40, 200, 400, 650):
        service.start()
        wait_for(partial(has_begun, service, ended_before), "some more pictures")
        service.kill()

    assert service.run_once() == 0, service.output()

    assert_books_are_closed(service.root, contents)
    assert service.query("SELECT DISTINCT status FROM work_queue") == [{"status": "completed"}]


def small_picture(number: int) -> bytes:
    """A PNG of one row that no other number gives."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 1), (number % 256, number // 256, 77)).save(buffer, "PNG")
    return buffer.getvalue()


def has_begun(service: Service, number: int) -> bool:
    """More pictures have ended, or are at least claimed."""
    sql = "SELECT count(*) AS n FROM events WHERE topic = 'import.ended'"
    return service.query(sql)[0]["n"] > number if number else (service.root / "work" / "import").exists()


KILLED_AT = {
    "after some claims": ["import-claimed:3"],
    "before the claims are queued": ["imports-claimed"],
    "after a picture was moved": ["import-moved:2"],
    "in the middle of writing a thumbnail": ["half-written-thumbnail:2"],
    "while the pictures are recorded": ["import-half-recorded:2"],
    "again while it recovers": ["imports-claimed", "imports-recovered", "import-moved"],
}


@pytest.mark.parametrize("points", KILLED_AT.values(), ids=KILLED_AT.keys())
def test_imports_killed_at_any_point_end_exactly_once(
    make_service: Callable[..., Service], points: list[str]
) -> None:
    service = make_service(settings=QUICK)
    folder = service.root / "import"
    good = [pictures.write_png(folder / f"{n}.png", (20 + n, 20)).read_bytes() for n in range(3)]
    (folder / "twin.png").write_bytes(good[0])
    bad = pictures.write_text(folder / "text.jpg").read_bytes()
    for point in points:
        run_until_killed(service, point)

    assert service.run_once() == 0, service.output()

    assert_books_are_closed(service.root, [*good, good[0]], [bad])
