"""hotfolder engine bench: how fast this machine's engine is."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from pydantic.alias_generators import to_camel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from hotfolder.app import Library
from hotfolder.cli.opening import opened
from hotfolder.cli.output import json_option, print_json, print_table, say
from hotfolder.engine.bench import Readiness, Speed, get_ready, measure
from hotfolder.engine.kinds import CN_ENGINE, PROCEDURAL
from hotfolder.engine.manager import EngineManager
from hotfolder.engine.messages import LoadParams
from hotfolder.engines import build_engines, build_model_sets
from hotfolder.errors import ConfigError

_SIZE = re.compile(r"(\d{2,4})[*x](\d{2,4})")


class _Size(click.ParamType[tuple[int, int]]):
    name = "WIDTH*HEIGHT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            self.fail(f"{value!r} is not a size: write 512*512.", param, ctx)
        return int(found[1]), int(found[2])


@click.command()
@click.option("--set", "wanted", metavar="NAME", help="The model set to load, or KIND/NAME (sdcpp/NAME).")
@click.option(
    "--size",
    "sizes",
    type=_Size(),
    multiple=True,
    default=["512*512", "1024*1024"],
    help="WIDTH*HEIGHT; may be repeated.",
)
@click.option("--steps", type=click.IntRange(1, 100), default=4, show_default=True, help="Of each picture.")
@click.option("--images", type=click.IntRange(1, 1000), default=5, show_default=True, help="Of each size.")
@json_option
@click.pass_context
def bench(
    context: click.Context,
    wanted: str | None,
    sizes: Sequence[tuple[int, int]],
    steps: int,
    images: int,
    as_json: bool,
) -> int:
    """Measure start, load, step and picture, and what a picture takes beyond the engine's own time.

    Without a model set the embedded engine is measured. The pictures are thrown away. A sidecar that runs has
    an engine of its own: stop it first, or both are slow.
    """
    with opened(context) as library:
        if library.lock.is_held_by_another():
            say("A sidecar runs on this library: its work makes the figures worse.", err=True)
        kind, manager, model = _choose(library, wanted)
    try:
        ready, speeds = _run(manager, model, sizes, steps, images, quiet=as_json)
    finally:
        manager.stop()
    info = {"kind": kind, "set": wanted}
    if as_json:
        print_json({**info, **_to_object(ready), "sizes": [_to_object(each) for each in speeds]})
    else:
        _print(kind, ready, speeds)
    return 0


def _choose(library: Library, wanted: str | None) -> tuple[str, EngineManager, LoadParams]:
    engines = build_engines(library).by_kind
    if wanted is None:
        return PROCEDURAL, engines[PROCEDURAL], LoadParams()
    kind, _, name = wanted.rpartition("/")
    kind, sets = kind or CN_ENGINE, build_model_sets(library)
    if name not in sets:
        known = ", ".join(sorted(sets)) or "none"
        raise ConfigError(f"The settings name no model set `{name}`.", hint=f"models.sets has: {known}.")
    if kind not in engines:
        hint = f"There are: {', '.join(sorted(engines))}. `hotfolder doctor` says what others need."
        raise ConfigError(f"There is no engine `{kind}` here.", hint=hint)
    return kind, engines[kind], sets[name]


def _run(
    manager: EngineManager,
    model: LoadParams,
    sizes: Sequence[tuple[int, int]],
    steps: int,
    images: int,
    *,
    quiet: bool,
) -> tuple[Readiness, list[Speed]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        Progress(*columns, console=Console(stderr=True), disable=quiet) as bar,
        tempfile.TemporaryDirectory(prefix="hotfolder-bench-") as folder,
    ):
        task = bar.add_task("pictures", total=len(sizes) * images)
        ready = get_ready(manager, model)
        speeds = measure(
            manager,
            model,
            sizes,
            steps=steps,
            images=images,
            folder=Path(folder),
            on_image=lambda: bar.advance(task),
        )
        return ready, list(speeds)


def _to_object(figures: Readiness | Speed) -> dict[str, Any]:
    return {
        to_camel(name): round(value, 3) if isinstance(value, float) else value
        for name, value in asdict(figures).items()
    }


def _print(kind: str, ready: Readiness, speeds: Sequence[Speed]) -> None:
    say(f"{kind}: started in {ready.start_ms:.0f} ms, model loaded in {ready.load_ms:.0f} ms.")
    columns = ("Size", "Steps", "Pictures", "A picture", "A step", "Beyond the engine", "Memory")
    print_table(columns, [_row(each) for each in speeds])


def _row(speed: Speed) -> tuple[str, ...]:
    return (
        f"{speed.width} x {speed.height}",
        str(speed.steps),
        str(speed.images),
        f"{speed.image_s:.2f} s",
        "-" if speed.step_s is None else f"{speed.step_s:.2f} s",
        "-" if speed.gap_ms is None else f"{speed.gap_ms:.1f} ms",
        "-" if speed.peak_memory_mb is None else f"{speed.peak_memory_mb} MB",
    )
