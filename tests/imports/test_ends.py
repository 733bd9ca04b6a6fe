"""Files that do not become pictures: reports beside them, free names, references left alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hotfolder.imports.incoming import Incoming, build_refusal
from tests import pictures
from tests.import_ledger import assert_books_are_closed, ends
from tests.imports.conftest import Porter

ERROR = {
    "code": "library.corrupt_image",
    "message": "a.png cannot be used: it ends early",
    "hint": "Drop it.",
}


@pytest.fixture
def photo(tmp_path: Path) -> bytes:
    return pictures.write_jpeg(tmp_path / "photo").read_bytes()


def test_refused_file_has_a_result_for_programs_and_a_report_for_people(porter: Porter) -> None:
    porter.drop("sub/a.png", b"no picture")

    (end,) = porter.bring_in()

    place = porter.root / "failed" / "a.png"
    assert place.read_bytes() == b"no picture"
    result = json.loads(place.with_name("a.png.result.json").read_bytes())
    assert result == {
        "schema": "hotfolder/import-result@1",
        "status": "failed",
        "importId": end["importId"],
        "file": "import/sub/a.png",
        "error": {key: end[key] for key in ("code", "message", "hint")},
    }
    report = place.with_name("a.png.error.md").read_text(encoding="utf-8")
    assert "it is text, not a picture" in report
    assert "`import/sub/a.png`" in report


def test_refused_files_of_one_name_lie_side_by_side(porter: Porter) -> None:
    (porter.root / "failed" / "a~2.png.error.md").write_text("of another file")
    names = ["a.png", "b/a.png", "c/a.png"]
    for name in names:
        porter.drop(name, name.encode())

    found = {each["path"] for each in porter.bring_in()}

    assert found == {"failed/a.png", "failed/a~3.png", "failed/a~4.png"}
    assert (porter.root / "failed" / "a~2.png.error.md").read_text() == "of another file"


@pytest.mark.parametrize("name", ["<script>`x`.png", "a\nb.png", "caf\udce9.png", "y" * 251 + ".png"])
def test_hostile_name_leads_nowhere_and_is_shown_harmlessly(porter: Porter, name: str) -> None:
    porter.drop(name, b"no picture")

    (end,) = porter.bring_in()

    assert_books_are_closed(porter.root, [], [b"no picture"])
    report = (porter.root / f"{end['path']}.error.md").read_text(encoding="utf-8")
    assert report.splitlines()[0].startswith("# `")
    assert "<" not in re.sub("`[^`]*`", "", report)


def test_file_that_somebody_put_into_the_reserved_place_is_not_written_over(porter: Porter) -> None:
    porter.drop("a.png", b"no picture")
    porter.claim()
    item = porter.library.work.claim("cpu")
    assert item is not None
    (file,) = item.payload["files"]
    failed = porter.root / "failed"
    (failed / "a.png.result.json").write_text(json.dumps({"importId": file["mediaId"]}))
    (failed / "a.png").write_bytes(b"somebody's")
    porter.restart()

    porter.work()

    assert (failed / "a.png").read_bytes() == b"somebody's"
    assert (failed / "a~2.png").read_bytes() == b"no picture"


def test_unreadable_result_of_somebody_is_not_taken_for_ours(porter: Porter) -> None:
    for text in ("[1]", "{"):
        (porter.root / "failed" / "a.png.result.json").write_text(text)
        porter.drop("a.png", text.encode())

    porter.bring_in()

    assert (porter.root / "failed" / "a.png.result.json").read_text() == "{"
    assert (porter.root / "failed" / "a~2.png").exists()


def test_reference_that_is_refused_or_known_stays_where_it_is(
    porter: Porter, photo: bytes, tmp_path: Path
) -> None:
    porter.drop("a.jpg", photo)
    porter.bring_in()
    known, bad = tmp_path / "known.jpg", tmp_path / "bad.jpg"
    known.write_bytes(photo)
    bad.write_bytes(b"no picture")
    desk = porter.library.import_desk
    make = porter.library.import_desk._make_id
    desk.enqueue([Incoming(make(), str(each), str(each), is_reference=True) for each in (known, bad)])

    porter.work()

    outcomes = [(each["outcome"], each["path"]) for each in ends(porter.root)[1:]]
    assert sorted(outcomes) == [("duplicate", str(known)), ("failed", str(bad))]
    assert known.read_bytes() == photo
    assert bad.read_bytes() == b"no picture"
    assert list((porter.root / "failed").iterdir()) == []


def test_refusal_that_comes_after_the_end_changes_nothing(porter: Porter, photo: bytes) -> None:
    porter.drop("a.jpg", photo)
    (end,) = porter.bring_in()
    late = Incoming(end["importId"], f"work/import/{end['importId']}/a.jpg", "import/a.jpg")
    with porter.library.database.transaction() as tx:
        porter.library.work.enqueue(tx, build_refusal(late, ERROR))

    porter.work()

    assert_books_are_closed(porter.root, [photo])
