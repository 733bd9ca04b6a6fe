"""Finds words in a text in one pass, however many there are (pure).

The text is not searched for each word: each of its own words, and each of its characters for words that stand
anywhere, is looked up, and only what begins so is compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_TOKEN: Final = re.compile(r"[^\W_]+")
_UNSPACED: Final = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")

_Lengths = dict[str, list[int]]


class WordIndex:
    """Words with the numbers of the rules that they belong to; all as they are read for moderation."""

    def __init__(self, words: Iterable[tuple[str, int]]) -> None:
        self._rules: dict[str, list[int]] = {}
        for word, rule in words:
            self._rules.setdefault(word, []).append(rule)
        self._by_token: _Lengths = {}
        self._by_character: _Lengths = {}
        for word in sorted(self._rules, key=len, reverse=True):
            self._file(word)
        firsts = "".join(map(re.escape, self._by_character))
        self._character = re.compile(f"[{firsts}]") if firsts else None

    def find(self, text: str) -> Mapping[int, str]:
        """The rules that have a word in a text, each with the first of its words."""
        found: dict[int, str] = {}
        for start, lengths in self._iter_starts(text):
            for length in lengths:
                rules = self._rules.get(text[start : start + length])
                if rules and _stands_alone(text, start, start + length):
                    for rule in rules:
                        found.setdefault(rule, text[start : start + length])
        return found

    def _file(self, word: str) -> None:
        """Under its first token, if every text with the word has that token; longer words come first."""
        token = _TOKEN.match(word) if _ends_word(word[0]) else None
        is_whole = token is not None and (token.end() < len(word) or _ends_word(word[-1]))
        key, index = (token[0], self._by_token) if token and is_whole else (word[0], self._by_character)
        lengths = index.setdefault(key, [])
        if len(word) not in lengths:
            lengths.append(len(word))

    def _iter_starts(self, text: str) -> Iterator[tuple[int, list[int]]]:
        """Where words may begin, and how long those are."""
        if self._by_token:
            for token in _TOKEN.finditer(text):
                lengths = self._by_token.get(token[0])
                if lengths is not None:
                    yield token.start(), lengths
        if self._character is not None:
            for first in self._character.finditer(text):
                yield first.start(), self._by_character[first[0]]


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Neither a letter nor a digit beside it, unless it is of a script that writes words without a space."""
    if start > 0 and text[start - 1].isalnum() and _ends_word(text[start]):
        return False
    return not (end < len(text) and text[end].isalnum() and _ends_word(text[end - 1]))


def _ends_word(character: str) -> bool:
    return character.isalnum() and not unicodedata.name(character, "").startswith(_UNSPACED)
