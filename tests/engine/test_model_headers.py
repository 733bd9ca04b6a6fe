"""The header of a model file is read without trust: a value or a sentence, soon and with little memory."""

from __future__ import annotations

import json
import os
import struct
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.engine.model_headers import MAX_JSON_BYTES, parse_header, read_header
from hotfolder.engine.model_kinds import classify, describe
from hotfolder.engine.model_tensors import Header
from tests.engine import model_writing as models


def parse(data: bytes, size: int | None = None) -> Header:
    return parse_header(BytesIO(data), len(data) if size is None else size)


def safetensors(entries: object) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize("dtype", ["F16", "F32", "BF16", "F8_E4M3"])
def test_safetensors_gives_names_shapes_and_types(tmp_path: Path, dtype: str) -> None:
    path = models.write(tmp_path / "a.safetensors", models.safetensors_header(models.klein(), dtype))

    header = read_header(path)

    assert {name: each.shape for name, each in header.tensors.items()} == models.klein()
    assert {each.dtype for each in header.tensors.values()} == {dtype}
    assert (header.format, header.missing_bytes, header.architecture) == ("safetensors", 0, None)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", ["Q4_K", "Q8_0", "F16"])
def test_gguf_gives_names_types_and_shapes_as_safetensors_has_them(
    tmp_path: Path, version: int, dtype: str
) -> None:
    parts = models.gguf_header(models.klein(), dtype, version=version)

    header = read_header(models.write(tmp_path / "a.gguf", parts))

    assert {name: each.shape for name, each in header.tensors.items()} == models.klein()
    assert header.tensors["txt_in.weight"].dtype == dtype
    assert header.tensors["double_blocks.0.img_attn.norm.query_norm.scale"].dtype == "F32"
    assert (header.format, header.missing_bytes) == ("gguf", 0)


def test_gguf_gives_its_architecture_whatever_other_keys_it_has() -> None:
    keys = [
        models.texts_key("tokenizer.ggml.tokens", ["a", "bc"] * 1000),
        models.number_key("qwen3.block_count", 36),
        models.text_key("tokenizer.chat_template", "x" * 100_000),
        models.text("scores") + struct.pack("<IIQ", 9, 6, 3) + struct.pack("<3f", 0, 1, 2),
        models.text_key("general.architecture", "qwen3"),
    ]

    head, _ = models.gguf_header({}, keys=keys)

    assert parse(head).architecture == "qwen3"


def test_gguf_of_another_alignment_is_whole(tmp_path: Path) -> None:
    keys = [models.number_key("general.alignment", 4096)]
    parts = models.gguf_header(models.qwen3_gguf(), keys=keys, alignment=4096)

    assert read_header(models.write(tmp_path / "a.gguf", parts)).missing_bytes == 0


@pytest.mark.parametrize("kind", ["gguf", "safetensors"])
def test_file_that_is_cut_short_tells_how_much_is_missing(tmp_path: Path, kind: str) -> None:
    parts = models.gguf_header(models.vae()) if kind == "gguf" else models.safetensors_header(models.vae())

    header = read_header(models.write(tmp_path / f"a.{kind}", parts, lacks=1000))

    assert header.missing_bytes == 1000
    assert len(header.tensors) == 2


