"""What of a file or a folder on the disk makes its signature."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hotfolder.watchers.settle import Signature
from hotfolder.watchers.signatures import read_signature


def _read(path: Path) -> Signature | None:
    return read_signature(str(path), lambda name: name.endswith(".job"))


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    folder = tmp_path / "set.job"
    (folder / "refs").mkdir(parents=True)
    (folder / "job.yaml").write_text("prompt: a")
    (folder / "refs/a.png").write_bytes(b"12345")
    return folder


def test_link_pipe_and_plain_folder_have_no_signature(tmp_path: Path, unit: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "link.job").symlink_to(unit)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "link.job", "pipe", "folder", "nothing"):
        assert _read(tmp_path / name) is None


def test_signature_of_a_unit_is_that_of_its_files(unit: Path) -> None:
    os.utime(unit / "refs/a.png", (5_000_000_000, 5_000_000_000))
    signature = _read(unit)
    assert signature is not None
    assert signature == _read(unit)
    assert (signature.inode, signature.size) == (unit.stat().st_ino, 14)
    assert signature.mtime_ns == 5_000_000_000 * 10**9


@pytest.mark.parametrize(
    "change",
    [
        lambda unit: (unit / "refs/a.png").write_bytes(b"54321"),
        lambda unit: (unit / "refs/b.png").touch(),
        lambda unit: (unit / "refs/a.png").unlink(),
        lambda unit: (unit / "refs/a.png").rename(unit / "refs/b.png"),
        lambda unit: (unit / "refs").rename(unit / "pictures"),
        lambda unit: (unit / "refs/.b.png.Ab12").touch(),
    ],
)
def test_any_change_of_a_file_changes_the_unit(unit: Path, change: Callable[[Path], object]) -> None:
    before = _read(unit)
    change(unit)
    assert _read(unit) != before


def test_links_in_a_unit_make_no_difference(unit: Path, tmp_path: Path) -> None:
    before = _read(unit)
    (unit / "refs/link.png").symlink_to("/etc/passwd")
    (unit / "linked").symlink_to(tmp_path)
    assert _read(unit) == before


def test_unit_with_nothing_but_temporary_names_is_empty(tmp_path: Path) -> None:
    folder = tmp_path / "set.job"
    (folder / "@eaDir").mkdir(parents=True)
    (folder / ".DS_Store").write_text("x")
    (folder / "@eaDir/a.png").write_text("x")
    signature = _read(folder)
    assert signature is not None
    assert signature.size == 0
