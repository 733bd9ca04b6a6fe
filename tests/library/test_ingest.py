"""Pictures enter originals/ whole, at their dated place, with what belongs to them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from PIL import Image

from hotfolder.files.paths import LibraryPaths
from hotfolder.library.ingest import Arrival, Ingest
from tests.pictures import write_png

MEDIA_ID = "019aa4a0-0000-7000-8000-0000000000ab"
ARRIVAL = Arrival(MEDIA_ID, datetime(2026, 11, 21, 3, tzinfo=UTC), ".png", b"the bytes of a picture")


@pytest.fixture
def paths(tmp_path):
    return LibraryPaths(tmp_path / "library")


@pytest.fixture
def ingest(paths):
    return Ingest(paths)


def files(paths):
    return sorted(each.relative_to(paths.root).as_posix() for each in paths.root.rglob("*") if each.is_file())


def test_a_picture_lies_in_the_folder_of_its_month_with_its_bytes(paths, ingest):
    stored = ingest.store_picture(ARRIVAL)

    assert stored == paths.root / "originals" / "2026" / "11" / f"{MEDIA_ID}.png"
    assert stored == ingest.original_path(ARRIVAL)
    assert stored.read_bytes() == ARRIVAL.data
    assert files(paths) == [f"originals/2026/11/{MEDIA_ID}.png"]


def test_the_month_is_that_of_the_utc_calendar(ingest):
    new_year = datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))

    assert ingest.original_path(replace(ARRIVAL, at=new_year)).parent.as_posix().endswith("/2026/12")


def test_the_hash_of_an_arrival_is_that_of_the_stored_file(ingest):
    stored = ingest.store_picture(ARRIVAL)

    assert ARRIVAL.sha256 == hashlib.sha256(stored.read_bytes()).hexdigest()


def test_both_sidecars_lie_beside_the_picture(paths, ingest):
    ingest.store_sidecars(ARRIVAL, {"schema": "hotfolder/sidecar@1", "prompt": "Übung"}, b"<x:xmpmeta/>")

    place = paths.root / "originals" / "2026" / "11"
    sidecar = json.loads((place / f"{MEDIA_ID}.png.json").read_text(encoding="utf-8"))
    assert sidecar == {"schema": "hotfolder/sidecar@1", "prompt": "Übung"}
    assert (place / f"{MEDIA_ID}.png.xmp").read_bytes() == b"<x:xmpmeta/>"


def test_a_thumbnail_is_square_and_has_the_id_of_its_picture(paths, ingest, tmp_path):
    source = write_png(tmp_path / "a.png", (640, 480))

    stored = ingest.store_thumbnail(MEDIA_ID, source)

    assert stored == paths.root / "thumbnails" / "ab" / f"{MEDIA_ID}.jpg"
    with Image.open(stored) as thumbnail:
        assert (thumbnail.format, thumbnail.width) == ("JPEG", thumbnail.height)


def test_a_step_repeated_after_a_crash_leaves_the_same_files(paths, ingest, tmp_path):
    source = write_png(tmp_path / "a.png")
    snapshots = []
    for _ in range(2):
        ingest.store_picture(ARRIVAL)
        ingest.store_sidecars(ARRIVAL, {"a": 1}, b"<x/>")
        ingest.store_thumbnail(MEDIA_ID, source)
        snapshots.append({name: (paths.root / name).read_bytes() for name in files(paths)})

    assert snapshots[0] == snapshots[1]
    assert len(snapshots[0]) == 4


def test_a_half_written_picture_of_a_crash_is_made_whole(ingest):
    stored = ingest.original_path(ARRIVAL)
    stored.parent.mkdir(parents=True)
    stored.write_bytes(ARRIVAL.data[:5])

    ingest.store_picture(ARRIVAL)

    assert stored.read_bytes() == ARRIVAL.data


@pytest.mark.parametrize(
    "values", [{"media_id": "../../escape"}, {"media_id": "a/b"}, {"extension": "/../../x.png"}]
)
def test_no_name_leads_out_of_originals(ingest, tmp_path, values):
    with pytest.raises(ValueError, match=r"name|extension"):
        ingest.store_picture(replace(ARRIVAL, **values))

    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_taken_as_it_is_and_never_over_another(paths, ingest, tmp_path):
    source = write_png(tmp_path / "a.png")
    content = source.read_bytes()
    target = ingest.original_path(ARRIVAL)

    ingest.take_picture(source, target)
    ingest.take_picture(target, target)

    assert target.read_bytes() == content
    assert not source.exists()
    with pytest.raises(FileExistsError):
        ingest.take_picture(write_png(tmp_path / "b.png", (9, 9)), target)
    assert target.read_bytes() == content


def test_a_picture_is_found_by_its_id_whatever_its_format(ingest):
    assert ingest.find_picture(MEDIA_ID, ARRIVAL.at) is None
    stored = ingest.store_picture(replace(ARRIVAL, extension=".webp"))
    ingest.store_sidecars(replace(ARRIVAL, extension=".png"), {}, b"")

    assert ingest.find_picture(MEDIA_ID, ARRIVAL.at) == stored


def test_the_traces_of_a_picture_go_and_it_stays_itself(paths, ingest):
    stored = ingest.store_picture(ARRIVAL)
    ingest.store_sidecars(ARRIVAL, {}, b"")
    thumbnail = ingest.store_thumbnail_file(MEDIA_ID, b"small")
    thumbnail.with_name(f".{thumbnail.name}.tmp").write_bytes(b"of a crash")

    ingest.remove_traces(MEDIA_ID, ARRIVAL.at)
    ingest.remove_traces(MEDIA_ID, ARRIVAL.at)

    assert files(paths) == [paths.relative(stored)]


def test_what_is_thrown_away_lies_in_the_trash_of_the_day_under_a_free_name(paths, ingest, tmp_path):
    found = [ingest.throw_away(write_png(tmp_path / "a.png"), "a.png", ARRIVAL.at) for _ in range(2)]

    trash = paths.root / "trash" / "2026" / "11" / "21"
    assert found == [trash / "a.png", trash / "a~2.png"]
    assert files(paths) == [paths.relative(each) for each in sorted(found)]
