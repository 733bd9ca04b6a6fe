"""Draws the two pictures that the example library imports: a photograph-like harbour and a poster.

    python scripts/make_example_pictures.py [FOLDER]

Needs numpy and Pillow (`pip install .[dev]`). Nothing in the pictures comes from elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageDraw, ImageFilter

Field = NDArray[np.float64]
Points = Sequence[tuple[float, float]]
Colour = tuple[int, int, int]

SEED = 11
PHOTO_PX = (1200, 1600)  # upright; the file holds it lying on its side, as cameras do
HORIZON_PX = 920
POSTER_PX = (960, 1280)
TURNED = 6
SMOOTH = 3


def main(arguments: list[str]) -> int:
    """Write both pictures into a folder."""
    folder = Path(arguments[0] if arguments else "example-library/import")
    folder.mkdir(parents=True, exist_ok=True)
    photo = draw_harbour(np.random.default_rng(SEED))
    save_as_camera(photo, folder / "harbour.jpg")
    poster = draw_poster().quantize(48, dither=Image.Dither.NONE)
    poster.save(folder / "poster.png", optimize=True)
    return 0


def save_as_camera(photo: Image.Image, file: Path) -> None:
    """A landscape raster that says how it wants to be turned, with what a camera writes."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "hotfolder example"
    exif[ExifTags.Base.Model] = "drawn by scripts/make_example_pictures.py"
    exif[ExifTags.Base.Orientation] = TURNED
    exif[ExifTags.Base.DateTime] = "2026:05:14 20:41:07"
    exif[ExifTags.Base.ImageDescription] = "A harbour at dusk"
    shot = exif.get_ifd(ExifTags.IFD.Exif)
    shot[ExifTags.Base.DateTimeOriginal] = "2026:05:14 20:41:07"
    shot[ExifTags.Base.ExposureTime] = 1 / 60
    shot[ExifTags.Base.FNumber] = 2.8
    shot[ExifTags.Base.ISOSpeedRatings] = 400
    shot[ExifTags.Base.FocalLength] = 35.0
    photo.transpose(Image.Transpose.ROTATE_90).save(file, quality=80, optimize=True, exif=exif)


def draw_harbour(rng: np.random.Generator) -> Image.Image:
    """A harbour town after sunset, seen across the water."""
    land = to_image(paint_sky(rng))
    paint_shore(land, rng)
    scene = to_image(add_water(to_field(land), rng))
    paint_boats(scene)
    paint_pier(scene)
    return to_image(expose(to_field(scene.filter(ImageFilter.GaussianBlur(0.7))), rng))


def paint_sky(rng: np.random.Generator) -> Field:
    """From night above to the last light at the horizon, with thin clouds lit from below."""
    width, height = PHOTO_PX
    stops = [(0.0, (22, 34, 66)), (0.42, (70, 84, 124)), (0.72, (190, 128, 118)), (0.92, (248, 178, 106))]
    stops += [(1.0, (255, 214, 140))]
    down = np.clip(np.arange(height) / HORIZON_PX, 0, 1)
    places = [place for place, _ in stops]
    columns = [np.interp(down, places, [colour[part] for _, colour in stops]) for part in range(3)]
    sky = np.repeat(np.stack(columns, axis=-1)[:, None, :], width, axis=1)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    sun = np.exp(-(((x - 760) / 300) ** 2 + ((y - HORIZON_PX + 20) / 210) ** 2))
    sky += sun[..., None] * np.array([70.0, 62.0, 40.0])
    clouds = np.clip(noise(rng, (height, width), 1.7, 3.4) - 0.1, 0, 2) / 2
    lit = np.clip(down[:, None] * 1.5 - 0.35, 0, 1)
    tint = lit[..., None] * np.array([255, 150, 118]) + (1 - lit[..., None]) * np.array([52, 60, 92])
    veil = (clouds * np.clip(1.1 - down[:, None] ** 4, 0, 1))[..., None]
    return np.asarray(sky * (1 - veil) + tint * veil)


