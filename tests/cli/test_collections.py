"""hotfolder collections: they are made, filled, shown and removed by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from hotfolder.app import Library
from hotfolder.cli.collections import collections
from hotfolder.cli.opening import user_name
from hotfolder.errors import LibraryError, NotFound
from hotfolder.library.media import Media
from tests.cli.conftest import Outcome

Run = Callable[..., Outcome]


def runner(group: click.Group, root: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command of a group."""

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = group.main(list(arguments), obj=root, standalone_mode=False)
        return Outcome(code or 0, *capsys.readouterr())

    return run


def add_picture(library: Library, media_id: str, keywords: tuple[str, ...] = ()) -> None:
    media = Media(
        media_id, f"originals/{media_id}.png", f"thumbnails/{media_id}.jpg", f"{media_id}.png", "import",
        1, 1, 1, "image/png", media_id, media_id, None, "2026-11-21T03:00:00.000Z",
    )  # fmt: skip
    with library.database.transaction() as tx:
        library.media.insert(tx, media, keywords)


@pytest.fixture
def on_collections(root: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(collections, root, capsys)


def test_collection_is_made_filled_shown_and_removed(on_collections: Run, library: Library) -> None:
    for each in ("a", "b"):
        add_picture(library, each)

    assert on_collections("make", "Spring").out == "Made the manual collection Spring.\n"
    assert on_collections("add", "spring", "B", "a", "b").out == "2 pictures joined Spring.\n"
    assert on_collections("remove", "Spring", "b").out == "1 picture left Spring.\n"
    (shown,) = on_collections("show", "Spring", "--json").json
    assert shown["media"] == [{"mediaId": "a", "path": "originals/a.png"}]
    assert "originals/a.png" in on_collections("show", "Spring").out
    assert on_collections("rename", "Spring", "May").out == "It is called May now.\n"
    (listed,) = on_collections("list", "--json").json
    assert (listed["name"], listed["kind"], listed["n"], listed["query"]) == ("May", "manual", 1, None)
    assert on_collections("delete", "May").out == "There is no collection May any more.\n"

    assert on_collections("list").out == "There are no collections.\n"
    events = [each for each in library.database.list_events(0) if each.subject_type == "collection"]
    assert [each.data for each in events[1:3]] == [{"joined": 2}, {"left": 1}]
    assert {each.actor for each in events} == {user_name()}


def test_live_collection_is_made_from_the_address_of_a_filter(on_collections: Run) -> None:
    made = on_collections("make", "Best", "--query", "?minRating=4&keyword=bay")

    assert made.out == "Made the live collection Best.\n"
    (listed,) = on_collections("list", "--json").json
    assert (listed["kind"], listed["query"], listed["n"]) == ("live", "minRating=4&keyword=bay", None)
    assert on_collections("show", "Best").out == "Best holds what fits minRating=4&keyword=bay\n"
    with pytest.raises(LibraryError):
        on_collections("make", "Worst", "--query", "rating=9")


def test_unknown_names_and_pictures_are_told_and_nothing_is_changed(
    on_collections: Run, library: Library
) -> None:
    add_picture(library, "a")
    on_collections("make", "Spring")

    for arguments in (("show", "x"), ("add", "x", "a"), ("add", "Spring", "a", "nothing"), ("delete", "x")):
        with pytest.raises(NotFound):
            on_collections(*arguments)
    with pytest.raises(LibraryError) as caught:
        on_collections("make", "SPRING")

    assert caught.value.code == "library.duplicate_name"
    assert on_collections("show", "Spring").out == "No picture is in it.\n"
