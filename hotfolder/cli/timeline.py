"""Draws the history of a job: a line a step, and a bar for each picture that shows where its time went."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from rich.text import Text

from hotfolder.domain.instants import elapsed_ms, parse_instant
from hotfolder.domain.wording import one_line
from hotfolder.generation.closing import DELIVER_RESULT
from hotfolder.generation.execute import EXECUTE, FINALIZE
from hotfolder.library.timeline import PHASES, Phase, PictureTime, Step, Timeline

LINES_MAX: Final = 200
"""Of more steps than this the first and the last are drawn."""
PICTURES_MAX: Final = 64
_BAR_MAX, _BAR_MIN = 40, 10
_NO_MARGIN: Final = 10_000
_WORK: Final = {EXECUTE: "making", FINALIZE: "saving", DELIVER_RESULT: "result"}
_UNITS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"))
_BLOCKS: Final[Mapping[Phase, str]] = {
    "waited": "·",
    "loading": "▒",
    "sampling": "█",
    "saving": "▓",
    "lost": "▚",
}
_SIGNS: Final[Mapping[Phase, str]] = {
    "waited": ".",
    "loading": "o",
    "sampling": "#",
    "saving": "+",
    "lost": "x",
}


@dataclass(frozen=True, slots=True)
class Screen:
    """Where it is drawn."""

    width: int
    has_unicode: bool


def find_screen() -> Screen:
    """The terminal; a pipe has no right margin."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _NO_MARGIN
    return Screen(width, (sys.stdout.encoding or "").lower().replace("-", "") == "utf8")


def draw_timeline(timeline: Timeline, screen: Screen, zone: tzinfo | None = None) -> list[str]:
    """The lines to print; times of day are local ones, unless another zone is named."""
    if not timeline.steps:
        return ["The history of this job is no longer kept."]
    lines = ["Timeline", *_draw_steps(timeline, zone)]
    if any(each.spans for each in timeline.pictures):
        lines += ["", *_draw_pictures(timeline.pictures, screen)]
    return [_fit(each, screen) for each in lines]


def timeline_object(timeline: Timeline) -> dict[str, Any]:
    """The same for programs."""
    return {
        "steps": [_step_object(each) for each in timeline.steps],
        "pictures": [
            {
                "generationId": each.generation_id,
                "position": each.position,
                "status": each.status,
                **{f"{phase}Ms": each.total_ms(phase) for phase in PHASES},
            }
            for each in timeline.pictures
        ],
    }


def _step_object(step: Step) -> dict[str, Any]:
    return {
        "at": step.at,
        "what": step.what,
        "generationId": step.generation_id,
        "taskType": step.task_type,
        "from": step.before,
        "to": step.after,
        "attempt": step.attempt,
        "error": step.error,
        "code": step.code,
        "note": step.note,
        "actor": step.actor,
    }


def _draw_steps(timeline: Timeline, zone: tzinfo | None) -> list[str]:
    """A step: its time of day, the time since the step before, about what, and what happened."""
    names = {each.generation_id: _name(each) for each in timeline.pictures}
    width = max(map(len, ("job", *names.values())))
    lines: list[str] = []
    day, before = "", timeline.steps[0].at
    for number, step in enumerate(timeline.steps):
        at = parse_instant(step.at).astimezone(zone)
        if f"{at:%Y-%m-%d}" != day:
            day = f"{at:%Y-%m-%d}"
            lines.append(day)
        since = f"+{_in_words(elapsed_ms(before, step.at) or 0)}" if number else ""
        who = names.get(step.generation_id or "", "job")
        time_of_day = f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
        lines.append(f"  {time_of_day} {since:>9}  {who:<{width}}  {_tell(step)}")
        before = step.at
    left_out = len(lines) - LINES_MAX
    if left_out <= 0:
        return lines
    half = LINES_MAX // 2
    return [*lines[:half], f"  ({left_out} more lines; --json has all)", *lines[-half:]]


def _tell(step: Step) -> str:
    """What happened, on one line."""
    parts = []
    if step.task_type or step.after is None:
        parts.append(_WORK.get(step.task_type or "", step.task_type or step.what))
    elif step.what not in ("job.changed", "generation.changed"):
        parts.append(step.what)
    if step.after is not None:
        parts.append(f"{step.before} -> {step.after}" if step.before else step.after)
    text = " ".join(parts)
    if step.attempt:
        text += f", attempt {step.attempt}"
    for each in (step.error, step.note):
        text += f": {each}" if each else ""
    text += f" [{step.code}]" if step.code else ""
    return one_line(text + (f" (by {step.actor})" if step.actor else ""))


def _draw_pictures(pictures: Sequence[PictureTime], screen: Screen) -> Iterator[str]:
    """A bar for each picture, all to the same scale."""
    signs = _BLOCKS if screen.has_unicode else _SIGNS
    found = [phase for phase in PHASES if any(each.total_ms(phase) for each in pictures)]
    yield f"Where the time went ({', '.join(f'{signs[phase]} {phase}' for phase in found)})"
    shown = pictures[:PICTURES_MAX]
    names = [_name(each) for each in shown]
    words = [_sum_up(each, signs) for each in shown]
    used = max(map(len, names)) + max(map(len, words)) + 6
    room = max(_BAR_MIN, min(_BAR_MAX, screen.width - used))
    longest = max(1, *(each.total_ms() for each in shown))
    for name, picture, told in zip(names, shown, words, strict=True):
        bar = _draw_bar(picture, room / longest, signs)
        yield f"  {name:<{max(map(len, names))}}  {bar:<{room}}  {told}"
    if len(pictures) > PICTURES_MAX:
        yield f"  ({len(pictures) - PICTURES_MAX} more pictures; --json has all)"


def _draw_bar(picture: PictureTime, per_ms: float, signs: Mapping[Phase, str]) -> str:
    """Rounded as a whole, so that its length is that of the picture's time."""
    bar, ms = "", 0
    for span in picture.spans:
        ms += span.ms
        bar += signs[span.phase] * (round(ms * per_ms) - len(bar))
    return bar


def _sum_up(picture: PictureTime, signs: Mapping[Phase, str]) -> str:
    parts = [(phase, picture.total_ms(phase)) for phase in PHASES]
    told = "  ".join(f"{signs[phase]} {_in_words(ms)}" for phase, ms in parts if ms)
    return f"{_in_words(picture.total_ms())} =  {told}" if told else picture.status


def _name(picture: PictureTime) -> str:
    return "earlier picture" if picture.position is None else f"picture {picture.position + 1}"


def _in_words(ms: int) -> str:
    """Three figures at most, of the largest unit that goes into it."""
    size, unit = next((each for each in _UNITS if ms >= each[0]), (1, "ms"))
    value = ms / size
    return f"{value:.1f} {unit}" if unit != "ms" and value < 99.95 else f"{value:.0f} {unit}"


def _fit(line: str, screen: Screen) -> str:
    """No wider than the screen, and in letters that it has."""
    if not screen.has_unicode:
        return line.encode("ascii", "replace").decode()[: screen.width].rstrip()
    text = Text(line)
    text.truncate(screen.width, overflow="ellipsis")
    return text.plain.rstrip()
