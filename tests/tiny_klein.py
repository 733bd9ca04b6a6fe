"""A model in the shape of FLUX.2 Klein with random weights: real engines load it and run it in seconds.

Its pictures are noise, the engine's work on them is not: tensor names, conditioning, references and seeds are
those of the real thing. About 104 MB, of which the encoder half of the VAE takes most.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

HIDDEN: Final = 128
HEAD: Final = 128
TEXT_WIDTH: Final = 32
CONTEXT: Final = 3 * TEXT_WIDTH  # the diffusion model reads three layers of the text encoder
LATENT: Final = 32
TEXT_LAYERS: Final = 29  # the last of the three layers is the 27th
TEXT_HEADS: Final = 32
TEXT_KEY_HEADS: Final = 8
TOKENS: Final = 151936
DECODER_CHANNELS: Final = 32
ENCODER_CHANNELS: Final = 128  # engines take this width for granted, unlike the decoder's
WIDENING: Final = (1, 2, 4, 4)
RESIDUALS: Final = 2


class Tensors:
    """Named tensors of random weights, and the layers that they make up."""

    def __init__(self, seed: int) -> None:
        self.by_name: dict[str, Array] = {}
        self._random = np.random.default_rng(seed)

    def linear(self, name: str, rows: int, columns: int, scale: float | None = None) -> None:
        values = self._random.standard_normal((rows, columns), dtype=np.float32)
        self.by_name[f"{name}.weight"] = values * (scale or 1 / np.sqrt(columns))

    def ones(self, name: str, size: int) -> None:
        self.by_name[name] = np.ones(size, np.float32)

    def norm(self, name: str, channels: int) -> None:
        self.ones(f"{name}.weight", channels)
        self.by_name[f"{name}.bias"] = np.zeros(channels, np.float32)

    def convolution(self, name: str, to: int, channels: int, kernel: int) -> None:
        values = self._random.standard_normal((to, channels, kernel, kernel), dtype=np.float32)
        self.by_name[f"{name}.weight"] = values / np.sqrt(channels * kernel * kernel)
        self.by_name[f"{name}.bias"] = np.zeros(to, np.float32)

    def residual(self, name: str, channels: int, to: int) -> None:
        self.norm(f"{name}.norm1", channels)
        self.convolution(f"{name}.conv1", to, channels, 3)
        self.norm(f"{name}.norm2", to)
        self.convolution(f"{name}.conv2", to, to, 3)
        if channels != to:
            self.convolution(f"{name}.nin_shortcut", to, channels, 1)

    def middle(self, name: str, channels: int) -> None:
        self.residual(f"{name}.block_1", channels, channels)
        self.norm(f"{name}.attn_1.norm", channels)
        for part in ("q", "k", "v", "proj_out"):
            self.convolution(f"{name}.attn_1.{part}", channels, channels, 1)
        self.residual(f"{name}.block_2", channels, channels)

    def save(self, path: Path) -> None:
        """Write a safetensors file of 16 bit floats."""
        header, end = {}, 0
        for name, values in self.by_name.items():
            begin, end = end, end + 2 * values.size
            header[name] = {"dtype": "F16", "shape": list(values.shape), "data_offsets": [begin, end]}
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with path.open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for values in self.by_name.values():
                file.write(values.astype(np.float16).tobytes())


def write_tiny_klein(folder: Path, seed: int = 1234) -> dict[str, Path]:
    """Write a whole model into the folder; its files by their role in a model set."""
    files = {
        "diffusion_model": folder / "tiny-klein.safetensors",
        "vae": folder / "tiny-vae.safetensors",
        "llm": folder / "tiny-qwen3.safetensors",
    }
    write_diffusion_model(files["diffusion_model"], seed)
    write_vae(files["vae"], seed)
    write_text_encoder(files["llm"], seed)
    return files


def write_diffusion_model(path: Path, seed: int) -> None:
    """One double and one single block: 2 MB."""
    made = Tensors(seed)
    made.linear("img_in", HIDDEN, 4 * LATENT)
    made.linear("txt_in", HIDDEN, CONTEXT)
    made.linear("time_in.in_layer", HIDDEN, 256)
    made.linear("time_in.out_layer", HIDDEN, HIDDEN)
    made.linear("single_stream_modulation.lin", 3 * HIDDEN, HIDDEN, 0.02)
    for stream in ("img", "txt"):
        made.linear(f"double_stream_modulation_{stream}.lin", 6 * HIDDEN, HIDDEN, 0.02)
        _add_double_block(made, f"double_blocks.0.{stream}")
    made.linear("single_blocks.0.linear1", 9 * HIDDEN, HIDDEN)
    made.linear("single_blocks.0.linear2", HIDDEN, 4 * HIDDEN)
    for part in ("query_norm", "key_norm"):
        made.ones(f"single_blocks.0.norm.{part}.scale", HEAD)
    made.linear("final_layer.linear", 4 * LATENT, HIDDEN, 0.05)
    made.linear("final_layer.adaLN_modulation.1", 2 * HIDDEN, HIDDEN, 0.02)
    made.save(path)


def write_text_encoder(path: Path, seed: int) -> None:
    """Qwen3's attention at its full width, everything else narrow: 29 MB, most of it the token table."""
    made = Tensors(seed)
    made.linear("model.embed_tokens", TOKENS, TEXT_WIDTH, 0.5)
    for number in range(TEXT_LAYERS):
        _add_text_layer(made, f"model.layers.{number}")
    made.ones("model.norm.weight", TEXT_WIDTH)
    made.save(path)


