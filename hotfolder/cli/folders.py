"""hotfolder folders: which folders outside the library pictures come in from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hotfolder.cli.opening import opened
from hotfolder.cli.output import json_option, one_line, print_json, print_table, say
from hotfolder.library.import_folders import FolderMode
from hotfolder.workshop import build_folder_desk, build_folder_store


@click.group()
def folders() -> None:
    """Folders outside the library. What comes there joins it by itself."""


@folders.command("list")
@json_option
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """Print the import folders, and what became of the files in them."""
    with opened(context) as library:
        rows = build_folder_desk(library).describe()
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
    words = [word for each in keywords for word in each.split(",")]
    with opened(context) as library:
        folder = build_folder_desk(library).add(
            str(path.expanduser().resolve()), mode, recursive, words, collection
        )
        is_running = library.lock.is_held_by_another()
    say(f"Pictures in {one_line(str(folder.path))} {_in_words(mode)}.")
    if not folder.path.is_dir():
        say("Warning: it is not there now; it is watched as soon as it is.", err=True)
    if not is_running:
        say("No service runs on this library; the next one begins with it.")


@folders.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_context
def remove(context: click.Context, path: Path) -> None:
    """Watch a folder no longer. What came from there stays in the library."""
    with opened(context) as library:
        removed = build_folder_store(library).remove(path.expanduser().resolve())
    say(f"{one_line(str(removed.path))} is no import folder any more.")


def _in_words(mode: FolderMode) -> str:
    return {"copy": "will be copied", "move": "will be moved", "reference": "will be referred to"}[
        mode
    ] + " into the library" * (mode != "reference")


def _to_line(row: Mapping[str, Any]) -> list[str]:
    counted = ("taken", "duplicates", "waiting", "refused")
    files = ", ".join(
        f"{row[each]} {each.rstrip('s') if row[each] == 1 else each}" for each in counted if row[each]
    )
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
