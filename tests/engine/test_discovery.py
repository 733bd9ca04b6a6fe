"""Where the engine and its models are looked for, and what wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.engine.discovery import BINARY_NAME, find_binary, find_model_file


def make_program(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / BINARY_NAME
    program.write_text("#!/bin/sh\n", encoding="ascii")
    program.chmod(0o755)
    return program


@pytest.fixture
def no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


def test_configured_binary_wins_whether_it_exists_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(make_program(tmp_path / "bin").parent))

    assert find_binary("/nowhere/cn", tmp_path) == Path("/nowhere/cn")


def test_tilde_in_the_configured_binary_is_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert find_binary("~/cn", tmp_path) == tmp_path / "cn"


def test_binary_on_the_search_path_wins_over_the_one_in_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = make_program(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(on_path.parent))
    make_program(tmp_path / "engines")

    assert find_binary(None, tmp_path / "engines") == on_path


def test_binary_in_the_library_is_found(tmp_path: Path, no_path: None) -> None:
    program = make_program(tmp_path / "engines")

    assert find_binary(None, tmp_path / "engines") == program
    assert find_binary("", tmp_path / "engines") == program, "an empty setting is none"


def test_nothing_is_found_where_there_is_no_binary(tmp_path: Path, no_path: None) -> None:
    assert find_binary(None, tmp_path / "engines") is None


def test_file_that_may_not_be_run_is_no_binary(tmp_path: Path, no_path: None) -> None:
    make_program(tmp_path / "engines").chmod(0o644)

    assert find_binary(None, tmp_path / "engines") is None


def test_folder_of_that_name_is_no_binary(tmp_path: Path, no_path: None) -> None:
    (tmp_path / BINARY_NAME).mkdir()

    assert find_binary(None, tmp_path) is None


def test_model_file_is_taken_from_the_first_root_that_has_it(tmp_path: Path) -> None:
    roots = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for root in roots[1:]:
        (root / "flux").mkdir(parents=True)
        (root / "flux" / "k.gguf").write_bytes(b"x")

    assert find_model_file("flux/k.gguf", roots) == tmp_path / "b" / "flux" / "k.gguf"


def test_missing_model_file_is_named_where_it_was_looked_for_first(tmp_path: Path) -> None:
    assert find_model_file("k.gguf", [tmp_path / "a", tmp_path / "b"]) == tmp_path / "a" / "k.gguf"


def test_folder_with_the_name_of_a_model_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a" / "k.gguf").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "k.gguf").write_bytes(b"x")

    assert find_model_file("k.gguf", [tmp_path / "a", tmp_path / "b"]) == tmp_path / "b" / "k.gguf"


def test_absolute_model_path_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert find_model_file("/models/k.gguf", [tmp_path]) == Path("/models/k.gguf")
    assert find_model_file("~/k.gguf", [Path("/elsewhere")]) == tmp_path / "k.gguf"
