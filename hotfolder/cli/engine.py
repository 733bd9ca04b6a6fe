"""hotfolder engine: what the engine does, and whether it answers."""

from __future__ import annotations

import click

from hotfolder.cli.engine_check import check
from hotfolder.cli.opening import opened
from hotfolder.cli.output import json_option, print_json, say
from hotfolder.engines import build_engines
from hotfolder.events import ENGINE_STATUS


@click.group()
def engine() -> None:
    """The engine that makes the pictures."""


@engine.command()
@json_option
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """What the sidecar's engine does now."""
    with opened(context) as library:
        running = library.lock.is_held_by_another()
        event = library.database.last_event(ENGINE_STATUS) if running else None
        engines = build_engines(library)
    found = {
        "sidecarRunning": running,
        "state": event.data["state"] if event else "stopped",
        "kind": event.data["kind"] if event else engines.preferred.status().kind,
        "modelInfo": event.data["modelInfo"] if event else None,
        "since": event.at if event else None,
    }
    if as_json:
        print_json(found)
        return
    model = f", {found['modelInfo']}" if found["modelInfo"] else ""
    say(f"{found['kind']}: {found['state']}{model}")
    if not running:
        say("No sidecar runs on this library.")


@engine.command()
@json_option
@click.pass_context
def ping(context: click.Context, as_json: bool) -> None:
    """Start the engine, ask whether it answers, and stop it again."""
    with opened(context) as library:
        engines = build_engines(library)
        try:
            took_ms = engines.preferred.ping()
            kind = engines.preferred.status().kind
        finally:
            engines.stop()
    if as_json:
        print_json({"kind": kind, "pingMs": round(took_ms, 1)})
    else:
        say(f"{kind} answered in {took_ms:.1f} ms.")


engine.add_command(check)
