from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.app import Library, create_library, open_library
from hotfolder.config import load_settings


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An open library with default settings; no sidecar runs on it."""
    root = tmp_path / "library"
    create_library(root)
    library = open_library(root, load_settings(root, {}))
    yield library
    library.close()
