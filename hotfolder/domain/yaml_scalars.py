"""What a YAML scalar and a tag mean in version 1.2."""

from __future__ import annotations

import math
import re
from typing import Any

from hotfolder.domain.node import MAX_NUMBER_CHARACTERS, Kind

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NUMBER_STARTS = frozenset("-+.0123456789")
_CONSTANTS: dict[str, tuple[Kind, bool | None]] = {
    "": ("null", None),
    "~": ("null", None),
    "null": ("null", None),
    "true": ("boolean", True),
    "false": ("boolean", False),
}
_TAG_PREFIX = "tag:yaml.org,2002:"
_TAG_KINDS: dict[str, Kind] = {
    "str": "text",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "null": "null",
    "map": "map",
    "seq": "list",
}


def resolve(written: str) -> tuple[Kind, Any]:
    """What a scalar without quotes means; a number beyond all measure stays text, which an id may well be."""
    if written in _CONSTANTS:
        return _CONSTANTS[written]
    if written[0] in _NUMBER_STARTS and len(written) <= MAX_NUMBER_CHARACTERS:
        if _INTEGER.fullmatch(written):
            base = {"0x": 16, "0o": 8}.get(written[:2], 10)
            return "integer", int(written[2:], base) if base != 10 else int(written)
        if _NUMBER.fullmatch(written) and math.isfinite(value := float(written)):
            return "number", value
    return "text", written


def is_not_finite(written: str) -> bool:
    """Whether a scalar without quotes stands for infinity or for no number."""
    return bool(written) and written[0] in _NUMBER_STARTS and bool(_NOT_FINITE.fullmatch(written))


def tag_kind(tag: str) -> Kind | None:
    """The kind that a tag of YAML itself asks for; None for all others."""
    return _TAG_KINDS.get(tag.removeprefix(_TAG_PREFIX)) if tag.startswith(_TAG_PREFIX) else None
