"""The ridges of a procedural landscape (peaks, hills, shores, a skyline), from far to near."""

from __future__ import annotations

import math
import random
from itertools import pairwise

from PIL import Image, ImageDraw

from hotfolder.engine.procedural_landscape import WATERLINE
from hotfolder.engine.procedural_palette import mix
from hotfolder.engine.procedural_scene import SUPERSAMPLING, Scene, gradient

Points = list[tuple[int, int]]

_LIT_WINDOW = (255, 206, 120)


def draw_ridge(scene: Scene, index: int) -> None:
    """Draw one ridge, number 0 being the farthest, over what is on the canvas."""
    depth = index / (scene.ridges - 1)
    crest = _crest(scene, index, depth)
    top = max(0, min(y for _, y in crest) - round(0.1 * scene.unit_px))
    size = (scene.width_px, scene.height_px - top)
    if size[1] <= 0:
        return
    mask = Image.new("L", size, 255)
    edge_px = max(1, min(size[1], max(y for _, y in crest) - top + 2))
    mask.paste(_edge_mask(scene, index, crest, top, edge_px), (0, 0))
    colour = mix(scene.palette.far, scene.palette.near, depth**1.2)
    foot = mix(colour, scene.palette.horizon, 0.55 * (1 - depth) + 0.04)
    scene.canvas.paste(gradient(size, [colour, mix(colour, foot, 0.7), foot]), (0, top), mask)
    if scene.terrain == "city" and depth > 0.4:
        _light_windows(scene, index, crest)


def _crest(scene: Scene, index: int, depth: float) -> Points:
    level, swing = 0.5 + 0.4 * depth**1.1, 0.15 - 0.06 * depth
    if scene.terrain == "water":
        level, swing = _shore(index, scene.ridges, depth)
    heights = _SHAPES[scene.terrain](scene.stream(f"ridge {index}"))
    last = len(heights) - 1
    return [
        (round(place / last * scene.width_px), round((level - swing * rise) * scene.height_px))
        for place, rise in enumerate(heights)
    ]


def _shore(index: int, ridges: int, depth: float) -> tuple[float, float]:
    """Far ridges end at the waterline; the near ones stand in the foreground."""
    if index < ridges // 2:
        return WATERLINE - 0.05 + 0.03 * depth, 0.07
    return 0.82 + 0.14 * (depth - 0.5), 0.07


def _jagged(rng: random.Random) -> list[float]:
    heights, rough = [rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6)], 0.95
    for _ in range(7):
        between = [(a + b) / 2 + rng.uniform(-rough, rough) for a, b in pairwise(heights)]
        heights = [height for pair in zip(heights, between, strict=False) for height in pair] + heights[-1:]
        rough *= 0.52
    return heights


def _rolling(rng: random.Random) -> list[float]:
    waves = [(rng.uniform(0.6, 1.4) * (k + 1), rng.random(), 0.62 / (k + 1) ** 1.3) for k in range(4)]
    return [
        sum(size * math.sin(2 * math.pi * (rate * x / 160 + phase)) for rate, phase, size in waves)
        for x in range(161)
    ]


def _skyline(rng: random.Random) -> list[float]:
    heights: list[float] = []
    while len(heights) < 161:
        rise = rng.uniform(-0.6, 0.9) + (0.9 if rng.random() < 0.12 else 0.0)
        heights += [rise] * rng.randint(5, 12)
        heights += [rise - rng.uniform(0.3, 0.9)] * rng.choice((0, 0, 2, 3))
    return heights[:161]


_SHAPES = {"peaks": _jagged, "hills": _rolling, "water": _rolling, "city": _skyline}


def _edge_mask(scene: Scene, index: int, crest: Points, top: int, height_px: int) -> Image.Image:
    """Return the mask of the strip that holds the crest; below it a ridge is solid."""
    many = SUPERSAMPLING
    large = Image.new("L", (scene.width_px * many, height_px * many))
    draw = ImageDraw.Draw(large)
    outline = _stairs(crest) if scene.terrain == "city" else crest
    points = [(x * many, (y - top) * many) for x, y in outline]
    bottom = height_px * many
    draw.polygon([(-many, bottom), (-many, points[0][1]), *points, (large.width + many, bottom)], fill=255)
    if scene.terrain != "city" and index / (scene.ridges - 1) > 0.55:
        _plant_trees(scene, index, draw, points)
    return large.reduce(many)


def _stairs(crest: Points) -> Points:
    """Turn slopes into walls: every height is held until the next point."""
    held = [(x, before[1]) for before, (x, _) in pairwise(crest)]
    return [point for pair in zip(crest, [*held, crest[-1]], strict=True) for point in pair]


def _plant_trees(scene: Scene, index: int, draw: ImageDraw.ImageDraw, points: Points) -> None:
    rng = scene.stream(f"trees {index}")
    nearness = index / (scene.ridges - 1) - 0.5
    tall = scene.unit_px * SUPERSAMPLING * (0.012 + 0.07 * nearness)
    groves = [rng.random() for _ in range(4)]
    for _ in range(60):
        spot = min(1.0, max(0.0, rng.choice(groves) + rng.gauss(0, 0.06)))
        x, y = points[round(spot * (len(points) - 1))]
        _plant_tree(draw, x + round(rng.uniform(-0.5, 0.5) * tall), y, tall * rng.uniform(0.6, 1.4))


def _plant_tree(draw: ImageDraw.ImageDraw, x: int, y: int, height: float) -> None:
    for tier in range(3):
        base, half = y + height * (0.15 - 0.3 * tier), height * (0.23 - 0.055 * tier)
        corners = [
            (round(x - half), round(base)),
            (x, round(base - height * 0.55)),
            (round(x + half), round(base)),
        ]
        draw.polygon(corners, fill=255)


def _light_windows(scene: Scene, index: int, crest: Points) -> None:
    rng, draw = scene.stream(f"windows {index}"), ImageDraw.Draw(scene.canvas)
    wide, tall = max(1, round(scene.unit_px * 0.003)), max(1, round(scene.unit_px * 0.005))
    dim = mix(_LIT_WINDOW, scene.palette.near, 0.35)
    for x, y in crest[1::2]:
        for floor in range(7):
            if rng.random() < 0.3:
                top = y + tall * (2 + 3 * floor)
                fill = _LIT_WINDOW if rng.random() < 0.5 else dim
                draw.rectangle([x - wide, top, x - 1, top + tall - 1], fill=fill)
