"""Turns the text of a job file into nodes that know where they were written."""

from __future__ import annotations

import codecs
from typing import Literal

from hotfolder.domain.json_document import read_json, read_json_lines
from hotfolder.domain.node import (
    MAX_PROBLEMS,
    Entry,
    Node,
    SourceText,
    Unreadable,
    child,
    entries,
    find_node,
    to_plain,
)
from hotfolder.domain.yaml_document import read_yaml
from hotfolder.errors import JobFileError, Problem

__all__ = [
    "MAX_PROBLEMS",
    "DocumentFormat",
    "Entry",
    "Node",
    "child",
    "decode_text",
    "entries",
    "find_node",
    "format_of",
    "parse_documents",
    "to_plain",
]

DocumentFormat = Literal["yaml", "json", "jsonl"]

MAX_BYTES = 1024 * 1024

_FORMATS: tuple[tuple[str, DocumentFormat], ...] = (
    (".yaml", "yaml"),
    (".yml", "yaml"),
    (".json", "json"),
    (".jsonl", "jsonl"),
)
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_FOREIGN_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_SAVE_AS_UTF8 = "Save the file again with the encoding UTF-8."


def format_of(file_name: str) -> DocumentFormat | None:
    """Which format a file name promises, or None."""
    lowered = file_name.lower()
    return next((name for suffix, name in _FORMATS if lowered.endswith(suffix)), None)


def parse_documents(data: bytes, format: DocumentFormat, *, max_bytes: int = MAX_BYTES) -> list[Node]:  # noqa: A002
    """Read all jobs of a file: one a YAML document, JSON array item or JSON line.

    Raises JobFileError with all problems that could be found, in the order of the text. Collections may be
    nested 32 deep, counting a JSON array around the jobs. Empty YAML documents and blank JSON
    lines are skipped.
    """
    if len(data) > max_bytes:
        raise JobFileError([_too_large(len(data), max_bytes)])
    source = SourceText(decode_text(data))
    try:
        nodes = _read(source, format)
        if not nodes:
            source.complain(0, "The file holds no job.", "Write at least `endpointKey` and `params`.")
    except Unreadable:
        nodes = []
    if source.problems:
        raise JobFileError(sorted(source.problems, key=lambda found: (found.line or 0, found.column or 0)))
    return nodes


def decode_text(data: bytes) -> str:
    """The text of a file: UTF-8, with or without a byte order mark (which is left out)."""
    for mark, encoding in _FOREIGN_MARKS:
        if data.startswith(mark):
            message = f"The file is written in {encoding}; UTF-8 is expected."
            raise JobFileError([Problem("job.parse", message, _SAVE_AS_UTF8, 1, 1)])
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise JobFileError([_not_utf8(error)]) from error


def _read(source: SourceText, format: DocumentFormat) -> list[Node]:  # noqa: A002
    if (offset := source.text.find("\0")) >= 0:
        source.refuse(offset, "A NUL character stands in the file; it may not be UTF-8 text.", _SAVE_AS_UTF8)
    if format == "yaml":
        return read_yaml(source)
    return read_json(source) if format == "json" else read_json_lines(source)


def _too_large(size_bytes: int, max_bytes: int) -> Problem:
    message = f"The file has {size_bytes:,} bytes; a job file may have {max_bytes:,}."
    return Problem("job.too_large", message, "Split it into several files, and name pictures as refs.", 1, 1)


def _not_utf8(error: UnicodeDecodeError) -> Problem:
    readable = error.object[: error.start].decode("utf-8").removeprefix("\ufeff")
    line, column = SourceText(readable).place(len(readable))
    byte = error.object[error.start]
    message = f"The byte 0x{byte:02X} at offset {error.start} is not UTF-8 text; UTF-8 is expected."
    return Problem("job.parse", message, _SAVE_AS_UTF8, line, column)
