"""hotfolder engine bench, load and unload."""

from __future__ import annotations

import pytest

from hotfolder.app import Library
from hotfolder.library.control import WANTED_MODEL, ControlStore
from tests.cli.conftest import Command

SET = "models: {sets: {flux2-klein-4b: {diffusion_model: klein.gguf}}}\n"


def test_bench_measures_the_embedded_engine_where_no_set_is_named(on: Command) -> None:
    outcome = on("engine", "bench", "--size", "64*64", "--size", "96x64", "--images", "2", "--steps", "1")
    found = on("engine", "bench", "--size", "64*64", "--images", "2", "--json").json

    assert outcome.code == 0
    assert outcome.out.startswith("procedural: started in ")
    assert "96 x 64" in outcome.out
    assert found["kind"] == "procedural"
    assert found["startMs"] > 0
    (size,) = found["sizes"]
    assert (size["width"], size["height"], size["images"]) == (64, 64, 2)
    assert 0 < size["imageS"] < 10
    assert size["peakMemoryMb"] > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--set", "nope"),
            "The settings name no model set `nope`. [config.invalid]\nmodels.sets has: flux2",
        ),
        (("--set", "sdxx/flux2-klein-4b"), "There is no engine `sdxx` here."),
    ],
)
def test_bench_of_what_is_not_there_says_what_is(
    on: Command, library: Library, arguments: tuple[str, ...], message: str
) -> None:
    (library.paths.root / "hotfolder.yaml").write_text(SET, encoding="utf-8")
    outcome = on("engine", "bench", *arguments)

    assert outcome.code != 0
    assert message in outcome.err


def test_size_that_is_none_is_refused_by_its_name(on: Command) -> None:
    assert "'big' is not a size: write 512*512." in on("engine", "bench", "--size", "big").err


def test_wish_for_a_model_waits_for_a_sidecar_and_the_last_one_counts(on: Command, library: Library) -> None:
    (library.paths.root / "hotfolder.yaml").write_text(SET, encoding="utf-8")
    loaded = on("engine", "load", "flux2-klein-4b")
    wish = ControlStore(library.database).find(WANTED_MODEL)

    assert loaded.out == "flux2-klein-4b will be loaded when a sidecar starts on this library.\n"
    assert wish is not None
    assert wish.value == "flux2-klein-4b"
    assert wish.actor

    on("engine", "unload")
    unloaded = ControlStore(library.database).find(WANTED_MODEL)
    assert unloaded is not None
    assert unloaded.value == ""


def test_wish_for_a_set_that_is_not_there_is_refused(on: Command) -> None:
    outcome = on("engine", "load", "klein")

    assert outcome.code != 0
    assert "The settings name no model set `klein`." in outcome.err
