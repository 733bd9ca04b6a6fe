"""Prompt, seed, size, steps and references -> a composed picture, the same pixels in every process.

Nothing here is a model: a landscape is drawn from random streams, seeded by a hash of prompt and seed. Every
step adds something that can be seen (a ridge, then birds and lights), so progress events tell the truth.
Supersampling happens only along the edges of things; the rest are Pillow operations on large areas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from hotfolder.engine.procedural_landscape import draw_detail, draw_flock, draw_sky, draw_water
from hotfolder.engine.procedural_overlay import draw_caption, hang_references, strip_height_px
from hotfolder.engine.procedural_palette import choose_palette, choose_terrain
from hotfolder.engine.procedural_ridges import draw_ridge
from hotfolder.engine.procedural_scene import Scene, random_stream

_MOST_RIDGES = 9


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a picture depends on; the references are RGB images."""

    prompt: str
    seed: int
    width_px: int
    height_px: int
    steps: int
    references: tuple[Image.Image, ...] = ()
    caption: bool = True


def paint(recipe: Recipe) -> Iterator[Image.Image]:
    """Yield the canvas after every step; what comes with the last step is the finished picture."""
    scene = _plan(recipe)
    draw_sky(scene)
    drawn = 0
    for step in range(1, recipe.steps + 1):
        wanted = min(scene.ridges, step + 2)
        for index in range(drawn, wanted):
            _draw_layer(scene, index)
        if wanted == drawn:
            draw_detail(scene, step)
        drawn = wanted
        if step == recipe.steps:
            _finish(scene, recipe)
        yield scene.canvas


def _plan(recipe: Recipe) -> Scene:
    height_px = recipe.height_px - strip_height_px(recipe.width_px, recipe.height_px, recipe.caption)
    mood = random_stream(recipe.prompt, recipe.seed, "mood")
    place = random_stream(recipe.prompt, recipe.seed, "sun")
    palette, terrain = choose_palette(recipe.prompt, mood), choose_terrain(recipe.prompt, mood)
    share_x = place.choice((place.uniform(0.2, 0.4), place.uniform(0.6, 0.8)))
    return Scene(
        prompt=recipe.prompt,
        seed=recipe.seed,
        palette=palette,
        terrain=terrain,
        canvas=Image.new("RGB", (recipe.width_px, recipe.height_px), palette.near),
        height_px=height_px,
        sun_x_px=round(share_x * recipe.width_px),
        sun_y_px=round(place.uniform(0.2, 0.4) * height_px),
        sun_radius_px=max(2, round(place.uniform(0.05, 0.08) * min(recipe.width_px, height_px))),
        ridges=min(recipe.steps + 2, _MOST_RIDGES),
    )


def _draw_layer(scene: Scene, index: int) -> None:
    if scene.terrain == "water" and index == scene.ridges // 2:
        draw_water(scene)
    draw_ridge(scene, index)


def _finish(scene: Scene, recipe: Recipe) -> None:
    for flock in range(2):
        draw_flock(scene, scene.stream(f"flock {flock}"))
    hang_references(scene.canvas, recipe.references, scene.height_px)
    if recipe.caption:
        draw_caption(
            scene.canvas, recipe.prompt, _wordings(recipe), (scene.palette.near, scene.palette.horizon)
        )


def _wordings(recipe: Recipe) -> tuple[str, ...]:
    size = f"{recipe.width_px} x {recipe.height_px}"
    steps = f"{recipe.steps} step" + ("" if recipe.steps == 1 else "s")
    honest = "procedural - no AI model"
    return (
        f"seed {recipe.seed}  ·  {size}  ·  {steps}  ·  {honest}",
        f"seed {recipe.seed} · {size} · {honest}",
        f"{size} · {honest}",
        honest,
        "no AI model",
        "no AI",
    )
