"""hotfolder keywords: listed by use, renamed, merged and removed by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.app import Library
from hotfolder.cli.keywords import keywords
from hotfolder.cli.opening import user_name
from hotfolder.errors import LibraryError, NotFound
from tests.cli.test_collections import Run, add_picture, runner


@pytest.fixture
def on_keywords(root: Path, capsys: pytest.CaptureFixture[str], library: Library) -> Run:
    add_picture(library, "a", ("bay", "dawn"))
    add_picture(library, "b", ("bay",))
    add_picture(library, "c", ("beach",))
    return runner(keywords, root, capsys)


def listed(run: Run, *options: str) -> list[tuple[str, int]]:
    return [(each["keyword"], each["n"]) for each in run("list", "--json", *options).json]


def test_keywords_are_listed_by_use(on_keywords: Run) -> None:
    assert listed(on_keywords) == [("bay", 2), ("beach", 1), ("dawn", 1)]
    assert listed(on_keywords, "--prefix", "B", "--limit", "1") == [("bay", 2)]
    assert on_keywords("list").out.splitlines()[1].split() == ["bay", "2"]
    assert on_keywords("list", "--prefix", "x").out == "There are no such keywords.\n"


def test_keywords_are_renamed_merged_and_removed_by_name(on_keywords: Run, library: Library) -> None:
    assert on_keywords("rename", "DAWN", "sunrise").out == "DAWN is sunrise now: 1 picture.\n"
    assert on_keywords("merge", "beach", "bay").out == "beach is bay now: 3 pictures.\n"
    assert on_keywords("delete", "sunrise").out == "1 picture had sunrise; none has it now.\n"

    assert listed(on_keywords) == [("bay", 3)]
    assert library.database.query("SELECT 1 FROM stale_texts") == []
    rows = library.database.query("SELECT keywords FROM media_texts")
    assert [row["keywords"] for row in rows] == ["bay"] * 3
    events = [each for each in library.database.list_events(0) if each.subject_type == "keyword"]
    assert {each.actor for each in events} == {user_name()}


def test_names_that_are_not_there_or_taken_are_told(on_keywords: Run) -> None:
    for arguments in (("rename", "x", "y"), ("merge", "x", "bay"), ("merge", "bay", "x"), ("delete", "x")):
        with pytest.raises(NotFound):
            on_keywords(*arguments)
    for arguments in (("rename", "bay", "beach"), ("merge", "bay", "BAY")):
        with pytest.raises(LibraryError):
            on_keywords(*arguments)

    assert listed(on_keywords) == [("bay", 2), ("beach", 1), ("dawn", 1)]
