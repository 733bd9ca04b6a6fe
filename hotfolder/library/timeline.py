"""What happened to a job, step by step with times, and where the time of each of its pictures went.

It is told from `events`; those of a job that ended long ago are gone, and its timeline is empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from hotfolder.database import Database
from hotfolder.domain.instants import elapsed_ms
from hotfolder.events import GENERATION_MADE, GENERATION_PROGRESS, WORK_UPDATED, Event

Phase = Literal["waited", "loading", "sampling", "saving", "lost"]
PHASES: Final[tuple[Phase, ...]] = ("waited", "loading", "sampling", "saving", "lost")
"""`lost` is the time of attempts that failed, or were handed back."""

_PHASE_OF_STAGE: Final[Mapping[str, Phase]] = {"loading": "loading", "saving": "saving"}
_EVENTS_SQL: Final = """
    SELECT seq, at, topic, subject_type, subject_id, actor, data_json FROM events
    WHERE subject_id IN (SELECT value FROM json_each(?))
    ORDER BY seq
"""
_WORK_SQL: Final = """
    SELECT id, correlation_id FROM work_queue
    WHERE correlation_id IN (SELECT value FROM json_each(?))
"""
_PICTURES_SQL: Final = """
    SELECT id, position, status, created_at FROM generations
    WHERE job_id = ?
    ORDER BY created_at, position
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One event: `before` and `after` are states, where it is a change of one; `note` says more in words.

    `generation_id` names the picture, where it is about one; `task_type` the kind of work.
    """

    at: str
    what: str
    generation_id: str | None = None
    task_type: str | None = None
    before: str | None = None
    after: str | None = None
    attempt: int | None = None
    error: str | None = None
    code: str | None = None
    note: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """How long a picture was in a phase, in milliseconds."""

    phase: Phase
    ms: int


@dataclass(frozen=True, slots=True)
class PictureTime:
    """Where the time of one picture went, in order; `position` is None for one of an earlier run."""

    generation_id: str
    position: int | None
    status: str
    spans: tuple[Span, ...]

    def total_ms(self, phase: Phase | None = None) -> int:
        """All of it, or what one phase took."""
        return sum(each.ms for each in self.spans if phase in (None, each.phase))


@dataclass(frozen=True, slots=True)
class Timeline:
    """The history of a job."""

    job_id: str
    steps: tuple[Step, ...]
    pictures: tuple[PictureTime, ...]


def read_timeline(database: Database, job_id: str) -> Timeline:
    """The history of a job with its pictures and their work; up to now where it has not ended."""
    pictures = database.query(_PICTURES_SQL, (job_id,))
    subjects = {job_id: None} | {row["id"]: row["id"] for row in pictures}
    work = database.query(_WORK_SQL, (json.dumps(list(subjects)),))
    subjects |= {row["id"]: subjects[row["correlation_id"]] for row in work}
    events = _list_events(database, subjects)
    now = database.now()
    return Timeline(
        job_id,
        tuple(_to_step(each, subjects[each.subject_id]) for each in events if _is_step(each)),
        tuple(
            PictureTime(
                row["id"],
                row["position"],
                row["status"],
                _find_spans(
                    [each for each in events if subjects[each.subject_id] == row["id"]],
                    row["created_at"],
                    now if row["status"] in ("pending", "processing") else None,
                ),
            )
            for row in pictures
        ),
    )


def _list_events(database: Database, subjects: Mapping[str, str | None]) -> list[Event]:
    rows = database.query(_EVENTS_SQL, (json.dumps(list(subjects)),))
    return [Event(*(*told, json.loads(data))) for *told, data in rows]


def _is_step(event: Event) -> bool:
    return event.topic not in (GENERATION_PROGRESS, GENERATION_MADE)


def _to_step(event: Event, generation_id: str | None) -> Step:
    data = event.data
    return Step(
        at=event.at,
        what=event.topic,
        generation_id=generation_id,
        task_type=data.get("taskType"),
        before=data.get("from"),
        after=data.get("status"),
        attempt=data.get("attempt"),
        error=data.get("error") or data.get("message"),
        code=data.get("code"),
        note=_find_note(data),
        actor=event.actor,
    )


def _find_note(data: Mapping[str, Any]) -> str | None:
    """What an event says besides a change of state."""
    found = [data.get(name) for name in ("jobFile", "path", "reason", "found", "done")]
    return ": ".join(str(each) for each in found if each) or None


def _find_spans(events: Sequence[Event], created_at: str, now: str | None) -> tuple[Span, ...]:
    """The phases of one picture from its events, joined where they follow each other.

    The first piece of work that completes has made it; what comes after that is saving.
    """
    if not events:
        return ()
    spans: list[Span] = []
    for phase, start, end in _cut(events, created_at, now or events[-1].at):
        ms = max(0, elapsed_ms(start, end) or 0)
        if spans and spans[-1].phase == phase:
            spans[-1] = Span(phase, spans[-1].ms + ms)
        elif ms:
            spans.append(Span(phase, ms))
    return tuple(spans)


def _cut(events: Sequence[Event], created_at: str, end: str) -> Iterator[tuple[Phase, str, str]]:
    since, claimed, stages = created_at, None, _find_stages(events)
    for event in events:
        status = event.data.get("status")
        if event.topic != WORK_UPDATED or status is None:
            continue
        if status == "processing":
            yield "waited", since, event.at
            since = claimed = event.at
        elif claimed is not None and status == "completed":
            yield from _cut_by_stage(stages, claimed, event.at)
            yield "saving", event.at, max(event.at, end)
            return
        elif claimed is not None:
            yield "lost", claimed, event.at
            since, claimed = event.at, None
    if claimed is not None:
        yield from _cut_by_stage(stages, claimed, max(claimed, end))
    else:
        yield "waited", since, max(since, end)


def _find_stages(events: Sequence[Event]) -> Mapping[str, str]:
    """When the stages of the latest attempt began: told once it is made, and with its progress before."""
    told = [each for each in events if each.topic in (GENERATION_MADE, GENERATION_PROGRESS)]
    found = next((each for each in told if each.topic == GENERATION_MADE), told[-1] if told else None)
    return found.data.get("stages") or {} if found else {}


def _cut_by_stage(stages: Mapping[str, str], start: str, end: str) -> Iterator[tuple[Phase, str, str]]:
    """Until the first stage a picture waits for the engine; without any stage nothing more is known."""
    phase: Phase = "waited" if stages else "sampling"
    own = sorted(
        (at, stage) for stage, at in stages.items() if start <= at <= end
    )  # not an earlier attempt's
    for at, stage in own:
        yield phase, start, at
        start, phase = at, _PHASE_OF_STAGE.get(stage, "sampling")
    yield phase, start, end
