"""Where the engine binary and the model files are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

BINARY_NAME = "cn-engine"


def find_binary(configured: str | None, engines_folder: Path) -> Path | None:
    """The configured binary (whether it exists or not), else cn-engine on PATH, else in the library."""
    if configured:
        return Path(configured).expanduser()
    on_path = shutil.which(BINARY_NAME)
    if on_path:
        return Path(on_path)
    in_library = engines_folder / BINARY_NAME
    return in_library if in_library.is_file() and os.access(in_library, os.X_OK) else None


def find_model_file(name: str, roots: Sequence[Path]) -> Path:
    """The first existing file of that name below the roots; the first candidate when there is none."""
    path = Path(name).expanduser()
    if path.is_absolute():
        return path
    candidates = [root / path for root in roots]
    return next((each for each in candidates if each.is_file()), candidates[0])
