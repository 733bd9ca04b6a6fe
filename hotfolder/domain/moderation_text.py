"""How a text is read for moderation: written differently and read alike becomes the same text (pure).

Unicode's compatible forms (NFKC) in folded case, without accents and invisible characters; letters with a
stroke, small capitals and white letters on a black ground as plain ones; Latin letters without any marks;
whitespace as one blank. Cyrillic and Greek letters that look like Latin ones are read both ways.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

PART: Final = 50_000
"""So many characters are folded in one step; other threads run between two."""
MARKS_MAX: Final = 30
"""So many marks in a row are looked at: to sort n of them takes n x n steps."""

# Accents that go with any letter, variation selectors, and a stroke that only makes Arabic words longer.
# Signs that belong to one script (the vowels of Hindi, the sound marks of Japanese) carry meaning and stay.
_IGNORED: Final = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180d\u180f\u17b4\u17b5\u0640]"
)
# Nothing is seen of these but, with some fonts, a gap. A soft hyphen or a joiner leaves none.
_GAPS: Final = "\u200b\u180e\u115f\u1160\u2800\u3164\uffa0"

_CYRILLIC: Final = (
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0405\u0406\u0408\u051a\u051c\u04ae\u04c0"
    "\u0474\u04ba\u0430\u0435\u043a\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u0501\u051b\u051d\u04bb\u04cf\u0475"
    "\u04af"
)
_GREEK: Final = (
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u03b1\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5\u03c7\u03b3\u03b7\u03f3"
)
_LATIN_LOOKS: Final = dict(
    zip(
        _CYRILLIC + _GREEK,
        "abekmhopctyxsijqwylvhaekopcyxsijdqwhlvy" + "abezhikmnoptyxaiknopuxynj",
        strict=True,
    )
)
_STROKES: Final = (
    "\u0142\u00f8\u0111\u0127\u0167\u0131\u0237\u0180\u01b6\u0268\u024f\u024d"
    "\u0249\u0247\u2c65\u023c\u01e5\u019a\u0289\u0275\u0251\u0261\u0269"
)
_SMALL_CAPITALS: Final = (
    "\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f"
    "\u1d0d\u0274\u1d0f\u1d18\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22"
)
_PLAIN: Final = str.maketrans(
    _STROKES + _SMALL_CAPITALS, "lodhtijbziyrjeacgluoagi" + "abcdefghijklmnoprstuvwyz"
) | {ord("\u00e6"): "ae", ord("\u0153"): "oe"}
_ON_BLACK: Final = (0x1F150, 0x1F170)
_Folds = dict[int, str]
_LATIN: Final = "a-z\u00df-\u024f\u1e00-\u1eff"


def read_text(text: str) -> tuple[str, ...]:
    """A text as it can be read, each reading once: as it is written first.

    What may show as a gap is nothing or a blank, and look-alike letters are themselves or Latin ones.
    """
    if text.isascii() and text.isprintable():
        return (" ".join(text.casefold().split()),)
    seen = set(text)
    plain = {ord(each): _fold_one(each) for each in seen}
    gaps = {ord(each): " " for each in seen if _is_gap(each)}
    looks = {ord(each): _fold_one(latin) for each in seen if (latin := _to_latin(each)) is not None}
    ways = [{**plain, **own, **gap} for own in _with(looks) for gap in _with(gaps)]
    return tuple(dict.fromkeys(" ".join(_fold(text, way).split()) for way in ways))


def fold(text: str) -> str:
    """A text as it is written; every whitespace is a blank, and stays where it is."""
    return _fold(text, {ord(each): _fold_one(each) for each in set(text)})


def _with(folds: _Folds) -> tuple[_Folds, ...]:
    return ({}, folds) if folds else ({},)


def _fold(text: str, folds: _Folds) -> str:
    parts = (text[at : at + PART].translate(folds) for at in range(0, len(text), PART))
    return unicodedata.normalize("NFC", _with_few_marks("".join(parts)))


def _fold_one(characters: str) -> str:
    """One character, or what it looks like."""
    if characters.isspace():
        return " "
    if _is_gap(characters) or unicodedata.category(characters[0]) in ("Cf", "Me"):
        return ""
    for first in _ON_BLACK:
        if first <= ord(characters[0]) < first + 26:
            return chr(ord("a") + ord(characters[0]) - first)
    cased = _decomposed(characters).casefold()
    return unicodedata.normalize("NFC", _decomposed(cased).translate(_PLAIN))


def _to_latin(character: str) -> str | None:
    """The Latin letters that it looks like, or None."""
    shown = _decomposed(character)
    latin = "".join(_LATIN_LOOKS.get(each, each) for each in shown)
    return latin if latin != shown else None


def _decomposed(text: str) -> str:
    return _IGNORED.sub("", unicodedata.normalize("NFKD", text))


def _is_gap(character: str) -> bool:
    return character in _GAPS or (unicodedata.category(character[0]) == "Cc" and not character.isspace())


def _with_few_marks(text: str) -> str:
    """No marks at all after Latin letters, whatever script they are of, and elsewhere no heaps of them."""
    marks = "" if text.isascii() else "".join(each for each in set(text) if _is_mark(each))
    if not marks:
        return text
    latin = re.sub(f"(?<=[{_LATIN}])[{marks}]+", "", text)
    return re.sub(f"(?<=[{marks}]{{{MARKS_MAX}}})[{marks}]+", "", latin)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) == "Mn" or unicodedata.combining(character) > 0
