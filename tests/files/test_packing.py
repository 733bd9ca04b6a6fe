"""A parcel becomes one zip that appears whole, which our own reader takes, as any other does."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from zipfile import ZIP_STORED, ZipFile

import pytest

from hotfolder.errors import LibraryError
from hotfolder.files.bundles import BundleRules, read_bundle
from hotfolder.files.packing import Parcel, write_bundle

JOB = "refs: [refs/Küste.png]\n".encode()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(bytes(range(256)) * 10_000)
    return path


def test_parcel_comes_out_as_it_went_in(tmp_path: Path, picture: Path) -> None:
    parcel = Parcel("job.yaml", JOB, {"refs/Küste.png": picture, "refs/b.png": picture})

    path = write_bundle(tmp_path / "inbox", "set.zip", parcel, "t")

    rules = BundleRules(10_000_000, 1000, lambda name: name.suffix == ".yaml", lambda path: False)
    bundle = read_bundle(path, rules)
    folder = bundle.unpack(tmp_path / "out")
    assert (bundle.job_file, bundle.data) == (PurePosixPath("job.yaml"), JOB)
    assert (folder / "refs" / "Küste.png").read_bytes() == picture.read_bytes()
    assert (folder / "refs" / "b.png").read_bytes() == picture.read_bytes()


def test_pictures_are_stored_as_they_are_and_may_be_read_by_all(tmp_path: Path, picture: Path) -> None:
    path = write_bundle(tmp_path / "inbox", "set.zip", Parcel("job.yaml", JOB, {"a.png": picture}), "t")

    with ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {each.compress_type for each in archive.infolist()} == {ZIP_STORED}
        assert {each.external_attr >> 16 for each in archive.infolist()} == {0o644}


def test_taken_name_is_not_written_over_and_nothing_else_is_left(tmp_path: Path, picture: Path) -> None:
    parcel = Parcel("job.yaml", JOB, {"a.png": picture})

    first = write_bundle(tmp_path / "inbox", "set.zip", parcel, "t")
    second = write_bundle(tmp_path / "inbox", "set.zip", parcel, "t")

    assert {first.name, second.name} == {"set.zip", "set~2.zip"}
    assert set((tmp_path / "inbox").iterdir()) == {first, second}
    assert first.read_bytes() == second.read_bytes()


def test_picture_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path, picture: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    parcel = Parcel("job.yaml", JOB, {"a.png": picture, "b.png": tmp_path / "pipe.png"})

    with pytest.raises(LibraryError, match=r"pipe\.png"):
        write_bundle(tmp_path / "inbox", "set.zip", parcel, "t")

    assert list((tmp_path / "inbox").iterdir()) == []
