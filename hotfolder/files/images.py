"""Pictures: is it whole, what is it, its thumbnail, and the form in which an engine takes it (Pillow).

Only the formats named here are decoded, only the first frame, and only after the claimed size was checked.
"""

from __future__ import annotations

import hashlib
import io
import math
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageCms

from hotfolder.files import storage
from hotfolder.files.decoding import MAX_PIXELS, Picture, decode

__all__ = [
    "MAX_PIXELS",
    "PREPARATION_VERSION",
    "ImageInfo",
    "ReadPicture",
    "check_image",
    "inspect_output",
    "prepare_reference",
    "read_picture",
    "read_pixels_sha256",
    "reference_cache_key",
    "reference_size",
    "write_thumbnail",
    "write_upright",
]

PREPARATION_VERSION = 2
"""Part of every cache key: raise it whenever `prepare_reference` would write other bytes."""
THUMBNAIL_PX = 400
REFERENCE_MAX_PIXELS = 1024 * 1024

_THUMBNAIL_SIZE = (THUMBNAIL_PX, THUMBNAIL_PX)
_BAND_BYTES = 1024 * 1024
_WHITE = (255, 255, 255)
_MID_GREY = (96, 96, 96)
_SIDEWAYS = frozenset({5, 6, 7, 8})
_TO_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class _Scaling:
    """How pixels become fewer: with a gap, blocks are averaged first, down to that many times the size."""

    filter: Image.Resampling
    reducing_gap: float | None


_EXACT = _Scaling(Image.Resampling.LANCZOS, None)
_QUICK = _Scaling(Image.Resampling.HAMMING, 1.25)
"""Within 32 dB of the exact one; a gap of 1 would blur what is just above a whole multiple of the size."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a picture is, by its content: width and height as displayed, mode as Pillow decodes it."""

    format: str
    mime_type: str
    extension: str
    width: int
    height: int
    mode: str


@dataclass(frozen=True, slots=True)
class ReadPicture:
    """What one decode to the size of a thumbnail tells of a picture; the thumbnail is a whole JPEG file."""

    info: ImageInfo
    thumbnail: bytes


def check_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> ImageInfo:
    """Decode the whole picture; LibraryError `library.corrupt_image` says in plain words why not."""
    return _info(decode(path, max_pixels=max_pixels))


def read_pixels_sha256(path: Path) -> str:
    """The identity of the decoded pixels, whatever the compression and the metadata are.

    SHA-256 over `f"{mode} {width}x{height}\\n"` in ASCII followed by the raw pixel bytes, row by row from the
    top, as Pillow's `tobytes()` gives them. Mode and size are those of the decoded raster: an orientation in
    the metadata is not applied, a palette is not part of it (its indexes are).
    """
    return _pixels_sha256(decode(path, max_pixels=MAX_PIXELS).image)


def inspect_output(path: Path, *, max_pixels: int = MAX_PIXELS) -> tuple[ImageInfo, str]:
    """`check_image` and `read_pixels_sha256` by one decode."""
    picture = decode(path, max_pixels=max_pixels)
    return _info(picture), _pixels_sha256(picture.image)


def read_picture(path: Path, *, max_pixels: int = MAX_PIXELS) -> ReadPicture:
    """`check_image` and the thumbnail by one decode, of no more pixels than that takes."""
    picture = decode(path, max_pixels=max_pixels, enough_px=_THUMBNAIL_SIZE)
    return ReadPicture(_info(picture), _thumbnail(picture))


def write_thumbnail(source: Path, target: Path) -> None:
    """Write the centre square of a picture, upright, as a JPEG of 400 x 400 pixels."""
    picture = decode(source, max_pixels=MAX_PIXELS, enough_px=_THUMBNAIL_SIZE)
    storage.write_atomic(target, _thumbnail(picture))


def prepare_reference(
    source: Path, target: Path, *, max_pixels: int = REFERENCE_MAX_PIXELS, multiple: int = 16
) -> tuple[int, int]:
    """Write a picture as engines take it, and return its width and height.

    Upright 8-bit sRGB without transparency (laid on white) and without metadata, as PNG; at most `max_pixels`
    and never enlarged, both edges multiples of `multiple` (at least one), the excess cropped evenly. The same
    source gives the same bytes.
    """
    picture = decode(source, max_pixels=MAX_PIXELS)
    size = reference_size(*_displayed_size(picture), max_pixels=max_pixels, multiple=multiple)
    stored_size = _turned(size, picture.orientation)
    small = _cover(_workable(picture.image), stored_size, _EXACT)
    upright = _upright(_flattened(_to_srgb(small, picture.icc_profile), _WHITE), picture.orientation)
    # Level 1 with run-length matching: the size of the default level in a fifth of its time.
    storage.write_atomic(target, _encoded(upright, "PNG", compress_level=1, compress_type=zlib.Z_RLE))
    return size


