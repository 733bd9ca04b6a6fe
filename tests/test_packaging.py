"""What an installation gets."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_package_of_the_source_is_installed() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found = {
        ".".join([base, *each.parent.relative_to(ROOT / place).parts])
        for base, place in table["package-dir"].items()
        for each in (ROOT / place).rglob("__init__.py")
    }

    assert found - set(table["packages"]) == set()
    assert len(found) > 10