def write_vae(path: Path, seed: int) -> None:
    """A narrow decoder, and the encoder that references need."""
    made = Tensors(seed)
    _add_decoder(made)
    made.convolution("post_quant_conv", LATENT, LATENT, 1)
    _add_encoder(made)
    made.convolution("quant_conv", 2 * LATENT, 2 * LATENT, 1)
    made.save(path)


def _add_double_block(made: Tensors, name: str) -> None:
    made.linear(f"{name}_attn.qkv", 3 * HIDDEN, HIDDEN)
    made.linear(f"{name}_attn.proj", HIDDEN, HIDDEN)
    for part in ("query_norm", "key_norm"):
        made.ones(f"{name}_attn.norm.{part}.scale", HEAD)
    made.linear(f"{name}_mlp.0", 6 * HIDDEN, HIDDEN)
    made.linear(f"{name}_mlp.2", HIDDEN, 3 * HIDDEN)


def _add_text_layer(made: Tensors, name: str) -> None:
    made.linear(f"{name}.self_attn.q_proj", TEXT_HEADS * HEAD, TEXT_WIDTH)
    for part in ("k_proj", "v_proj"):
        made.linear(f"{name}.self_attn.{part}", TEXT_KEY_HEADS * HEAD, TEXT_WIDTH)
    made.linear(f"{name}.self_attn.o_proj", TEXT_WIDTH, TEXT_HEADS * HEAD)
    for part in ("q_norm", "k_norm"):
        made.ones(f"{name}.self_attn.{part}.weight", HEAD)
    for part in ("gate_proj", "up_proj", "down_proj"):
        made.linear(f"{name}.mlp.{part}", TEXT_WIDTH, TEXT_WIDTH)
    for part in ("input_layernorm", "post_attention_layernorm"):
        made.ones(f"{name}.{part}.weight", TEXT_WIDTH)


def _add_decoder(made: Tensors) -> None:
    channels = DECODER_CHANNELS * WIDENING[-1]
    made.convolution("decoder.conv_in", channels, LATENT, 3)
    made.middle("decoder.mid", channels)
    for level in reversed(range(len(WIDENING))):
        to = DECODER_CHANNELS * WIDENING[level]
        for number in range(RESIDUALS + 1):
            made.residual(f"decoder.up.{level}.block.{number}", channels, to)
            channels = to
        if level:
            made.convolution(f"decoder.up.{level}.upsample.conv", channels, channels, 3)
    made.norm("decoder.norm_out", channels)
    made.convolution("decoder.conv_out", 3, channels, 3)


def _add_encoder(made: Tensors) -> None:
    channels = ENCODER_CHANNELS
    made.convolution("encoder.conv_in", channels, 3, 3)
    for level, widening in enumerate(WIDENING):
        to = ENCODER_CHANNELS * widening
        for number in range(RESIDUALS):
            made.residual(f"encoder.down.{level}.block.{number}", channels, to)
            channels = to
        if level < len(WIDENING) - 1:
            made.convolution(f"encoder.down.{level}.downsample.conv", channels, channels, 3)
    made.middle("encoder.mid", channels)
    made.norm("encoder.norm_out", channels)
    made.convolution("encoder.conv_out", 2 * LATENT, channels, 3)
