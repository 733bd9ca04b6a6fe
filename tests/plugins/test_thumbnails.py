"""Thumbnails are read without a thread when the system has them in memory, and by one when it has not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from datasette_hotfolder.thumbnails import LARGEST_BYTES, read_all, read_known


@pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="this system cannot tell what it has in memory")
def test_a_file_that_was_just_written_is_read_at_once(tmp_path: Path) -> None:
    (tmp_path / "thumb.jpg").write_bytes(b"picture" * 1000)

    with (tmp_path / "thumb.jpg").open("rb") as stream:
        assert read_known(stream) == b"picture" * 1000


@pytest.mark.parametrize("failure", [BlockingIOError(11, "not in memory"), OSError(95, "not here")])
def test_what_is_not_in_memory_or_cannot_be_told_is_left_to_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: OSError
) -> None:
    def refuse(*given: object) -> int:
        raise failure

    (tmp_path / "thumb.jpg").write_bytes(b"picture")
    monkeypatch.setattr(os, "preadv", refuse, raising=False)

    with (tmp_path / "thumb.jpg").open("rb") as stream, pytest.raises(BlockingIOError):
        read_known(stream)
    with (tmp_path / "thumb.jpg").open("rb") as stream:
        assert read_all(stream) == b"picture"


def test_a_part_is_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "thumb.jpg").write_bytes(b"picture")
    monkeypatch.setattr(os, "preadv", lambda *given: 3, raising=False)

    with (tmp_path / "thumb.jpg").open("rb") as stream, pytest.raises(BlockingIOError):
        read_known(stream)


def test_a_huge_file_is_read_only_as_far_as_to_know_that_it_is_huge(tmp_path: Path) -> None:
    with (tmp_path / "thumb.jpg").open("wb") as made:
        made.truncate(LARGEST_BYTES * 10)

    with (tmp_path / "thumb.jpg").open("rb") as stream:
        assert len(read_all(stream)) == LARGEST_BYTES + 1