def paint_shore(land: Image.Image, rng: np.random.Generator) -> None:
    """Two ranges of hills, a town with lit windows, and a lighthouse on its rock."""
    for base, rise, colour in ((120, 60, (122, 98, 118)), (58, 40, (72, 66, 92))):
        fill(land, colour, _ridge(rng, base, rise))
    houses = _houses(rng)
    fill(land, (27, 28, 44), *(outline for outline, _ in houses))
    windows = [spot for _, spots in houses for spot in spots]
    glow(land, windows, (255, 188, 96))
    rock = [(930, HORIZON_PX), (968, 888), (1010, 870), (1120, 862), (1200, 846), (1200, HORIZON_PX)]
    tower = [(1040, 866), (1050, 690), (1092, 690), (1102, 866)]
    gallery = [(1042, 692), (1042, 682), (1100, 682), (1100, 692)]
    lantern = [(1056, 682), (1056, 652), (1071, 634), (1086, 652), (1086, 682)]
    fill(land, (24, 24, 38), rock, tower, gallery, lantern)
    glow(land, [(1062, 656, 1080, 676)], (255, 236, 176), reach_px=34)


def _ridge(rng: np.random.Generator, base: float, rise: float) -> Points:
    width = PHOTO_PX[0]
    waves = [(rng.uniform(0.5, 1.5) * 2**octave, rng.uniform(0, 6), 0.55**octave) for octave in range(6)]
    xs = np.arange(0, width + 8, 8.0)
    heights = sum(size * np.sin(xs / width * rate * 4 + phase) for rate, phase, size in waves)
    ys = HORIZON_PX - base - rise * np.asarray(heights)
    return [(0, HORIZON_PX), *zip(xs.tolist(), ys.tolist(), strict=True), (width, HORIZON_PX)]


