"""What all parts of a procedural picture share: the scene's values, its random streams, the large brushes."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw

from hotfolder.engine.procedural_palette import Colour, Palette

SUPERSAMPLING = 3


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture in the making: its canvas and what was decided before the first stroke."""

    prompt: str
    seed: int
    palette: Palette
    terrain: str
    canvas: Image.Image
    height_px: int  # without the caption strip
    sun_x_px: int
    sun_y_px: int
    sun_radius_px: int
    ridges: int

    @property
    def width_px(self) -> int:
        """Return the width of the canvas."""
        return self.canvas.width

    @property
    def unit_px(self) -> int:
        """Return the short edge, which all sizes of things are shares of."""
        return min(self.canvas.width, self.height_px)

    def stream(self, purpose: str) -> random.Random:
        """Return the scene's random stream for one purpose."""
        return random_stream(self.prompt, self.seed, purpose)


def random_stream(prompt: str, seed: int, purpose: str) -> random.Random:
    """Return the random stream of one purpose; streams do not disturb each other."""
    digest = hashlib.sha256(f"{purpose}\n{seed}\n{prompt}".encode()).digest()
    return random.Random(int.from_bytes(digest, "big"))  # noqa: S311 - repeatable on purpose, it hides nothing


def gradient(size: tuple[int, int], colours: list[Colour]) -> Image.Image:
    """Return an area that blends downwards through evenly spaced colours."""
    column = Image.frombytes("RGB", (1, len(colours)), bytes(part for colour in colours for part in colour))
    # Bilinear enlarging keeps half a stop flat at either end; the box leaves those halves out.
    box = (0, 0.5, 1, len(colours) - 0.5)
    return column.resize((1, size[1]), Image.Resampling.BILINEAR, box=box).resize(
        size, Image.Resampling.NEAREST
    )


def glow(
    canvas: Image.Image, centre: tuple[int, int], reach_px: int, colour: Colour, strength: float
) -> None:
    """Lighten the canvas around a point, fading with distance."""
    fading = Image.radial_gradient("L").point(
        [round(max(0, 1 - v / 181) ** 2 * 255 * strength) for v in range(256)]
    )
    mask = fading.resize((2 * reach_px, 2 * reach_px), Image.Resampling.BILINEAR)
    canvas.paste(colour, (centre[0] - reach_px, centre[1] - reach_px), mask)


def disc(canvas: Image.Image, centre: tuple[int, int], radius_px: int, colour: Colour) -> None:
    """Draw a filled circle with a smooth edge."""
    many = SUPERSAMPLING
    side = 2 * radius_px + 2
    large = Image.new("L", (side * many, side * many))
    ImageDraw.Draw(large).ellipse([many, many, (side - 1) * many, (side - 1) * many], fill=255)
    canvas.paste(colour, (centre[0] - side // 2, centre[1] - side // 2), large.reduce(many))
