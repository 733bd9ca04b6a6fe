"""File names: one that is free, one that fits, and the name of a claimed job file.

Names may hold surrogate escapes (file names that are not UTF-8); lengths are counted in bytes.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable
from pathlib import Path

MAX_NAME_BYTES = 255
RESULT_SUFFIX = ".result.json"
REPORT_SUFFIX = ".error.md"

_MAX_EXTENSION_BYTES = 32  # what is longer than this behind a dot is a part of the name
_JOB_ID = re.compile(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*")


def display_text(text: str) -> str:
    """A name or path as text that can be printed and stored, whatever its bytes are."""
    return text.encode("utf-8", "replace").decode("utf-8")


def display_name(path: Path) -> str:
    """The last part of a path as text that can be printed and stored, whatever its bytes are."""
    return display_text(path.name)


def free_name(folder: Path, name: str, taken: Callable[[Path], bool]) -> str:
    """The name itself, or `a~2.yaml`, `a~3.yaml`, ...: the first that is not taken.

    It is shortened where needed, so that a result file's name still fits behind it.
    """
    stem, extension = _split_name(single_name(name))
    limit_bytes = MAX_NAME_BYTES - len(RESULT_SUFFIX)
    endings = itertools.chain((extension,), (f"~{number}{extension}" for number in itertools.count(2)))
    candidates = (_fitted(stem, ending, limit_bytes) for ending in endings)
    return next(candidate for candidate in candidates if not taken(folder / candidate))


def claim_name(job_id: str, name: str) -> str:
    """The name of a claimed job file in `processing/`."""
    if not _JOB_ID.fullmatch(job_id):
        raise ValueError(f"{job_id!r} cannot be a job id")
    stem, extension = _split_name(single_name(name))
    return f"{job_id}--" + _fitted(stem, extension, MAX_NAME_BYTES - len(job_id) - 2)


def parse_claim_name(text: str) -> tuple[str, str] | None:
    """The job id and the (perhaps shortened) name in a claimed file's name; None for any other file."""
    job_id, _, name = text.partition("--")  # a job id has no double hyphen and does not end in one
    return (job_id, name) if name and _JOB_ID.fullmatch(job_id) else None


def single_name(name: str) -> str:
    """The name, unless it would be more, or less, than one name in a folder (ValueError)."""
    if name in ("", ".", "..") or "/" in name or "\0" in name or os.sep in name:
        raise ValueError(f"{name!r} is not a file name")
    return name


def dotted_extension(extension: str) -> str:
    """The extension, unless its dot is missing (ValueError)."""
    if extension and not extension.startswith("."):
        raise ValueError(f"the extension {extension!r} has no dot")
    return extension


def _split_name(name: str) -> tuple[str, str]:
    stem, extension = os.path.splitext(name)  # noqa: PTH122 - Path.suffix differs between Python versions
    return (stem, extension) if len(os.fsencode(extension)) <= _MAX_EXTENSION_BYTES else (name, "")


def _fitted(stem: str, ending: str, limit_bytes: int) -> str:
    """Shorten the stem by whole characters until the name fits."""
    room_bytes = limit_bytes - len(os.fsencode(ending))
    ends = itertools.accumulate(len(os.fsencode(character)) for character in stem)
    return stem[: sum(end <= room_bytes for end in ends)] + ending
