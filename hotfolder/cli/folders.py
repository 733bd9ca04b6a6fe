"""hotfolder folders: which folders outside the library pictures come in from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hotfolder.app import Library
from hotfolder.cli.opening import opened
from hotfolder.cli.output import json_option, one_line, print_json, print_table, say
from hotfolder.clock import new_id
from hotfolder.errors import LibraryError
from hotfolder.imports.folder_rules import check_access, check_place
from hotfolder.library.import_folders import FolderMode, SourceFolder, tidy_word, tidy_words
from hotfolder.library.imports import ImportStore
from hotfolder.library.seen_left import SeenLeftStore
from hotfolder.workshop import build_folder_store

_ORIGINS = {"command": "folders add", "settings": "hotfolder.yaml"}


@click.group()
def folders() -> None:
    """Import folders outside the library: what comes there joins it by itself."""


@folders.command("list")
@json_option
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """Print the import folders, and what became of the files in them."""
    with opened(context) as library:
        known = build_folder_store(library).list()
        rows = [_describe(library, each, known[:number]) for number, each in enumerate(known)]
    if as_json:
        print_json(rows)
        return
    columns = ("Folder", "Mode", "Below too", "Keywords", "Collection", "From", "State", "Files")
    print_table(columns, [_to_line(each) for each in rows], "There are no import folders.")
    for each in rows:
        if each["problem"]:
            say(one_line(f"{each['path']}: {each['problem']}"))
        if each["lastRefusal"]:
            refusal = each["lastRefusal"]
            say(one_line(f"Refused last: {refusal['file']}: {refusal['message']}"))


@folders.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--mode",
    type=click.Choice(["copy", "move", "reference"]),
    default="copy",
    show_default=True,
    help="Leave the files, take them away, or only refer to them.",
)
@click.option("--recursive/--no-recursive", default=True, show_default=True, help="Folders below it too.")
@click.option("--keywords", multiple=True, metavar="A,B", help="Given to every picture from there.")
@click.option("--collection", metavar="NAME", help="Every picture from there joins it.")
@click.pass_context
def add(
    context: click.Context,
    path: Path,
    mode: FolderMode,
    recursive: bool,
    keywords: Sequence[str],
    collection: str | None,
) -> None:
    """Import what is in a folder, and what will come there."""
    words = tidy_words(word for each in keywords for word in each.split(","))
    folder = SourceFolder(
        new_id(), path.expanduser().resolve(), mode, recursive, words, tidy_word(collection)
    )
    with opened(context) as library:
        store = build_folder_store(library)
        check_place(folder, library.paths.root, store.list())
        is_there = folder.path.is_dir()
        if is_there:
            check_access(folder)
        store.add(folder)
        is_running = library.lock.is_held_by_another()
    say(f"Pictures in {one_line(str(folder.path))} {_in_words(mode)}.")
    if not is_there:
        say("Warning: it is not there now; it is watched as soon as it is.", err=True)
    if not is_running:
        say("No service runs on this library; the next one begins with it.")


@folders.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_context
def remove(context: click.Context, path: Path) -> None:
    """Watch a folder no longer; what came from there stays in the library."""
    with opened(context) as library:
        removed = build_folder_store(library).remove(path.expanduser().resolve())
    say(f"{one_line(str(removed.path))} is no import folder any more.")


def _in_words(mode: FolderMode) -> str:
    return {"copy": "will be copied", "move": "will be moved", "reference": "will be referred to"}[
        mode
    ] + " into the library" * (mode != "reference")


def _describe(library: Library, folder: SourceFolder, before: Sequence[SourceFolder]) -> dict[str, Any]:
    counts = _count(library, folder)
    problem = _find_problem(library, folder, before)
    is_there = folder.path.is_dir()
    refused = counts.get("refused", 0)
    return {
        "path": str(folder.path),
        "mode": folder.mode,
        "recursive": folder.recursive,
        "keywords": list(folder.keywords),
        "collection": folder.collection,
        "origin": _ORIGINS[folder.origin],
        "state": "refused" if problem else "watched" if is_there else "missing",
        "problem": problem,
        "taken": counts.get("taken", 0),
        "duplicates": counts.get("duplicate", 0),
        "waiting": counts.get("claimed", 0),
        "refused": refused,
        "lastRefusal": _find_refusal(library, folder) if refused else None,
    }


def _count(library: Library, folder: SourceFolder) -> Mapping[str, int]:
    """Of what was moved away nothing is in the folder any more: how it ended tells."""
    counts = SeenLeftStore(library.database).count(folder.folder_id)
    if folder.mode != "move":
        return counts
    ended = ImportStore(library.database).count_of_folder(folder.folder_id)
    return {**counts, "taken": ended.get("imported", 0), "duplicate": ended.get("duplicate", 0)}


def _find_problem(library: Library, folder: SourceFolder, before: Sequence[SourceFolder]) -> str | None:
    try:
        check_place(folder, library.paths.root, before)
        if folder.path.is_dir():
            check_access(folder)
    except LibraryError as error:
        return error.message
    return None


def _find_refusal(library: Library, folder: SourceFolder) -> Mapping[str, Any] | None:
    found = ImportStore(library.database).find_last_refusal(folder.folder_id)
    if found is None:
        return None
    return {"file": found["originalPath"], **{key: found[key] for key in ("code", "message", "hint")}}


def _to_line(row: Mapping[str, Any]) -> list[str]:
    counted = ("taken", "duplicates", "waiting", "refused")
    files = ", ".join(f"{row[each]} {each}" for each in counted if row[each])
    return [
        row["path"],
        row["mode"],
        "yes" if row["recursive"] else "no",
        ", ".join(row["keywords"]),
        row["collection"] or "",
        row["origin"],
        row["state"],
        files,
    ]
