"""The moods and terrains of the embedded engine's pictures, and which words of a prompt ask for them."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one mood, from the top of the sky to the nearest ridge."""

    name: str
    zenith: Colour
    middle: Colour
    horizon: Colour
    sun: Colour
    far: Colour
    near: Colour
    starry: bool
    words: tuple[str, ...]


PALETTES = (
    Palette(
        "dawn", (74, 104, 158), (226, 158, 156), (255, 220, 182), (255, 246, 222), (205, 158, 168),
        (50, 42, 76), False, ("dawn", "sunrise", "morning", "pink", "rose", "blossom", "spring"),
    ),
    Palette(
        "dusk", (38, 30, 82), (158, 62, 112), (255, 156, 96), (255, 226, 160), (182, 84, 108),
        (28, 16, 48), False, ("dusk", "sunset", "evening", "red", "orange", "fire", "autumn", "warm"),
    ),
    Palette(
        "day", (66, 138, 200), (148, 200, 226), (240, 246, 236), (255, 252, 230), (152, 190, 200),
        (24, 62, 66), False, ("day", "noon", "summer", "blue", "sky", "sea", "ocean", "beach"),
    ),
    Palette(
        "night", (8, 12, 34), (24, 38, 84), (82, 104, 152), (240, 240, 224), (58, 76, 122),
        (8, 12, 26), True, ("night", "midnight", "moon", "stars", "space", "dark", "city", "neon"),
    ),
    Palette(
        "forest", (118, 170, 172), (186, 212, 186), (246, 242, 208), (255, 252, 228), (150, 186, 154),
        (14, 42, 36), False, ("forest", "tree", "jungle", "wood", "green", "garden", "moss", "nature"),
    ),
    Palette(
        "desert", (86, 144, 176), (240, 202, 150), (255, 232, 190), (255, 250, 226), (230, 172, 122),
        (112, 48, 36), False, ("desert", "dune", "sand", "canyon", "gold", "yellow", "fox", "lion"),
    ),
    Palette(
        "winter", (112, 146, 188), (188, 206, 228), (248, 242, 246), (255, 255, 250), (182, 200, 220),
        (40, 58, 90), False, ("winter", "snow", "ice", "cold", "frost", "white", "fog", "mist"),
    ),
    Palette(
        "aurora", (8, 16, 40), (16, 78, 92), (112, 204, 160), (236, 250, 226), (34, 96, 104),
        (6, 20, 32), True, ("aurora", "teal", "fantasy", "magic", "alien", "emerald", "dragon"),
    ),
    Palette(
        "violet", (54, 44, 112), (142, 112, 190), (246, 196, 214), (255, 240, 232), (150, 120, 180),
        (34, 24, 64), False, ("violet", "purple", "lavender", "dream", "portrait", "cat", "robot"),
    ),
)  # fmt: skip

TERRAINS = ("peaks", "hills", "water", "city")
_TERRAIN_WORDS = {
    "peaks": ("mountain", "peak", "alps", "cliff", "canyon", "rock", "volcano", "glacier", "dragon"),
    "hills": ("hill", "dune", "desert", "valley", "meadow", "field", "forest", "tree", "sand", "garden"),
    "water": (
        "sea",
        "ocean",
        "lake",
        "river",
        "beach",
        "coast",
        "boat",
        "ship",
        "harbour",
        "island",
        "water",
    ),
    "city": ("city", "street", "town", "skyline", "tower", "building", "castle", "neon", "robot", "car"),
}


def choose_palette(prompt: str, rng: random.Random) -> Palette:
    """Return the mood that most words of the prompt ask for; the random stream decides when none does."""
    words = _words(prompt)
    scores = [sum(word in words for word in palette.words) for palette in PALETTES]
    return PALETTES[_best(scores, rng)]


def choose_terrain(prompt: str, rng: random.Random) -> str:
    """Return the terrain that most words of the prompt ask for; the random stream decides when none does."""
    words = _words(prompt)
    scores = [sum(word in words for word in _TERRAIN_WORDS[terrain]) for terrain in TERRAINS]
    return TERRAINS[_best(scores, rng)]


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour that lies `share` (0..1) of the way from the first to the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _words(prompt: str) -> set[str]:
    found = re.findall(r"[a-z]+", prompt.lower())
    return set(found) | {word.removesuffix("s") for word in found}


def _best(scores: list[int], rng: random.Random) -> int:
    top = max(scores)
    return rng.choice([index for index, score in enumerate(scores) if score == top])
