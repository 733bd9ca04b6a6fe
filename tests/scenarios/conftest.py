from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios.service import Service


@pytest.fixture
def make_service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Makes services whose processes are gone after the test, whatever happened."""
    made: list[Service] = []

    def make(name: str = "library", **options: object) -> Service:
        service = Service(tmp_path / name, **options)  # type: ignore[arg-type]  # passed on as given
        made.append(service)
        return service

    yield make
    for service in made:
        service.kill()


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    """A library with default settings; its sidecar is not started yet."""
    return make_service()
