"""The model sets of the settings, and where their files are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.config import ModelSetSettings
from hotfolder.engines import ModelSets
from hotfolder.errors import ConfigError


def build(roots: list[Path], **values: object) -> ModelSets:
    for each in roots:
        each.mkdir(exist_ok=True)
    return ModelSets(
        {"klein": ModelSetSettings.model_validate({"diffusion_model": "k.gguf", **values})}, roots
    )


def test_model_file_put_in_place_while_the_service_runs_is_found(tmp_path: Path) -> None:
    first, second = tmp_path / "weights", tmp_path / "models"
    sets = build([first, second])
    assert sets["klein"].diffusion_model == str(first / "k.gguf")
    (second / "k.gguf").touch()

    assert sets["klein"].diffusion_model == str(second / "k.gguf")


def test_model_file_that_is_there_is_not_sought_elsewhere(tmp_path: Path) -> None:
    first, second = tmp_path / "weights", tmp_path / "models"
    sets = build([first, second])
    (second / "k.gguf").touch()
    found = sets["klein"]
    (first / "k.gguf").touch()

    assert sets["klein"] is found
    (second / "k.gguf").unlink()
    assert sets["klein"].diffusion_model == str(first / "k.gguf")


def test_sets_are_listed_by_name_and_one_that_is_not_there_is_none(tmp_path: Path) -> None:
    sets = build([tmp_path])

    assert (list(sets), len(sets), sets.get("other")) == (["klein"], 1, None)


def test_set_whose_flags_the_engine_would_die_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="klein"):
        build([tmp_path], flags={"n_threads": 2**70})
