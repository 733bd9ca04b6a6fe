"""Names for the files of pictures: safe on every disk, and each once (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import PurePath
from typing import Final

from hotfolder.files.decoding import readable_extensions

STEM_MAX_BYTES: Final = 200
"""So that an ending, a number and the suffix of a sidecar fit behind it."""
_UNSAFE: Final = frozenset('/\\:*?"<>|')
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)


def split_name(name: str) -> tuple[str, str]:
    """The stem of a name and how it ends as that of a picture: with its dot, or not at all."""
    suffix = PurePath(name.replace("/", "_")).suffix
    return (name.removesuffix(suffix), suffix) if suffix.casefold() in readable_extensions() else (name, "")


def safe_stem(text: str) -> str:
    """What of a text can stand before the ending of a file: not hidden, no device, nothing that steers.

    With the ending of a picture behind it no rule of ours passes over it.
    """
    composed = unicodedata.normalize("NFC", text)
    plain = "".join("_" if each in _UNSAFE or not each.isprintable() else each for each in composed)
    short = plain.strip(" .").encode()[:STEM_MAX_BYTES].decode(errors="ignore")
    stem = short.lstrip(".~ ").rstrip(". ") or "picture"
    return f"_{stem}" if _DEVICE.fullmatch(stem) else stem


class NamesOnce:
    """Gives each file a name that no other has, on disks too that do not tell `A.png` from `a.png`."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._numbers: Counter[str] = Counter()

    def take(self, stem: str, extension: str) -> str:
        """`a.png`, then `a~2.png`, ..."""
        name = stem + extension
        while _folded(name) in self._given:
            self._numbers[_folded(stem)] += 1
            name = f"{stem}~{self._numbers[_folded(stem)] + 1}{extension}"
        self._given.add(_folded(name))
        return name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())
