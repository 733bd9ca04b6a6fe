"""A picture file becomes decoded pixels, or a refusal in plain words.

Formats are told by their signature and opened by their own Pillow class: no other plugin ever sees the file,
the claimed size is checked before memory is taken for it, and the reason of a failure is not lost on the way.
"""

from __future__ import annotations

import codecs
import errno
import os
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from PIL import ExifTags, Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from hotfolder.errors import LibraryError
from hotfolder.files import quick_decoding, storage

MAX_PIXELS = 178_956_970
"""Pictures that claim more are refused: 512 MiB of RGB."""
MAX_FILE_BYTES: Final = 3 * MAX_PIXELS
"""References that are larger are refused unread: so much are so many pixels in RGB, uncompressed."""

_HEAD_BYTES = 512
_CHUNK_BYTES = 1024 * 1024
_WHOLE_BYTES_MIN = 64 * 1024 * 1024
_PNG_END = b"IEND\xaeB`\x82"
_HINT_COPY = "Its copy may have failed or still be under way; drop the file again."
_HINT_CONVERT = "Convert it to PNG or JPEG first."
_HINT_HEIC = "Convert it to JPEG first, or install hotfolder with the extra `heic`."
_HINT_SAVE = "Open it in a picture editor and save it again as PNG, JPEG or WebP."


@dataclass(frozen=True, slots=True)
class Kind:
    """A format that is accepted: its names, how it begins, and what opens it."""

    name: str
    mime_type: str
    extension: str
    signature: re.Pattern[bytes]
    open: Callable[[BinaryIO], ImageFile.ImageFile]


@dataclass(frozen=True, slots=True)
class Picture:
    """The first frame of a picture, decoded; `orientation` (EXIF, 1..8) is not applied to it yet.

    `size` is that of the picture, which `image` may be smaller than.
    """

    kind: Kind
    image: Image.Image
    size: tuple[int, int]
    orientation: int
    icc_profile: bytes | None


def _open_heif(stream: BinaryIO) -> ImageFile.ImageFile:
    image: ImageFile.ImageFile = import_module("pi_heif").HeifImageFile(stream)
    return image


