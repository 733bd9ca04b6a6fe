"""One line of the engine's protocol, to and from typed values; the only module that knows engine JSON.

What may be sent, checked, is in `params`; its values are part of this module's face.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from hotfolder.engine.params import (
    GenerateParams,
    LoadParams,
    UpscaleParams,
    is_number,
    without_nulls,
)
from hotfolder.errors import EngineProtocolError

__all__ = [
    "Failure",
    "GenerateOutcome",
    "GenerateParams",
    "LoadOutcome",
    "LoadParams",
    "Message",
    "Ok",
    "Progress",
    "Result",
    "Stage",
    "StepProgress",
    "UpscaleOutcome",
    "UpscaleParams",
    "encode_command",
    "find_stage",
    "parse_line",
    "parse_load",
    "parse_outcome",
    "parse_step_progress",
    "parse_upscale",
]

Stage = Literal["loading", "conditioning", "encoding", "sampling", "saving", "upscaling"]

MESSAGE_CHARACTERS: Final = 2000
"""An error goes into reports: of a longer one the beginning is kept."""
DAY_S: Final = 86_400
MOST_STEPS: Final = 100_000
MOST_PIXELS: Final = 1_000_000
"""No edge of a picture is longer, no time longer than a day: such a figure of the engine is none."""

_BAR_END = re.compile(r"\r|\x1b\[K")
_STAGES: Final = frozenset({"loading", "conditioning", "encoding", "sampling", "saving", "upscaling"})


@dataclass(frozen=True, slots=True)
class Ok:
    """A command without a product is done."""

    id: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Progress:
    """A sign of life from the command with this id."""

    id: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """A command with a product is done."""

    id: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """A command was refused or failed; some failures carry no code."""

    id: str
    code: str | None
    message: str

    @property
    def means_no_model(self) -> bool:
        """Whether the engine has no model, whatever it is believed to have."""
        return self.code == "NO_MODEL"


Message = Ok | Progress | Result | Failure


@dataclass(frozen=True, slots=True)
class StepProgress:
    """How far a job is, in the words of the status files."""

    stage: Stage
    step: int | None = None
    total_steps: int | None = None
    step_time_s: float | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What the engine says about the model that it has loaded."""

    model_info: str | None
    load_time_ms: int | None


@dataclass(frozen=True, slots=True)
class GenerateOutcome:
    """A finished picture as the engine reports it; its real size is in the file only."""

    output: str
    seed: int
    total_time_ms: int
    prompt_cache_hit: bool
    ref_latent_cache_hit: bool
    peak_memory_mb: int | None = None


@dataclass(frozen=True, slots=True)
class UpscaleOutcome:
    """An enlarged picture as the engine reports it; `model_info` is told by our own engines only."""

    output: str
    total_time_ms: int
    width: int | None = None
    height: int | None = None
    model_info: str | None = None


