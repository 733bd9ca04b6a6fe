"""The nearest known word to a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def find_nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The most similar known word, case ignored; None when none is alike by so much, from 0 to 1."""
    by_folded = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=likeness)
    return by_folded[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or else all of them."""
    words = sorted(known)
    nearest = find_nearest(word, words)
    return f"Did you mean `{nearest}`?" if nearest else f"Known: {', '.join(words)}."
