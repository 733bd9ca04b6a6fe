"""Reads and splices the metadata of PNG, JPEG and WebP files without touching their pixels.

Pure: bytes in, bytes out. Each format has a module of its own; this one only tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hotfolder.errors import LibraryError
from hotfolder.files import jpeg_container, png_container, webp_container

ImageFormat = Literal["png", "jpeg", "webp"]


@dataclass(frozen=True, slots=True)
class ContainerMetadata:
    """What an image file says about itself: the raw XMP packet and, for PNG, its text entries."""

    format: ImageFormat
    xmp: bytes | None
    texts: Mapping[str, str]


def splice_metadata(data: bytes, *, xmp: bytes, texts: Mapping[str, str]) -> bytes:
    """Return the file with this XMP packet and these text entries, replacing earlier ones of the same name.

    `texts` goes into PNG only and is left out of JPEG and WebP, which have no such entries. A text with a
    character outside Latin-1 becomes an iTXt entry. Raises LibraryError for a damaged file
    (`library.corrupt_image`), a packet that JPEG cannot hold (`library.xmp_too_large`) and a keyword that PNG
    forbids (`library.bad_text_keyword`).
    """
    match recognise_format(data):
        case "png":
            return png_container.splice_png(data, xmp=xmp, texts=texts)
        case "jpeg":
            return jpeg_container.splice_jpeg(data, xmp=xmp)
        case "webp":
            return webp_container.splice_webp(data, xmp=xmp)


def read_metadata(data: bytes) -> ContainerMetadata:
    """Read the XMP packet and the PNG text entries, or raise LibraryError (`library.corrupt_image`).

    Odd text entries, and those that inflate to more than 8 MiB, are left out. Pixels are not decoded and
    checksums not verified: an answer says that the structure is whole, no more.
    """
    match recognise_format(data):
        case "png":
            xmp, texts = png_container.read_png(data)
            return ContainerMetadata("png", xmp, texts)
        case "jpeg":
            return ContainerMetadata("jpeg", jpeg_container.read_jpeg(data), {})
        case "webp":
            return ContainerMetadata("webp", webp_container.read_webp(data), {})


def recognise_format(data: bytes) -> ImageFormat:
    """Tell the format by its first bytes; anything else is a LibraryError."""
    if data.startswith(png_container.SIGNATURE):
        return "png"
    if data.startswith(jpeg_container.START_OF_IMAGE):
        return "jpeg"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    raise LibraryError(
        "This is not a PNG, JPEG or WebP file.",
        code="library.corrupt_image",
        hint="Check that the file was copied completely and has the right name.",
    )
