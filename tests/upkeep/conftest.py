"""An open library whose rows tests may spoil, and a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from hotfolder.app import Library, create_library, open_library
from hotfolder.clock import new_id
from hotfolder.config import load_settings
from hotfolder.generation.claimed import Accepted, ClaimedFile

JOB = "endpointKey: local.procedural.image\nparams: {prompt: A bay, size: 64*64}\n"


class HandClock:
    """Stands still until it is moved; seconds for who measures, an instant for who writes."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def instant(self) -> datetime:
        return datetime(2026, 11, 21, 3, tzinfo=UTC) + timedelta(seconds=self.seconds - 1000.0)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    root = tmp_path / "library"
    create_library(root)
    opened = open_library(root, load_settings(root, {}))
    yield opened
    opened.close()


def take_in(library: Library, text: str = JOB) -> str:
    """The id of the job that a job file makes."""
    outcome = library.service.take_in(ClaimedFile(new_id(), "a.yaml", PurePosixPath("a.yaml"), text.encode()))
    assert isinstance(outcome, Accepted)
    return outcome.job_id


def spoil(library: Library, sql: str, *values: Any) -> None:
    """Write what no part of the program writes."""
    with library.database.transaction() as tx:
        tx.execute(sql, values)
