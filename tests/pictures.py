"""Small pictures for tests, good and bad; each function writes one and returns its path."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from PIL import Image, ImageDraw

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (250, 250, 250)
CORNERS = (RED, GREEN, BLUE, WHITE)
"""Colours of the quarters as displayed: top left, top right, bottom left, bottom right."""

ORIENTATION_TAG = 274
_STORED_AS = {  # how an upright picture is turned so that the orientation turns it back
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def quartered(size: tuple[int, int]) -> Image.Image:
    """Four quarters in the colours of CORNERS: turned or mirrored, it is told at once."""
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    width, height = size
    for number, colour in enumerate(CORNERS):
        left, top = (number % 2) * width // 2, (number // 2) * height // 2
        draw.rectangle((left, top, left + width // 2, top + height // 2), fill=colour)
    return image


def corner_colours(path: Path) -> list[tuple[int, int, int]]:
    """The colour at the middle of each quarter of a file's raster, in the order of CORNERS."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    places = [(x, y) for y in (0.25, 0.75) for x in (0.25, 0.75)]
    pixels = [image.getpixel((int(image.width * x), int(image.height * y))) for x, y in places]
    return [pixel for pixel in pixels if isinstance(pixel, tuple)]  # type: ignore[misc]


def colours_are_close(found: list[tuple[int, int, int]], expected: tuple[tuple[int, int, int], ...]) -> bool:
    """Equal but for what JPEG does to a flat colour."""
    pairs = zip(found, expected, strict=True)
    return all(abs(a - b) <= 12 for pair in pairs for a, b in zip(*pair, strict=True))


def write_png(path: Path, size: tuple[int, int] = (64, 48)) -> Path:
    quartered(size).save(path, "PNG")
    return path


def write_jpeg(path: Path, size: tuple[int, int] = (64, 48), *, orientation: int = 1) -> Path:
    """A JPEG that is displayed with this size and the quarters of CORNERS, whatever the orientation."""
    image, method = quartered(size), _STORED_AS[orientation]
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    (image if method is None else image.transpose(method)).save(path, "JPEG", quality=95, exif=exif)
    return path


def write_rotated_jpeg(path: Path, size: tuple[int, int] = (1200, 1600)) -> Path:
    """A portrait photo as a phone stores it: a landscape raster with orientation 6."""
    return write_jpeg(path, size, orientation=6)


def write_tiff(path: Path, size: tuple[int, int] = (64, 48), *, orientation: int = 1) -> Path:
    image, method = quartered(size), _STORED_AS[orientation]
    stored = image if method is None else image.transpose(method)
    stored.save(path, "TIFF", compression="tiff_lzw", tiffinfo={ORIENTATION_TAG: orientation})
    return path


def write_grey_png(path: Path, size: tuple[int, int] = (64, 48), *, value: int = 90) -> Path:
    Image.new("L", size, value).save(path, "PNG")
    return path


def write_grey16_png(path: Path, size: tuple[int, int] = (64, 48), *, value: int = 0x5A80) -> Path:
    data = struct.pack("<H", value) * (size[0] * size[1])
    Image.frombytes("I;16", size, data).save(path, "PNG")
    return path


def write_palette_png(path: Path, size: tuple[int, int] = (64, 48)) -> Path:
    """Left half red, right half fully transparent."""
    image = Image.new("P", size, 0)
    image.putpalette([*RED, *BLUE])
    image.paste(1, (size[0] // 2, 0, *size))
    image.save(path, "PNG", transparency=bytes([255, 0]))
    return path


def write_rgba_png(path: Path, size: tuple[int, int] = (64, 48), *, alpha: int = 128) -> Path:
    """Black everywhere, evenly transparent."""
    Image.new("RGBA", size, (0, 0, 0, alpha)).save(path, "PNG")
    return path


def write_cmyk_jpeg(path: Path, size: tuple[int, int] = (64, 48)) -> Path:
    """Full magenta and yellow: red."""
    Image.new("CMYK", size, (0, 255, 255, 0)).save(path, "JPEG", quality=95)
    return path


def write_webp(path: Path, size: tuple[int, int] = (64, 48)) -> Path:
    quartered(size).save(path, "WEBP", lossless=True)
    return path


def write_gif(path: Path, size: tuple[int, int] = (64, 48)) -> Path:
    """Two frames; the first one has the quarters of CORNERS."""
    quartered(size).save(path, "GIF", save_all=True, append_images=[Image.new("RGB", size)])
    return path


def write_bmp(path: Path, size: tuple[int, int] = (64, 48)) -> Path:
    quartered(size).save(path, "BMP")
    return path


def write_truncated(path: Path, whole: Path, *, kept: float = 0.63) -> Path:
    """The first part of another file."""
    data = whole.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    return path


def write_truncated_jpeg(path: Path, *, kept: float = 0.63) -> Path:
    image = Image.effect_noise((320, 240), 80)
    image.save(path, "JPEG")
    return write_truncated(path, path, kept=kept)


def write_empty(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def write_text(path: Path) -> Path:
    """Text, whatever the name says."""
    path.write_text("endpointKey: local.procedural.image\nparams:\n  prompt: Ein Leuchtturm, dämmrig\n")
    return path


def write_bomb_png(path: Path, size: tuple[int, int] = (60_000, 60_000)) -> Path:
    """A tiny file that claims an enormous picture."""
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    return _write_png_chunks(path, header, [(b"IDAT", zlib.compress(bytes(1000)))])


def write_bomb_webp(path: Path, size: tuple[int, int] = (16_000, 16_000)) -> Path:
    """The same as WebP: an extended header and nothing behind it."""
    canvas = b"".join((edge - 1).to_bytes(3, "little") for edge in size)
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def write_text_bomb_png(path: Path, *, unpacked_bytes: int = 64 * 1024 * 1024) -> Path:
    """A good 1 x 1 picture whose compressed text unpacks to this much."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    text = b"Comment\0\0" + zlib.compress(bytes(unpacked_bytes), 1)
    return _write_png_chunks(path, header, [(b"zTXt", text), (b"IDAT", zlib.compress(bytes(4)))])


def _write_png_chunks(path: Path, header: bytes, chunks: list[tuple[bytes, bytes]]) -> Path:
    everything = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    encoded = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in everything
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(encoded))
    return path
