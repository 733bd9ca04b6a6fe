"""Accepted references on their way to the engine: only what was accepted, whole, each content once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hotfolder.errors import ContentMissing
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import store_by_hash
from hotfolder.generation.prepare import prepare_full_size, prepare_references
from hotfolder.library.generations import GenerationInput
from tests import pictures


@pytest.fixture
def paths(tmp_path: Path) -> LibraryPaths:
    found = LibraryPaths(tmp_path / "library")
    found.create()
    return found


def accept(paths: LibraryPaths, source: Path, position: int = 0) -> GenerationInput:
    sha256, stored = store_by_hash(source, paths.refs, source.suffix)
    return GenerationInput(
        f"i{position}", "g1", position, sha256, paths.relative(stored), f"t{position}.jpg", source.name
    )


def test_reference_overwritten_after_acceptance_is_refused_and_not_prepared(
    paths: LibraryPaths, tmp_path: Path
) -> None:
    reference = accept(paths, pictures.write_png(tmp_path / "a.png"))
    pictures.write_grey_png(paths.absolute(reference.file_path))

    with pytest.raises(ContentMissing, match=r"\(a.png\) is gone or has changed") as caught:
        prepare_references(paths, [reference])

    assert caught.value.code == "job.ref_missing"
    assert not any((paths.root / "ref_cache").iterdir())


def test_reference_that_is_gone_is_refused(paths: LibraryPaths, tmp_path: Path) -> None:
    reference = accept(paths, pictures.write_png(tmp_path / "a.png"))
    paths.absolute(reference.file_path).unlink()

    with pytest.raises(ContentMissing) as caught:
        prepare_references(paths, [reference])

    assert (caught.value.code, caught.value.retryable) == ("job.ref_missing", False)


@pytest.mark.parametrize("left", [0.0, 0.5], ids=["empty", "half"])
def test_broken_cached_file_is_made_again_as_it_was(paths: LibraryPaths, tmp_path: Path, left: float) -> None:
    reference = accept(paths, pictures.write_png(tmp_path / "a.png"))
    (first,) = prepare_references(paths, [reference])
    cached = Path(first.path)
    whole = cached.read_bytes()
    cached.write_bytes(whole[: int(len(whole) * left)])

    again = prepare_references(paths, [reference])

    assert again == (first,)
    assert cached.read_bytes() == whole


def test_whole_cached_file_serves_when_the_accepted_one_is_gone(paths: LibraryPaths, tmp_path: Path) -> None:
    reference = accept(paths, pictures.write_png(tmp_path / "a.png"))
    prepared = prepare_references(paths, [reference])
    shutil.rmtree(paths.refs)

    assert prepare_references(paths, [reference]) == prepared


def test_two_files_with_the_same_pixels_are_handed_over_once_in_order(
    paths: LibraryPaths, tmp_path: Path
) -> None:
    sources = [
        pictures.write_png(tmp_path / "a.png"),
        pictures.write_bmp(tmp_path / "a.bmp"),
        pictures.write_grey_png(tmp_path / "grey.png"),
    ]
    inputs = [accept(paths, source, position) for position, source in enumerate(sources)]

    prepared = prepare_references(paths, inputs)

    assert [each.position for each in prepared] == [0, 2]


def test_full_size_reference_is_upright_with_all_of_its_pixels_and_its_alpha(
    paths: LibraryPaths, tmp_path: Path
) -> None:
    large = accept(paths, pictures.write_rotated_jpeg(tmp_path / "a.jpg", (1200, 1600)), 0)
    clear = accept(paths, pictures.write_rgba_png(tmp_path / "b.png", (33, 21)), 1)
    folder = tmp_path / "work"
    folder.mkdir()

    one, other = prepare_full_size(paths, [large, clear], folder)

    assert (one.width, one.height, one.has_alpha) == (1200, 1600, False)
    assert pictures.colours_are_close(pictures.corner_colours(Path(one.path)), pictures.CORNERS)
    assert (other.width, other.height, other.has_alpha) == (33, 21, True)
    assert {Path(each.path).parent for each in (one, other)} == {folder}
    assert not any((paths.root / "ref_cache").iterdir())


def test_full_size_reference_that_is_gone_is_refused(paths: LibraryPaths, tmp_path: Path) -> None:
    reference = accept(paths, pictures.write_png(tmp_path / "a.png"))
    paths.absolute(reference.file_path).unlink()

    with pytest.raises(ContentMissing):
        prepare_full_size(paths, [reference], tmp_path)
