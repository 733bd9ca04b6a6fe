"""hotfolder owners: whose jobs are refused."""

from __future__ import annotations

from typing import Any

import click

from hotfolder.cli.opening import opened, user_name
from hotfolder.cli.output import json_option, one_line, print_json, print_table, say
from hotfolder.library.owner_blocks import OwnerBlock, OwnerBlockStore

_BY_SETTINGS = "moderation.blocked_owners"


@click.group()
def owners() -> None:
    """Whose jobs are refused."""


@owners.command("list")
@json_option
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """List blocked owners: those of the commands, then those of the settings."""
    with opened(context) as library:
        found = OwnerBlockStore(library.database).list()
        settled = library.settings.moderation.blocked_owners
    if as_json:
        print_json([*map(_to_object, found), *map(_from_settings, settled)])
        return
    rows = [
        *((each.owner, each.at, each.actor, each.reason) for each in found),
        *((each, "", _BY_SETTINGS, "") for each in settled),
    ]
    print_table(("Owner", "Since", "By", "Reason"), rows, "Nobody is blocked.")


@owners.command()
@click.argument("owner")
@click.option("--reason", metavar="TEXT", help="Why; it stands in the report of each job that is refused.")
@click.pass_context
def block(context: click.Context, owner: str, reason: str | None) -> None:
    """Refuse the jobs of an owner from now on; those that have been accepted go on."""
    with opened(context) as library:
        blocked = OwnerBlockStore(library.database).block(owner, reason, user_name())
    say(f"Jobs of {one_line(blocked.owner)} are refused from now on.")


@owners.command()
@click.argument("owner")
@click.pass_context
def unblock(context: click.Context, owner: str) -> None:
    """Take the jobs of an owner again."""
    with opened(context) as library:
        OwnerBlockStore(library.database).unblock(owner, user_name())
        settled = library.moderation.blocks_by_settings(owner)
    if settled:
        say(f"The setting `{_BY_SETTINGS}` still refuses them.", err=True)
        return
    say(f"Jobs of {one_line(owner.strip())} are taken again.")


def _to_object(block: OwnerBlock) -> dict[str, Any]:
    return {"owner": block.owner, "reason": block.reason, "actor": block.actor, "at": block.at}


def _from_settings(owner: str) -> dict[str, Any]:
    return {"owner": owner, "reason": None, "actor": _BY_SETTINGS, "at": None}
