"""The job that a made picture carries in its metadata."""

from __future__ import annotations

import json
import os
from io import BufferedReader
from typing import Any, Final

from hotfolder.errors import JobFileError, LibraryError, Problem
from hotfolder.files.container import read_metadata, recognise_format
from hotfolder.files.xmp import parse_xmp

MAX_BYTES: Final = 128 * 1024 * 1024
"""Pictures that are larger are not read: their metadata is looked for in memory."""

_HEAD_BYTES: Final = 16
_HINT: Final = "Only pictures with hotfolder's own metadata (XMP) can be run again; write a job file instead."


def read_made_picture(stream: BufferedReader, name: str) -> bytes:
    """`job_of_made_picture` for an open file, of which no more is read than may be of use."""
    if os.fstat(stream.fileno()).st_size > MAX_BYTES:
        message = f"{name} has more than {MAX_BYTES // 1024**2} MiB: how it was made is not looked for."
        raise JobFileError([Problem("job.no_metadata", message, _HINT)])
    try:
        recognise_format(stream.peek(_HEAD_BYTES)[:_HEAD_BYTES])
    except LibraryError as error:
        raise _says_nothing(name) from error
    return job_of_made_picture(stream.read(MAX_BYTES), name)


def job_of_made_picture(data: bytes, name: str) -> bytes:
    """The text of a job that makes the picture again; raises JobFileError when it carries none.

    Whoever made the file may have put anything there: only endpoint, params and references by content are
    taken, and they are checked like those of any job.
    """
    try:
        xmp = read_metadata(data).xmp
        text = parse_xmp(xmp).params_json if xmp else None
        said = json.loads(text) if text else None
    except (LibraryError, ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("params"), dict):
        raise _says_nothing(name)
    job: dict[str, Any] = {"endpointKey": said.get("endpointKey"), "params": said["params"]}
    references = _references(said.get("refs"))
    if references:
        job["refs"] = references
    return (json.dumps(job, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _says_nothing(name: str) -> JobFileError:
    return JobFileError([Problem("job.no_metadata", f"{name} does not say how it was made.", _HINT)])


def _references(said: Any) -> list[dict[str, Any]]:
    entries = [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []
    return [
        {key: each[key] for key in ("sha256", "role") if isinstance(each.get(key), str)}
        for each in entries
        if isinstance(each.get("sha256"), str)
    ]
