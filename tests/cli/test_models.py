"""hotfolder models: which model files there are, what they are, and what endpoints lack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hotfolder.engine import model_shelf
from tests.cli.conftest import Command
from tests.engine import model_writing as models

KLEIN_4B, KLEIN_9B = "local.flux2-klein-4b.image", "local.flux2-klein-9b.image"


def configure(root: Path, text: str) -> None:
    (root / "hotfolder.yaml").write_text(text, encoding="utf-8")


def endpoint(found: dict[str, Any], key: str) -> dict[str, Any]:
    return next(each for each in found["endpoints"] if each["endpointKey"] == key)


def suggested(out: str) -> str:
    """The lines that the command says to add."""
    return "models:\n" + out.split("\nmodels:\n", 1)[1]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine program, which nothing here starts."""
    monkeypatch.setenv("HOTFOLDER_ENGINE", "/bin/true")


def test_list_without_models_tells_what_each_endpoint_lacks(on: Command, root: Path) -> None:
    outcome = on("models", "list")

    assert outcome.code == 0
    assert f"Models in {root / 'models'}:\n\nNo model files.\n" in outcome.out
    assert f"{KLEIN_4B}: not ready (loads flux2-klein-4b, engine cn-engine)" in outcome.out
    assert "no text encoder of hidden size 2560 (Qwen3 4B) and no FLUX.2 VAE" in outcome.out
    assert "the engine cn-engine is not there" in outcome.out
    assert "local.procedural.image: ready (needs no model set, engine procedural)" in outcome.out


@pytest.mark.usefixtures("engine")
def test_suggested_lines_make_the_endpoint_ready(on: Command, root: Path) -> None:
    models.write_klein_set(root / "models" / "klein")

    before = on("models", "list")
    assert f"{KLEIN_4B}: not ready" in before.out
    assert "no model set `flux2-klein-4b` is configured, but its files are there" in before.out
    configure(root, suggested(before.out))
    after = on("models", "list")

    assert f"{KLEIN_4B}: ready (loads flux2-klein-4b, engine cn-engine)" in after.out
    assert "Model set flux2-klein-4b: ready\n" in after.out
    assert f"    llm: {root / 'models' / 'klein' / 'qwen3-4b.gguf'}\n" in after.out
    assert "belong together" not in after.out
    assert "ok    Model set flux2-klein-4b: 3 files\n" in on("doctor").out


@pytest.mark.usefixtures("engine")
def test_json_says_the_same(on: Command, root: Path) -> None:
    paths = models.write_klein_set(root / "models")
    (root / "models" / "page.gguf").write_bytes(b"<html>")

    found = on("models", "list", "--json").json

    assert found["roots"] == [str(root / "models")]
    assert [Path(each["path"]).name for each in found["files"]] == [
        "flux-2-klein-4b.gguf",
        "flux2-vae.safetensors",
        "page.gguf",
        "qwen3-4b.gguf",
    ]
    assert found["files"][0] == {
        "path": str(paths["diffusion_model"]),
        "size": paths["diffusion_model"].stat().st_size,
        "format": "gguf",
        "kind": "diffusion",
        "family": "FLUX.2 klein",
        "quantisation": "Q4_K",
        "parameters": 278_790_272,
        "textWidth": 2560,
        "hasEncoder": None,
        "missingBytes": 0,
        "problem": None,
    }
    assert found["files"][2]["problem"].startswith("it is a web page")
    assert found["suggestedSets"] == {"flux2-klein-4b": {role: str(path) for role, path in paths.items()}}
    assert endpoint(found, "local.procedural.image")["ready"] is True
    (fault,) = endpoint(found, KLEIN_4B)["faults"]
    assert fault["stops"] is True
    assert "its files are there" in fault["found"]
    assert "diffusion_model: flux-2-klein-4b.gguf" in found["suggestedYaml"]


@pytest.mark.usefixtures("engine")
def test_fault_of_a_set_is_told_with_how_to_mend_it_and_makes_its_endpoint_not_ready(
    on: Command, root: Path
) -> None:
    paths = models.write_klein_set(root / "models" / "four")
    models.write_klein_set(root / "models" / "nine", 4096, "9b")
    configure(
        root,
        "models: {sets: {flux2-klein-4b: {diffusion_model: four/flux-2-klein-4b.gguf, "
        "vae: four/flux2-vae.safetensors, llm: nine/qwen3-9b.gguf}}}\n",
    )

    outcome, found = on("models", "list"), on("models", "list", "--json").json

    assert outcome.out.count("qwen3-9b.gguf does not fit the diffusion model") == 1, "told with the set only"
    assert f"text encoder of hidden size 2560 (Qwen3 4B): {paths['llm']} is one." in outcome.out
    assert [each["ready"] for each in found["sets"]] == [False]
    assert endpoint(found, KLEIN_4B)["ready"] is False
    assert list(found["suggestedSets"]) == ["flux2-klein-9b"]


def test_enlarging_needs_no_model(on: Command) -> None:
    assert endpoint(on("models", "list", "--json").json, "local.upscale")["ready"] is True


