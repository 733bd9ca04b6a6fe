"""Pictures in and out of the embedded engine: decoding, encoding, enlarging, and what a cache would hold."""

from __future__ import annotations

import io
from collections import OrderedDict
from pathlib import Path

from PIL import Image

# What the real engine's decoder takes; WebP, TIFF, AVIF and grey pictures have to be converted by the caller.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM")
_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "F"})
_JPEG_QUALITY = 90
_RUN_LENGTH = 3  # zlib's Z_RLE: as small as the default for such pictures, at a fraction of the time


class Unreadable(Exception):
    """A picture that cannot be opened or that the real engine could not decode."""


class RecentKeys:
    """The keys used last, at most `limit` of them: which of them a cache of that size would still hold."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._keys: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def use(self, key: str) -> None:
        """Make the key the most recent one."""
        self._keys[key] = None
        self._keys.move_to_end(key)
        while len(self._keys) > self._limit:
            self._keys.popitem(last=False)

    def clear(self) -> None:
        """Forget all keys."""
        self._keys.clear()


def read_picture(path: str, *, keep_alpha: bool = False) -> Image.Image:
    """Return the RGB pixels of a file, or RGBA; like the real engine, ignore EXIF orientation.

    The real engine drops alpha always: what is to be enlarged keeps it here.
    """
    try:
        with Image.open(path, formats=_FORMATS) as image:
            if image.mode in _GREY_MODES:
                raise Unreadable(f"{path}: a grey picture ({image.mode}), RGB is needed")
            return image.convert("RGBA" if keep_alpha and image.mode == "RGBA" else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Unreadable(f"{path}: {error}") from error


def identify_file(path: str) -> str:
    """Return the key of a file in the reference cache: path, time of change and size."""
    stat = Path(path).stat()
    return f"{path}|{stat.st_mtime_ns}|{stat.st_size}"


def encode_picture(image: Image.Image, output: str) -> bytes:
    """Return JPEG bytes for .jpg and .jpeg, PNG bytes for everything else."""
    buffer = io.BytesIO()
    if Path(output).suffix.lower() in (".jpg", ".jpeg"):
        image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    else:
        image.save(buffer, "PNG", compress_level=1, compress_type=_RUN_LENGTH)
    return buffer.getvalue()


def enlarge(image: Image.Image, factor: int) -> Image.Image:
    """Return the picture `factor` times as wide and high, by Lanczos resampling."""
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.LANCZOS)
