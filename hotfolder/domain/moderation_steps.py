"""How many steps a regular expression can take, at worst, from one place of a text (pure).

Python's regular expressions try one way after another, and a pattern such as `(a+)+b` never comes to an end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

STEPS_MAX: Final = 10_000
REPEATS_MAX: Final = 2_000
"""A text is seen in pieces that are no longer: nothing is repeated more often in one."""
_LITERALS: Final = 16
"""So many letters in a row are compared in the time of one other step."""
_BACK_REFERENCES: Final = frozenset({"GROUPREF", "GROUPREF_EXISTS", "GROUPREF_IGNORE"})

_Parsed = Iterable[tuple[Any, Any]]


class HasBackReference(Exception):
    """How long a reference to a group takes depends on the text."""


def count_steps(parsed: _Parsed) -> int:
    """The steps of a parsed pattern, up to STEPS_MAX + 1; raises HasBackReference."""
    return _count(parsed)[0]


def _count(parsed: _Parsed) -> tuple[int, int]:
    """At most how many steps a sequence takes from one place, and in how many ways it can match there.

    Whatever follows is tried once for every way, so the ways multiply.
    """
    steps, ways, literals = 0, 1, 0
    for operation, argument in parsed:
        is_literal = str(operation) == "LITERAL"
        literals = literals + 1 if is_literal else 0
        if is_literal and (literals - 1) % _LITERALS:
            continue  # compared together with those before it
        own_steps, own_ways = _count_one(str(operation), argument)
        steps, ways = _capped(steps + ways * own_steps), _capped(ways * own_ways)
    return steps, ways


def _count_one(operation: str, argument: Any) -> tuple[int, int]:
    if operation in _BACK_REFERENCES:
        raise HasBackReference
    if operation in ("MAX_REPEAT", "MIN_REPEAT"):
        return _count_repeat(*argument)
    if operation == "POSSESSIVE_REPEAT":
        return _count_repeat(*argument)[0], 1
    if operation == "BRANCH":
        return _count_branch(argument[1])
    if operation == "SUBPATTERN":
        return _count(argument[-1])
    if operation in ("ASSERT", "ASSERT_NOT"):
        return _count(argument[1])[0], 1
    return (_count(argument)[0], 1) if operation == "ATOMIC_GROUP" else (1, 1)


def _count_branch(alternatives: Sequence[Any]) -> tuple[int, int]:
    """All of them, or only the longest where the first letter tells which one it can be."""
    counts = [_count(each) for each in alternatives]
    firsts = {chr(each[0][1]).casefold() for each in alternatives if each and str(each[0][0]) == "LITERAL"}
    join = max if len(firsts) == len(alternatives) else sum
    return _capped(join(steps for steps, _ in counts)), _capped(join(ways for _, ways in counts))


def _count_repeat(lowest: int, highest: int, body: _Parsed) -> tuple[int, int]:
    """A repeat of something that matches in w ways: w + w^2 + w^3 + ... of them."""
    own_steps, own_ways = _count(body)
    steps = total_ways = 0
    ways = 1
    for number in range(min(int(highest), REPEATS_MAX) + 1):
        total_ways = _capped(total_ways + (ways if number >= min(int(lowest), REPEATS_MAX) else 0))
        steps = _capped(steps + ways * max(own_steps, 1))
        ways = _capped(ways * own_ways)
    return steps, max(total_ways, 1)


def _capped(number: int) -> int:
    """More than too many is not counted."""
    return min(number, STEPS_MAX + 1)
