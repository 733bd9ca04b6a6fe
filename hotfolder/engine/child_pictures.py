"""Pictures in and out of the children that wrap a library."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from PIL import Image, ImageOps

from hotfolder.engine.child_reply import Refused

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF", "PPM")


def read_upright(path: str) -> Image.Image:
    """The pixels of a file as displayed: RGB, or RGBA where something of it is transparent."""
    try:
        with Image.open(path, formats=_FORMATS) as opened:
            image = ImageOps.exif_transpose(opened)
            if not image.has_transparency_data:
                return image.convert("RGB")
            with_alpha = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refused(f"cannot read the picture {path}: {error}", "REF_IMAGE_LOAD_FAILED") from error
    opaque = with_alpha.getchannel("A").getextrema() == (255, 255)
    return with_alpha.convert("RGB") if opaque else with_alpha


def flatten(image: Image.Image) -> Image.Image:
    """The picture as RGB, transparency laid on white."""
    if image.mode != "RGBA":
        return image
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def make_folder(output: str) -> None:
    """Have the folder of an output, before any work is done for it."""
    try:
        Path(output).parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise Refused(f"cannot create the folder of {output}: {error}", "OUTPUT_DIR_FAILED") from error


def save_whole(image: Image.Image, output: str) -> None:
    """Write a PNG under a temporary name and rename it: half a picture never has the real name."""
    temporary = f"{output}.{os.getpid()}.tmp"
    try:
        image.save(temporary, "PNG", compress_level=1)
        Path(temporary).replace(output)
    except (OSError, ValueError) as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
        raise Refused(f"cannot write {output}: {error}", "NO_OUTPUT") from error
