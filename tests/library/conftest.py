"""A library database on a clock that is moved by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hotfolder.database import Database
from hotfolder.migrations import migrate


class HandClock:
    """Stands still until it is moved."""

    def __init__(self):
        self.now = datetime(2026, 11, 21, 3, tzinfo=UTC)

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def database(tmp_path, clock):
    migrate(tmp_path / "library.db")
    opened = Database(tmp_path / "library.db", clock=clock)
    yield opened
    opened.close()
