"""The pictures that bench_import.py takes in: made up, but with the sizes and formats of real ones.

Each content is encoded once or twice; what tells its copies apart stands behind the end of the picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

PHOTO_NOISE, DRAWING_NOISE = 7.0, 1.7
MP6, MP12, MP24 = (3000, 2000), (4000, 3000), (6000, 4000)
K1, K2 = (1024, 1024), (2048, 2048)


@dataclass(frozen=True)
class Kind:
    """A sort of picture: how many of them, how large, and how they are written."""

    name: str
    number: int
    size: tuple[int, int]
    options: Mapping[str, Any]
    mode: str = "RGB"
    noise: float = PHOTO_NOISE
    contents: int = 2
    each: Callable[[int], Mapping[str, Any]] = field(default=lambda index: {})  # noqa: ARG005


def write_corpus(folder: Path, kinds: list[Kind]) -> None:
    """All pictures of these kinds, in the order of their names well mixed."""
    folder.mkdir(parents=True)
    for kind in kinds:
        for content in range(min(kind.contents, kind.number)):
            picture = scene(kind, content)
            data = b""
            for index in range(content, kind.number, kind.contents):
                more = kind.each(index)
                if more or not data:
                    data = encode(picture, {**kind.options, **more})
                write(folder, kind, index, data)


def write(folder: Path, kind: Kind, index: int, data: bytes) -> None:
    place = round(1000 * (index + 0.5) / kind.number)
    extension = {"JPEG": ".jpg", "TIFF": ".tif"}.get(kind.options["format"], f".{kind.options['format']}")
    target = folder / f"{place:04d}-{kind.name}-{index}{extension.lower()}"
    target.write_bytes(data + f"{kind.name} {index}".encode())


def encode(picture: Image.Image, options: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, **options)
    return buffer.getvalue()


def scene(kind: Kind, seed: int) -> Image.Image:
    """Soft shapes with the noise of a sensor on them: mostly brightness, some colour."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 255, (24, 32, 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize(kind.size, Image.Resampling.BICUBIC)).copy()
    for band in np.array_split(pixels, max(1, pixels.shape[0] // 256)):  # views: the whole would be gigabytes
        noise = random.normal(0, kind.noise, (*band.shape[:2], 1))
        noise = noise + random.normal(0, kind.noise / 3, band.shape)
        band[:] = (band + noise).clip(0, 255).astype(np.uint8)
    picture = Image.fromarray(pixels)
    if kind.mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(kind.size))
        return picture
    return picture.quantize(64) if kind.mode == "P" else picture.convert(kind.mode)


def camera(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0110] = orientation, "Maker", "Model 12"
    exif[0x9003] = "2026:03:01 12:00:00"
    return exif


def parameters() -> PngInfo:
    text = PngInfo()
    text.add_text("parameters", "A lighthouse at dusk\nSteps: 4, Sampler: euler, CFG scale: 1, Seed: 42")
    return text


def strange_profile() -> bytes:
    """sRGB with red and green exchanged: a profile that nobody can skip."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


def jpeg(name: str, number: int, size: tuple[int, int] = MP12, mode: str = "RGB", **options: Any) -> Kind:
    options = {"format": "JPEG", "quality": 90, "subsampling": "4:2:0", "exif": camera(), **options}
    return Kind(name, number, size, options, mode)


def png(name: str, number: int, size: tuple[int, int] = K1, mode: str = "RGB") -> Kind:
    return Kind(name, number, size, {"format": "PNG", "pnginfo": parameters()}, mode, DRAWING_NOISE)


def webp(name: str, number: int, size: tuple[int, int] = K1, **options: Any) -> Kind:
    return Kind(name, number, size, {"format": "WEBP", **options}, contents=1)


def mixed() -> list[Kind]:
    """A library of all sorts, mostly photos."""
    packings = [
        Kind(f"tiff-{packing}", 2, MP12, {"format": "TIFF", "compression": packing}, contents=1)
        for packing in ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg")
    ]
    return [
        *(jpeg("jpeg", 36), jpeg("large", 16, MP24), jpeg("progressive", 5, progressive=True)),
        *(jpeg("cmyk", 5, MP6, "CMYK"), jpeg("profile", 6, icc_profile=strange_profile())),
        replace(jpeg("turned", 8), each=lambda index: {"exif": camera(index + 1)}, contents=1),
        *(png("png1k", 40), png("png2k", 24, K2), png("clear", 5, K1, "RGBA"), png("palette", 3, K1, "P")),
        *(webp("webp1k", 10), webp("webp12", 3, MP12), webp("lossless", 4, lossless=True)),
        *packings,
    ]


SETS: Mapping[str, Callable[[], list[Kind]]] = {
    "JPEG 12 MP": lambda: [jpeg("jpeg", 96)],
    "PNG 1k": lambda: [png("png1k", 160)],
    "PNG 2k": lambda: [png("png2k", 64, K2)],
    "mixed": lambda: [replace(each, number=2 * each.number) for each in mixed()],
}
