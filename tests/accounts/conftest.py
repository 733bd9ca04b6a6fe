"""An auth.db on a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hotfolder.accounts.store import AccountStore, open_accounts


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 3, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "auth.db"


@pytest.fixture
def accounts(path: Path, clock: HandClock) -> Iterator[AccountStore]:
    opened = open_accounts(path, clock=clock)
    yield opened
    opened.close()
