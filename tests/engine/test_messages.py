"""The engine's lines: what is understood, what is refused before it is sent."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.engine.messages import (
    Failure,
    GenerateParams,
    LoadParams,
    Ok,
    Progress,
    Result,
    StepProgress,
    encode_command,
    parse_line,
    parse_load,
    parse_outcome,
    parse_step_progress,
)
from hotfolder.errors import EngineProtocolError

RESULT = {
    "success": True,
    "output": "/pictures/a.png",
    "seed": 42,
    "total_time_ms": 4200,
    "images_saved": 1,
    "prompt_cache_hit": True,
    "ref_latent_cache_hit": False,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
messages = st.fixed_dictionaries(
    {
        "id": st.text(),
        "type": st.sampled_from(["ok", "progress", "result"]),
        "data": st.dictionaries(st.text(), json_values, max_size=4),
    }
)
bar_prefixes = st.builds(
    lambda noise, end: noise.replace(b"\n", b"") + end, st.binary(), st.sampled_from([b"\r", b"\x1b[K"])
)


def generate_params(**changes):
    values = {
        "prompt": "a lighthouse",
        "width": 512,
        "height": 768,
        "seed": 42,
        "steps": 4,
        "sampling_method": None,
        "ref_images": (),
        "output": "/pictures/a.png",
    }
    return GenerateParams(**{**values, **changes})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id":"ping-1","type":"ok","data":{"status":"pong"}}', Ok("ping-1", {"status": "pong"})),
        (b'{"id":"a","type":"progress","data":{"step":1}}', Progress("a", {"step": 1})),
        (b'{"id":"a","type":"result","data":{}}\r', Result("a", {})),
        (b'{"id":"a","type":"ok"}', Ok("a", {})),
        (
            b'{"id":"","type":"error","data":{"message":"no","code":"NO_MODEL"}}',
            Failure("", "NO_MODEL", "no"),
        ),
        (b'{"id":"a","type":"error","data":{"message":"no"}}', Failure("a", None, "no")),
    ],
)
def test_each_kind_of_reply_becomes_its_value(line, message):
    assert parse_line(line) == message


@given(bar_prefixes, messages)
def test_message_survives_any_bar_before_it(prefix, message):
    line = prefix + json.dumps(message).encode()

    parsed = parse_line(line)

    assert parsed is not None
    assert (parsed.id, parsed.data) == (message["id"], message["data"])


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_log_text_and_raises_nothing(line):
    parsed = parse_line(line)

    assert parsed is None or b'"type"' in line


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[INFO ] model.cpp:1 - loading",
        b"\r  |====>   | 12/300 - 1.20it/s\x1b[K",
        b'{"id":7,"type":"ok","data":{}}',
        b'{"id":"a","type":"surprise","data":{}}',
        b'{"id":"a"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"id":"a","type":"ok","data":' + b"9" * 5000 + b"}",
    ],
)
def test_line_without_a_message_is_log_text(line):
    assert parse_line(line) is None


@given(messages)
def test_progress_of_any_shape_is_read_without_raising(message):
    step = parse_step_progress(Progress(message["id"], {"phase": "sampling", **message["data"]}))

    assert step is None or step.stage == "sampling" or message["data"].get("phase") == step.stage


def test_progress_is_told_in_our_words():
    data = {"phase": "sampling", "step": 3, "total_steps": 4.0, "step_time_s": 0.25}

    assert parse_step_progress(Progress("a", data)) == StepProgress("sampling", 3, 4, 0.25, None)


@pytest.mark.parametrize("number", [10**400, math.inf, math.nan, True, "3", None])
def test_number_that_is_none_is_left_out_of_the_progress(number):
    step = parse_step_progress(Progress("a", {"phase": "sampling", "step": number, "step_time_s": number}))

    assert step == StepProgress("sampling")


def test_phase_without_a_word_of_ours_is_no_progress():
    assert parse_step_progress(Progress("a", {"phase": "brooding"})) is None
    assert parse_step_progress(Progress("a", {"phase": ["sampling"]})) is None


def test_result_becomes_an_outcome():
    outcome = parse_outcome(RESULT)

    assert (outcome.output, outcome.seed, outcome.total_time_ms) == ("/pictures/a.png", 42, 4200)
    assert (outcome.prompt_cache_hit, outcome.ref_latent_cache_hit) == (True, False)


@pytest.mark.parametrize("change", [{"output": None}, {"output": 3}, {"seed": "42"}, {"success": False}])
def test_result_without_a_picture_is_a_protocol_error(change):
    with pytest.raises(EngineProtocolError):
        parse_outcome({**RESULT, **change})


def test_load_reply_names_the_model():
    loaded = parse_load({"model_info": "klein.gguf", "load_time_ms": 812})

    assert (loaded.model_info, loaded.load_time_ms) == ("klein.gguf", 812)


@given(st.text().filter(lambda text: text.isprintable()), st.dictionaries(st.text(), st.text()))
def test_command_is_one_line_of_utf8_json(prompt, params):
    line = encode_command("generate-1", "generate", {**params, "prompt": f"{prompt}\r\n\t"})

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert json.loads(line)["params"]["prompt"] == f"{prompt}\r\n\t"


def test_nulls_are_left_out_of_a_command_at_any_depth():
    line = encode_command("a", "generate", {"x": None, "tiling": {"y": None, "z": 1}, "list": [1, None]})

    assert json.loads(line) == {"cmd": "generate", "id": "a", "params": {"tiling": {"z": 1}, "list": [1]}}


@pytest.mark.parametrize(
    ("command_id", "cmd"), [(1, "ping"), (None, "ping"), ("", "ping"), ("a", None), ("a", "")]
)
def test_command_without_an_id_or_a_name_as_text_is_refused(command_id, cmd):
    with pytest.raises(ValueError, match="name and an id"):
        encode_command(command_id, cmd, None)


@pytest.mark.parametrize("value", [math.nan, math.inf, "\udc80"])
def test_value_that_json_cannot_carry_is_refused(value):
    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        encode_command("a", "generate", {"value": value})


def test_encoder_is_always_asked_for():
    model = LoadParams("klein.gguf", flags={"vae_decode_only": True, "free_params_immediately": True})

    assert model.as_params()["vae_decode_only"] is False
    assert model.as_params()["free_params_immediately"] is False


def test_load_names_only_the_files_that_are_given():
    model = LoadParams("klein.gguf", vae="", llm="qwen.gguf", flags={"flash_attn": True, "n_threads": 8})

    sent = json.loads(encode_command("load-1", "load", model.as_params()))["params"]

    assert sent == {
        "diffusion_model": "klein.gguf",
        "llm": "qwen.gguf",
        "flash_attn": True,
        "n_threads": 8,
        "vae_decode_only": False,
        "free_params_immediately": False,
    }
    assert model.files() == ("klein.gguf", "qwen.gguf")


def test_equal_load_values_mean_the_same_model():
    assert LoadParams("a", flags={"flash_attn": True}) == LoadParams("a", flags={"flash_attn": True})
    assert LoadParams("a", flags={"flash_attn": True}) != LoadParams("a", flags={"flash_attn": False})


@pytest.mark.parametrize(
    "flags",
    [
        {"flash_attn": 1},
        {"offload_to_cpu": "yes"},
        {"n_threads": "8"},
        {"n_threads": True},
        {"n_threads": 2**40},
        {"vae": "a.gguf"},
    ],
)
def test_flag_of_a_wrong_type_is_refused(flags):
    with pytest.raises(ValueError, match=r"cannot be|not a flag"):
        LoadParams("klein.gguf", flags=flags)


def test_generate_sends_what_was_asked():
    params = generate_params(ref_images=("/refs/1.png",), extra={"sigmas": [1.0, 0.5, 0], "vae_tiling": None})

    sent = json.loads(encode_command("generate-1", "generate", params.as_params()))["params"]

    assert sent == {
        "prompt": "a lighthouse",
        "width": 512,
        "height": 768,
        "seed": 42,
        "steps": 4,
        "ref_images": ["/refs/1.png"],
        "output": "/pictures/a.png",
        "use_prompt_cache": True,
        "use_ref_latent_cache": True,
        "sigmas": [1.0, 0.5, 0],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 0},
        {"height": -16},
        {"steps": 0},
        {"seed": -1},
        {"seed": 2_147_483_648},
        {"width": "512"},
        {"width": True},
        {"prompt": None},
        {"sampling_method": 3},
        {"output": ""},
        {"ref_images": "/refs/1.png"},
        {"ref_images": (None,)},
        {"ref_images": tuple(f"/refs/{n}.png" for n in range(9))},
        {"ref_images": ("/refs/1.png", "/refs/1.png")},
        {"ref_images": ("/refs/1.png", "/refs/./1.png")},
        {"use_prompt_cache": 1},
        {"extra": {"width": 16}},
        {"extra": {"sigmas": ["1"]}},
        {"extra": {"sigmas": [math.nan]}},
        {"extra": {"vae_tiling": {"enabled": 1}}},
        {"extra": {"vae_tiling": True}},
        {"width": 2**31},
        {"extra": {"upscale_repeats": "2"}},
        {"extra": {"upscale_repeats": 2**32 + 1}},
        {"extra": {"increase_ref_index": 1}},
    ],
)
def test_request_that_would_crash_the_engine_is_refused(changes):
    with pytest.raises(ValueError, match=r"."):
        generate_params(**changes)


@pytest.mark.parametrize(
    "changes",
    [{"seed": 0}, {"seed": 2_147_483_647}, {"ref_images": tuple(f"/refs/{n}.png" for n in range(8))}],
)
def test_request_at_the_limit_is_taken(changes):
    assert generate_params(**changes).as_params().items() >= changes.items()
