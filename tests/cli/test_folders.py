"""hotfolder folders, as a user calls it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests import pictures
from tests.cli.conftest import Command
from tests.import_ledger import ends
from tests.scenarios.service import Service


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


def test_added_folder_is_listed_with_all_that_was_said(on: Command, photos: Path) -> None:
    outcome = on(
        *("folders", "add", photos, "--mode", "move", "--no-recursive", "--collection", "Spring"),
        *("--keywords", "trip/sea, holiday,", "--keywords", "holiday"),
    )

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        f"Pictures in {photos} will be moved into the library.",
        "No service runs on this library; the next one begins with it.",
    ]
    (found,) = on("folders", "list", "--json").json
    assert found.pop("folderId")
    assert found == {
        "path": str(photos),
        "mode": "move",
        "recursive": False,
        "keywords": ["trip/sea", "holiday"],
        "collection": "Spring",
        "origin": "folders add",
        "state": "watched",
        "problem": None,
        "taken": 0,
        "duplicates": 0,
        "waiting": 0,
        "refused": 0,
        "lastRefusal": None,
    }
    assert list(photos.iterdir()) == []


def test_folder_is_copied_from_with_all_below_it_unless_told_otherwise(on: Command, photos: Path) -> None:
    on("folders", "add", photos)

    (found,) = on("folders", "list", "--json").json
    assert (found["mode"], found["recursive"], found["keywords"], found["collection"]) == (
        "copy",
        True,
        [],
        None,
    )
    assert str(photos) in on("folders", "list").out


def test_library_file_and_overlapping_folder_are_refused(on: Command, root: Path, photos: Path) -> None:
    (photos / "below").mkdir()
    (photos / "note").touch()
    assert on("folders", "add", photos).code == 0

    for place, message in (
        (root / "import", "lies in the library"),
        (root.parent, "holds the library"),
        (photos / "note", "overlaps the import folder"),
        (photos / "below", "overlaps the import folder"),
        (photos, "overlaps the import folder"),
    ):
        outcome = on("folders", "add", place)
        assert (outcome.code, message in outcome.err) == (1, True), outcome.err
        assert "[library.folder_refused]" in outcome.err
    assert len(on("folders", "list", "--json").json) == 1


def test_folder_that_is_not_there_is_added_with_a_warning(on: Command, photos: Path) -> None:
    shutil.rmtree(photos)

    outcome = on("folders", "add", photos)

    assert outcome.code == 0
    assert "it is not there now" in outcome.err
    assert on("folders", "list", "--json").json[0]["state"] == "missing"


def test_removed_folder_is_no_longer_listed(on: Command, photos: Path) -> None:
    on("folders", "add", photos)

    assert on("folders", "remove", photos).code == 0

    assert on("folders", "list").out == "There are no import folders.\n"
    outcome = on("folders", "remove", photos)
    assert (outcome.code, "[library.not_found]" in outcome.err) == (1, True)


def test_folder_of_the_settings_is_listed_and_cannot_be_removed(
    on: Command, root: Path, photos: Path
) -> None:
    text = "folders: {import: [{path: ../photos, mode: reference, keywords: [a]}, {path: import}]}\n"
    (root / "hotfolder.yaml").write_text(text)

    good, bad = on("folders", "list", "--json").json

    assert (good["path"], good["origin"], good["state"]) == (str(photos), "hotfolder.yaml", "watched")
    assert (bad["state"], "lies in the library" in bad["problem"]) == ("refused", True)
    assert "lies in the library" in on("folders", "list").out
    outcome = on("folders", "remove", photos)
    assert (outcome.code, "hotfolder.yaml" in outcome.err) == (1, True)
    assert "overlaps" in on("folders", "add", photos).err


def test_folder_that_stands_twice_in_the_settings_is_one_and_the_other_is_told(
    on: Command, root: Path, photos: Path
) -> None:
    pictures.write_png(photos / "a.png")
    text = f"folders: {{import: [{{path: ../photos}}, {{path: {photos}, mode: move}}]}}\n"
    (root / "hotfolder.yaml").write_text(text)

    assert Service(root).run_once() == 0

    assert "no longer watching" not in (root / "logs" / "hotfolder.log").read_text()
    first, second = on("folders", "list", "--json").json
    assert (first["state"], first["taken"]) == ("watched", 1)
    assert (second["state"], "overlaps" in second["problem"]) == ("refused", True)
    assert (photos / "a.png").exists()


def test_space_around_words_of_the_settings_means_nothing(on: Command, root: Path, photos: Path) -> None:
    text = "folders: {import: [{path: ../photos, keywords: [' a ', '', a, b], collection: ' Spring '}]}\n"
    (root / "hotfolder.yaml").write_text(text)

    (found,) = on("folders", "list", "--json").json

    assert (found["keywords"], found["collection"]) == (["a", "b"], "Spring")


def test_folder_whose_name_is_not_utf8_is_refused_in_words(on: Command, photos: Path) -> None:
    place = photos / os.fsdecode(b"x\xff")
    place.mkdir()

    outcome = on("folders", "add", place)

    assert (outcome.code, "this path is not UTF-8" in outcome.err) == (1, True)
    assert "[library.folder_refused]" in outcome.err
    assert on("folders", "remove", place).code == 1


def test_moved_pictures_are_counted_as_taken(on: Command, root: Path, photos: Path) -> None:
    pictures.write_png(photos / "a.png")
    on("folders", "add", photos, "--mode", "move")

    assert Service(root).run_once() == 0

    (found,) = on("folders", "list", "--json").json
    assert [found[key] for key in ("taken", "duplicates", "waiting", "refused")] == [1, 0, 0, 0]


def test_list_counts_what_came_of_the_files_and_says_what_was_refused_last(
    on: Command, root: Path, photos: Path
) -> None:
    pictures.write_png(photos / "a.png")
    (photos / "b.png").write_bytes((photos / "a.png").read_bytes())
    bad = pictures.write_text(photos / "bad.jpg")
    on("folders", "add", photos)

    assert Service(root).run_once() == 0

    (found,) = on("folders", "list", "--json").json
    assert [found[key] for key in ("taken", "duplicates", "waiting", "refused")] == [1, 1, 0, 1]
    assert found["lastRefusal"]["file"] == str(bad)
    assert found["lastRefusal"]["code"] == "library.corrupt_image"
    text = on("folders", "list").out
    assert "1 taken, 1 duplicate, 1 refused" in text
    assert f"Refused last: {bad}" in text
    assert len(ends(root)) == 3
