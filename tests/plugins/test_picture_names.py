"""Names for the files of pictures: whatever is given, they are safe, and each is there once."""

from __future__ import annotations

from pathlib import Path

import pytest
from datasette_hotfolder.picture_names import NamesOnce, safe_stem, split_name
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.watchers.finding import build_rule
from hotfolder.watchers.ignore import is_ignored

HOSTILE_NAMES = [
    "", ".", "..", "/", "\\", "../../etc/passwd", "..\\..\\boot.ini", "C:\\fakepath\\a.png", "/etc/a.png",
    ".hidden.png", "._twin.png", ".png", "~$owner.png", "~", "a.png~", "a.tmp", "a.png.part", "Thumbs.db",
    "desktop.ini", "a.crdownload", "nul", "NUL.png", "con.tar.png", "com1.jpg", "LPT9", "com².png", "a:b.png",
    'a"*?<>|.png', "a\nb\r.png", "a\x00b.png", "\u202egnp.exe", "\u2066x\u2069.png", "a" * 300 + ".png",
    "ä" * 300 + ".jpeg", "日" * 200, "a. .png", " .png", "....", "a.svg", "a.html", "a.png/", "-rf.png",
    "<img src=x onerror=alert(1)>.png", "{{7*7}}", "%2e%2e%2f", "a.png\u2028", "_exiftool_tmp", "\ufeff.png",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_name_becomes_one_that_is_taken(name: str) -> None:
    stem, extension = split_name(name)

    assert_is_fit(safe_stem(stem) + (extension or ".png"))


@given(st.text(max_size=400))
def test_any_text_at_all_becomes_a_name_that_is_taken(text: str) -> None:
    assert_is_fit(safe_stem(text) + ".png")


def assert_is_fit(name: str) -> None:
    assert build_rule()(Path(name))
    assert not is_ignored(name)
    assert name.isprintable()
    assert Path(name).name == name
    assert len(name.encode()) <= 255 - len("~99.json.tmp")
    assert not set(name) & set('\\/:*?"<>|')


def test_each_name_is_given_once_whatever_the_disk_makes_of_case_and_accents() -> None:
    names = NamesOnce()

    given = [names.take(each, ".png") for each in ("a", "A", "a", "a~2", "e\u0301", "\u00e9")]

    assert given == ["a.png", "A~2.png", "a~3.png", "a~2~2.png", "e\u0301.png", "\u00e9~2.png"]
