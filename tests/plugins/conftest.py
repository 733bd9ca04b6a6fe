from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import httpx
import pytest

from tests.plugins.house import House, open_house


def pytest_report_header() -> str:
    return f"datasette: {version('datasette')}"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One furnished library a module, served by one process; no sidecar runs."""
    with open_house(tmp_path_factory.mktemp("house") / "library") as made:
        yield made


@pytest.fixture
def visitor(house: House) -> httpx.Client:
    """Somebody who is not logged in, on the same machine."""
    return house.visitor()


@pytest.fixture
def admin(house: House) -> httpx.Client:
    """A browser that is logged in as root, with everything allowed."""
    return house.browser("admin", "root")