def _houses(rng: np.random.Generator) -> list[tuple[Points, list[tuple[float, float, float, float]]]]:
    found, x = [], -10.0
    while x < 860:
        wide, tall = rng.uniform(34, 74), rng.uniform(48, 104) * min(1.3, (960 - x) / 420)
        top, gable = HORIZON_PX - tall, rng.uniform(12, 26)
        outline = [(x, HORIZON_PX), (x, top), (x + wide / 2, top - gable), (x + wide, top)]
        outline += [(x + wide, HORIZON_PX)]
        spots = [
            (x + 8 + 15 * column, top + 8 + 20 * floor, x + 14 + 15 * column, top + 17 + 20 * floor)
            for column in range(int((wide - 10) // 15))
            for floor in range(int((tall - 14) // 20))
            if rng.random() < 0.34
        ]
        found.append((outline, spots))
        x += wide * rng.uniform(0.8, 1.02)
    spire: Points = [(372, HORIZON_PX), (372, 700), (389, 610), (406, 700), (406, HORIZON_PX)]
    return [*found, (spire, [(385, 716, 393, 730)])]


def add_water(land: Field, rng: np.random.Generator) -> Field:
    """Below the horizon the land again, upside down and broken by waves that grow towards the viewer."""
    width, height = PHOTO_PX
    ripples = noise(rng, (1024, 1024), 1.3, 5.0)
    depth = (np.arange(HORIZON_PX, height) - HORIZON_PX + 3)[:, None] / (height - HORIZON_PX)
    columns = np.arange(width)[None, :]
    far = (-190 * np.log(depth)).astype(int) % 1024
    side = (width / 2 + (columns - width / 2) * (0.9 - 0.45 * depth)).astype(int) % 1024
    wave = ripples[far, side]
    rows = HORIZON_PX - 1 - depth * (height - HORIZON_PX) * 1.05 + wave * (3 + 62 * depth)
    shifted = np.clip(columns + wave * (1 + 10 * depth), 0, width - 1).astype(int)
    water = land[np.clip(rows, 0, HORIZON_PX - 1).astype(int), shifted]
    dark = np.clip(0.86 - 0.42 * depth + 0.07 * wave, 0.15, 1)[..., None]
    land[HORIZON_PX:] = water * dark + np.array([8, 16, 30]) * (1 - dark)
    return land


def paint_boats(scene: Image.Image) -> None:
    """Two yachts at their moorings, each with its broken reflection."""
    for x, y, size in ((330.0, 1130.0, 1.0), (705.0, 1010.0, 0.42)):
        hull = [(-120, -14), (-96, 22), (84, 22), (128, -22), (20, -16), (10, -40), (-50, -40), (-58, -15)]
        mast = [(4, -20), (6, -392), (10, -392), (12, -20)]
        boom = [(8, -66), (-96, -60), (-96, -54), (8, -56)]
        forestay = [(128, -22), (8, -390), (9, -386), (126, -22)]
        backstay = [(-118, -14), (7, -388), (6, -384), (-116, -14)]
        rig = (hull, mast, boom, forestay, backstay)
        parts = [[(x + dx * size, y + dy * size) for dx, dy in part] for part in rig]
        fill(scene, (16, 18, 30), *parts)
        _mirror(scene, parts, y + 22 * size, size)
    glow(scene, [(352, 1102, 358, 1108)], (255, 214, 150), reach_px=16)


def _mirror(scene: Image.Image, parts: Sequence[Points], waterline: float, size: float) -> None:
    """Slices of what stands above, swaying to and fro with growing distance."""
    mask = mask_of(*([(x, 2 * waterline - y) for x, y in part] for part in parts))
    rows = np.arange(PHOTO_PX[1])
    below = np.clip(rows - waterline, 0, None)
    sway = (np.sin(below / (5.5 * size + 2)) * (2 + below * 0.035)).astype(int)
    columns = (np.arange(PHOTO_PX[0])[None, :] + sway[:, None]) % PHOTO_PX[0]
    swayed = np.asarray(mask)[rows[:, None], columns]
    faded = swayed * np.clip(0.75 - below / (430 * size), 0, 1)[:, None] * (below > 0)[:, None]
    blurred = Image.fromarray(faded.astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.2))
    scene.paste((18, 22, 36), mask=blurred)


def paint_pier(scene: Image.Image) -> None:
    """The pier on which the viewer stands, with posts and a rope between them."""
    fill(scene, (13, 14, 22), [(560, 1600), (858, 1384), (1200, 1290), (1200, 1600)])
    for x, top, foot, half in ((640, 1368, 1560, 21), (876, 1262, 1400, 15), (1078, 1206, 1330, 11)):
        cap = box(x - half - 4, top - 6, x + half + 4, top + 8)
        fill(scene, (10, 11, 18), box(x - half, top, x + half, foot), cap)
        fill(scene, (92, 74, 74), box(x + half - 5, top + 10, x + half, foot))
    for (ax, ay), (bx, by) in (((640, 1420), (876, 1298)), ((876, 1298), (1078, 1234))):
        steps = np.linspace(0, 1, 24)
        sag = [(ax + (bx - ax) * t, ay + (by - ay) * t + 46 * 4 * t * (1 - t)) for t in steps]
        fill(scene, (12, 12, 20), [*sag, *((x, y + 6) for x, y in reversed(sag))])


def expose(scene: Field, rng: np.random.Generator) -> Field:
    """What a lens and a sensor do to light: darker corners and grain."""
    height, width = scene.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    grain = noise(rng, (height, width), 0.45, 1.0)[..., None] * 3.2
    corners = (1 - 0.13 * (x**2 + y**2))[..., None]
    return np.asarray(scene * corners + grain)


def draw_poster() -> Image.Image:
    """A flat poster in six colours: sun, sea and a ferry."""
    width, height = POSTER_PX
    poster = Image.new("RGB", POSTER_PX, (243, 230, 204))
    inner = (60.0, 60.0, width - 60.0, height - 60.0)
    fill(poster, (27, 67, 92), box(*inner))
    fill(poster, (240, 146, 72), box(80, 80, width - 80, 760))
    for radius, colour in ((330, (244, 176, 92)), (250, (248, 205, 122)), (170, (252, 236, 190))):
        fill(poster, colour, [at for at in disc(480, 560, radius) if at[1] <= 760])
    fill(poster, (178, 74, 58), [(80, 760), (80, 640), (210, 520), (330, 640), (420, 590), (560, 760)])
    fill(poster, (128, 48, 52), [(520, 760), (700, 560), (800, 650), (880, 600), (880, 760)])
    for band, colour in enumerate(((150, 204, 184), (86, 164, 164), (46, 122, 140), (30, 88, 114))):
        crest = wave(80, width - 80, 778 + 104 * band, height - 80, 10 + 5 * band, band * 1.7)
        fill(poster, colour, crest)
        if band == 0:
            _paint_ferry(poster)
    for x, y in ((210.0, 250.0), (300.0, 200.0), (700.0, 270.0)):
        fill(poster, (27, 67, 92), [(x - 34, y - 14), (x, y), (x + 34, y - 14), (x, y + 9)])
    return poster


def _paint_ferry(poster: Image.Image) -> None:
    cream, dark, red = (252, 240, 214), (22, 44, 66), (196, 70, 54)
    fill(poster, cream, box(360, 800, 610, 850), box(400, 755, 560, 800))
    fill(poster, red, [(460, 755), (468, 672), (520, 672), (524, 755)])
    fill(poster, dark, [(463, 722), (468, 672), (520, 672), (522, 722)])
    fill(poster, dark, [(290, 850), (700, 850), (650, 930), (340, 930)])
    fill(poster, dark, *(disc(395 + 45 * place, 826, 11) for place in range(5)))


def noise(rng: np.random.Generator, shape: tuple[int, int], roughness: float, stretch: float) -> Field:
    """Cloud-like noise of mean 0 and deviation 1 without seams; `stretch` makes it wider than high."""
    down = np.fft.fftfreq(shape[0])[:, None]
    across = np.fft.rfftfreq(shape[1])[None, :] * stretch
    strength = (np.hypot(down, across) + 1 / shape[0]) ** -roughness
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * strength, s=shape)
    return np.asarray((field - field.mean()) / field.std())


def fill(canvas: Image.Image, colour: Colour, *outlines: Points) -> None:
    """Fill outlines with one colour, with smooth edges."""
    canvas.paste(colour, mask=mask_of(*outlines, size=canvas.size))


def mask_of(*outlines: Points, size: tuple[int, int] = PHOTO_PX) -> Image.Image:
    """Where the outlines are, with smooth edges."""
    large = Image.new("L", (size[0] * SMOOTH, size[1] * SMOOTH))
    draw = ImageDraw.Draw(large)
    for each in outlines:
        draw.polygon([(x * SMOOTH, y * SMOOTH) for x, y in each], fill=255)
    return large.reduce(SMOOTH)


def glow(
    canvas: Image.Image, spots: list[tuple[float, float, float, float]], colour: Colour, reach_px: float = 7
) -> None:
    """Lit rectangles, and the light around them."""
    mask = mask_of(*(box(*each) for each in spots), size=canvas.size)
    halo = [min(255, 3 * value) for value in range(256)]
    canvas.paste(colour, mask=mask.filter(ImageFilter.GaussianBlur(reach_px)).point(halo))
    canvas.paste(colour, mask=mask)


def box(left: float, top: float, right: float, bottom: float) -> Points:
    """The corners of a rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def disc(x: float, y: float, radius: float) -> Points:
    """A circle as a polygon."""
    turns = np.linspace(0, 2 * np.pi, 180)
    return [(x + radius * np.cos(each), y + radius * np.sin(each)) for each in turns]


def wave(left: float, right: float, top: float, bottom: float, height: float, phase: float) -> Points:
    """An area whose upper edge is a wave."""
    xs = np.linspace(left, right, 120)
    crest = [(x, top + height * np.sin((x - left) / 62 + phase)) for x in xs]
    return [*crest, (right, bottom), (left, bottom)]


def to_field(image: Image.Image) -> Field:
    """A picture as numbers."""
    return np.asarray(image, dtype=np.float64).copy()


def to_image(field: Field) -> Image.Image:
    """Numbers as a picture."""
    return Image.fromarray(np.clip(field, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
