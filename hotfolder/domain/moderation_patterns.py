"""Looks for a regular expression in a text as it is read, and ends for sure (pure).

A pattern is taken apart when it is loaded. Its letters are folded as those of a text are, and the steps that
it can take are counted: too many are refused. It sees a text in pieces of PIECE characters that overlap by
half, so that nothing of up to half a piece is missed, and no more than TEXT_MAX characters of it; who asks is
told of a text that is longer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from re import _compiler, _parser  # type: ignore[attr-defined]  # they have no public name, and no types
from typing import Any, Final

from hotfolder.domain.moderation_steps import REPEATS_MAX, STEPS_MAX, HasBackReference, count_steps
from hotfolder.domain.moderation_text import fold
from hotfolder.errors import ConfigError

PIECE: Final = REPEATS_MAX
TEXT_MAX: Final = 20_000
PATTERN_MAX: Final = 1_000

_SEES_END: Final = frozenset({"AT", "ASSERT", "ASSERT_NOT", "ATOMIC_GROUP", "POSSESSIVE_REPEAT"})
_Sequence = Any  # of operations with their arguments: `re` has no type for it


class Pattern:
    """A regular expression, in any case; raises ConfigError, which calls it `at`, when it cannot be used."""

    def __init__(self, written: str, at: str) -> None:
        if len(written) > PATTERN_MAX:
            raise ConfigError(
                f"`{at}` is longer than {PATTERN_MAX} characters.", hint="Make several rules of it."
            )
        try:
            parsed = _parser.parse(written, re.IGNORECASE)
            _fold_sequence(parsed)
            _check_steps(count_steps(parsed), at)
            self._compiled = _compiler.compile(parsed, re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            hint = "Look at https://docs.python.org/3/library/re.html."
            raise ConfigError(f"`{at}` is no regular expression: {error}.", hint=hint) from error
        except HasBackReference as error:
            message = f"`{at}` refers back to a group, which can take a very long time."
            raise ConfigError(message, hint="Write what the group may be once more.") from error
        except _CannotFold as error:
            raise ConfigError(f"`{at}` {error}.", hint=error.hint) from error
        self._sees_end = _sees_end(parsed)

    def is_in(self, text: str) -> bool:
        """Whether it is found in a text as it is read."""
        end = min(len(text), TEXT_MAX)
        starts = range(0, max(end - PIECE // 2, 1), PIECE // 2)
        return any(self._is_between(text, start, min(start + PIECE, end)) for start in starts)

    def _is_between(self, text: str, start: int, end: int) -> bool:
        """A search takes a piece's end for that of the text: what can hang on it is looked at again."""
        found = self._compiled.search(text, start, end)
        while found and self._sees_end and end < len(text) and not self._is_at(text, found.start()):
            if found.start() == end:
                return False
            found = self._compiled.search(text, found.start() + 1, end)
        return found is not None

    def _is_at(self, text: str, start: int) -> bool:
        """Seen from there it goes far beyond what it can hang on."""
        return self._compiled.match(text, start, start + 2 * PIECE) is not None


class _CannotFold(Exception):
    """What a pattern asks for stands in no text as it is read."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def _check_steps(steps: int, at: str) -> None:
    if steps > STEPS_MAX:
        raise ConfigError(
            f"`{at}` can take more than {STEPS_MAX:,} steps at each place of a text.",
            hint="Write one `.*` at most, and none at the ends; `.{0,30}` instead of more, a single blank "
            "for whitespace, and no repeats in repeats.",
        )


def _sees_end(parsed: _Sequence) -> bool:
    """Whether what is found can hang on what comes after it."""
    return any(
        str(operation) in _SEES_END or any(map(_sees_end, _iter_inner(str(operation), argument)))
        for operation, argument in parsed
    )


def _iter_inner(operation: str, argument: Any) -> Iterator[_Sequence]:
    """The sequences that an operation is made of."""
    if operation in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT", "SUBPATTERN"):
        yield argument[-1]
    elif operation in ("ASSERT", "ASSERT_NOT"):
        yield argument[1]
    elif operation == "BRANCH":
        yield from argument[1]
    elif operation == "ATOMIC_GROUP":
        yield argument


def _fold_sequence(parsed: _Sequence) -> None:
    """Letters become what they are in a text as it is read, also those that are written as escapes."""
    folded: list[tuple[Any, Any]] = []
    for is_text, group in groupby(parsed, lambda each: each[0] is _parser.LITERAL):
        if is_text:
            folded += _literals(fold("".join(chr(code) for _, code in group)))
        else:
            folded += [_fold_operation(operation, argument, parsed.state) for operation, argument in group]
    if parsed.data and not folded:
        raise _CannotFold(
            "looks for marks or invisible characters", "Leave them out: no text is read with them."
        )
    parsed.data, parsed.width = folded, None


def _fold_operation(operation: Any, argument: Any, state: Any) -> tuple[Any, Any]:
    for inner in _iter_inner(str(operation), argument):
        _fold_sequence(inner)
    if operation is _parser.NOT_LITERAL:
        return _fold_set([(_parser.NEGATE, None), (_parser.LITERAL, argument)], state)
    return _fold_set(argument, state) if operation is _parser.IN else (operation, argument)


def _fold_set(items: list[tuple[Any, Any]], state: Any) -> tuple[Any, Any]:
    """A set of characters; one that is read as several letters becomes an alternative to the others."""
    texts = [fold(chr(argument)) for operation, argument in items if operation is _parser.LITERAL]
    others = [each for each in items if each[0] is not _parser.LITERAL]
    for operation, argument in others:
        if operation is _parser.RANGE:
            _check_range(*argument)
    kept = [*others, *_literals("".join(each for each in texts if len(each) == 1))]
    several = [_literals(each) for each in texts if len(each) > 1]
    is_negated = items[0][0] is _parser.NEGATE
    if not (kept or several) or (is_negated and (several or len(kept) == 1)):
        raise _CannotFold(
            "has a set with characters that are read as several letters, or not at all",
            "Write the set with plain letters.",
        )
    if not several:
        return _parser.IN, kept
    ways = [*([[(_parser.IN, kept)]] if kept else []), *several]
    return _parser.BRANCH, (None, [_parser.SubPattern(state, each) for each in ways])


def _check_range(first: int, last: int) -> None:
    """Between letters that are read as others there are no letters to be found."""
    for each in (chr(first), chr(last)):
        if not each.isascii() and fold(each) != each.casefold():
            raise _CannotFold(
                f"has the range U+{first:04X} to U+{last:04X}, and no text is read with U+{ord(each):04X}",
                "Letters with accents are read without them: write `a-z`.",
            )


def _literals(text: str) -> list[tuple[Any, Any]]:
    return [(_parser.LITERAL, ord(each)) for each in text]
