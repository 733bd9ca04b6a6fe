"""Zip files for tests, made by hand where honest programs would not make them."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

JOB = b"endpointKey: x\nrefs: [a.png]\n"
CENTRAL = b"PK\x01\x02"

# Offsets in an entry of the table of contents.
FLAGS, METHOD, SIZE, ATTRIBUTES, OFFSET = 8, 10, 24, 38, 42


def zipped(members: Mapping[str, bytes] | list[tuple[str, bytes]], compression: int = ZIP_STORED) -> bytes:
    """Any names at all, twice the same as well."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in members.items() if isinstance(members, Mapping) else members:
            info = ZipInfo()
            info.filename = name
            info.compress_type = compression
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def patched(data: bytes, number: int, offset: int, form: str, value: int) -> bytes:
    """The zip with a field of the entry of this number in its table of contents changed."""
    start = -1
    for _ in range(number + 1):
        start = data.index(CENTRAL, start + 1)
    changed = bytearray(data)
    struct.pack_into(form, changed, start + offset, value)
    return bytes(changed)


def write_zip(folder: Path, data: bytes, name: str = "set.zip") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
