"""Files that belong together are found, and a set that does not fit together is told with what would."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.engine.model_faults import Fault, check_set, explain_absent
from hotfolder.engine.model_sets import find_sets, name_below, named_files
from hotfolder.engine.model_shelf import ModelShelf, ShelfFile
from hotfolder.engine.params import LoadParams
from tests.engine import model_writing as models


def scan(folder: Path) -> tuple[ShelfFile, ...]:
    return ModelShelf().scan([folder]).files


def found_in(folder: Path) -> dict[str, dict[str, str]]:
    return {
        each.name: {role: str(file.path.relative_to(folder)) for role, file in each.files.items()}
        for each in find_sets(scan(folder))
    }


def check(name: str, **files: Path) -> list[Fault]:
    return check_set(name, dict(zip(files, ModelShelf().look(list(files.values())), strict=True)))


def test_each_diffusion_model_gets_the_text_encoder_of_its_width_and_the_vae_of_its_family(
    tmp_path: Path,
) -> None:
    models.write_klein_set(tmp_path, 2560, "4b")
    models.write_klein_set(tmp_path, 4096, "9b")
    models.write(tmp_path / "ae.safetensors", models.safetensors_header(models.vae(16)))
    z_image = {"cap_embedder.0.weight": (2560,)}
    models.write(tmp_path / "z.safetensors", models.safetensors_header(z_image))

    assert found_in(tmp_path) == {
        "flux2-klein-4b": {
            "diffusion_model": "flux-2-klein-4b.gguf",
            "llm": "qwen3-4b.gguf",
            "vae": "flux2-vae.safetensors",
        },
        "flux2-klein-9b": {
            "diffusion_model": "flux-2-klein-9b.gguf",
            "llm": "qwen3-9b.gguf",
            "vae": "flux2-vae.safetensors",
        },
        "z-image": {"diffusion_model": "z.safetensors", "llm": "qwen3-4b.gguf", "vae": "ae.safetensors"},
    }


@pytest.mark.parametrize("lacking", ["vae", "llm"])
def test_model_without_one_of_its_parts_makes_no_set(tmp_path: Path, lacking: str) -> None:
    models.write_klein_set(tmp_path)[lacking].unlink()

    assert found_in(tmp_path) == {}


@pytest.mark.parametrize("role", ["diffusion_model", "vae", "llm"])
def test_file_that_is_cut_short_is_in_no_set(tmp_path: Path, role: str) -> None:
    path = models.write_klein_set(tmp_path)[role]
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 64)

    assert found_in(tmp_path) == {}


def test_t5_of_the_same_width_is_no_text_encoder_for_klein(tmp_path: Path) -> None:
    models.write_klein_set(tmp_path, 4096, "9b")["llm"].unlink()
    t5 = {"token_embd.weight": (32128, 4096), "enc.blk.0.attn_q.weight": (4096, 4096)}
    models.write(tmp_path / "t5.gguf", models.gguf_header(t5))

    assert found_in(tmp_path) == {}


def test_expected_family_goes_before_another_and_the_nearer_file_before_the_farther(tmp_path: Path) -> None:
    models.write_klein_set(tmp_path / "klein", 4096, "9b")
    llama = models.gguf_header(
        {"token_embd.weight": (1024, 4096)}, keys=[models.text_key("general.architecture", "llama")]
    )
    models.write(tmp_path / "klein" / "a-llama.gguf", llama)
    models.write(tmp_path / "a" / "qwen3.gguf", models.gguf_header(models.qwen3_gguf(4096)))
    models.write(tmp_path / "a" / "vae.safetensors", models.safetensors_header(models.vae()))

    assert found_in(tmp_path)["flux2-klein-9b"] == {
        "diffusion_model": "klein/flux-2-klein-9b.gguf",
        "llm": "klein/qwen3-9b.gguf",
        "vae": "klein/flux2-vae.safetensors",
    }


def test_vae_with_an_encoder_goes_before_one_without(tmp_path: Path) -> None:
    models.write_klein_set(tmp_path)
    models.write(tmp_path / "a.safetensors", models.safetensors_header(models.vae(encoder=False)))

    assert found_in(tmp_path)["flux2-klein-4b"]["vae"] == "flux2-vae.safetensors"


def test_second_model_of_the_same_kind_gets_a_name_of_its_own(tmp_path: Path) -> None:
    models.write_klein_set(tmp_path)
    for folder in ("b", "c"):
        models.write(tmp_path / folder / "Klein Q8.gguf", models.gguf_header(models.klein(), "Q8_0"))
    models.write(tmp_path / "tiny" / "!.gguf", models.gguf_header(models.klein(32), "F16"))
    models.write(tmp_path / "tiny" / "llm.gguf", models.gguf_header(models.qwen3_gguf(32), "F16"))

    assert list(found_in(tmp_path)) == ["flux2-klein-4b", "klein-q8", "klein-q8-2", "model"]


def test_set_that_fits_together_has_no_fault(tmp_path: Path) -> None:
    assert check("flux2-klein-4b", **models.write_klein_set(tmp_path)) == []
    assert check("mine", **models.write_klein_set(tmp_path, 4096, "9b")) == []


def test_missing_files_are_told_together(tmp_path: Path) -> None:
    files = models.write_klein_set(tmp_path)
    files["vae"].unlink()
    files["llm"].unlink()

    (fault,) = check("flux2-klein-4b", **files)

    assert fault.found == f"missing: {files['vae']}, {files['llm']}"
    assert "models.roots" in fault.hint


def test_text_encoder_of_another_width_is_told_with_the_width_that_fits(tmp_path: Path) -> None:
    files = models.write_klein_set(tmp_path)
    files["llm"] = models.write_klein_set(tmp_path / "nine", 4096, "9b")["llm"]

    (fault,) = check("flux2-klein-4b", **files)

    assert fault.found.startswith(
        "qwen3-9b.gguf does not fit the diffusion model: Qwen3 text encoder, hidden size 4096"
    )
    assert fault.hint == "The diffusion model needs a text encoder of hidden size 2560 (Qwen3 4B)."
    assert fault.stops


def test_hint_names_the_file_that_fits(tmp_path: Path) -> None:
    files = models.write_klein_set(tmp_path)
    other = models.write(tmp_path / "ae.safetensors", models.safetensors_header(models.vae(16)))
    looked = dict(zip(files, ModelShelf().look([files["diffusion_model"], other, files["llm"]]), strict=True))

    (fault,) = check_set("flux2-klein-4b", looked, scan(tmp_path))

    assert fault.hint == f"The diffusion model needs a FLUX.2 VAE: {files['vae']} is one."


def test_parts_that_are_not_named_are_told(tmp_path: Path) -> None:
    faults = check("flux2-klein-4b", diffusion_model=models.write_klein_set(tmp_path)["diffusion_model"])

    assert [each.found for each in faults] == ["no `llm` is named", "no `vae` is named"]


def test_file_under_the_wrong_role_is_told(tmp_path: Path) -> None:
    files = models.write_klein_set(tmp_path)

    faults = check("x", diffusion_model=files["llm"], vae=files["vae"], llm=files["diffusion_model"])

    assert [each.found.split(":")[0] for each in faults] == [
        "qwen3-4b.gguf (diffusion_model) is of another kind",
        "flux-2-klein-4b.gguf (llm) is of another kind",
    ]
    assert faults[0].hint == "Under `diffusion_model` belongs a diffusion model."


def test_file_that_is_cut_short_is_told_with_the_bytes_that_it_lacks(tmp_path: Path) -> None:
    files = models.write_klein_set(tmp_path)
    files["vae"] = models.write(
        tmp_path / "v.safetensors", models.safetensors_header(models.vae()), lacks=1234
    )

    (fault,) = check("flux2-klein-4b", **files)

    assert fault.found == "v.safetensors (vae) is cut short: 1,234 bytes are missing"


def test_file_that_is_no_model_stops_the_set_unless_it_is_of_a_kind_that_only_engines_read(
    tmp_path: Path,
) -> None:
    for name in ("page.gguf", "pickle.ckpt"):
        (tmp_path / name).write_bytes(b"\x80\x02")

    faults = [*check("x", diffusion_model=tmp_path / "page.gguf"), *check("x", vae=tmp_path / "pickle.ckpt")]

    assert [each.stops for each in faults] == [True, False]
    assert all("was not recognised" in each.found for each in faults)


def test_9b_under_the_name_of_4b_is_told_although_it_can_be_loaded(tmp_path: Path) -> None:
    (fault,) = check("flux2-klein-4b", **models.write_klein_set(tmp_path, 4096, "9b"))

    assert "none of flux2-klein-4b" in fault.found
    assert "`models.sets.flux2-klein-9b`" in fault.found
    assert not fault.stops


def test_vae_without_encoder_is_told_although_pictures_can_be_made(tmp_path: Path) -> None:
    files = models.write_klein_set(tmp_path)
    models.write(files["vae"], models.safetensors_header(models.vae(encoder=False)))

    (fault,) = check("flux2-klein-4b", **files)

    assert "references cannot be used" in fault.found
    assert not fault.stops


def test_kind_that_nobody_knows_is_no_fault(tmp_path: Path) -> None:
    odd = models.write(tmp_path / "odd.gguf", models.gguf_header({"something.new": (4, 4)}, "F16"))

    assert check("mine", diffusion_model=odd, vae=odd) == []


def test_whole_checkpoint_needs_no_other_file(tmp_path: Path) -> None:
    shapes = {"input_blocks.0.0.weight": (320, 4, 3, 3), **models.vae(4, prefix="first_stage_model.")}

    path = models.write(tmp_path / "sd.safetensors", models.safetensors_header(shapes))

    assert check("mine", diffusion_model=path) == []


def test_absent_set_tells_which_of_its_files_are_still_to_be_brought(tmp_path: Path) -> None:
    nothing = explain_absent("flux2-klein-4b", ())
    models.write_klein_set(tmp_path)["vae"].unlink()
    some = explain_absent("flux2-klein-4b", scan(tmp_path))

    assert nothing.found == (
        "no model set `flux2-klein-4b` is configured, and there is no FLUX.2 klein diffusion model for a "
        "text encoder of hidden size 2560 and no "
        "text encoder of hidden size 2560 (Qwen3 4B) and no FLUX.2 VAE"
    )
    assert some.found == "no model set `flux2-klein-4b` is configured, and there is no FLUX.2 VAE"
    assert "models.roots" in some.hint


def test_absent_set_of_an_unknown_name_tells_the_setting() -> None:
    assert "models.sets.mine" in explain_absent("mine", ()).hint


def test_file_is_named_as_the_settings_would_find_it(tmp_path: Path) -> None:
    roots = [tmp_path / "a", tmp_path / "b"]
    for path in ("a/x.gguf", "b/x.gguf", "b/sub/y.gguf", "c/z.gguf"):
        models.write(tmp_path / path, (b"", 0))

    named = [
        name_below(tmp_path / each, roots) for each in ("a/x.gguf", "b/x.gguf", "b/sub/y.gguf", "c/z.gguf")
    ]

    assert named == ["x.gguf", str(tmp_path / "b/x.gguf"), "sub/y.gguf", str(tmp_path / "c/z.gguf")]


def test_named_files_are_those_that_the_engine_is_told() -> None:
    load = LoadParams("d.gguf", llm="l.gguf", upscale_model="u.gguf", flags={"flash_attn": True})

    assert named_files(load) == {"diffusion_model": "d.gguf", "llm": "l.gguf", "upscale_model": "u.gguf"}
    assert (
        tuple(named_files(LoadParams("d", "v", "l", "u", model="m")).values())
        == LoadParams("d", "v", "l", "u", model="m").files()
    )
