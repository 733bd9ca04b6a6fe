"""Tensor names and shapes tell what a model file is, however it is called."""

from __future__ import annotations

import pytest

from hotfolder.engine.model_kinds import classify, describe
from hotfolder.engine.model_tensors import Header, Tensor
from tests.engine import model_writing as models


def header(shapes: models.Shapes, architecture: str | None = None, dtype: str = "F16") -> Header:
    return Header(
        "gguf", {name: Tensor(tuple(each), dtype) for name, each in shapes.items()}, 0, architecture
    )


DIFFUSION = [
    (models.klein(), "FLUX.2 klein", 2560),
    (models.klein(4096), "FLUX.2 klein", 4096),
    (models.klein(5120, singles=48), "FLUX.2 dev", 5120),
    ({f"model.diffusion_model.{name}": each for name, each in models.klein().items()}, "FLUX.2 klein", 2560),
    ({**models.klein(), "txt_in.weight": (128, 7681)}, "FLUX.2 klein", None),
    ({"cap_embedder.0.weight": (2560,), "cap_embedder.1.weight": (3840, 2560)}, "Z-Image", 2560),
    (
        {"transformer_blocks.0.img_mod.1.weight": (18432, 3072), "txt_in.weight": (3072, 3584)},
        "Qwen-Image",
        3584,
    ),
    ({"double_blocks.0.img_mod.lin.weight": (18432, 3072), "txt_in.weight": (3072, 4096)}, "FLUX.1", None),
    ({"joint_blocks.0.x_block.attn.qkv.weight": (4608, 1536)}, "SD 3", None),
    ({"model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3)}, "SD", None),
    (
        {
            "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
            "model.diffusion_model.label_emb.0.0.weight": (1280, 2816),
        },
        "SDXL",
        None,
    ),
]


@pytest.mark.parametrize(("shapes", "family", "width"), DIFFUSION)
def test_diffusion_model_is_told_with_its_family_and_the_text_encoder_it_needs(
    shapes: models.Shapes, family: str, width: int | None
) -> None:
    found = classify(header(shapes))

    assert (found.kind, found.family, found.text_width) == ("diffusion", family, width)
    assert not found.is_whole


def test_single_block_470_makes_no_dev_model() -> None:
    shapes = {**models.klein(), "single_blocks.470.linear1.weight": (1, 1)}

    assert classify(header(shapes)).family == "FLUX.2 klein"


def test_checkpoint_with_all_parts_is_told_as_whole() -> None:
    shapes = {
        "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
        **models.vae(4, prefix="first_stage_model."),
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": (49408, 768),
    }

    found = classify(header(shapes))

    assert (found.kind, found.family, found.is_whole) == ("diffusion", "SD", True)


@pytest.mark.parametrize(
    ("shapes", "architecture", "family", "width"),
    [
        (models.qwen3(4096), None, "Qwen3", 4096),
        (models.qwen3_gguf(), None, "Qwen3", 2560),
        (models.qwen3_gguf(), "qwen3", "Qwen3", 2560),
        ({"token_embd.weight": (32000, 5120)}, "llama", "Llama or Mistral", 5120),
        ({"token_embd.weight": (32000, 5120)}, "something-new", "something-new", 5120),
        ({"model.embed_tokens.weight": (131072, 5120)}, None, None, 5120),
        (
            {
                "model.embed_tokens.weight": (152064, 3584),
                "model.layers.0.self_attn.q_proj.bias": (3584,),
                "model.visual.blocks.0.attn.qkv.weight": (3840, 1280),
            },
            None,
            "Qwen2.5-VL",
            3584,
        ),
        (
            {
                "shared.weight": (32128, 4096),
                "encoder.block.0.layer.0.SelfAttention.q.weight": (4096, 4096),
            },
            None,
            "T5",
            4096,
        ),
        ({"token_embd.weight": (32128, 4096), "enc.blk.0.attn_q.weight": (4096, 4096)}, None, "T5", 4096),
        ({"text_model.embeddings.token_embedding.weight": (49408, 768)}, None, "CLIP", 768),
    ],
)
def test_text_encoder_is_told_with_its_hidden_size(
    shapes: models.Shapes, architecture: str | None, family: str | None, width: int
) -> None:
    found = classify(header(shapes, architecture))

    assert (found.kind, found.family, found.text_width) == ("text encoder", family, width)


@pytest.mark.parametrize(
    ("shapes", "family"),
    [
        (models.vae(32), "FLUX.2"),
        (models.vae(16), "FLUX.1"),
        (models.vae(4), "SD"),
        (models.vae(8), None),
        (models.vae(16, prefix="first_stage_model."), "FLUX.1"),
        ({"decoder.conv_in.weight": (384, 16, 3, 3, 3)}, "Qwen-Image"),
        ({"decoder.conv_in.weight": (512,)}, None),
    ],
)
def test_vae_is_told_by_the_channels_that_it_decodes(shapes: models.Shapes, family: str | None) -> None:
    found = classify(header(shapes))

    assert (found.kind, found.family) == ("vae", family)


@pytest.mark.parametrize("encoder", [True, False])
def test_vae_tells_whether_references_can_be_used_with_it(encoder: bool) -> None:
    assert classify(header(models.vae(encoder=encoder))).has_encoder is encoder


def test_upscaler_is_told() -> None:
    found = classify(header(models.esrgan()))

    assert (found.kind, found.family) == ("upscaler", "ESRGAN")


def test_lora_is_not_taken_for_the_model_that_it_changes() -> None:
    shapes = {
        "double_blocks.0.img_attn.qkv.lora_A.weight": (16, 3072),
        "double_blocks.0.img_attn.qkv.lora_B.weight": (9216, 16),
    }

    assert classify(header(shapes)).kind == "lora"


@pytest.mark.parametrize("shapes", [{}, {"a": ()}, {"blk.0.attn_q.weight": (4, 4)}, {"a\n.txt_in": (3,)}])
def test_other_tensors_are_of_an_unknown_kind(shapes: models.Shapes) -> None:
    found = classify(header(shapes))

    assert (found.kind, found.family, found.text_width) == ("unknown", None, None)


def test_type_of_most_numbers_is_the_quantisation() -> None:
    tensors = {"a.weight": Tensor((4096, 4096), "Q4_K"), "a.bias": Tensor((4096,), "F32")}

    assert classify(Header("gguf", tensors)).quantisation == "Q4_K"
    assert classify(Header("gguf", {})).quantisation is None


def test_description_says_all_in_a_few_words() -> None:
    words = [describe(classify(header(each))) for each in (models.klein(), models.qwen3(), models.vae())]

    assert words == [
        "FLUX.2 klein diffusion model, F16, 279 M parameters",
        "Qwen3 text encoder, hidden size 2560, F16, 13.1 M parameters",
        "FLUX.2 VAE, F16, 150912 parameters",
    ]
    assert describe(classify(header({}))) == "model of an unknown kind, 0 parameters"