def encode_command(command_id: str, cmd: str, params: Mapping[str, Any] | None) -> bytes:
    """One command as one line; values that the engine cannot take raise ValueError."""
    if not (isinstance(command_id, str) and command_id and isinstance(cmd, str) and cmd):
        raise ValueError("a command needs a name and an id, both as text")
    command: dict[str, Any] = {"cmd": cmd, "id": command_id}
    if params is not None:
        command["params"] = without_nulls(params)
    return json.dumps(command, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def parse_line(line: bytes) -> Message | None:
    """The message on a line, also behind progress bars; None means that the line is log text."""
    text = line.decode("utf-8", "replace").strip()
    return _parse_message(text) or _parse_message(_BAR_END.split(text)[-1])


def find_stage(progress: Progress) -> Stage | None:
    """The stage that it tells of, None for a phase that has no word of ours."""
    phase = progress.data.get("phase")
    return cast("Stage", phase) if isinstance(phase, str) and phase in _STAGES else None


def parse_step_progress(progress: Progress) -> StepProgress | None:
    """The progress in our words, or None for a phase that has no word of ours."""
    stage = find_stage(progress)
    if stage is None:
        return None
    data = progress.data
    step, total_steps = (_count_or_none(data.get(name), MOST_STEPS) for name in ("step", "total_steps"))
    if step is not None and total_steps is not None and step > total_steps:
        step = total_steps = None
    return StepProgress(
        stage=stage,
        step=step,
        total_steps=total_steps,
        step_time_s=_figure_or_none(data.get("step_time_s"), DAY_S),
        message=_text_or_none(data.get("message")),
    )


def parse_load(data: Mapping[str, Any]) -> LoadOutcome:
    """The reply to a load command."""
    return LoadOutcome(_text_or_none(data.get("model_info")), _time_ms_or_none(data.get("load_time_ms")))


def parse_outcome(data: Mapping[str, Any]) -> GenerateOutcome:
    """The reply to a generate command; EngineProtocolError when it names no picture or no seed."""
    output = _text_or_none(data.get("output"))
    seed = _whole_or_none(data.get("seed"))
    if not output or seed is None or data.get("success", True) is not True:
        raise _build_incomplete("output or seed", data)
    return GenerateOutcome(
        output=output,
        seed=seed,
        total_time_ms=_time_ms_or_none(data.get("total_time_ms")) or 0,
        prompt_cache_hit=data.get("prompt_cache_hit") is True,
        ref_latent_cache_hit=data.get("ref_latent_cache_hit") is True,
    )


def parse_upscale(data: Mapping[str, Any]) -> UpscaleOutcome:
    """The reply to an upscale command; EngineProtocolError when it names no picture."""
    output = _text_or_none(data.get("output"))
    if not output or data.get("success", True) is not True:
        raise _build_incomplete("output", data)
    return UpscaleOutcome(
        output=output,
        total_time_ms=_time_ms_or_none(data.get("total_time_ms")) or 0,
        width=_count_or_none(data.get("width"), MOST_PIXELS),
        height=_count_or_none(data.get("height"), MOST_PIXELS),
        model_info=_text_or_none(data.get("model_info")),
    )


def _build_incomplete(missing: str, data: Mapping[str, Any]) -> EngineProtocolError:
    given = _encodable(", ".join(sorted(data)))[:MESSAGE_CHARACTERS] or "nothing"
    return EngineProtocolError(
        f"the engine's result tells no success, {missing}; it has: {given}",
        hint="Update the engine; `hotfolder doctor` says whether it answers.",
    )


def _parse_message(text: str) -> Message | None:
    if not text.startswith("{"):
        return None
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
        return None
    data = raw.get("data")
    return _build_message(raw.get("type"), raw["id"], data if isinstance(data, dict) else {})


def _build_message(kind: object, command_id: str, data: Mapping[str, Any]) -> Message | None:
    match kind:
        case "ok":
            return Ok(command_id, data)
        case "progress":
            return Progress(command_id, data)
        case "result":
            return Result(command_id, data)
        case "error":
            message = _text_or_none(data.get("message")) or "the engine gave no reason"
            return Failure(command_id, _text_or_none(data.get("code")) or None, message[:MESSAGE_CHARACTERS])
        case _:
            return None


def _whole_or_none(value: object) -> int | None:
    return int(cast("float", value)) if is_number(value) else None


def _figure_or_none(value: object, most: float) -> float | None:
    """A figure that can be true: from 0 to `most`."""
    figure = float(cast("float", value)) if is_number(value) else -1.0
    return figure if 0 <= figure <= most else None


def _count_or_none(value: object, most: int) -> int | None:
    return _whole_or_none(_figure_or_none(value, most))


def _time_ms_or_none(value: object) -> int | None:
    return _count_or_none(value, DAY_S * 1000)


def _text_or_none(value: object) -> str | None:
    return _encodable(value) if isinstance(value, str) else None


def _encodable(text: str) -> str:
    """JSON can carry half a character (a lone surrogate), which no file and no database takes."""
    return text.encode("utf-8", "replace").decode()