@pytest.mark.usefixtures("engine")
def test_set_of_9b_under_the_name_of_4b_is_a_warning_of_doctor(on: Command, root: Path) -> None:
    models.write_klein_set(root / "models", 4096, "9b")
    configure(
        root,
        "models: {sets: {flux2-klein-4b: {diffusion_model: flux-2-klein-9b.gguf, "
        "vae: flux2-vae.safetensors, llm: qwen3-9b.gguf}}}\n",
    )

    assert f"{KLEIN_4B}: ready, but" in on("models", "list").out
    assert "warn  Model set flux2-klein-4b: the diffusion model is none of flux2-klein-4b" in on("doctor").out


def test_doctor_suggests_a_set_when_none_is_configured(on: Command, root: Path) -> None:
    models.write_klein_set(root / "models")

    out = on("doctor").out

    assert "warn  Models: no model set is configured\n      Add to hotfolder.yaml:\n      models:\n" in out
    assert "        sets:\n          flux2-klein-4b:\n" in out


def test_models_root_that_is_not_there_is_told(on: Command, root: Path, tmp_path: Path) -> None:
    configure(root, f"models: {{roots: [{tmp_path / 'gone'}]}}\n")

    assert f"Note: {tmp_path / 'gone'} cannot be looked through" in on("models", "list").out
    assert f"warn  Model folders: {tmp_path / 'gone'} cannot be looked through" in on("doctor").out


def test_headers_are_read_once(on: Command, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models.write_klein_set(root / "models")
    first = on("models", "list")

    monkeypatch.delattr(model_shelf, "read_header")

    assert on("models", "list").out == first.out


@pytest.mark.usefixtures("engine")
def test_set_that_cannot_be_used_is_a_known_failure(on: Command, root: Path) -> None:
    configure(root, "models: {sets: {mine: {vae: x}}}\n")

    outcome = on("models", "list")

    assert outcome.code == 1
    assert "[config.invalid]" in outcome.err


def test_probe_explains_one_file_without_a_library(command: Command, tmp_path: Path) -> None:
    paths = models.write_klein_set(tmp_path)

    klein, qwen = (
        command("models", "probe", paths["diffusion_model"]),
        command("models", "probe", paths["llm"]),
    )

    assert klein.code == 0
    assert klein.out == (
        f"{paths['diffusion_model']}: FLUX.2 klein diffusion model, Q4_K, 279 M parameters\n"
        "    157 MB, gguf\n"
        "    It needs a text encoder of hidden size 2560 (Qwen3 4B) beside it.\n"
        "    It needs a FLUX.2 VAE beside it.\n"
        "    Of the model sets flux2-klein-4b.\n"
    )
    assert "    Of the model sets flux2-klein-4b and z-image.\n" in qwen.out
    assert "beside it" not in qwen.out


def test_probe_of_a_folder_explains_all_files_and_which_belong_together(
    command: Command, tmp_path: Path
) -> None:
    paths = models.write_klein_set(tmp_path / "m")

    outcome = command("models", "probe", tmp_path)
    found = command("models", "probe", tmp_path, "--json").json

    assert outcome.code == 0
    assert f"    flux2-klein-4b:\n      diffusion_model: {paths['diffusion_model']}\n" in outcome.out
    assert found["sets"] == {"flux2-klein-4b": {role: str(path) for role, path in paths.items()}}
    assert found["files"][0]["needs"] == {
        "llm": "text encoder of hidden size 2560 (Qwen3 4B)",
        "vae": "FLUX.2 VAE",
    }
    assert [each["modelSets"] for each in found["files"]] == [
        ["flux2-klein-4b"],
        [],
        ["flux2-klein-4b", "z-image"],
    ]


def test_probe_of_a_damaged_file_says_what_is_wrong_and_fails(command: Command, tmp_path: Path) -> None:
    short = models.write(tmp_path / "a.safetensors", models.safetensors_header(models.vae()), lacks=2000)
    (tmp_path / "b.gguf").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")

    cut, pointer = command("models", "probe", short), command("models", "probe", tmp_path / "b.gguf")

    assert (cut.code, pointer.code) == (1, 1)
    assert "It is cut short: 2,000 bytes are missing." in cut.out
    assert f"{tmp_path / 'b.gguf'}: not recognised: it is a Git LFS pointer" in pointer.out
    assert command("models", "probe", tmp_path).code == 1


def test_probe_of_a_folder_without_models_fails_and_says_so(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    outcome = command("models", "probe", tmp_path / "empty")

    assert (outcome.code, outcome.out) == (
        1,
        f"There are no model files (*.gguf, *.safetensors) in {tmp_path / 'empty'}.\n",
    )
    assert command("models", "probe", tmp_path / "gone").code == 2


def test_names_that_would_steer_the_terminal_are_shown_harmless(command: Command, tmp_path: Path) -> None:
    odd = models.write(tmp_path / "a\x1b[2J\n.gguf", models.gguf_header(models.vae(), "F16"))

    outcome = command("models", "probe", odd)

    assert outcome.code == 0
    assert "\x1b" not in outcome.out
    assert len(outcome.out.splitlines()) == 2
