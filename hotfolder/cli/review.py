"""hotfolder review: pictures that wait for somebody's decision, and the decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from hotfolder.cli.opening import opened, user_name
from hotfolder.cli.output import json_option, print_json, print_table, report_error, say
from hotfolder.errors import HotfolderError
from hotfolder.library.media import Media

_MEDIA = click.argument("media_ids", metavar="MEDIA...", nargs=-1, required=True)


@click.group()
def review() -> None:
    """Accept or discard pictures that wait for a review."""


@review.command("list")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@json_option
@click.pass_context
def list_awaiting(context: click.Context, limit: int, as_json: bool) -> None:
    """List the pictures that wait, the longest waiting first."""
    with opened(context) as library:
        found = library.review_desk.list_awaiting(limit)
        total = library.review_desk.count_awaiting()
    if as_json:
        print_json([_to_object(each) for each in found])
        return
    rows = [(each.media_id, each.file_path, each.title, each.created_at) for each in found]
    print_table(("Picture", "File", "Title", "Made"), rows, "No picture waits for a review.")
    if total > len(found):
        say(f"and {total - len(found)} more")


@review.command()
@_MEDIA
@click.option("--collection", metavar="NAME", help="Also put them into this collection.")
@click.pass_context
def accept(context: click.Context, media_ids: Sequence[str], collection: str | None) -> int:
    """Accept pictures."""
    return _decide(context, media_ids, True, collection)


@review.command()
@_MEDIA
@click.pass_context
def discard(context: click.Context, media_ids: Sequence[str]) -> int:
    """Discard pictures: they leave the library, and the sidecar puts their files into trash/."""
    return _decide(context, media_ids, False, None)


def _decide(context: click.Context, media_ids: Sequence[str], accept: bool, collection: str | None) -> int:
    """Decide on every picture that can be decided on and tell of the others; 1 when there were any."""
    failed = False
    with opened(context) as library:
        for media_id in media_ids:
            try:
                media = library.review_desk.decide(media_id.lower(), accept, collection, user_name())
                say(f"{media.media_id}: {media.review}")
            except HotfolderError as error:
                failed = True
                report_error(error)
        library.nudge()
    return 1 if failed else 0


def _to_object(media: Media) -> dict[str, Any]:
    return {
        "mediaId": media.media_id,
        "path": media.file_path,
        "title": media.title,
        "width": media.width,
        "height": media.height,
        "generationId": media.generation_id,
        "review": media.review,
        "createdAt": media.created_at,
    }
