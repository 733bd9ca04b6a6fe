"""Writes small model files with real names and shapes; the numbers in them are zeros, most of them holes."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]

_BYTES = {"F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1}
_GGML = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q8_0": (8, 32, 34), "Q4_K": (12, 256, 144)}


def klein(text_width: int = 2560, singles: int = 2, hidden: int = 3072) -> dict[str, tuple[int, ...]]:
    return {
        "img_in.weight": (hidden, 128),
        "txt_in.weight": (hidden, 3 * text_width),
        "double_stream_modulation_img.lin.weight": (6 * hidden, hidden),
        "double_blocks.0.img_attn.qkv.weight": (3 * hidden, hidden),
        "double_blocks.0.img_attn.norm.query_norm.scale": (128,),
        **{f"single_blocks.{each}.linear1.weight": (9 * hidden, hidden) for each in range(singles)},
    }


def qwen3(width: int = 2560) -> dict[str, tuple[int, ...]]:
    return {
        "model.embed_tokens.weight": (1024, width),
        "model.layers.0.self_attn.q_norm.weight": (128,),
        "model.layers.0.self_attn.q_proj.weight": (4096, width),
    }


def qwen3_gguf(width: int = 2560) -> dict[str, tuple[int, ...]]:
    return {
        "token_embd.weight": (1024, width),
        "blk.0.attn_q_norm.weight": (128,),
        "blk.0.attn_q.weight": (4096, width),
    }


def vae(channels: int = 32, *, encoder: bool = True, prefix: str = "") -> dict[str, tuple[int, ...]]:
    halves = {f"{prefix}decoder.conv_in.weight": (512, channels, 3, 3)}
    return halves | ({f"{prefix}encoder.conv_in.weight": (128, 3, 3, 3)} if encoder else {})


def esrgan() -> dict[str, tuple[int, ...]]:
    return {"conv_first.weight": (64, 3, 3, 3), "body.0.rdb1.conv1.weight": (32, 64, 3, 3)}


def safetensors_header(shapes: Shapes, dtype: str = "F16", **extra: Any) -> tuple[bytes, int]:
    """The bytes before the numbers, and how many bytes of numbers follow."""
    entries: dict[str, Any] = dict(extra)
    offset = 0
    for name, shape in shapes.items():
        end = offset + math.prod(shape) * _BYTES[dtype]
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text, offset


def gguf_header(
    shapes: Shapes, dtype: str = "Q4_K", keys: Iterable[bytes] = (), version: int = 3, alignment: int = 32
) -> tuple[bytes, int]:
    """The bytes before the numbers with their padding, and how many bytes of numbers follow."""
    number, block, block_bytes = _GGML[dtype]
    keys, entries, offset = list(keys), b"", 0
    for name, shape in shapes.items():
        kind, size = (0, 4 * math.prod(shape)) if len(shape) == 1 else (number, 0)
        size = size or -(-math.prod(shape) // block) * block_bytes
        entries += text(name) + struct.pack("<I", len(shape))
        entries += struct.pack(f"<{len(shape)}Q", *reversed(shape)) + struct.pack("<IQ", kind, offset)
        offset += -(-size // alignment) * alignment
    head = b"GGUF" + struct.pack("<IQQ", version, len(shapes), len(keys)) + b"".join(keys) + entries
    return head + bytes(-len(head) % alignment), offset


def text(words: str | bytes) -> bytes:
    raw = words if isinstance(words, bytes) else words.encode()
    return struct.pack("<Q", len(raw)) + raw


def text_key(name: str, value: str) -> bytes:
    return text(name) + struct.pack("<I", 8) + text(value)


def number_key(name: str, value: int) -> bytes:
    return text(name) + struct.pack("<II", 4, value)


def texts_key(name: str, values: list[str]) -> bytes:
    return text(name) + struct.pack("<IIQ", 9, 8, len(values)) + b"".join(map(text, values))


def write(path: Path, parts: tuple[bytes, int], *, lacks: int = 0) -> Path:
    """A file of the full length, less what it lacks."""
    head, follows = parts
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(head)
        stream.truncate(len(head) + follows - lacks)
    return path


def write_klein_set(folder: Path, width: int = 2560, size: str = "4b") -> dict[str, Path]:
    """The three files of a FLUX.2 Klein set, under names as they are given out."""
    return {
        "diffusion_model": write(folder / f"flux-2-klein-{size}.gguf", gguf_header(klein(width))),
        "vae": write(folder / "flux2-vae.safetensors", safetensors_header(vae())),
        "llm": write(
            folder / f"qwen3-{size}.gguf",
            gguf_header(qwen3_gguf(width), keys=[text_key("general.architecture", "qwen3")]),
        ),
    }
