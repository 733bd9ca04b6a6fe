"""The places of the library, and nothing outside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from hotfolder.files.paths import LibraryPaths

JOB_ID = "0199aa00-1111-7abc-8def-0123456789ab"
NEW_YEAR = datetime(2027, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))  # still 2026 in UTC


@pytest.fixture
def paths(tmp_path: Path) -> LibraryPaths:
    return LibraryPaths(tmp_path / "library")


def test_every_file_of_the_library_has_its_documented_place(paths: LibraryPaths) -> None:
    original = paths.original(NEW_YEAR, "0199-ab", ".png")
    places = {
        paths.settings_file: "hotfolder.yaml",
        paths.database: "library.db",
        paths.run: "run",
        paths.inbox: "inbox",
        paths.hold: "inbox/hold",
        paths.processing: "processing",
        paths.failed: "failed",
        paths.imports: "import",
        paths.presets: "presets",
        paths.logs: "logs",
        paths.models: "models",
        paths.engines: "engines",
        paths.outbox: "outbox",
        paths.done_dir(NEW_YEAR): "done/2026/12/31",
        paths.trash_dir(NEW_YEAR): "trash/2026/12/31",
        paths.status_json(JOB_ID): f"status/{JOB_ID}.json",
        paths.status_text(JOB_ID): f"status/{JOB_ID}.txt",
        original: "originals/2026/12/0199-ab.png",
        paths.sidecar_json(original): "originals/2026/12/0199-ab.png.json",
        paths.sidecar_xmp(original): "originals/2026/12/0199-ab.png.xmp",
        paths.thumbnail("0199-ab"): "thumbnails/ab/0199-ab.jpg",
        paths.reference("9f86", ".webp"): "refs/9f86.webp",
        paths.ref_cache("77aa"): "ref_cache/77aa.png",
        paths.ref_thumbnail("0199-cd", 3): "ref_thumbnails/cd/0199-cd/3.jpg",
        paths.work("0199-cd"): "work/0199-cd",
    }

    assert {paths.relative(path): path for path in places} == {text: path for path, text in places.items()}


def test_folders_are_made_once_and_keep_what_they_hold(paths: LibraryPaths) -> None:
    paths.create()
    kept = paths.inbox / "a.yaml"
    kept.write_text("x")

    paths.create()

    assert kept.read_text() == "x"
    for folder in (
        paths.run,
        paths.hold,
        paths.processing,
        paths.failed,
        paths.imports,
        paths.refs,
        paths.logs,
    ):
        assert folder.is_dir()


def test_day_of_a_time_without_zone_is_refused(paths: LibraryPaths) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        paths.done_dir(datetime(2026, 1, 1))


def test_relative_and_absolute_are_each_others_inverse(paths: LibraryPaths) -> None:
    path = paths.inbox / "sub" / "caf\udce9.yaml"

    assert paths.absolute(paths.relative(path)) == path
    assert paths.relative(path) == "inbox/sub/caf\udce9.yaml"


def test_picture_is_located_below_the_library_or_where_it_stayed(paths: LibraryPaths) -> None:
    assert paths.locate("originals/2026/11/a.png") == paths.root / "originals" / "2026" / "11" / "a.png"
    assert paths.locate("/srv/photos/a.png") == Path("/srv/photos/a.png")
    with pytest.raises(ValueError, match="not a path inside the library"):
        paths.locate("../a.png")


@pytest.mark.parametrize("outside", ["/etc/passwd", "library/../secret", "inbox/a.yaml"])
def test_path_outside_the_library_has_no_relative_form(paths: LibraryPaths, outside: str) -> None:
    path = paths.root.parent / outside if outside.startswith("library") else Path(outside)

    with pytest.raises(ValueError, match=r"library|subpath"):
        paths.relative(path)


@pytest.mark.parametrize("text", ["/etc/passwd", "../x", "originals/../../x", "", ".", "a\0b"])
def test_stored_path_that_leads_elsewhere_is_refused(paths: LibraryPaths, text: str) -> None:
    with pytest.raises(ValueError, match="not a path inside the library"):
        paths.absolute(text)


@pytest.mark.parametrize("media_id", ["../../x", "a/b", "", ".."])
def test_id_cannot_lead_to_another_folder(paths: LibraryPaths, media_id: str) -> None:
    with pytest.raises(ValueError, match="not a file name"):
        paths.thumbnail(media_id)


def test_months_of_arrival_are_those_of_utc(paths: LibraryPaths) -> None:
    assert paths.originals_dir(NEW_YEAR) == paths.originals_dir(NEW_YEAR.astimezone(UTC))
