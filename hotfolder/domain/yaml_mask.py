"""Hides from parsers of YAML 1.1 the characters that mean nothing special since 1.2."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

# Line breaks of YAML 1.1, and the byte order mark, which libyaml skips at the start of any line.
_SPECIAL = "\x85\u2028\u2029\ufeff"
_ANY_SPECIAL = re.compile(f"[{_SPECIAL}]")
_ESCAPED = re.compile(r"\\U([0-9a-fA-F]{8})")
# Planes without any character in them; a text of one mebibyte cannot use up the half of them.
_STAND_INS = range(0x40000, 0xE0000)


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A text for a parser, as long as the source, and how to get back what the source says."""

    text: str
    _shown: dict[int, str] | None = None

    def show(self, value: str) -> str:
        """The value of a scalar as the source means it."""
        return value.translate(self._shown) if self._shown else value


def mask_text(text: str) -> MaskedText:
    """The text with other characters, found nowhere in it, in place of the special ones."""
    if text.startswith("\ufeff"):
        # A second mark is skipped, but must not count as a column.
        text = "\n" + text[1:]
    if not _ANY_SPECIAL.search(text):
        return MaskedText(text)
    taken = {ord(character) for character in set(text)}
    taken.update(int(found.group(1), 16) for found in _ESCAPED.finditer(text))
    free = islice((code for code in _STAND_INS if code not in taken), len(_SPECIAL))
    shown = dict(zip(free, _SPECIAL, strict=True))
    return MaskedText(text.translate({ord(character): code for code, character in shown.items()}), shown)
