"""What holds for every test."""

from __future__ import annotations

import os
from itertools import chain, groupby, islice

import pytest
from hypothesis import settings

# The time of an example says more about the machine and its other users than about the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


ALONE = "test_crash_matrix"
LONG = (
    *(ALONE, "test_random_kills", "test_supervision", "test_sdcpp", "scenarios/test_imports", "test_up.py"),
    *("test_credits_processes", "test_engine_faults", "test_conformance", "tests/cli/test_imports"),
    *("tests/scenarios/", "test_webchild", "test_security", "test_yaml_parsers", "test_sources"),
)
"""The longest first; those of a file share what they have set up, but for the one that needs nothing."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deal what takes long among the processes: each begins with its share, and all end together.

    xdist gives each process as many of the tests as they are in order, and moves some later.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = sorted((each for each in items if _rank(each) < len(LONG)), key=_rank)
    groups = groupby(long, lambda item: item.nodeid if ALONE in item.nodeid else item.path)
    hands: list[list[pytest.Item]] = [[] for _ in range(processes)]
    for number, (_, group) in enumerate(groups):
        hands[number % processes] += group
    others, left = (each for each in items if _rank(each) == len(LONG)), len(items)
    for number, hand in enumerate(hands):
        size = left // (processes - number)
        hand.extend(islice(others, max(0, size - len(hand))))
        left -= size
    items[:] = [*chain(*hands), *others]


def _rank(item: pytest.Item) -> int:
    return next((n for n, name in enumerate(LONG) if name in item.nodeid), len(LONG))
