"""hotfolder engine: what the engine does, and whether it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import click

from hotfolder.app import Library
from hotfolder.cli.engine_bench import bench
from hotfolder.cli.engine_check import check
from hotfolder.cli.opening import opened, user_name
from hotfolder.cli.output import json_option, one_line, print_json, say
from hotfolder.engines import build_engines, build_model_sets
from hotfolder.errors import ConfigError
from hotfolder.events import ENGINE_STATUS
from hotfolder.library.control import WANTED_MODEL, ControlStore
from hotfolder.library.timings import TimingStore
from hotfolder.providers.local import find_engine


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
        kind = build_engines(library).preferred.status().kind
        wish = ControlStore(library.database).find(WANTED_MODEL)
        peak_memory_mb = TimingStore(library.database).find_peak_memory_mb()
    told = event.data if event else {"state": "stopped", "kind": kind}
    found = {
        "sidecarRunning": running,
        **{name: told.get(name) for name in ("state", "kind", "modelInfo", "problem", "retryAt")},
        "since": event.at if event else None,
        "wanted": {"modelSet": wish.value or None, "actor": wish.actor, "at": wish.at} if wish else None,
        "peakMemoryMb": peak_memory_mb,
    }
    if as_json:
        print_json(found)
        return
    say("\n".join(_status_lines(found)))


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


@engine.command()
@click.argument("model_set", metavar="SET")
@click.pass_context
def load(context: click.Context, model_set: str) -> None:
    """Have the running service load a model set now. Without one the wish waits for the next start.

    SET is a name of models.sets, for another engine than cn-engine KIND/NAME (sdcpp/flux2-klein-4b).
    """
    with opened(context) as library:
        name = find_engine(model_set)[1]
        sets = build_model_sets(library)
        if name not in sets:
            known = ", ".join(sorted(sets)) or "none"
            raise ConfigError(
                f"The settings name no model set `{model_set}`.", hint=f"models.sets has: {known}."
            )
        _wish(library, model_set, f"{model_set} will be loaded")


@engine.command()
@click.pass_context
def unload(context: click.Context) -> None:
    """Have the running service give the memory of its models back. The next job loads what it needs."""
    with opened(context) as library:
        _wish(library, "", "The models will be unloaded")


def _status_lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['kind']}: {found['state']}" + (f", {found['modelInfo']}" if found["modelInfo"] else "")
    if found["problem"]:
        retry_at = found["retryAt"] and datetime.fromisoformat(found["retryAt"]).astimezone()
        yield one_line(found["problem"]) + (f", tries again at {retry_at:%H:%M:%S}" if retry_at else "")
    if found["wanted"]:
        yield f"Wanted by {found['wanted']['actor']}: {found['wanted']['modelSet'] or 'no model'}"
    if found["peakMemoryMb"]:
        yield f"The last picture took {found['peakMemoryMb']} MB of memory at its peak."
    if not found["sidecarRunning"]:
        yield "No sidecar runs on this library."


def _wish(library: Library, value: str, words: str) -> None:
    ControlStore(library.database).put(WANTED_MODEL, value, user_name())
    library.nudge()
    is_running = library.lock.is_held_by_another()
    say(f"{words}." if is_running else f"{words} when a sidecar starts on this library.")


engine.add_command(bench)
engine.add_command(check)
