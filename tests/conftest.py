"""What holds for every test."""

from __future__ import annotations

import pytest
from hypothesis import settings

# The time of an example says more about the machine and its other users than about the code.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


LONG = (
    *("test_crash_matrix", "test_random_kills", "test_supervision", "test_sdcpp", "test_credits_processes"),
    *("tests/scenarios/", "test_conformance", "tests/cli/test_imports", "test_webchild"),
)
"""They begin first: at the end of a run the other processes would wait for them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long first, all else in its order."""
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if name in item.nodeid), len(LONG)))
