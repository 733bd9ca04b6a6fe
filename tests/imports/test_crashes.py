"""The program dies at any step of an import: after a restart the books are closed all the same."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import Any

import pytest

from hotfolder.imports import desk, ends
from hotfolder.imports.desk import ImportDesk
from hotfolder.imports.ends import RefuseHandler
from hotfolder.imports.pictures import PicturesHandler
from hotfolder.library import ingest
from hotfolder.library.imports import ImportStore
from hotfolder.library.ingest import Ingest
from tests import pictures
from tests.import_ledger import assert_books_are_closed
from tests.imports.conftest import Porter

STEPS: dict[str, tuple[Any, str]] = {
    "claim": (desk, "move_whole"),
    "enqueue": (ImportDesk, "enqueue"),
    "look at a file": (PicturesHandler, "_take"),
    "move into originals": (Ingest, "take_picture"),
    "write the thumbnail": (Ingest, "store_thumbnail_file"),
    "write the sidecars": (Ingest, "store_sidecars_of"),
    "write one sidecar": (ingest, "write_json"),
    "record": (PicturesHandler, "_record"),
    "record one": (PicturesHandler, "_record_taken"),
    "tidy up": (PicturesHandler, "_tidy"),
    "throw away": (Ingest, "throw_away"),
    "remove the traces": (Ingest, "remove_traces"),
    "reserve a place": (RefuseHandler, "_reserve"),
    "move into failed": (ends, "move_new"),
    "write the report": (ends, "write_atomic"),
    "say how it ended": (ImportStore, "end"),
}


SEVERAL_TIMES = ("claim", "look at a file", "move into originals", "write the sidecars", "say how it ended")
CASES = [(step, when, 1) for step in STEPS for when in ("before", "after")]
CASES += [(step, when, 2) for step in SEVERAL_TIMES for when in ("before", "after")]


class Killed(BaseException):
    """Ends the process, as far as the program can tell."""


def arm(monkeypatch: pytest.MonkeyPatch, step: str, when: str, number: int) -> None:
    """Die before or after a step is done for the NUMBER-th time, once."""
    owner, name = STEPS[step]
    original = getattr(owner, name)
    passings = itertools.count(1)

    @functools.wraps(original)
    def wrapped(*values: Any, **named: Any) -> Any:
        is_meant = next(passings) == number
        if is_meant and when == "before":
            raise Killed
        outcome = original(*values, **named)
        if is_meant and when == "after":
            raise Killed
        return outcome

    monkeypatch.setattr(owner, name, wrapped)


@pytest.fixture
def contents(tmp_path: Path) -> dict[str, bytes]:
    """Two different pictures, a twin of the first, one that the library has, and one that is none."""
    first = pictures.write_png(tmp_path / "1").read_bytes()
    second = pictures.write_jpeg(tmp_path / "2").read_bytes()
    known = pictures.write_webp(tmp_path / "3").read_bytes()
    return {"a.png": first, "b/a.png": first, "c.jpg": second, "d.webp": known, "e.png": b"no picture"}


@pytest.mark.parametrize(("step", "when", "number"), CASES)
def test_books_are_closed_after_a_crash(
    porter: Porter,
    contents: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    when: str,
    number: int,
) -> None:
    porter.drop("known.webp", contents["d.webp"])
    porter.bring_in()
    for name, data in contents.items():
        porter.drop(name, data)
    with monkeypatch.context() as patch:
        arm(patch, step, when, number)
        with pytest.raises(Killed):
            porter.bring_in()
    porter.restart()

    porter.bring_in()

    good = [data for name, data in contents.items() if name != "e.png"]
    assert_books_are_closed(porter.root, [*good, contents["d.webp"]], [contents["e.png"]])
