"""Which file a written name means, and what is refused whoever asks for it."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from hotfolder.errors import LibraryError
from hotfolder.files.paths import LibraryPaths
from hotfolder.generation.finding import Arriving, Beside, Missing, ReferenceFinder
from tests import pictures

NFC = unicodedata.normalize("NFC", "Büro.png")
NFD = unicodedata.normalize("NFD", "Büro.png")


class _House:
    """A library with an allowed folder beside it; `taken` are places whose pictures joined the library."""

    def __init__(self, root: Path) -> None:
        self.paths = LibraryPaths(root / "library")
        self.paths.create()
        self.paths.database.touch()
        self.allowed = root / "allowed"
        self.allowed.mkdir()
        self.taken: dict[str, str] = {}
        self.finder = ReferenceFinder(self.paths, [self.allowed], self.taken.get)

    def beside(
        self, folder: str = "", is_arriving: Callable[[Path], bool] = lambda _: False, **more: Path
    ) -> Beside:
        return Beside(self.paths.inbox / folder, is_arriving=is_arriving, **more)

    def find(self, text: str, folder: str = "") -> Path:
        return self.finder.find(text, self.beside(folder))

    def draw(self, name: str) -> Path:
        file = self.paths.inbox / name
        file.parent.mkdir(parents=True, exist_ok=True)
        return pictures.write_grey_png(file)

    def read(self, text: str, found: Path) -> bytes:
        with self.finder.open(found, text, self.beside()) as stream:
            return stream.read()


@pytest.fixture
def house(tmp_path: Path) -> _House:
    return _House(tmp_path)


def refusal(act: Callable[[], object]) -> LibraryError:
    with pytest.raises(LibraryError) as caught:
        act()
    assert not isinstance(caught.value, Missing)
    return caught.value


def test_name_is_looked_for_beside_the_job_file(house: _House) -> None:
    house.draw("bay.png")
    beside = house.draw("shots/bay.png")

    assert house.find("bay.png", "shots") == house.find("./bay.png", "shots") == beside


@pytest.mark.parametrize(
    ("there", "written"),
    [(NFD, NFC), (NFC, NFD), ("Bay.PNG", "bay.png"), (NFD, NFC.upper()), ("STRASSE.png", "straße.png")],
)
def test_name_that_looks_alike_means_the_file(house: _House, there: str, written: str) -> None:
    file = house.draw(there)

    assert house.find(written) == file


def test_exact_name_goes_before_one_that_is_alike(house: _House) -> None:
    nfd, nfc, upper = house.draw(NFD), house.draw(NFC), house.draw("BÜRO.png")

    assert [house.find(each.name) for each in (nfd, nfc, upper)] == [nfd, nfc, upper]


def test_name_in_another_normal_form_goes_before_one_in_another_case(house: _House) -> None:
    nfd = house.draw(NFD)
    house.draw("BÜRO.png")

    assert house.find(NFC) == nfd


def test_name_that_may_mean_two_files_is_refused_with_both(house: _House) -> None:
    house.draw("Bay.png")
    house.draw("BAY.png")

    error = refusal(lambda: house.find("bay.png"))

    assert "`BAY.png`, `Bay.png`" in error.message
    assert error.hint


def test_two_files_that_differ_by_case_are_each_found_by_their_own_name(house: _House) -> None:
    upper, lower = house.draw("Bay.png"), house.draw("bay.png")

    assert (house.find("Bay.png"), house.find("bay.png")) == (upper, lower)


def test_folders_on_the_way_may_look_alike_too(house: _House) -> None:
    file = house.draw("Entwürfe/Bay.png")

    assert house.find(unicodedata.normalize("NFD", "entwürfe/bay.png")) == file
    assert house.find("../ENTWÜRFE/bay.png", "shots") == file


def test_two_folders_that_look_alike_are_refused_with_both(house: _House) -> None:
    house.draw("Shots/bay.png")
    house.draw("SHOTS/bay.png")

    assert "`SHOTS`, `Shots`" in refusal(lambda: house.find("shots/bay.png")).message


def test_file_that_is_not_there_is_missing_with_the_nearest_names(house: _House) -> None:
    for name in ("lighthouse.png", "lighthouses.png", "sea.jpg"):
        house.draw(name)

    with pytest.raises(Missing) as caught:
        house.find("lighthose.png")

    assert caught.value.code == "job.ref_missing"
    assert "`lighthose.png`" in caught.value.message
    assert caught.value.hint is not None
    assert "`lighthouse.png`" in caught.value.hint
    assert "sea" not in caught.value.hint


@pytest.mark.parametrize("text", ["none/bay.png", "loop.png", "a\0b.png", "n" * 300 + ".png"])
def test_path_that_leads_nowhere_is_missing(house: _House, text: str) -> None:
    (house.paths.inbox / "loop.png").symlink_to(house.paths.inbox / "loop.png")

    with pytest.raises(Missing):
        house.find(text)


@pytest.mark.parametrize(
    "text",
    [
        "../../outside.png",
        "/etc/passwd",
        "../hotfolder.yaml",
        "../library.db",
        "../LIBRARY.DB",
        "../processing/x--a.yaml",
        "shots/../../../outside.png",
        "../inbox/../../outside.png",
        "../work/a.png",
        "link.png",
        "folder/outside.png",
        "hard.png",
        "..",
        "../..",
    ],
)
def test_what_lies_outside_the_picture_folders_is_refused_there_or_not(house: _House, text: str) -> None:
    outside = pictures.write_grey_png(house.paths.root.parent / "outside.png")
    (house.paths.inbox / "link.png").symlink_to(outside)
    (house.paths.inbox / "folder").symlink_to(outside.parent)
    os.link(house.paths.database, house.paths.inbox / "hard.png")

    refusal(lambda: house.find(text))


def test_near_names_outside_are_not_told(house: _House) -> None:
    pictures.write_grey_png(house.paths.root.parent / "secret-plan.png")

    error = refusal(lambda: house.find("../../secret-plam.png"))

    assert "secret-plan" not in f"{error.message} {error.hint}"


def test_picture_in_an_allowed_folder_is_found_by_its_path_and_by_a_link(house: _House) -> None:
    file = pictures.write_grey_png(house.allowed / "Bay.png")
    (house.paths.inbox / "link.png").symlink_to(file)

    assert house.find(str(house.allowed / "bay.PNG")) == house.find("link.png") == file


def test_link_inside_an_allowed_folder_does_not_lead_out_of_it(house: _House) -> None:
    outside = pictures.write_grey_png(house.paths.root.parent / "outside.png")
    (house.allowed / "link.png").symlink_to(outside)

    refusal(lambda: house.find(str(house.allowed / "link.png")))


def test_library_that_is_reached_by_a_link_is_searched_like_any(tmp_path: Path) -> None:
    real = _House(tmp_path / "real")
    (tmp_path / "link").symlink_to(real.paths.root)
    paths = LibraryPaths(tmp_path / "link")
    file = real.draw("bay.png")

    finder = ReferenceFinder(paths, [], lambda _: None)

    assert finder.find("bay.png", Beside(paths.inbox)) == file


def test_opened_file_decides_when_the_name_leads_elsewhere_by_now(house: _House) -> None:
    outside = pictures.write_grey_png(house.paths.root.parent / "outside.png")
    found = house.find(house.draw("bay.png").name)
    found.unlink()
    found.symlink_to(outside)

    refusal(lambda: house.read("bay.png", found))


def test_folder_that_was_swapped_for_a_link_after_the_check_leads_nowhere(house: _House) -> None:
    outside = house.paths.root.parent / "elsewhere"
    outside.mkdir()
    pictures.write_grey_png(outside / "bay.png")
    house.draw("shots/bay.png")
    found = house.find("shots/bay.png")
    found.parent.rename(house.paths.root / "away")
    found.parent.symlink_to(outside)

    refusal(lambda: house.read("shots/bay.png", found))


def test_hard_link_to_the_database_swapped_in_after_the_check_is_not_read(house: _House) -> None:
    found = house.find(house.draw("bay.png").name)
    found.unlink()
    os.link(house.paths.database, found)

    assert "database" in refusal(lambda: house.read("bay.png", found)).message


def test_pipe_or_device_is_refused_without_waiting(house: _House) -> None:
    os.mkfifo(house.paths.inbox / "pipe.png")
    (house.paths.inbox / "null.png").symlink_to("/dev/null")
    (house.paths.inbox / "folder.png").mkdir()

    for name in ("pipe.png", "folder.png"):
        error = refusal(lambda name=name: house.read(name, house.find(name)))  # type: ignore[misc]
        assert "not a regular file" in error.message
    refusal(lambda: house.find("null.png"))


def test_picture_that_is_being_written_is_arriving(house: _House) -> None:
    house.draw("bay.png")

    with pytest.raises(Arriving):
        house.finder.find("bay.png", house.beside(is_arriving=lambda _: True))


def test_nobody_asks_whether_a_picture_of_the_library_is_being_written(house: _House) -> None:
    (house.paths.root / "originals").mkdir(exist_ok=True)
    file = pictures.write_grey_png(house.paths.root / "originals" / "bay.png")

    assert house.finder.find("../originals/bay.png", house.beside(is_arriving=lambda _: True)) == file


def test_place_whose_picture_joined_the_library_means_its_copy(house: _House) -> None:
    house.taken["shots/bay.png"] = "ab" * 32
    copy = house.paths.refs / f"{'ab' * 32}.png"
    copy.write_bytes(b"a picture")

    assert house.find("bay.png", "shots") == copy
    assert house.find("../shots/bay.png", "other") == copy
    with pytest.raises(Missing):
        house.find("bay.png")


def test_new_picture_at_the_place_of_a_used_one_goes_before_the_copy(house: _House) -> None:
    house.taken["bay.png"] = "ab" * 32
    (house.paths.refs / f"{'ab' * 32}.png").write_bytes(b"a picture")
    file = house.draw("bay.png")

    assert house.find("bay.png") == file


def test_bundle_goes_before_the_folder_and_does_not_lead_out(house: _House) -> None:
    bundle = house.paths.root / "work" / "unpacked" / "x"
    bundle.mkdir(parents=True)
    inside = pictures.write_grey_png(bundle / "Bay.png")
    outside = house.draw("bay.png")
    pictures.write_grey_png(bundle.parent / "neighbour.png")
    beside = house.beside(bundle=bundle)

    assert house.finder.find("bay.png", beside) == inside
    assert house.finder.find("bay.png", house.beside()) == outside
    refusal(lambda: house.finder.find("../../../library.db", beside))
    with pytest.raises(LibraryError):
        house.finder.find(str(bundle.parent / "neighbour.png"), beside)


def test_bundle_whose_folder_became_a_link_after_the_check_gives_nothing(house: _House) -> None:
    bundle = house.paths.processing / "x--set.job" / "inner"
    bundle.mkdir(parents=True)
    inside = pictures.write_grey_png(bundle / "bay.png")
    outside = house.paths.root.parent / "elsewhere"
    outside.mkdir()
    pictures.write_grey_png(outside / "bay.png")
    beside = house.beside(bundle=bundle)
    found = house.finder.find("bay.png", beside)
    house.finder.open(found, "bay.png", beside).close()

    bundle.rename(bundle.with_name("old"))
    bundle.symlink_to(outside)

    assert found == inside
    with pytest.raises(NotADirectoryError):
        house.finder.open(found, "bay.png", beside)


def test_library_that_is_reached_by_a_link_finds_what_is_in_a_bundle(tmp_path: Path) -> None:
    real = _House(tmp_path / "real")
    (tmp_path / "link").symlink_to(real.paths.root)
    paths = LibraryPaths(tmp_path / "link")
    bundle = paths.processing / "x--set.job"
    bundle.mkdir()
    pictures.write_grey_png(bundle / "bay.png")
    finder = ReferenceFinder(paths, [], lambda _: None)
    beside = Beside(paths.inbox, bundle)

    with finder.open(finder.find("Bay.png", beside), "Bay.png", beside) as stream:
        assert stream.read()


def test_hard_link_to_the_database_in_a_bundle_is_refused_unopened(house: _House) -> None:
    bundle = house.paths.processing / "x--set.job"
    bundle.mkdir()
    os.link(house.paths.database, bundle / "bay.png")

    assert "database" in refusal(lambda: house.finder.find("bay.png", house.beside(bundle=bundle))).message


@pytest.mark.parametrize(
    ("place", "may_leave"),
    [
        ("bay.png", True),
        ("shots/bay.png", True),
        ("shots/hold/bay.png", True),
        ("shots.jobs/bay.job.png", True),
        ("hold/bay.png", False),
        ("hold/shots/bay.png", False),
        ("Set.JOB/inner/bay.png", False),
        ("set.job.part/bay.png", False),
        ("shots/.set/bay.png", False),
        ("set.tmp/bay.png", False),
    ],
)
def test_picture_leaves_the_inbox_unless_it_is_held_or_belongs_to_a_bundle(
    house: _House, place: str, may_leave: bool
) -> None:
    assert house.finder.may_take(house.find(house.draw(place).relative_to(house.paths.inbox).as_posix())) == (
        may_leave
    )


def test_picture_outside_the_inbox_is_not_taken_from_there(house: _House) -> None:
    assert not house.finder.may_take(pictures.write_grey_png(house.allowed / "bay.png"))
