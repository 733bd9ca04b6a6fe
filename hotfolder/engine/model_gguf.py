"""Reads the header of a GGUF file: of its keys the architecture, of its tensors names, shapes and types."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO, Final

from hotfolder.engine.model_tensors import MAX_DIMENSIONS, MAX_TENSORS, Header, Tensor, build_tensor

MAGIC: Final = b"GGUF"
MAX_HEADER_BYTES: Final = 64 * 1024 * 1024  # vocabularies lie in headers: real ones have up to some 20 MB
_MAX_KEYS: Final = 10_000
_MAX_TEXTS: Final = 2_000_000  # texts in arrays, all together
_MAX_KEPT_TEXT: Final = 4096
_DEFAULT_ALIGNMENT: Final = 32
_MAX_ALIGNMENT: Final = 1 << 20

_TEXT: Final = 8
_ARRAY: Final = 9
_SCALARS: Final = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}

# Number of a type: its name, how many numbers a block of it holds, and how many bytes that block takes.
_TYPES: Final = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
}


def parse_gguf(stream: BinaryIO, size: int) -> Header:
    """The header of an open GGUF file of this size; ValueError when it is damaged or too large."""
    reader = _Reader(stream, size)
    reader.take(len(MAGIC))
    _check_version(reader.take(4))
    tensor_count, key_count = reader.number("<Q"), reader.number("<Q")
    if tensor_count > MAX_TENSORS or key_count > _MAX_KEYS:
        raise ValueError(f"it claims to have {tensor_count} tensors and {key_count} keys")
    keys = _read_keys(reader, key_count)
    tensors, data_end = {}, 0
    for _ in range(tensor_count):
        name, tensor, end = _read_tensor(reader)
        tensors[name] = tensor
        data_end = max(data_end, end)
    alignment = _find_alignment(keys)
    begin = -(-reader.position // alignment) * alignment
    architecture = keys.get("general.architecture")
    return Header(
        "gguf",
        tensors,
        max(0, begin + data_end - size) if data_end else 0,
        architecture if isinstance(architecture, str) else None,
    )


class _Reader:
    """Reads on from the beginning, never beyond the file or the limit."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._size = size
        self._texts_left = _MAX_TEXTS
        self.position = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        self._advance(count)
        found = self._stream.read(count)
        if len(found) < count:
            raise ValueError("it became shorter while it was read")
        return found

    def skip(self, count: int) -> None:
        """Pass over bytes."""
        self._advance(count)
        self._stream.seek(self.position)

    def number(self, code: str) -> Any:
        """The next number, by its struct code."""
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def text(self, limit: int) -> str:
        """The next text; a longer one is damage."""
        length = self.number("<Q")
        if length > limit:
            raise ValueError(f"a name in its header has {length} bytes")
        return self.take(length).decode("utf-8", "backslashreplace")

    def skip_texts(self, count: int) -> None:
        """Pass over so many texts."""
        if count > self._texts_left:
            raise ValueError("its header holds more texts than any vocabulary")
        self._texts_left -= count
        for _ in range(count):
            self.skip(self.number("<Q"))

    def _advance(self, count: int) -> None:
        if self.position + count > MAX_HEADER_BYTES:
            raise ValueError("its header is damaged, or larger than any model's")
        if self.position + count > self._size:
            raise ValueError("it ends within its header: it was not copied or downloaded to its end")
        self.position += count


def _check_version(found: bytes) -> None:
    version = int.from_bytes(found, "little")
    if version in (2, 3):
        return
    if int.from_bytes(found, "big") in (2, 3):
        raise ValueError("it is a GGUF file for big-endian machines")
    raise ValueError(f"it is a GGUF file of version {version}; 2 and 3 are known")


def _read_keys(reader: _Reader, count: int) -> dict[str, Any]:
    keys = {}
    for _ in range(count):
        name = reader.text(_MAX_KEPT_TEXT)
        value = _read_value(reader, reader.number("<I"), keep=name.startswith("general."))
        if value is not None:
            keys[name] = value
    return keys


def _read_value(reader: _Reader, kind: int, *, keep: bool) -> Any:
    """A number or short text that is kept, None for all that is passed over."""
    if kind in _SCALARS:
        return reader.number(_SCALARS[kind])
    if kind == _TEXT:
        return _read_text(reader, keep=keep)
    if kind == _ARRAY:
        _skip_array(reader)
        return None
    raise ValueError(f"a key in its header has the unknown type {kind}")


def _read_text(reader: _Reader, *, keep: bool) -> str | None:
    length = reader.number("<Q")
    if keep and length <= _MAX_KEPT_TEXT:
        return reader.take(length).decode("utf-8", "backslashreplace")
    reader.skip(length)
    return None


def _skip_array(reader: _Reader) -> None:
    kind, count = reader.number("<I"), reader.number("<Q")
    if kind == _TEXT:
        reader.skip_texts(count)
    elif kind in _SCALARS:
        reader.skip(count * struct.calcsize(_SCALARS[kind]))
    else:
        raise ValueError(f"an array in its header has the unknown type {kind}")


def _read_tensor(reader: _Reader) -> tuple[str, Tensor, int]:
    """Name, tensor, and where its bytes end, counted from where the first one's begin."""
    name = reader.text(_MAX_KEPT_TEXT)
    count = reader.number("<I")
    if count > MAX_DIMENSIONS:
        raise ValueError(f"the tensor {name[:80]!r} has {count} dimensions")
    extents = [reader.number("<Q") for _ in range(count)]
    kind, offset = reader.number("<I"), reader.number("<Q")
    dtype, block, block_bytes = _TYPES.get(kind, (f"type {kind}", 1, 0))
    tensor = build_tensor(name, tuple(reversed(extents)), dtype)
    return name, tensor, offset + -(-tensor.elements // block) * block_bytes


def _find_alignment(keys: dict[str, Any]) -> int:
    found = keys.get("general.alignment", _DEFAULT_ALIGNMENT)
    if not isinstance(found, int) or not 0 < found <= _MAX_ALIGNMENT:
        raise ValueError("its header has an impossible alignment")
    return found