# A JPEG that holds more pictures (MPO, as phones make them) is opened as a JPEG: the first one counts.
_KINDS = (
    Kind("PNG", "image/png", ".png", re.compile(rb"\x89PNG\r\n\x1a\n"), PngImageFile),
    Kind("JPEG", "image/jpeg", ".jpg", re.compile(rb"\xff\xd8\xff"), JpegImageFile),
    Kind("WEBP", "image/webp", ".webp", re.compile(rb"RIFF....WEBPVP8", re.DOTALL), WebPImageFile),
    Kind("TIFF", "image/tiff", ".tif", re.compile(rb"II[*+]\0|MM\0[*+]"), TiffImageFile),
    Kind("GIF", "image/gif", ".gif", re.compile(rb"GIF8[79]a"), GifImageFile),
    Kind("BMP", "image/bmp", ".bmp", re.compile(rb"BM"), BmpImageFile),
)
# Read where the extra `heic` is installed. Its decoder turns the picture upright by itself.
_HEIF = Kind(
    "HEIF",
    "image/heic",
    ".heic",
    re.compile(rb"....ftyp(?:hei[cfmsx]|hev[cmsx]|mif1|msf1)", re.DOTALL),
    _open_heif,
)
CONTENT_EXTENSIONS: Final = tuple(kind.extension for kind in (*_KINDS, _HEIF))
"""Of the files in originals/, whatever their names were before."""
_STRANGERS = (
    (_HEIF.signature, "a HEIC picture", _HINT_HEIC),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), "an AVIF picture", _HINT_CONVERT),
    (re.compile(rb"....ftyp", re.DOTALL), "a video", _HINT_CONVERT),
    (re.compile(rb"8BPS"), "a Photoshop file", _HINT_CONVERT),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive", _HINT_CONVERT),
    (re.compile(rb"%PDF"), "a PDF", _HINT_CONVERT),
)
# All that Pillow's decoders are known to raise for bad bytes.
_FAULTS = (
    *(OSError, EOFError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(RuntimeError, AssertionError, MemoryError, struct.error, zlib.error),
    *(Image.DecompressionBombError, Warning),
)
# Others are the disk's fault, not the picture's.
_ERRNO_OF_BAD_OFFSETS = (None, errno.EINVAL, errno.EOVERFLOW)


def readable_extensions() -> frozenset[str]:
    """How the names of pictures end that can be read here, in lower case."""
    always = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp"}
    return frozenset(always | {".heic", ".heif", ".hif"} if _reads_heif() else always)


def decode(path: Path, *, max_pixels: int, enough_px: tuple[int, int] | None = None) -> Picture:
    """Decode a whole picture, or raise LibraryError `library.corrupt_image` with the reason.

    With `enough_px` a large JPEG comes smaller, but not smaller than that: this saves most of the time. Its
    data is read to the end even so: what is refused otherwise is refused here, too.
    A file that cannot be read at all raises the system's OSError.
    """
    with storage.open_regular(path) as stream:
        return decode_open(stream, path, max_pixels=max_pixels, enough_px=enough_px)


def decode_open(
    stream: BufferedReader, path: Path, *, max_pixels: int, enough_px: tuple[int, int] | None = None
) -> Picture:
    """The same for a file that is open, at its beginning; `path` is what errors call it."""
    with _faults_explained(path):
        kind = _checked_kind(path, stream, max_pixels)
        candidate = quick_decoding.read_candidate(stream)
        image = kind.open(candidate or stream)
        _check_size(path, image.size, max_pixels)
        whole_size = image.size
        is_reduced = enough_px is not None and image.draft("RGB", enough_px) is not None
        pixels = _decoded(image, candidate)
    if kind.name == "PNG" and not _holds(candidate or stream, _PNG_END):
        raise _refusal(path, "it ends early", _HINT_COPY)
    orientation = _read_orientation(image)
    profile = image.info.get("icc_profile")
    size = whole_size if is_reduced else pixels.size  # as decoded: a TIFF turns itself on loading
    return Picture(kind, pixels, size, orientation, profile if isinstance(profile, bytes) else None)


def check_start(stream: BufferedReader, path: Path) -> None:
    """Refuse an open file that is too large, or whose first bytes say that it cannot be used.

    This is quick, however large it is; no pixels are decoded. The stream is left at its beginning.
    """
    size_bytes = os.fstat(stream.fileno()).st_size
    if size_bytes > MAX_FILE_BYTES:
        reason = f"it has {size_bytes:,} bytes, more than the limit of {MAX_FILE_BYTES:,}"
        raise _refusal(path, reason, "Scale it down first.")
    with _faults_explained(path):
        kind = _checked_kind(path, stream, MAX_PIXELS)
        if kind.name not in ("WEBP", "HEIF"):  # these are decoded on opening
            _check_size(path, kind.open(stream).size, MAX_PIXELS)
    stream.seek(0)


def _decoded(image: ImageFile.ImageFile, candidate: BytesIO | None) -> Image.Image:
    """The pixels; whatever else fails, Pillow's own way counts."""
    if candidate is not None:
        with suppress(*_FAULTS, ImportError, LibraryError):
            pixels = quick_decoding.decode_quickly(image, candidate.getvalue())
            if pixels is not None:
                return pixels
    image.load()
    return image


def _read_orientation(image: ImageFile.ImageFile) -> int:
    """EXIF's, 1 where there is none: metadata that is damaged keeps no whole picture out.

    Asked after the pixels: the metadata of a PNG may stand behind them, and a TIFF turns itself on loading.
    """
    with suppress(*_FAULTS):
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
        first = found[0] if isinstance(found, tuple) and found else found
        if isinstance(first, int):
            return first
    return 1


def _recognise(path: Path, head: bytes) -> Kind:
    if not head:
        raise _refusal(path, "the file is empty", _HINT_COPY)
    if _is_text(head):
        raise _refusal(path, "it is text, not a picture", "Give a PNG, JPEG, WebP, TIFF, GIF or BMP file.")
    for kind in _KINDS:
        if kind.signature.match(head):
            return kind
    if _HEIF.signature.match(head) and _reads_heif():
        return _HEIF
    for signature, name, hint in _STRANGERS:
        if signature.match(head):
            raise _refusal(path, f"it is {name}, which is not read here", hint)
    raise _refusal(path, "it is not a picture of a known format", _HINT_SAVE)


def _reads_heif() -> bool:
    return find_spec("pi_heif") is not None


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


def _checked_kind(path: Path, stream: BufferedReader, max_pixels: int) -> Kind:
    """Tell the format, and check what has to be known before its decoder sees the file."""
    head = stream.read(_HEAD_BYTES)
    kind = _recognise(path, head)
    stream.seek(0)
    # Set for the process and left set: `catch_warnings` would restore other threads' filters at random.
    # What Pillow warns of is metadata, and a size that we have our own limit for: pixels it lacks raise.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    if kind.name == "WEBP":  # its decoder takes the memory on opening
        width, height = _webp_size(head)
        _check_size(path, (width, height), max_pixels)
        _check_bytes(path, stream, width * height)
    if kind.name == "HEIF":  # what it claims is not known before it is opened
        _check_bytes(path, stream, max_pixels // 2)
    return kind


def _webp_size(head: bytes) -> tuple[int, int]:
    variant, body = head[12:16], head[20:30]
    if variant == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if variant == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF


def _check_size(path: Path, size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        reason = f"it claims {width} x {height} pixels, more than the limit of {max_pixels:,}"
        raise _refusal(path, reason, "Scale it down first.")


def _check_bytes(path: Path, stream: BufferedReader, pixels: int) -> None:
    """For decoders that read the whole file into memory: no picture of this many pixels needs more bytes."""
    size_bytes = stream.seek(0, 2)
    stream.seek(0)
    if size_bytes > max(_WHOLE_BYTES_MIN, 8 * pixels):
        raise _refusal(path, f"{size_bytes:,} bytes are too many for a picture of its kind", _HINT_SAVE)


def _holds(stream: BinaryIO, marker: bytes) -> bool:
    """Is the marker near the end, or (behind it anything may follow) at least somewhere?"""
    size_bytes = stream.seek(0, 2)
    stream.seek(max(0, size_bytes - 4096))
    if marker in stream.read():
        return True
    stream.seek(0)
    end = b""
    while chunk := stream.read(_CHUNK_BYTES):
        if marker in end + chunk:
            return True
        end = chunk[-len(marker) :]
    return False


@contextmanager
def _faults_explained(path: Path) -> Iterator[None]:
    """What decoders raise for bad bytes, as a refusal; what the disk says passes."""
    try:
        yield
    except _FAULTS as error:
        if isinstance(error, OSError) and error.errno not in _ERRNO_OF_BAD_OFFSETS:
            raise
        raise _refusal(path, *_explained(error)) from error


def _explained(error: BaseException) -> tuple[str, str]:
    """The reason and the hint for what Pillow raised."""
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode it", "Scale it down first."
    if isinstance(error, Image.DecompressionBombError):
        return "it claims far more pixels than its size explains", "Scale it down first."
    if "too large" in text.lower() or "MAX_TEXT" in text:
        return f"its text or metadata is too large ({text})", _HINT_SAVE
    if "unknown pixel mode" in text:
        return "it is a kind of picture that is not read here", _HINT_SAVE
    if isinstance(error, EOFError | struct.error | IndexError) or "truncated" in text.lower():
        return "it ends early", _HINT_COPY
    return f"it is damaged ({text or type(error).__name__})", _HINT_SAVE


def _refusal(path: Path, reason: str, hint: str) -> LibraryError:
    message = f"{storage.display_name(path)} cannot be used: {reason}"
    return LibraryError(message, code="library.corrupt_image", hint=hint)