@pytest.mark.parametrize("kind", ["gguf", "safetensors"])
def test_file_that_ends_in_its_header_is_told_as_not_copied_to_its_end(kind: str) -> None:
    head, _ = (
        models.gguf_header(models.klein()) if kind == "gguf" else models.safetensors_header(models.klein())
    )

    for length in (9, 24, len(head) // 2, len(head) - 40):
        with pytest.raises(ValueError, match="not copied or downloaded to its end"):
            parse(head[:length])


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    path = models.write(tmp_path / "a.gguf", models.safetensors_header(models.vae()))

    assert read_header(path).format == "safetensors"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"PK\x03\x04" + bytes(60), "PyTorch"),
        (b"\x80\x02}q\x00(X\x06\x00", "pickle"),
        (b"GGU", "neither"),
        (b"not a real model", "neither"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
    ],
)
def test_other_file_is_told_by_what_it_is(data: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse(data)


@pytest.mark.parametrize(
    "entries",
    [
        [],
        {"a": None},
        {"a": {"dtype": "F16", "shape": [1], "data_offsets": [0]}},
        {"a": {"dtype": "F16", "shape": [True], "data_offsets": [0, 2]}},
        {"a": {"dtype": "F16", "shape": [-1], "data_offsets": [0, 2]}},
        {"a": {"dtype": "F16", "shape": [2**70], "data_offsets": [0, 2]}},
        {"a": {"dtype": "F16", "shape": [1.5], "data_offsets": [0, 2]}},
        {"a": {"dtype": "F16", "shape": [1] * 9, "data_offsets": [0, 2]}},
        {"a": {"dtype": "F16", "shape": "1", "data_offsets": [0, 2]}},
        {"a": {"dtype": 16, "shape": [1], "data_offsets": [0, 2]}},
        {"a": {"dtype": "F16", "shape": [1], "data_offsets": [4, 2]}},
        {"a" * 600: {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}},
    ],
)
def test_safetensors_header_that_makes_no_sense_is_refused(entries: object) -> None:
    with pytest.raises(ValueError, match=r"tensor|object|file"):
        parse(safetensors(entries))


def build_gguf(*, tensors: int = 0, keys: int = 0, rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + rest + bytes(64)


def tensor(extents: list[int], name: bytes = b"a", kind: int = 0) -> bytes:
    sizes = struct.pack(f"<{len(extents)}Q", *extents)
    return models.text(name) + struct.pack("<I", len(extents)) + sizes + struct.pack("<IQ", kind, 0)


@pytest.mark.parametrize(
    "data",
    [
        build_gguf(tensors=2**60),
        build_gguf(keys=2**60),
        build_gguf(keys=1, rest=struct.pack("<Q", 2**63)),
        build_gguf(keys=1, rest=models.text("a") + struct.pack("<I", 99)),
        build_gguf(keys=1, rest=models.text("a") + struct.pack("<IIQ", 9, 9, 1)),
        build_gguf(keys=1, rest=models.text("a") + struct.pack("<IIQ", 9, 8, 2**62)),
        build_gguf(keys=1, rest=models.text("a") + struct.pack("<IIQ", 9, 12, 2**61)),
        build_gguf(keys=1, rest=models.number_key("general.alignment", 0)),
        build_gguf(tensors=1, rest=tensor([1] * 9)),
        build_gguf(tensors=1, rest=tensor([2**64 - 1])),
        build_gguf(tensors=1, rest=tensor([1], name=b"n" * 600)),
    ],
)
def test_gguf_header_that_claims_too_much_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        parse(data)


def test_names_that_are_no_text_are_read_all_the_same() -> None:
    found = parse(build_gguf(tensors=1, rest=tensor([1], name=b"\xff\xfe")))

    assert list(found.tensors) == ["\\xff\\xfe"]


HOSTILE = {
    "brackets": (b"{", b"[", MAX_JSON_BYTES - 1, b""),
    "nested": (b"", b'{"a":', 50_000, b""),
    "lists": (b'{"a":[', b"[],", 4_000_000, b"0]}"),
    "numbers": (b'{"a":[', b"1.5,", 3_000_000, b"0]}"),
    "long number": (b'{"a":', b"9", 10_000_000, b"}"),
    "text": (b'{"', b"\\u0041", 2_000_000, b'":0}'),
}


@contextmanager
def at_most(seconds: float, megabytes: float) -> Iterator[None]:
    tracemalloc.start()
    began = time.monotonic()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < seconds
    assert peak < megabytes * 1e6


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_json_costs_little_time_and_memory(case: str) -> None:
    begin, repeated, times, end = HOSTILE[case]
    text = begin + repeated * times + end
    stream = BytesIO(struct.pack("<Q", len(text)) + text)

    with at_most(10, megabytes=100), pytest.raises(ValueError, match="header"):
        parse_header(stream, 2**40)


@pytest.mark.parametrize("count", [300_000, 2**40])
@pytest.mark.parametrize("length", [0, 1000])
def test_hostile_vocabulary_costs_little_time_and_memory(length: int, count: int) -> None:
    texts = models.text(b"x" * length) * (60_000_000 // (length + 8))
    key = models.text("a") + struct.pack("<IIQ", 9, 8, count) + texts
    stream = BytesIO(build_gguf(keys=1, tensors=1, rest=key))

    with at_most(20, megabytes=10), suppress(ValueError):
        parse_header(stream, 2**40)


def parses_or_refuses(data: bytes) -> None:
    try:
        found = parse(data)
    except ValueError:
        return
    assert describe(classify(found))
    assert found.missing_bytes >= 0


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_a_header_or_a_sentence(data: bytes) -> None:
    parses_or_refuses(data)
    parses_or_refuses(b"GGUF" + struct.pack("<I", 3) + data)
    parses_or_refuses(struct.pack("<Q", len(data) + 1) + b"{" + data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["dtype", "shape", "data_offsets", "decoder.conv_in.weight", "txt_in.weight"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=20) | st.sampled_from(list(models.klein())), json_values, max_size=5))
@settings(max_examples=300, deadline=None)
def test_any_json_gives_a_header_or_a_sentence(entries: dict[str, object]) -> None:
    parses_or_refuses(safetensors(entries))


WHOLE = [
    models.gguf_header(models.klein(), keys=[models.text_key("general.architecture", "flux")])[0],
    models.gguf_header(models.vae(), "F16", keys=[models.texts_key("tokens", ["a", "b"])])[0],
    models.safetensors_header(models.qwen3())[0],
    models.safetensors_header(models.vae())[0],
]


@given(st.sampled_from(WHOLE), st.data())
@settings(max_examples=400, deadline=None)
def test_damaged_header_gives_a_header_or_a_sentence(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))

    parses_or_refuses(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.gguf")

    for path in (tmp_path / "a.gguf", tmp_path):
        with pytest.raises(ValueError, match="no regular file"):
            read_header(path)
