"""Reads the header of a model file, GGUF or safetensors, and nothing behind it; the file is not trusted."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, Final

from hotfolder.engine.model_gguf import MAGIC, parse_gguf
from hotfolder.engine.model_tensors import MAX_TENSORS, Header, Tensor, build_tensor

MAX_JSON_BYTES: Final = 16 * 1024 * 1024
_MAX_JSON_MARKS: Final = 1_000_000  # brackets and commas; real headers have about ten for each tensor
_START_BYTES: Final = 64
_LENGTH_BYTES: Final = 8
_BUFFER_BYTES: Final = 256 * 1024
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_FLAGS: Final = os.O_RDONLY | _NO_WAIT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_OTHERS: Final = (
    (b"version https://git-lfs", "it is a Git LFS pointer, not the model: run `git lfs pull`"),
    (b"<!doctype", "it is a web page: the download did not give the model"),
    (b"<html", "it is a web page: the download did not give the model"),
    (b"pk\x03\x04", "it is a zip or PyTorch file, which is not looked into: loading one can run code"),
    (b"\x80", "it is a Python pickle, which is not looked into: loading one can run code"),
)


def read_header(path: Path) -> Header:
    """The header of a file; ValueError says what is wrong with its content, OSError why it cannot be read."""
    with _open(path) as stream:
        return parse_header(stream, os.fstat(stream.fileno()).st_size)


def parse_header(stream: BinaryIO, size: int) -> Header:
    """The header of an open file of this size, whatever its name; ValueError when it has none."""
    start = stream.read(_START_BYTES)
    stream.seek(0)
    if start.startswith(MAGIC):
        return parse_gguf(stream, size)
    if start[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{":
        return _parse_safetensors(stream, size)
    raise ValueError(_describe_other(start))


def _open(path: Path) -> BinaryIO:
    """Opened without waiting: a FIFO has no header."""
    number = os.open(path, _FLAGS)
    if stat.S_ISREG(os.fstat(number).st_mode):
        return os.fdopen(number, "rb", buffering=_BUFFER_BYTES)
    os.close(number)
    raise ValueError("it is no regular file")


def _describe_other(start: bytes) -> str:
    if not start:
        return "it is empty"
    words = start.lower().lstrip()
    known = (text for prefix, text in _OTHERS if words.startswith(prefix))
    return next(known, "it is neither a GGUF nor a safetensors file")


def _parse_safetensors(stream: BinaryIO, size: int) -> Header:
    length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
    if length > MAX_JSON_BYTES:
        raise ValueError(f"its header would have {length} bytes, more than any model's")
    if length > size - _LENGTH_BYTES:
        raise ValueError("it ends within its header: it was not copied or downloaded to its end")
    entries = _parse_json(stream.read(length))
    entries.pop("__metadata__", None)
    if len(entries) > MAX_TENSORS:
        raise ValueError(f"its header names {len(entries)} tensors, more than any model has")
    tensors, end = {}, 0
    for name, entry in entries.items():
        tensors[name] = _to_tensor(name, entry)
        end = max(end, _to_end(name, entry))
    return Header("safetensors", tensors, max(0, _LENGTH_BYTES + length + end - size))


def _parse_json(text: bytes) -> dict[str, Any]:
    """Measured before it is parsed: a few megabytes of brackets would take gigabytes as objects."""
    if sum(map(text.count, (b"{", b"[", b","))) > _MAX_JSON_MARKS:
        raise ValueError("its header holds more values than any model's")
    try:
        found = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError("its header is no sound JSON") from error
    if not isinstance(found, dict):
        raise ValueError("its header is no JSON object")
    return found


def _to_tensor(name: str, entry: Any) -> Tensor:
    if not isinstance(entry, dict) or not isinstance(entry.get("dtype"), str):
        raise ValueError(f"its header does not describe the tensor {name[:80]!r}")
    shape = entry.get("shape")
    if not isinstance(shape, list) or not all(map(_is_whole, shape)):
        raise ValueError(f"its header gives the tensor {name[:80]!r} no shape")
    return build_tensor(name, tuple(shape), entry["dtype"][:40])


def _to_end(name: str, entry: dict[str, Any]) -> int:
    offsets = entry.get("data_offsets")
    if isinstance(offsets, list) and len(offsets) == 2 and all(map(_is_whole, offsets)):
        begin, end = offsets
        if 0 <= begin <= end:
            return int(end)
    raise ValueError(f"its header does not say where the tensor {name[:80]!r} lies")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
