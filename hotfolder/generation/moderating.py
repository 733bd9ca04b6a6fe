"""What moderation says to a job: refused, looked at by somebody, or let through; and the log of prompts."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from hotfolder.clock import Clock
from hotfolder.domain.document import Node, find_node
from hotfolder.domain.given import as_written, find_given
from hotfolder.domain.instants import format_instant
from hotfolder.domain.job import JobFile
from hotfolder.domain.moderation import RuleBook
from hotfolder.domain.moderation_patterns import TEXT_MAX
from hotfolder.domain.moderation_text import read_text
from hotfolder.domain.node import MAX_PROBLEMS
from hotfolder.domain.plan import JobPlan
from hotfolder.errors import Problem
from hotfolder.library.owner_blocks import OwnerBlock
from hotfolder.logbook import LogFile

log = logging.getLogger(__name__)

PROMPT_MAX: Final = 4_000
"""So many characters of a prompt stand in the log."""

_ASK: Final = "Write it in other words, or ask who runs this library."


class Blocks(Protocol):
    """Owners that somebody has blocked."""

    def find(self, owner: str) -> OwnerBlock | None:
        """The block of an owner, or None."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a job: with problems it is refused, flagged it goes through the review queue."""

    plan: JobPlan
    problems: tuple[Problem, ...] = ()
    is_flagged: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def verdict(self) -> Literal["blocked", "flagged", "allowed"]:
        """In one word."""
        return "blocked" if self.problems else "flagged" if self.is_flagged else "allowed"

    @property
    def outcome(self) -> JobPlan | list[Problem]:
        """The plan as it may be run: one that is flagged asks for a review."""
        if self.problems:
            return list(self.problems)
        if not self.is_flagged:
            return self.plan
        job = self.plan.job.model_copy(update={"review": True})
        return replace(self.plan, job=job, warnings=(*self.plan.warnings, *self.warnings))


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that a job brings along, what it is called, and where it stands."""

    text: str
    path: str
    place: Node


class Moderation:
    """Judges jobs by their texts and owners; changes nothing."""

    def __init__(self, rules: RuleBook, blocked_owners: Collection[str], blocks: Blocks) -> None:
        self._rules = rules
        self._blocked_owners = frozenset(each for owner in blocked_owners for each in read_text(owner))
        self._blocks = blocks

    def judge(self, owner: str | None, plan: JobPlan, node: Node) -> Judgement:
        """Look at every text of a job and its pictures; `node` is its document, with what it inherits."""
        problems = self._judge_owner(owner, node)
        warnings: dict[str, None] = {}
        for each in _iter_texts(plan, node):
            look = self._rules.look(each.text)
            for hit in look.hits:
                if hit.action == "block":
                    problems.append(_refusal(each, hit.said))
                else:
                    warnings[f"`{each.path}` {hit.said}: somebody looks at the pictures first."] = None
            if look.is_cut:
                message = f"`{each.path}` has more than {TEXT_MAX:,} characters to look at"
                warnings[f"{message}: somebody looks at the pictures first."] = None
        told = tuple(dict.fromkeys(problems))[:MAX_PROBLEMS]
        return Judgement(plan, told, bool(warnings), tuple(warnings)[:MAX_PROBLEMS])

    def blocks_by_settings(self, owner: str) -> bool:
        """Whether the settings block an owner, whose name may be written differently and read alike."""
        return not self._blocked_owners.isdisjoint(read_text(owner))

    def _judge_owner(self, owner: str | None, node: Node) -> list[Problem]:
        if owner is None:
            return []
        block = self._blocks.find(owner)
        if block is None and not self.blocks_by_settings(owner):
            return []
        reason = f": {block.reason}" if block is not None and block.reason else ""
        place = find_given(node, "owner") or node
        message = f"No jobs are taken from {owner:.60} at present{reason}."
        hint = "Ask who runs this library."
        return [Problem("job.owner_blocked", message, hint, place.line, place.column, "owner")]


class PromptLog:
    """`logs/prompts.jsonl`: a line for each prompt of a job that came, whatever became of it.

    The file is put aside as `<name>.1` before it grows beyond `max_bytes`, and `backups` of these are kept.
    Several processes write it: none keeps it open.
    """

    def __init__(self, file: Path, clock: Clock, *, max_bytes: int = 10_000_000, backups: int = 5) -> None:
        self._file = file
        self._clock = clock
        self._max_bytes = max_bytes
        self._backups = backups
        self._turn = threading.Lock()

    def write(self, job_id: str, judgement: Judgement) -> None:
        """Add the prompts of a job, each up to PROMPT_MAX; a disk that is full must not keep the job."""
        head = {
            "at": format_instant(self._clock()),
            "jobId": job_id,
            "owner": judgement.plan.job.owner,
            "endpoint": judgement.plan.endpoint.endpoint_key,
        }
        prompts = dict.fromkeys(_cut(run.params.get("prompt")) for run in judgement.plan.runs)
        lines = [{**head, "prompt": each, "verdict": judgement.verdict} for each in prompts]
        text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines)
        data = text.encode("utf-8", "backslashreplace")
        try:
            self._file.parent.mkdir(exist_ok=True)
            with self._turn:
                self._make_room(len(data))
                _append(self._file, data)
        except OSError as error:
            log.warning("the prompts of job %s could not be logged: %s", job_id, error)

    def _make_room(self, needed_bytes: int) -> None:
        size_bytes = self._file.stat().st_size if self._file.is_file() else 0
        if size_bytes and size_bytes + needed_bytes > self._max_bytes:
            with closing(LogFile(self._file, self._max_bytes, self._backups)) as full:
                full.delay = True  # the next line makes the new file, for nobody else to read
                full.doRollover()


def _cut(prompt: Any) -> Any:
    is_long = isinstance(prompt, str) and len(prompt) > PROMPT_MAX
    return f"{prompt[:PROMPT_MAX]}…" if is_long else prompt


def _append(file: Path, data: bytes) -> None:
    """In one piece, so that two processes do not mix their lines; what only fits in part is taken back."""
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        written = os.write(descriptor, data)
        if written < len(data):
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
            raise OSError(f"only {written} of {len(data)} bytes could be written")
    finally:
        os.close(descriptor)


def _refusal(found: _Text, said: str) -> Problem:
    message = f"`{found.path}` {said}, and this library makes no such pictures."
    return Problem("job.moderated", message, _ASK, found.place.line, found.place.column, found.path)


def _iter_texts(plan: JobPlan, node: Node) -> Iterator[_Text]:
    """Every text that a picture is made of, or that stands beside it, each once."""
    seen: set[tuple[str, str]] = set()
    for run in plan.runs:
        for name, text in _iter_params(run.params):
            if (name, text) not in seen:
                seen.add((name, text))
                yield _Text(text, *_find_param(node, name, text))
    yield from _iter_beside(plan.job, node)
    for name, text in plan.job.vars.items():
        if not any(text in param for _, param in seen):  # otherwise it has been looked at where it ended up
            yield _Text(text, f"vars.{name}", find_node(node, ("vars", name)) or node)


def _iter_beside(job: JobFile, node: Node) -> Iterator[_Text]:
    """Texts that are written into pictures or show where those are."""
    for index, keyword in enumerate(job.keywords):
        place = find_node(node, ("keywords", index)) or find_given(node, "keywords") or node
        yield _Text(keyword, f"keywords.{index}", place)
    texts = {
        ("title",): job.title,
        ("collection",): job.collection,
        ("metadata", "creator"): job.metadata.creator,
        ("metadata", "copyright"): job.metadata.copyright,
    }
    for path, text in texts.items():
        if text:
            yield _Text(text, ".".join(path), find_node(node, path) or node)


def _iter_params(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        for each in value if isinstance(value, list | tuple) else (value,):
            if isinstance(each, str) and each:
                yield name, each


def _find_param(node: Node, name: str, text: str) -> tuple[str, Node]:
    """The path and the place of a param: the axis of a matrix, its own key, or the preset that gives it."""
    axis = find_node(node, ("matrix", name))
    if axis is not None and axis.kind == "list":
        item = next((each for each in axis.value if as_written(each) == text), axis)
        return f"matrix.{name}", item
    own = find_node(node, ("params", name))
    if own is not None and own.kind != "null":
        return f"params.{name}", own
    return f"params.{name}", find_given(node, "preset") or node
