"""hotfolder library purge: what lies in the trash goes for good, once somebody has said yes."""

from __future__ import annotations

import io
from pathlib import Path

import click
import pytest

from hotfolder.app import Library
from hotfolder.cli.library import library as library_group
from hotfolder.clock import new_id
from hotfolder.errors import NotFound
from hotfolder.library.trash import MEDIA_PURGE, Trash
from tests.cli.test_collections import add_picture, runner


def test_trash_is_emptied_and_the_library_is_not(
    root: Path, library: Library, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runner(library_group, root, capsys)
    assert run("purge").out == "The trash is empty.\n"
    for each in ("a", "b"):
        add_picture(library, each)
    trash = Trash(library.database, library.work.enqueue, library.review_desk.discard_deleted)
    trash.trash(new_id(), ["a"], "anna")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    with pytest.raises(click.Abort):
        run("purge")
    assert library.media.get("a").deleted_at is not None

    assert run("purge", "--yes").out == "1 picture was removed for good.\n"

    with pytest.raises(NotFound):
        library.media.get("a")
    assert library.media.get("b").deleted_at is None
    (item,) = [each for each in library.work.list_of("a") if each.task_type == MEDIA_PURGE]
    assert item.status == "pending"
    event = library.database.list_events(0)[-1]
    assert (event.subject_type, event.data) == ("change", {"purged": True, "count": 1, "mediaIds": ["a"]})
