"""What in the inbox is a job, a picture, or none of it."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

import pytest

from hotfolder.watchers.inbox_files import is_job, is_picture, list_held, list_pictures, list_waiting


def drop(inbox: Path, *names: str) -> None:
    for name in names:
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (inbox / name).write_text("prompt: a")


@pytest.mark.parametrize(
    ("relative", "is_taken"),
    [
        ("a.yaml", True),
        ("a.YML", True),
        ("a.jsonl", True),
        ("shots/a.json", True),
        ("shots/hold/a.yaml", True),
        ("!high/a.yaml", True),
        ("a.zip", True),
        ("shots/a.job", True),
        ("a.result.json", False),
        ("shots/A.Result.JSON", False),
        ("hold/a.yaml", False),
        ("hold/a.zip", False),
        ("_folder.yaml", False),
        ("a.png", False),
        ("a.yaml.error.md", False),
    ],
)
def test_only_jobs_pass_the_door(relative: str, is_taken: bool) -> None:
    assert is_job(PurePath(relative)) is is_taken


@pytest.mark.parametrize(
    ("relative", "is_one"),
    [
        ("a.png", True),
        ("shots/A.JPG", True),
        ("a.webp", True),
        ("hold/a.png", False),
        ("a.yaml", False),
        ("a", False),
    ],
)
def test_pictures_outside_hold_may_be_references(relative: str, is_one: bool) -> None:
    assert is_picture(PurePath(relative)) is is_one


def test_lists_name_only_what_the_watcher_would_take(tmp_path: Path) -> None:
    names = ["a.yaml", ".draft.yaml", "b.yaml.tmp", ".git/c.yaml", "a.result.json", "shots/d.json", "e.png"]
    drop(tmp_path, *names, *(f"hold/{name}" for name in names))
    (tmp_path / "link.yaml").symlink_to(tmp_path / "a.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")

    assert list_waiting(tmp_path) == ["a.yaml", "shots/d.json"]
    assert list_held(tmp_path) == ["hold/a.yaml", "hold/shots/d.json"]


def test_bundle_folder_is_listed_as_one_and_what_is_in_it_is_not(tmp_path: Path) -> None:
    drop(tmp_path, "set.job/job.yaml", "set.job/a.png", "set.job/more.job/x.yaml", "hold/b.job/job.yaml")

    assert list_waiting(tmp_path) == ["set.job"]
    assert list_held(tmp_path) == ["hold/b.job"]
    assert list(list_pictures(tmp_path)) == []


def test_pictures_are_listed_with_what_the_system_says_of_them(tmp_path: Path) -> None:
    drop(tmp_path, "a.png", "shots/b.jpg", "hold/c.png", ".cache/d.png", ".e.png", "f.yaml")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")

    found = {file.relative_to(tmp_path).as_posix(): stat for file, stat in list_pictures(tmp_path)}

    assert set(found) == {"a.png", "shots/b.jpg"}
    assert found["a.png"].st_ino == (tmp_path / "a.png").stat().st_ino
