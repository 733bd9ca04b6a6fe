"""Enlarging one picture by a Real-ESRGAN model, tile by tile; alpha goes beside the model, by Lanczos."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from PIL import Image, ImageFilter

from hotfolder.engine.child_reply import Refused
from hotfolder.engine.params import MAX_UPSCALED_PIXELS
from hotfolder.engine.upscaler_models import Model
from hotfolder.engine.upscaler_tiles import Tile, cut_tiles

_HIDDEN_REACH_PX: Final = (2, 8, 32)

Network = Callable[[Any], Any]
OnTile = Callable[[int, int], None]


def check_size(size: tuple[int, int], factor: int) -> None:
    """Refuse what would not fit into the memory of a usual machine."""
    pixels = size[0] * size[1] * factor**2
    if pixels > MAX_UPSCALED_PIXELS:
        message = f"the result would have {pixels:,} pixels, at most {MAX_UPSCALED_PIXELS:,} are made"
        raise Refused(message, "UPSCALE_FAILED")


def count_tiles(size: tuple[int, int], model: Model) -> int:
    """How many tiles a picture of that size is cut into."""
    return len(cut_tiles(*size, model.tile_px, model.halo_px))


def enlarge(image: Image.Image, model: Model, factor: int, network: Network, on_tile: OnTile) -> Image.Image:
    """The picture `factor` times as wide and high, RGB or RGBA as it came; `on_tile(done, all)` as it grows.

    A model that has no such factor enlarges by its own, tile by tile reduced to the one wanted.
    """
    size = (image.width * factor, image.height * factor)
    colours = show_hidden(image) if image.mode == "RGBA" else image
    enlarged = Image.new("RGB", size)
    tiles = cut_tiles(*image.size, model.tile_px, model.halo_px)
    for number, tile in enumerate(tiles, start=1):
        piece = _enlarge_tile(colours, tile, model.native_factor(factor), factor, network)
        enlarged.paste(piece, (tile.core[0] * factor, tile.core[1] * factor))
        on_tile(number, len(tiles))
    if image.mode == "RGBA":
        enlarged.putalpha(image.getchannel("A").resize(size, Image.Resampling.LANCZOS))
    return enlarged


def show_hidden(image: Image.Image) -> Image.Image:
    """The colours without the alpha; what cannot be seen takes the colours nearby.

    Else the model would draw a dark rim: where nothing shows, programs leave black.
    """
    alpha = image.getchannel("A")
    colours = image.convert("RGB")
    for reach_px in reversed(_HIDDEN_REACH_PX):
        colours.paste(_spread(image, reach_px), mask=_reached(alpha, reach_px))
    colours.paste(image.convert("RGB"), mask=alpha.point(lambda value: 255 if value else 0))
    return colours


def _spread(image: Image.Image, reach_px: int) -> Image.Image:
    """Each colour as the mean of the visible ones around, weighted by their alpha."""
    blurred = image.convert("RGBa").filter(ImageFilter.BoxBlur(reach_px))
    return blurred.convert("RGBA").convert("RGB")


def _reached(alpha: Image.Image, reach_px: int) -> Image.Image:
    blurred = alpha.filter(ImageFilter.BoxBlur(reach_px))
    return blurred.point(lambda value: 255 if value else 0)


def _enlarge_tile(
    colours: Image.Image, tile: Tile, native: int, factor: int, network: Network
) -> Image.Image:
    seen = np.asarray(colours.crop(tile.seen), dtype=np.float32)
    array = np.ascontiguousarray(seen.transpose(2, 0, 1)) / np.float32(255)
    made = network(array)
    expected = (3, array.shape[1] * native, array.shape[2] * native)
    if made.shape != expected or not np.isfinite(made).all():
        raise Refused("the model gave something that is no picture", "UPSCALE_FAILED")
    values = (made.clip(0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
    piece = Image.fromarray(np.ascontiguousarray(values))
    box = tile.core_within(native)
    if native == factor:
        return piece.crop(box)
    size = ((tile.core[2] - tile.core[0]) * factor, (tile.core[3] - tile.core[1]) * factor)
    return piece.resize(size, Image.Resampling.LANCZOS, box=box)
