"""hotfolder config: the settings in force and where each came from."""

from __future__ import annotations

import json
import os

import click

from hotfolder.cli.opening import find_root
from hotfolder.cli.output import json_option, print_json, print_table, say
from hotfolder.config import load_settings


@click.group()
def config() -> None:
    """Show and check the settings."""


@config.command()
@json_option
@click.pass_context
def show(context: click.Context, as_json: bool) -> None:
    """Print every setting in force, where it came from and what it means."""
    settings = load_settings(find_root(context), os.environ).list()
    if as_json:
        print_json(
            [
                {
                    "key": each.key,
                    "value": each.value,
                    "origin": each.origin,
                    "description": each.description,
                }
                for each in settings
            ]
        )
        return
    rows = [
        (each.key, json.dumps(each.value, ensure_ascii=False), each.origin, each.description)
        for each in settings
    ]
    print_table(("Key", "Value", "From", "Meaning"), rows)


@config.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Check hotfolder.yaml and the environment; exit 1 with what is wrong."""
    root = find_root(context)
    load_settings(root, os.environ)
    say(f"The settings of {root} are sound.")
