"""hotfolder keywords: which there are, and changes of the list."""

from __future__ import annotations

import click

from hotfolder.cli.opening import opened, user_name
from hotfolder.cli.output import json_option, one_line, print_json, print_table, say
from hotfolder.library.changes import CHUNK
from hotfolder.library.keywords import FOUND_MAX, KeywordStore

_KEYWORD = click.argument("keyword")


@click.group()
def keywords() -> None:
    """Keywords of all pictures."""


@keywords.command("list")
@click.option("--prefix", default="", help="Only those that begin so.")
@click.option(
    "--limit", type=click.IntRange(1), default=FOUND_MAX, show_default=True, help="At most so many."
)
@json_option
@click.pass_context
def list_(context: click.Context, prefix: str, limit: int, as_json: bool) -> None:
    """Print keywords, those of most pictures first."""
    with opened(context) as library:
        found = KeywordStore(library.database).search(prefix, limit)
    if as_json:
        print_json([{"keywordId": each.keyword_id, "keyword": each.keyword, "n": each.n} for each in found])
        return
    rows = [(each.keyword, each.n) for each in found]
    print_table(("Keyword", "Pictures"), rows, "There are no such keywords." if prefix else "There are none.")


@keywords.command()
@_KEYWORD
@click.argument("new_keyword")
@click.pass_context
def rename(context: click.Context, keyword: str, new_keyword: str) -> None:
    """Write a keyword otherwise, on all pictures."""
    with opened(context) as library:
        store = KeywordStore(library.database)
        renamed = store.rename(store.get_by_name(keyword).keyword_id, new_keyword, user_name())
        while store.renew_texts(CHUNK):
            pass
    say(f"{one_line(keyword)} is {one_line(renamed.keyword)} now: {_pictures(renamed.n)}.")


@keywords.command()
@_KEYWORD
@click.argument("into")
@click.pass_context
def merge(context: click.Context, keyword: str, into: str) -> None:
    """Give pictures the keyword INTO instead of another one, which ends."""
    with opened(context) as library:
        store = KeywordStore(library.database)
        source, target = store.get_by_name(keyword), store.get_by_name(into)
        while store.move_some(source.keyword_id, target.keyword_id, CHUNK):
            pass
        merged = store.end_merge(source.keyword_id, target.keyword_id, user_name())
    say(f"{one_line(source.keyword)} is {one_line(merged.keyword)} now: {_pictures(merged.n)}.")


@keywords.command()
@_KEYWORD
@click.pass_context
def delete(context: click.Context, keyword: str) -> None:
    """Take a keyword from all pictures, and off the list."""
    with opened(context) as library:
        store = KeywordStore(library.database)
        found = store.get_by_name(keyword)
        while store.drop_some(found.keyword_id, CHUNK):
            pass
        store.delete(found.keyword_id, user_name())
    say(f"{_pictures(found.n)} had {one_line(found.keyword)}; none has it now.")


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"
