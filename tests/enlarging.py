"""Pictures whose larger original is known, and how near an enlarged one comes to it."""

from __future__ import annotations

import math

from PIL import Image, ImageChops, ImageDraw, ImageStat

from hotfolder.cli.demo import find_examples


def drawn(size_px: int = 256) -> Image.Image:
    """Flat colours, outlines and slanted lines, drawn large and reduced: soft edges as a drawing has them."""
    edge = size_px * 4
    large = Image.new("RGB", (edge, edge), (240, 236, 225))
    draw = ImageDraw.Draw(large)
    ink, width = (20, 20, 30), edge // 64
    draw.ellipse((edge * 0.1, edge * 0.15, edge * 0.6, edge * 0.65), (190, 60, 50), ink, width)
    draw.rectangle((edge * 0.45, edge * 0.5, edge * 0.92, edge * 0.9), (60, 110, 170), ink, width)
    corners = [(edge * 0.7, edge * 0.05), (edge * 0.97, edge * 0.4), (edge * 0.55, edge * 0.38)]
    draw.polygon(corners, (230, 190, 60))
    for number in range(7):
        offset = edge * 0.07 * number
        draw.line((offset, edge, offset + edge * 0.35, edge * 0.7), ink, edge // 90)
    return large.resize((size_px, size_px), Image.Resampling.LANCZOS)


def harbour(size: tuple[int, int]) -> Image.Image:
    """A scene with soft light, fine lines and a little grain; from the middle of the example's photograph."""
    with Image.open(find_examples() / "import" / "harbour.jpg") as opened:
        image = opened.convert("RGB").resize((800, 600), Image.Resampling.LANCZOS)
    left, top = (image.width - size[0]) // 2, (image.height - size[1]) // 2
    return image.crop((left, top, left + size[0], top + size[1]))


def reduced(image: Image.Image, factor: int) -> Image.Image:
    return image.resize((image.width // factor, image.height // factor), Image.Resampling.BICUBIC)


def psnr_db(one: Image.Image, other: Image.Image) -> float:
    squares = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).sum2
    mean = sum(squares) / (3 * one.width * one.height)
    return 10 * math.log10(255**2 / mean)


def lanczos_psnr_db(original: Image.Image, small: Image.Image) -> float:
    """How near Lanczos comes to the original."""
    return psnr_db(original, small.resize(original.size, Image.Resampling.LANCZOS))
