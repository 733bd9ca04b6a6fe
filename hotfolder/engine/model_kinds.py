"""Tells by the names and shapes of its tensors what a model file is; names of files and keys can be wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from hotfolder.engine.model_tensors import Format, Header, Tensor

Kind = Literal["diffusion", "text encoder", "vae", "upscaler", "lora", "unknown"]

FLUX2_KLEIN: Final = "FLUX.2 klein"
FLUX2_DEV: Final = "FLUX.2 dev"
Z_IMAGE: Final = "Z-Image"
QWEN_IMAGE: Final = "Qwen-Image"
FLUX1: Final = "FLUX.1"
FLUX2: Final = "FLUX.2"
SD: Final = "SD"

VAE_FAMILIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        FLUX2_KLEIN: FLUX2,
        FLUX2_DEV: FLUX2,
        Z_IMAGE: FLUX1,
        FLUX1: FLUX1,
        QWEN_IMAGE: QWEN_IMAGE,
        "SD 3": FLUX1,
        "SDXL": SD,
        SD: SD,
    }
)
"""Family of a diffusion model: that of its VAE, told by the channels of what it decodes."""

_VAE_BY_CHANNELS: Final = {32: FLUX2, 16: FLUX1, 4: SD}
_IMAGE_KERNEL: Final = 4  # dimensions of a convolution over pictures; those over films have one more
_NAMES_BY_ARCHITECTURE: Final = {
    "qwen3": "Qwen3",
    "qwen2": "Qwen2",
    "qwen2vl": "Qwen2.5-VL",
    "llama": "Llama or Mistral",
    "mistral3": "Mistral",
    "t5": "T5",
    "t5encoder": "T5",
}
_LORA_MARKS: Final = (".lora_up.", ".lora_down.", ".lora_A.", ".lora_B.", ".lora_unet_", ".lora_transformer_")


KIND_WORDS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "diffusion": "diffusion model",
        "text encoder": "text encoder",
        "vae": "VAE",
        "upscaler": "upscaler",
        "lora": "LoRA",
        "unknown": "model of an unknown kind",
    }
)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model file is.

    `text_width` is the hidden size of a text encoder, and of a diffusion model the one that its text encoder
    must have. `has_encoder` is told of a VAE: without that half no reference can be used. `is_whole` is a
    diffusion model with VAE and text encoder in the same file.
    """

    format: Format
    kind: Kind
    family: str | None
    quantisation: str | None
    parameters: int
    text_width: int | None = None
    has_encoder: bool | None = None
    is_whole: bool = False
    missing_bytes: int = 0


def classify(header: Header) -> ModelFacts:
    """What the file with this header is."""
    names = _Names(header.tensors)
    kind, family = _find_kind(names, header.architecture)
    return ModelFacts(
        format=header.format,
        kind=kind,
        family=family,
        quantisation=_find_quantisation(header.tensors),
        parameters=sum(each.elements for each in header.tensors.values()),
        text_width=_find_text_width(names, kind, family),
        has_encoder=names.has(".encoder.conv_in.") if kind == "vae" else None,
        is_whole=kind == "diffusion" and any(map(names.has, (".first_stage_model.", "\n.vae."))),
        missing_bytes=header.missing_bytes,
    )


def describe(facts: ModelFacts) -> str:
    """A file in a few words: `FLUX.2 klein diffusion model, Q4_K, 3.88 B parameters`."""
    name = " ".join(filter(None, (facts.family, KIND_WORDS[facts.kind])))
    size = f"hidden size {facts.text_width}" if facts.kind == "text encoder" and facts.text_width else None
    return ", ".join(filter(None, (name, size, facts.quantisation, f"{count_words(facts)} parameters")))


def count_words(facts: ModelFacts) -> str:
    """The number of parameters as people say it: `3.88 B`, `84 M`, `900`."""
    for unit, factor in (("B", 10**9), ("M", 10**6)):
        if facts.parameters >= factor:
            return f"{facts.parameters / factor:.3g} {unit}"
    return str(facts.parameters)