def write_upright(source: Path, target: Path) -> ImageInfo:
    """Write a picture as it is displayed, in full size: 8-bit sRGB without metadata, as PNG.

    RGBA where something of it is transparent, else RGB; says of the written file what it is.
    """
    picture = decode(source, max_pixels=MAX_PIXELS)
    upright = _upright(_to_srgb(_workable(picture.image), picture.icc_profile), picture.orientation)
    if upright.mode == "RGBA" and upright.getchannel("A").getextrema() == (255, 255):
        upright = upright.convert("RGB")
    storage.write_atomic(target, _encoded(upright, "PNG", compress_level=1, compress_type=zlib.Z_RLE))
    return ImageInfo("PNG", "image/png", ".png", *upright.size, upright.mode)


def reference_size(width: int, height: int, *, max_pixels: int, multiple: int) -> tuple[int, int]:
    """The size of a prepared reference for a picture that is displayed with this one."""
    if width * height > max_pixels:  # whole numbers: 3000 x 3000 has to give 1024, not 1023.99
        width, height = math.isqrt(max_pixels * width // height), math.isqrt(max_pixels * height // width)
    longest = max(multiple, max_pixels // multiple)
    width, height = (min(max(edge, multiple), longest) // multiple * multiple for edge in (width, height))
    return width, height


def reference_cache_key(source_sha256: str) -> str:
    """The name of a prepared reference: SHA-256 over the source's hex digest followed by the version."""
    return hashlib.sha256(f"{source_sha256}{PREPARATION_VERSION}".encode("ascii")).hexdigest()


def _info(picture: Picture) -> ImageInfo:
    width, height = _displayed_size(picture)
    kind = picture.kind
    return ImageInfo(kind.name, kind.mime_type, kind.extension, width, height, picture.image.mode)


def _displayed_size(picture: Picture) -> tuple[int, int]:
    return _turned(picture.size, picture.orientation)


def _turned(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    return (size[1], size[0]) if orientation in _SIDEWAYS else size


def _pixels_sha256(image: Image.Image) -> str:
    """Hash in bands of rows that fit into the processor's cache."""
    digest = hashlib.sha256(f"{image.mode} {image.width}x{image.height}\n".encode("ascii"))
    rows = max(1, _BAND_BYTES // (image.width * 4))
    for top in range(0, image.height, rows):
        digest.update(image.crop((0, top, image.width, min(top + rows, image.height))).tobytes())
    return digest.hexdigest()


def _thumbnail(picture: Picture) -> bytes:
    """Reduce first: colour and orientation are quickly mended on few pixels.

    Transparency is laid on a mid-dark grey: on white a white logo would vanish, on black a black one.
    """
    small = _cover(_workable(picture.image), _THUMBNAIL_SIZE, _QUICK)
    upright = _upright(_flattened(_to_srgb(small, picture.icc_profile), _MID_GREY), picture.orientation)
    return _encoded(upright, "JPEG", quality=80)


def _workable(image: Image.Image) -> Image.Image:
    """The same picture in a mode that can be resized and colour-managed: L, RGB, RGBA or CMYK."""
    if image.mode.startswith(("I", "F")):
        return _high_range_to_grey(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _high_range_to_grey(image: Image.Image) -> Image.Image:
    """Scale to 8 bits; Pillow's own conversion clips, and shows most of such a picture as white."""
    if image.mode.startswith("I;16"):
        high_byte = 0 if image.mode == "I;16B" else 1
        return Image.frombytes("L", image.size, image.tobytes()[high_byte::2])
    if image.mode == "I":
        return image.point(lambda value: value * (1 / 256)).convert("L")
    top = image.getextrema()[1]  # white is 1, but for pictures that count otherwise
    scale = 255 / top if isinstance(top, float) and 1 < top < math.inf else 255
    return image.point(lambda value: value * scale).convert("L")


def _cover(image: Image.Image, size: tuple[int, int], scaling: _Scaling) -> Image.Image:
    """Scale so that the picture covers the size without distortion; what sticks out on two sides is lost."""
    scale = max(size[0] / image.width, size[1] / image.height)
    box_width, box_height = min(size[0] / scale, image.width), min(size[1] / scale, image.height)
    left, top = (image.width - box_width) / 2, (image.height - box_height) / 2
    box = (left, top, left + box_width, top + box_height)
    return image.resize(size, scaling.filter, box=box, reducing_gap=scaling.reducing_gap)


def _to_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    """RGB or RGBA in sRGB."""
    if image.mode != "RGBA":
        return _managed(image, icc_profile)
    managed = _managed(image.convert("RGB"), icc_profile)
    managed.putalpha(image.getchannel("A"))
    return managed


def _managed(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    if icc_profile:
        # A profile that is damaged, or made for another kind of picture, is as good as none.
        with suppress(ImageCms.PyCMSError, OSError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
            target = ImageCms.createProfile("sRGB")
            managed = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            if managed is not None:
                return managed
    return image if image.mode == "RGB" else image.convert("RGB")


def _flattened(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if image.mode != "RGBA":
        return image
    flat = Image.new("RGB", image.size, background)
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    method = _TO_UPRIGHT.get(orientation)
    return image if method is None else image.transpose(method)


def _encoded(image: Image.Image, image_format: str, **options: int) -> bytes:
    image.info.clear()  # Pillow would write profile, comment and transparency from there
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()
