"""Moderation rules: which words and patterns a text has, however it is written (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from hotfolder.domain.moderation_patterns import TEXT_MAX, Pattern
from hotfolder.domain.moderation_text import read_text
from hotfolder.domain.moderation_words import WordIndex
from hotfolder.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Rule:
    """Words or a pattern, and what becomes of a job whose text has them."""

    name: str | None = None
    words: Sequence[str] = ()
    pattern: str | None = None
    action: Literal["block", "flag"] = "block"


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that a text breaks: what is said of the text, such as `has the word ...`."""

    said: str
    action: Literal["block", "flag"]


@dataclass(frozen=True, slots=True)
class Look:
    """What was found in a text; one that `is_cut` is too long for patterns to see all of it."""

    hits: Sequence[Hit]
    is_cut: bool = False


class RuleBook:
    """All rules, ready to be looked for; raises ConfigError for one that cannot be used."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        _check_content(rules)
        self._rules = tuple(rules)
        self._words = WordIndex(_iter_words(rules))
        self._patterns = [
            Pattern(rule.pattern, f"{_name(number)}.pattern") if rule.pattern else None
            for number, rule in enumerate(rules)
        ]
        self._has_patterns = any(self._patterns)

    def look(self, text: str) -> Look:
        """Each rule that a text breaks, once, in the order of the rules."""
        readings = read_text(text) if self._rules else ()
        words: dict[int, str] = {}
        for reading in readings:
            words = {**self._words.find(reading), **words}
        found = (self._find(number, words.get(number), readings) for number in range(len(self._rules)))
        is_cut = self._has_patterns and any(len(each) > TEXT_MAX for each in readings)
        return Look([hit for hit in found if hit is not None], is_cut)

    def _find(self, number: int, word: str | None, readings: Sequence[str]) -> Hit | None:
        rule, pattern = self._rules[number], self._patterns[number]
        if word is not None:
            return Hit(
                f"breaks the rule `{rule.name}`" if rule.name else f"has the word `{word}`", rule.action
            )
        if pattern is not None and any(map(pattern.is_in, readings)):
            return Hit(f"breaks the rule `{rule.name or rule.pattern}`", rule.action)
        return None


def _name(number: int) -> str:
    """What problems call a rule."""
    return f"moderation.rules[{number}]"


def _check_content(rules: Sequence[Rule]) -> None:
    for number, rule in enumerate(rules):
        if not rule.words and not rule.pattern:
            raise ConfigError(
                f"`{_name(number)}` has neither words nor a pattern.", hint="Give it `words` or a `pattern`."
            )


def _iter_words(rules: Sequence[Rule]) -> Iterable[tuple[str, int]]:
    """Words as they are read, each with the number of its rule."""
    for number, rule in enumerate(rules):
        for written in rule.words:
            word = read_text(written)[0]
            if not word:
                raise ConfigError(
                    f"`{_name(number)}.words` has a word without a letter: {written!r}.", hint="Take it out."
                )
            yield word, number