class _Names:
    """All tensor names as one text, in which a mark is found at once however many there are."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors
        self._text = "\n" + "".join(f".{name}\n" for name in tensors)

    def has(self, mark: str) -> bool:
        """Whether a name has these parts; a mark starts with a dot and may end with a line's end."""
        return mark in self._text

    def find(self, mark: str) -> Tensor | None:
        """The first tensor whose name has these parts."""
        found = self._text.find(mark)
        if found < 0:
            return None
        begin = self._text.rfind("\n", 0, found) + 1
        end = self._text.find("\n", found)
        return self._tensors.get(self._text[begin + 1 : end])


def _find_kind(names: _Names, architecture: str | None) -> tuple[Kind, str | None]:
    if any(map(names.has, _LORA_MARKS)):  # a LoRA has the names of the model that it changes
        return "lora", None
    family = _find_diffusion_family(names)
    if family:
        return "diffusion", family
    if any(map(names.has, (".embed_tokens.weight\n", ".token_embd.weight\n", ".encoder.block.0."))):
        return "text encoder", _find_text_family(names, architecture)
    if names.has(".text_model.embeddings.token_embedding."):
        return "text encoder", "CLIP"
    decoder = names.find(".decoder.conv_in.weight\n")
    if decoder:
        return "vae", _find_vae_family(decoder)
    if names.has(".rdb1.conv1.") and names.has(".body."):
        return "upscaler", "ESRGAN"
    return "unknown", None


def _find_diffusion_family(names: _Names) -> str | None:
    if names.has(".double_stream_modulation_img.lin."):
        return FLUX2_DEV if names.has(".single_blocks.47.") else FLUX2_KLEIN
    if names.has(".input_blocks.0."):
        return "SDXL" if names.has(".label_emb.") else SD
    marks = {
        ".cap_embedder.0.weight\n": Z_IMAGE,
        ".transformer_blocks.0.img_mod.1.": QWEN_IMAGE,
        ".double_blocks.0.": FLUX1,
        ".joint_blocks.0.": "SD 3",
    }
    return next((family for mark, family in marks.items() if names.has(mark)), None)


def _find_text_family(names: _Names, architecture: str | None) -> str | None:
    if architecture:
        return _NAMES_BY_ARCHITECTURE.get(architecture.lower(), architecture[:40])
    if names.has(".encoder.block.0.") or names.has(".enc.blk.0."):
        return "T5"
    if names.has(".pre_feedforward_layernorm.") or names.has(".post_ffw_norm."):
        return "Gemma"
    if names.has(".self_attn.q_norm.") or names.has(".attn_q_norm."):
        return "Qwen3"
    if names.has(".self_attn.q_proj.bias\n") or names.has(".attn_q.bias\n"):
        return "Qwen2.5-VL" if names.has(".visual.") else "Qwen2"
    return None


def _find_vae_family(decoder: Tensor) -> str | None:
    if len(decoder.shape) > _IMAGE_KERNEL:
        return QWEN_IMAGE
    channels = decoder.shape[1] if len(decoder.shape) == _IMAGE_KERNEL else None
    return _VAE_BY_CHANNELS.get(channels) if channels else None


def _find_text_width(names: _Names, kind: Kind, family: str | None) -> int | None:
    if kind == "text encoder":
        found = names.find(".embed_tokens.weight\n") or names.find(".token_embd.weight\n")
        return _columns(found or names.find(".shared.weight\n") or names.find(".token_embedding.weight\n"))
    if family in (FLUX2_KLEIN, FLUX2_DEV):  # it reads three layers of its text encoder side by side
        columns = _columns(names.find(".txt_in.weight\n"))
        return columns // 3 if columns and columns % 3 == 0 else None
    if family == QWEN_IMAGE:
        return _columns(names.find(".txt_in.weight\n"))
    return _columns(names.find(".cap_embedder.0.weight\n")) if family == Z_IMAGE else None


def _columns(tensor: Tensor | None) -> int | None:
    return tensor.shape[-1] if tensor and tensor.shape else None


def _find_quantisation(tensors: Mapping[str, Tensor]) -> str | None:
    """The type that most numbers have: norms and biases are kept precise in any file."""
    numbers: Counter[str] = Counter()
    for each in tensors.values():
        numbers[each.dtype] += each.elements
    return numbers.most_common(1)[0][0] if numbers else None
