"""hotfolder collections: which there are, what is in them, and changes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

import click

from hotfolder.cli.opening import opened, user_name
from hotfolder.cli.output import json_option, one_line, print_json, print_table, say
from hotfolder.library.changes import CHUNK
from hotfolder.library.collections import Collection, CollectionStore
from hotfolder.library.filters import parse_filter

_NAME = click.argument("name")
_MEDIA = click.argument("media_ids", metavar="MEDIA...", nargs=-1, required=True)


@click.group()
def collections() -> None:
    """Collections of pictures. Manual ones have an order, live ones a filter."""


@collections.command("list")
@json_option
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """Print the collections; how many pictures a live one has, the browser tells."""
    with opened(context) as library:
        store = CollectionStore(library.database)
        counts = store.count_media()
        rows = [_to_object(each, counts) for each in store.list_collections()]
    if as_json:
        print_json(rows)
        return
    lines = [(each["name"], each["kind"], each["n"], each["query"]) for each in rows]
    print_table(("Collection", "Kind", "Pictures", "Filter"), lines, "There are no collections.")


@collections.command()
@_NAME
@json_option
@click.pass_context
def show(context: click.Context, name: str, as_json: bool) -> None:
    """Print the pictures of a manual collection in its order, or the filter of a live one."""
    with opened(context) as library:
        store = CollectionStore(library.database)
        found = store.get_by_name(name)
        media = [library.media.get(each) for each in store.list_media(found.name)]
        present = [each for each in media if each.deleted_at is None]
    if as_json:
        listed = [{"mediaId": each.media_id, "path": each.file_path} for each in present]
        print_json([{**_to_object(found, {found.collection_id: len(present)}), "media": listed}])
    elif found.kind == "live":
        say(one_line(f"{found.name} holds what fits {found.query}"))
    else:
        rows = [(each.media_id, each.file_path, each.title) for each in present]
        print_table(("Picture", "File", "Title"), rows, "No picture is in it.")


@collections.command()
@_NAME
@click.option("--query", metavar="FILTER", help="Make a live one: a filter as the library's address has it.")
@click.pass_context
def make(context: click.Context, name: str, query: str | None) -> None:
    """Make a collection."""
    if query is not None:
        query = query.removeprefix("?")
        parse_filter(parse_qs(query))  # raises for one that is none
    with opened(context) as library:
        made = CollectionStore(library.database).make(name, query, user_name())
    say(f"Made the {made.kind} collection {one_line(made.name)}.")


@collections.command()
@_NAME
@click.argument("new_name")
@click.pass_context
def rename(context: click.Context, name: str, new_name: str) -> None:
    """Give a collection another name."""
    with opened(context) as library:
        store = CollectionStore(library.database)
        changed = store.change(store.get_by_name(name).collection_id, new_name, None, user_name())
    say(f"It is called {one_line(changed.name)} now.")


@collections.command()
@_NAME
@click.pass_context
def delete(context: click.Context, name: str) -> None:
    """Remove a collection; its pictures stay in the library."""
    with opened(context) as library:
        store = CollectionStore(library.database)
        removed = store.delete(store.get_by_name(name).collection_id, user_name())
    say(f"There is no collection {one_line(removed.name)} any more.")


@collections.command()
@_NAME
@_MEDIA
@click.pass_context
def add(context: click.Context, name: str, media_ids: Sequence[str]) -> None:
    """Let pictures join a manual collection."""
    with opened(context) as library:
        store = CollectionStore(library.database)
        found = store.get_by_name(name)
        for each in media_ids:
            library.media.get_present(each.lower())  # a wrong id is told before anything is changed
        changed = [one for some in _chunks(media_ids) for one in store.add(found.collection_id, some)]
        if changed:
            store.announce(found.collection_id, "joined", len(changed), user_name())
    say(f"{_pictures(len(changed))} joined {one_line(found.name)}.")


@collections.command()
@_NAME
@_MEDIA
@click.pass_context
def remove(context: click.Context, name: str, media_ids: Sequence[str]) -> None:
    """Let pictures leave a manual collection."""
    with opened(context) as library:
        store = CollectionStore(library.database)
        found = store.get_by_name(name)
        changed = [one for some in _chunks(media_ids) for one in store.remove(found.collection_id, some)]
        if changed:
            store.announce(found.collection_id, "left", len(changed), user_name())
    say(f"{_pictures(len(changed))} left {one_line(found.name)}.")


def _chunks(media_ids: Sequence[str]) -> list[list[str]]:
    ids = [each.lower() for each in media_ids]
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"


def _to_object(collection: Collection, counts: dict[str, int]) -> dict[str, Any]:
    is_live = collection.kind == "live"
    return {
        "collectionId": collection.collection_id,
        "name": collection.name,
        "kind": collection.kind,
        "query": collection.query,
        "n": None if is_live else counts.get(collection.collection_id, 0),
        "createdAt": collection.created_at,
    }
