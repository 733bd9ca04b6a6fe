"""Folders are looked through once, within bounds, and what was read is not read again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hotfolder.domain.model_file import ModelFileKey
from hotfolder.engine import model_shelf
from hotfolder.engine.model_shelf import ModelShelf, Shelf, find_key
from hotfolder.engine.model_tensors import Header
from tests.engine import model_writing as models


class Book:
    def __init__(self) -> None:
        self.kept: dict[ModelFileKey, Mapping[str, Any]] = {}
        self.times = 0

    def find_facts(self, keys: Sequence[ModelFileKey]) -> Mapping[ModelFileKey, Mapping[str, Any]]:
        return {key: self.kept[key] for key in keys if key in self.kept}

    def keep_facts(self, found: Mapping[ModelFileKey, Mapping[str, Any]]) -> None:
        self.kept |= found
        self.times += 1


def names(shelf: Shelf) -> list[str]:
    return [each.path.name for each in shelf.files]


def write_vae(path: Path, channels: int = 32) -> Path:
    return models.write(path, models.safetensors_header(models.vae(channels)))


def test_all_model_files_below_the_roots_are_found_and_nothing_else(tmp_path: Path) -> None:
    models.write_klein_set(tmp_path / "a" / "deep" / "er")
    write_vae(tmp_path / "b" / "ae.SAFETENSORS", 16)
    for name in ("a/readme.md", "b/old.ckpt", "b/.hidden.gguf"):
        (tmp_path / name).write_bytes(b"x")

    found = ModelShelf().scan([tmp_path / "a", tmp_path / "b"])

    assert names(found) == [
        "flux-2-klein-4b.gguf",
        "flux2-vae.safetensors",
        "qwen3-4b.gguf",
        "ae.SAFETENSORS",
    ]
    assert found.problems == ()
    assert [each.facts and each.facts.kind for each in found.files] == [
        "diffusion",
        "vae",
        "text encoder",
        "vae",
    ]


def test_file_with_several_names_is_listed_once(tmp_path: Path) -> None:
    """As in a download cache, where named links lead to the content."""
    blob = write_vae(tmp_path / "blobs" / "1f3a")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vae.safetensors").symlink_to(blob)

    assert names(ModelShelf().scan([tmp_path, tmp_path / "b"])) == ["vae.safetensors"]


def test_links_to_folders_are_followed_but_never_in_circles(tmp_path: Path) -> None:
    write_vae(tmp_path / "elsewhere" / "vae.safetensors")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "self").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "gone.gguf").symlink_to(tmp_path / "nowhere")

    found = ModelShelf().scan([tmp_path / "root"])

    assert (names(found), found.problems) == (["vae.safetensors"], ())


def test_folders_beyond_the_depth_are_not_entered(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*map(str, range(model_shelf.MAX_DEPTH)))
    write_vae(folder / "near.safetensors")
    write_vae(folder / "more" / "far.safetensors")

    assert names(ModelShelf().scan([tmp_path])) == ["near.safetensors"]


def test_too_many_files_end_the_search_and_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_shelf, "MAX_ENTRIES", 5)
    write_vae(tmp_path / "a.safetensors")
    for number in range(6):
        (tmp_path / "z" / f"{number}.txt").parent.mkdir(exist_ok=True)
        (tmp_path / "z" / f"{number}.txt").touch()

    found = ModelShelf().scan([tmp_path])

    assert names(found) == ["a.safetensors"]
    assert found.problems == (f"More than 5 files: the rest was not looked at, from {tmp_path / 'z'} on.",)


def test_root_that_is_not_there_is_told_and_the_others_are_looked_through(tmp_path: Path) -> None:
    write_vae(tmp_path / "b" / "vae.safetensors")

    found = ModelShelf().scan([tmp_path / "gone", tmp_path / "b"])

    assert names(found) == ["vae.safetensors"]
    assert found.problems == (f"{tmp_path / 'gone'} cannot be looked through: No such file or directory.",)


def test_file_that_is_no_model_is_listed_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"<html>")
    os.mkfifo(tmp_path / "b.gguf")

    (found,) = ModelShelf().scan([tmp_path]).files

    assert (found.facts, found.problem) == (
        None,
        "it is a web page: the download did not give the model",
    )


def test_file_that_may_not_be_read_is_told_and_asked_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> Header:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(model_shelf, "read_header", refuse)
    write_vae(tmp_path / "a.safetensors")
    book = Book()

    (found,) = ModelShelf(book).scan([tmp_path]).files

    assert found.problem == "it cannot be read: Permission denied"
    assert book.kept == {}


def test_look_gives_each_file_in_its_order_also_one_that_is_missing(tmp_path: Path) -> None:
    vae = write_vae(tmp_path / "vae.safetensors")

    found = ModelShelf().look([tmp_path / "gone.gguf", vae, tmp_path / "a\0b"])

    assert [each.is_missing for each in found] == [True, False, True]
    assert found[0].problem == "it is not there"
    assert found[1].facts is not None


def test_header_is_read_once_and_again_when_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = model_shelf.read_header
    monkeypatch.setattr(model_shelf, "read_header", lambda path: read.append(path.name) or real(path))
    vae = write_vae(tmp_path / "vae.safetensors")
    (tmp_path / "bad.gguf").write_bytes(b"bad")
    book = Book()

    first = ModelShelf(book).scan([tmp_path])
    assert ModelShelf(book).scan([tmp_path]) == first
    assert (read, book.times) == (["bad.gguf", "vae.safetensors"], 1)

    write_vae(vae, 16)
    os.utime(vae, ns=(1, 1))
    changed = ModelShelf(book).scan([tmp_path])
    assert read[2:] == ["vae.safetensors"]
    assert [each.facts and each.facts.family for each in changed.files] == [None, "FLUX.1"]


def test_what_another_version_kept_is_read_anew(tmp_path: Path) -> None:
    vae = write_vae(tmp_path / "vae.safetensors")
    book = Book()
    key = find_key(vae)
    assert key is not None
    book.kept[key] = {"reading": 0, "facts": {"other": 1}}

    (found,) = ModelShelf(book).look([vae])

    assert found.facts is not None
    assert found.facts.kind == "vae"
