"""Packs a job file and its references into one zip, which appears whole in a folder."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from hotfolder.files.storage import ensure_folder, move_to_free_name, open_regular

_CHUNK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes into a bundle: its job file, and other files by their paths in the zip."""

    job_name: str
    job: bytes
    files: Mapping[str, Path]


def write_bundle(folder: Path, name: str, parcel: Parcel, token: str) -> Path:
    """Write a parcel as a zip under the first free name, and give its place.

    `token` is in the name under which it is written, which no other writer may use.
    """
    ensure_folder(folder)
    temporary = folder / f".{token}.tmp"
    with temporary.open("xb") as stream:
        try:
            _pack(stream, parcel)
            stream.flush()
            os.fsync(stream.fileno())
            return move_to_free_name(temporary, folder, name, lambda path: False)  # noqa: ARG005
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _pack(stream: BinaryIO, parcel: Parcel) -> None:
    with ZipFile(stream, "w") as archive:
        _add(archive, parcel.job_name, io.BytesIO(parcel.job), len(parcel.job))
        for name, file in parcel.files.items():
            with open_regular(file) as reader:
                _add(archive, name, reader, os.fstat(reader.fileno()).st_size)


def _add(archive: ZipFile, name: str, reader: BinaryIO, size_bytes: int) -> None:
    info = ZipInfo(name)
    info.compress_type = ZIP_STORED  # pictures are packed already
    info.external_attr = 0o644 << 16
    info.file_size = size_bytes  # tells whether the entry needs the form for large files
    with archive.open(info, "w") as writer:
        shutil.copyfileobj(reader, writer, _CHUNK_BYTES)
