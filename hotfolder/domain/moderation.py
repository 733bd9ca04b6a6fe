"""Moderation rules: which words and patterns a text has, however it is written (pure).

Text and words are compared as they read: Unicode's compatible forms (NFKC) in folded case, without invisible
characters and without accents, every run of whitespace as one blank. A character that only looks like another
one (a Cyrillic `a` among Latin letters) stays what it is.

Python's regular expressions try one way after another, and a pattern such as `(a+)+b` never comes to an end.
So each pattern is taken apart when it is loaded, and the steps that it can take from one place of a text, at
worst, are counted: more than STEPS_MAX is refused. Patterns see a text in pieces of PIECE characters that
overlap by half, so that nothing of up to half a piece is missed, and no more than TEXT_MAX characters of it;
who asks is told of a text that is longer. Words are looked for in all of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from re import _parser  # type: ignore[attr-defined]  # it has no public name, and no types
from typing import Any, Final, Literal

from hotfolder.errors import ConfigError

STEPS_MAX: Final = 10_000
PIECE: Final = 2_000
TEXT_MAX: Final = 20_000
PATTERN_MAX: Final = 1_000

_BACK_REFERENCES: Final = frozenset({"GROUPREF", "GROUPREF_EXISTS", "GROUPREF_IGNORE"})
# Accents and strokes that go with any letter, variation selectors, and characters that look like nothing;
# signs that belong to one script (the points of Hebrew, the vowels of Hindi) carry meaning and stay.
_IGNORED: Final = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180f\u115f\u1160\u17b4\u17b5\u2800\u0640]"
)
_UNSPACED: Final = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


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
        self._rules = [
            (rule, _compile_words(rule, at), _compile_pattern(rule, at)) for at, rule in _numbered(rules)
        ]
        self._has_patterns = any(pattern for _, _, pattern in self._rules)

    def look(self, text: str) -> Look:
        """Each rule that a text breaks, once, in the order of the rules."""
        readings = read_text(text) if self._rules else ()
        found = (self._find(*each, readings) for each in self._rules)
        is_cut = self._has_patterns and any(len(each) > TEXT_MAX for each in readings)
        return Look([hit for hit in found if hit is not None], is_cut)

    def _find(
        self,
        rule: Rule,
        words: re.Pattern[str] | None,
        pattern: re.Pattern[str] | None,
        readings: Sequence[str],
    ) -> Hit | None:
        for reading in readings:
            word = words.search(reading) if words is not None else None
            if word is not None:
                return Hit(
                    f"breaks the rule `{rule.name}`" if rule.name else f"has the word `{word[0]}`",
                    rule.action,
                )
            if pattern is not None and _is_in_pieces(pattern, reading):
                return Hit(f"breaks the rule `{rule.name or rule.pattern}`", rule.action)
        return None


def read_text(text: str) -> tuple[str, ...]:
    """A text as it is compared: without what is invisible, and with a blank for it where that differs."""
    readings = (_folded(text, unseen) for unseen in ("", " "))
    return tuple(dict.fromkeys(readings))


def _folded(text: str, unseen: str) -> str:
    shown = text
    if not (text.isascii() and text.isprintable()):
        shown = "".join(each if _is_seen(each) else unseen for each in text)
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", shown).casefold())
    return " ".join(unicodedata.normalize("NFC", _IGNORED.sub("", decomposed)).split())


def _is_seen(character: str) -> bool:
    """Formatting and control characters show nothing; neither do some that Unicode calls letters."""
    if character.isspace():
        return True
    return unicodedata.category(character) not in ("Cf", "Cc") and character not in "\u3164\uffa0\u2800\u034f"


def _numbered(rules: Sequence[Rule]) -> Iterable[tuple[str, Rule]]:
    """The rules with what problems call them."""
    for index, rule in enumerate(rules):
        at = f"moderation.rules[{index}]"
        if not rule.words and not rule.pattern:
            raise ConfigError(
                f"`{at}` has neither words nor a pattern.", hint="Give it `words` or a `pattern`."
            )
        yield at, rule


def _compile_words(rule: Rule, at: str) -> re.Pattern[str] | None:
    """One expression for all words of a rule: alternatives without repeats, so it needs no count."""
    if not rule.words:
        return None
    words = {each: read_text(each)[0] for each in rule.words}
    empty = next((each for each, read in words.items() if not read), None)
    if empty is not None:
        raise ConfigError(f"`{at}.words` has a word without a letter: {empty!r}.", hint="Take it out.")
    return re.compile("|".join(map(_whole, sorted(words.values(), key=len, reverse=True))))


def _whole(word: str) -> str:
    """Neither a letter nor a digit beside it, unless it is of a script that writes words without a space."""
    before = r"(?<![^\W_])" if _ends_word(word[0]) else ""
    after = r"(?![^\W_])" if _ends_word(word[-1]) else ""
    return f"{before}{re.escape(word)}{after}"


def _ends_word(character: str) -> bool:
    return character.isalnum() and not unicodedata.name(character, "").startswith(_UNSPACED)


def _compile_pattern(rule: Rule, at: str) -> re.Pattern[str] | None:
    if not rule.pattern:
        return None
    at = f"{at}.pattern"
    if len(rule.pattern) > PATTERN_MAX:
        raise ConfigError(
            f"`{at}` is longer than {PATTERN_MAX} characters.", hint="Make several rules of it."
        )
    folded = _fold_pattern(rule.pattern)
    try:
        compiled = re.compile(folded, re.IGNORECASE)
        steps, _ = _count(_parser.parse(folded, re.IGNORECASE))
    except (re.error, OverflowError, RecursionError) as error:
        hint = "Look at https://docs.python.org/3/library/re.html."
        raise ConfigError(f"`{at}` is no regular expression: {error}.", hint=hint) from error
    except _HasBackReference as error:
        message = f"`{at}` refers back to a group, which can take a very long time."
        raise ConfigError(message, hint="Write what the group may be once more.") from error
    if steps > STEPS_MAX:
        raise ConfigError(
            f"`{at}` can take more than {STEPS_MAX:,} steps at each place of a text.",
            hint="Write `.{0,30}` instead of `.*`, a single blank for whitespace, and no repeats in repeats.",
        )
    return compiled


def _fold_pattern(pattern: str) -> str:
    """Letters with accents, and the like, as they stand in a folded text; the rest is syntax, and stays."""
    characters = unicodedata.normalize("NFC", pattern)
    return "".join(each if each.isascii() else re.escape(_folded(each, "")) for each in characters)


def _is_in_pieces(pattern: re.Pattern[str], text: str) -> bool:
    end = min(len(text), TEXT_MAX)
    starts = range(0, max(end - PIECE // 2, 1), PIECE // 2)
    return any(pattern.search(text, start, min(start + PIECE, end)) for start in starts)


class _HasBackReference(Exception):
    """How long a reference to a group takes depends on the text."""


def _count(parsed: Iterable[tuple[Any, Any]]) -> tuple[int, int]:
    """At most how many steps a sequence takes from one place, and in how many ways it can match there.

    Whatever follows is tried once for every way, so the ways multiply.
    """
    steps, ways = 0, 1
    for operation, argument in parsed:
        own_steps, own_ways = _count_one(str(operation), argument)
        steps, ways = _capped(steps + ways * own_steps), _capped(ways * own_ways)
    return steps, ways


def _count_one(operation: str, argument: Any) -> tuple[int, int]:
    if operation in _BACK_REFERENCES:
        raise _HasBackReference
    if operation in ("MAX_REPEAT", "MIN_REPEAT"):
        return _count_repeat(*argument)
    if operation == "POSSESSIVE_REPEAT":
        return _count_repeat(*argument)[0], 1
    if operation == "BRANCH":
        counts = [_count(each) for each in argument[1]]
        return _capped(sum(steps for steps, _ in counts)), _capped(sum(ways for _, ways in counts))
    if operation == "SUBPATTERN":
        return _count(argument[-1])
    if operation in ("ASSERT", "ASSERT_NOT"):
        return _count(argument[1])[0], 1
    return (_count(argument)[0], 1) if operation == "ATOMIC_GROUP" else (1, 1)


def _count_repeat(lowest: int, highest: int, body: Iterable[tuple[Any, Any]]) -> tuple[int, int]:
    """A repeat of something that matches in w ways: w + w^2 + w^3 + ... of them."""
    own_steps, own_ways = _count(body)
    steps = total_ways = 0
    ways = 1
    for number in range(min(int(highest), PIECE) + 1):
        total_ways = _capped(total_ways + (ways if number >= min(int(lowest), PIECE) else 0))
        steps = _capped(steps + ways * max(own_steps, 1))
        ways = _capped(ways * own_ways)
    return steps, max(total_ways, 1)


def _capped(number: int) -> int:
    """More than too many is not counted."""
    return min(number, STEPS_MAX + 1)
