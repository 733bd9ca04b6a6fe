"""When a picture counts as one that the library has: never for a file that is elsewhere, or damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.clock import new_id
from hotfolder.imports.bringing import Carrier, Mode
from tests import pictures
from tests.import_ledger import ends, files_in
from tests.imports.conftest import Make, Porter, media_of


@pytest.fixture
def referred(porter: Porter, tmp_path: Path) -> Path:
    """A picture on another disk that the library only refers to."""
    source = pictures.write_png(tmp_path / "usb.png")
    bring(porter, source, "reference")
    return source


def test_dropped_twin_of_a_reference_becomes_the_librarys_own(porter: Porter, referred: Path) -> None:
    porter.drop("mine.png", referred.read_bytes())

    porter.bring_in()

    assert len(own_pictures(porter)) == 1
    assert files_in(porter.root / "trash") == []


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_twin_of_a_reference_that_is_imported_becomes_the_librarys_own(
    porter: Porter, tmp_path: Path, referred: Path, mode: Mode
) -> None:
    mine = tmp_path / "mine.png"
    mine.write_bytes(referred.read_bytes())

    bring(porter, mine, mode)

    assert len(own_pictures(porter)) == 1
    assert files_in(porter.root / "trash") == []


def test_reference_can_be_made_the_librarys_own_by_a_copy(porter: Porter, referred: Path) -> None:
    bring(porter, referred, "copy")
    bring(porter, referred, "copy")

    assert [each["outcome"] for each in ends(porter.root)] == ["imported", "imported", "duplicate"]
    assert len(own_pictures(porter)) == 1


def test_known_file_to_be_moved_goes_when_the_library_has_its_own_beside_a_reference(
    porter: Porter, make: Make, referred: Path
) -> None:
    bring(porter, referred, "copy")
    foreign = make("move")
    (foreign.path / "a.png").write_bytes(referred.read_bytes())

    foreign.bring_in()

    assert files_in(foreign.path) == []
    assert len(media_of(porter)) == 2


def test_good_twin_of_a_damaged_original_of_the_same_size_does_not_go_to_trash(porter: Porter) -> None:
    content = pictures.write_png(porter.root / "import" / "a.png").read_bytes()
    porter.bring_in()
    (original,) = own_pictures(porter)
    original.write_bytes(content[:40] + bytes([content[40] ^ 0xFF]) + content[41:])
    porter.drop("b.png", content)

    porter.bring_in()

    assert [each["outcome"] for each in ends(porter.root)] == ["imported", "imported"]
    assert content in {each.read_bytes() for each in own_pictures(porter)}


def bring(porter: Porter, source: Path, mode: Mode) -> None:
    desk = porter.library.import_desk
    desk.enqueue([Carrier(porter.library.paths, desk, make_id=new_id).method(mode)(source)])
    porter.work()


def own_pictures(porter: Porter) -> list[Path]:
    return [each for each in files_in(porter.root / "originals") if each.suffix == ".png"]
