"""What paths stand for."""

from __future__ import annotations

from pathlib import Path, PurePath, PurePosixPath

import pytest

from hotfolder.watchers.screen import Screen


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("set.job/refs", "sub/deep.job/inner.job", "hold/set.job", ".set.job"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "file.job").touch()
    (tmp_path / "link.job").symlink_to(tmp_path / "set.job")
    return tmp_path


def _accepts(relative: PurePath) -> bool:
    return relative.parts[0] != "hold" and relative.suffix in (".yaml", ".job")


@pytest.mark.parametrize(
    ("path", "target", "is_unit"),
    [
        ("a.yaml", "a.yaml", False),
        ("sub/a.yaml", "sub/a.yaml", False),
        ("set.job", "set.job", True),
        ("set.job/refs/a.png", "set.job", True),
        ("set.job/.a.png.Ab12", "set.job", True),
        ("sub/deep.job/inner.job/a.yaml", "sub/deep.job", True),
        ("file.job", "file.job", False),
        ("gone.job/a.yaml", "gone.job", True),
    ],
)
def test_path_stands_for_itself_or_the_unit_around_it(
    root: Path, path: str, target: str, is_unit: bool
) -> None:
    found = Screen(str(root), _accepts, lambda name: name.endswith(".job")).find(f"{root}/{path}")
    assert found == (f"{root}/{target}", is_unit)


@pytest.mark.parametrize(
    "path",
    [
        "a.png",
        ".a.yaml",
        "a.yaml.tmp",
        ".git/a.yaml",
        "hold/set.job/a.yaml",
        ".set.job/a.yaml",
        "hold/a.yaml",
    ],
)
def test_ignored_and_unwanted_paths_stand_for_nothing(root: Path, path: str) -> None:
    screen = Screen(str(root), _accepts, lambda name: name.endswith(".job"))
    assert screen.find(f"{root}/{path}") is None
    assert screen.find(f"{root}-beside/a.yaml") is None


def test_relative_path_is_seen_from_the_root(root: Path) -> None:
    screen = Screen(str(root), _accepts, lambda name: False)
    assert screen.relative(f"{root}/sub/a.yaml") == PurePosixPath("sub/a.yaml")
