from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.app import Library, create_library, open_library
from hotfolder.config import load_settings


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An open library; no sidecar runs on it, and no job waits for references."""
    root = tmp_path / "library"
    create_library(root)
    (root / "hotfolder.yaml").write_text("intake: {refs_timeout_s: 0}\n", encoding="utf-8")
    library = open_library(root, load_settings(root, {}))
    yield library
    library.close()
