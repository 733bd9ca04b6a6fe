"""The parts of a procedural landscape that are not ridges: sky, clouds, water, birds and lights."""

from __future__ import annotations

import random

from PIL import Image, ImageDraw

from hotfolder.engine.procedural_palette import mix
from hotfolder.engine.procedural_scene import SUPERSAMPLING, Scene, disc, glow, gradient

WATERLINE = 0.6
_WARM_LIGHT = (255, 214, 130)


def draw_sky(scene: Scene) -> None:
    """Draw everything that lies behind the ridges."""
    palette, canvas = scene.palette, scene.canvas
    size = (scene.width_px, scene.height_px)
    canvas.paste(gradient(size, [palette.zenith, palette.middle, palette.horizon, palette.horizon]), (0, 0))
    if palette.starry:
        _draw_stars(scene)
    centre = (scene.sun_x_px, scene.sun_y_px)
    glow(canvas, centre, scene.sun_radius_px * 8, palette.sun, 0.5)
    glow(canvas, centre, scene.sun_radius_px * 3, palette.sun, 0.6)
    disc(canvas, centre, scene.sun_radius_px, palette.sun)
    _draw_clouds(scene)


def draw_water(scene: Scene) -> None:
    """Draw a lake from the waterline down, with the light of the sun broken on it."""
    palette = scene.palette
    top = round(WATERLINE * scene.height_px)
    size = (scene.width_px, scene.height_px - top)
    shallow, deep = mix(palette.horizon, palette.far, 0.35), mix(palette.zenith, palette.near, 0.45)
    scene.canvas.paste(gradient(size, [shallow, mix(shallow, deep, 0.6), deep]), (0, top))
    rng = scene.stream("water")
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for _ in range(150):
        share = rng.random()
        near_sun = rng.random() < 0.7
        middle = scene.sun_x_px + rng.gauss(0, 0.03 + 0.07 * share) * scene.width_px if near_sun else None
        x = rng.random() * scene.width_px if middle is None else middle
        half = scene.unit_px * (0.006 + 0.035 * share * rng.random())
        thick = max(1, round(scene.unit_px * 0.0035 * (0.3 + share)))
        y = round(share**1.3 * size[1])
        draw.rectangle([round(x - half), y, round(x + half), y + thick - 1], fill=190 if near_sun else 50)
    scene.canvas.paste(palette.sun, (0, top), mask)


def draw_detail(scene: Scene, number: int) -> None:
    """Add one small thing to the finished landscape: a light near the ground, or every third time a flock."""
    rng = scene.stream(f"detail {number}")
    if number % 3 == 0:
        draw_flock(scene, rng)
        return
    radius = max(1, round(scene.unit_px * rng.uniform(0.0018, 0.0035)))
    centre = (round(rng.random() * scene.width_px), round(rng.uniform(0.72, 0.98) * scene.height_px))
    glow(scene.canvas, centre, radius * 7, _WARM_LIGHT, 0.55)
    disc(scene.canvas, centre, radius, mix(_WARM_LIGHT, (255, 255, 255), 0.5))


def draw_flock(scene: Scene, rng: random.Random) -> None:
    """Draw a few distant birds, or nothing that would be smaller than a pixel."""
    many = SUPERSAMPLING
    span = scene.unit_px * rng.uniform(0.010, 0.016)
    x, y = rng.uniform(0.1, 0.85) * scene.width_px, rng.uniform(0.16, 0.44) * scene.height_px
    side = max(4, round(span * 12))
    large = Image.new("L", (side * many, side * many))
    draw = ImageDraw.Draw(large)
    for _ in range(rng.randint(2, 5)):
        left, top, wing = (
            rng.uniform(0.1, 0.7) * side,
            rng.uniform(0.3, 0.7) * side,
            span * rng.uniform(0.7, 1.2),
        )
        bird = [(0, -0.42), (0.35, -0.5), (1, 0), (1.65, -0.5), (2, -0.42)]
        points = [(round((left + dx * wing) * many), round((top + dy * wing) * many)) for dx, dy in bird]
        draw.line(points, fill=215, width=max(2, round(span * 0.16 * many)), joint="curve")
    scene.canvas.paste(
        mix(scene.palette.near, scene.palette.middle, 0.15), (round(x), round(y)), large.reduce(many)
    )


def _draw_stars(scene: Scene) -> None:
    rng, draw = scene.stream("stars"), ImageDraw.Draw(scene.canvas)
    for _ in range(150):
        x, y = rng.random() * scene.width_px, rng.random() ** 1.4 * scene.height_px * 0.6
        size = rng.choice((0.0, 0.0, 0.0008, 0.0016)) * scene.unit_px
        sky = mix(scene.palette.zenith, scene.palette.middle, y / scene.height_px)
        box = [round(x - size), round(y - size), round(x + size), round(y + size)]
        draw.ellipse(box, fill=mix(sky, (255, 252, 240), rng.uniform(0.35, 0.95)))


def _draw_clouds(scene: Scene) -> None:
    rng = scene.stream("clouds")
    width, height = max(64, scene.width_px // 2), max(64, scene.height_px // 2)
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    for _ in range(4):
        x, y, reach = rng.random(), rng.uniform(0.1, 0.46), rng.uniform(0.14, 0.28)
        for _ in range(8):
            aside, half = rng.uniform(-0.6, 0.6) * reach, reach * rng.uniform(0.3, 0.6)
            centre_x, centre_y = (x + aside) * width, (y + rng.uniform(-0.014, 0.014)) * height
            thick = height * rng.uniform(0.006, 0.013) * (1 - abs(aside) / reach)
            box = [round(centre_x - half * width), round(centre_y - thick)]
            draw.ellipse(
                [*box, round(centre_x + half * width), round(centre_y + thick)], fill=rng.randint(50, 130)
            )
    # A mask that was made small and enlarged again is soft; no blur is needed.
    soft = mask.reduce(4).resize((scene.width_px, scene.height_px), Image.Resampling.BICUBIC)
    colour = mix(scene.palette.horizon, (255, 255, 255), 0.0 if scene.palette.starry else 0.4)
    scene.canvas.paste(colour, (0, 0), soft)
