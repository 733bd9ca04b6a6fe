"""From a job to the pictures it asks for: endpoint, mode and params of each, or all that is wrong."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from hotfolder.domain.document import Node
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.generation import Mode
from hotfolder.domain.given import find_given, read_text
from hotfolder.domain.instants import is_uuid
from hotfolder.domain.job import MAX_JOBS_IN_FILE, MAX_RUNS_IN_FILE, JobFile, read_job
from hotfolder.domain.matrix import axis_lengths, check_counts, check_matrix, run_count
from hotfolder.domain.nearest import did_you_mean, find_nearest
from hotfolder.domain.node import MAX_PROBLEMS
from hotfolder.domain.params import (
    ParamNode,
    check_params,
    check_size,
    problem_at,
)
from hotfolder.domain.presets import GatheredParams, PresetLookup, gather_params
from hotfolder.domain.sizes import SIZE_PARAMS, UNDECIDED, Size
from hotfolder.errors import JobFileError, Problem

SEED_LIMIT = 2**31
TASKS: Final[Mapping[str, str]] = {"upscale": "local.upscale"}
"""What `task` is short for."""
MISTYPED: Final = 0.9
"""An endpointKey so much like another one is meant to be that."""


@dataclass(frozen=True, slots=True)
class Run:
    """One picture to make: canonical params without size and seed; a seed of None is chosen at acceptance.

    A width and height of 0 follow from the reference when it is run.
    """

    position: int
    params: Mapping[str, Any]
    seed: int | None
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class JobPlan:
    """A job whose every key and param is sound."""

    job: JobFile
    endpoint: Endpoint
    mode: Mode
    runs: tuple[Run, ...]
    warnings: tuple[str, ...] = ()


def plan_job(
    node: Node,
    endpoints: Mapping[str, Endpoint],
    preset: PresetLookup,
) -> JobPlan | list[Problem]:
    """The plan of one document, or every problem that can be found in it."""
    job, problems = read_job(node)
    if node.kind != "map":
        return problems
    endpoint, endpoint_problems = _find_endpoint(node, endpoints)
    given = gather_params(node, preset)
    problems += [*endpoint_problems, *given.problems, *check_counts(node)]
    runs: list[Run] = []
    if endpoint is not None:
        runs, run_problems = _plan_runs(node, job, endpoint, given)
        problems += [*run_problems, *_mode_problems(node, endpoint)]
    if problems or job is None or endpoint is None:
        return _in_order(problems, find_given(node, "preset") or node)
    return JobPlan(job, endpoint, _mode(node), tuple(runs))


def _in_order(problems: list[Problem], preset: Node) -> list[Problem]:
    """Each problem once, in the order of the text; those inside a preset stand where the preset is named."""
    placed = [
        each if each.line is not None else replace(each, line=preset.line, column=preset.column)
        for each in dict.fromkeys(problems)
    ]
    return sorted(placed, key=lambda each: (each.line or 0, each.column or 0))[:MAX_PROBLEMS]


def _find_endpoint(node: Node, endpoints: Mapping[str, Endpoint]) -> tuple[Endpoint | None, list[Problem]]:
    """The endpoint; a mistyped one stands beside its problem, so that the params are still checked."""
    key, task = find_given(node, "endpointKey"), find_given(node, "task")
    if key is not None and task is not None:
        problem = Problem(
            "job.invalid", "`task` stands for an endpointKey; this job has both.", "Remove one of them."
        )
        return None, [replace(problem, line=task.line, column=task.column, path="task")]
    if key is None and task is None:
        hint = "Add a line such as `endpointKey: local.procedural.image` (see `hotfolder endpoints list`)."
        return None, [
            Problem(
                "job.unknown_endpoint",
                "`endpointKey` is missing.",
                hint,
                node.line,
                node.column,
                "endpointKey",
            )
        ]
    name = read_text(key) if task is None else TASKS.get(read_text(task) or "")
    if name is None:
        return None, []
    if name in endpoints:
        return endpoints[name], []
    place = key or task or node
    problem = Problem(
        "job.unknown_endpoint",
        f"There is no endpoint `{name:.60}`.",
        did_you_mean(name, endpoints),
        place.line,
        place.column,
        "endpointKey" if task is None else "task",
    )
    nearest = find_nearest(name, endpoints, MISTYPED)
    return (endpoints[nearest] if nearest else None), [problem]


def _plan_runs(
    node: Node, job: JobFile | None, endpoint: Endpoint, given: GatheredParams
) -> tuple[list[Run], list[Problem]]:
    base, problems = check_params(endpoint, given.params)
    axes, axis_problems = check_matrix(node, endpoint)
    problems += axis_problems
    if given.complete:
        problems += _missing_params(node, endpoint, given.params)
    named = {*(name for name, each in given.params.items() if each.value.kind != "null"), *axis_lengths(node)}
    unsound = named - {*base, *axes}
    if unsound & set(SIZE_PARAMS) or run_count(node) > MAX_RUNS_IN_FILE:
        return [], problems
    runs: list[Run] = []
    for combination in itertools.product(*axes.values()):
        chosen = dict(zip(axes, combination, strict=True))
        values = base | {name: value for name, (value, _) in chosen.items()}
        places = {**given.params, **{name: param for name, (_, param) in chosen.items()}}
        size, problem = _size_of(endpoint, values, places, find_given(node, "params") or node)
        if problem is not None:
            problems.append(problem)
        if size is not None and job is not None:
            runs += _counted(len(runs), values, job.count, size, endpoint)
    return runs, problems


def _size_of(
    endpoint: Endpoint, values: Mapping[str, Any], given: Mapping[str, ParamNode], root: Node
) -> tuple[Size | None, Problem | None]:
    if not endpoint.takes_size:
        return UNDECIDED, None
    return check_size(endpoint, values, given, root)


def _counted(first: int, values: dict[str, Any], count: int, size: Size, endpoint: Endpoint) -> list[Run]:
    """The runs of one combination: seed, seed + 1, ... below 2^31, or seeds to be chosen."""
    seed = values.get("seed", -1)
    defaults = {
        name: schema.default
        for name, schema in endpoint.request_schema.properties.items()
        if schema.default is not None
    }
    params = {name: each for name, each in (defaults | values).items() if name not in (*SIZE_PARAMS, "seed")}
    return [
        Run(first + index, params, _nth_seed(seed, index), size.width, size.height) for index in range(count)
    ]


def _nth_seed(seed: int, index: int) -> int | None:
    return None if seed == -1 else (seed + index) % SEED_LIMIT


def _missing_params(node: Node, endpoint: Endpoint, given: Mapping[str, ParamNode]) -> list[Problem]:
    params = find_given(node, "params")
    if params is not None and params.kind != "map":
        return []
    message = f"is missing; {endpoint.endpoint_key} needs it"
    lengths = axis_lengths(node)
    return [
        problem_at(params or node, f"params.{name}", message, f"Add `{name}`.")
        for name in endpoint.request_schema.required
        if name not in lengths and (name not in given or given[name].value.kind == "null")
    ]


def _mode(node: Node) -> Mode:
    refs = find_given(node, "refs")
    return "image-to-image" if refs is not None and refs.kind == "list" and refs.value else "text-to-image"


def _mode_problems(node: Node, endpoint: Endpoint) -> list[Problem]:
    refs = find_given(node, "refs")
    mode = _mode(node)
    if mode not in endpoint.modes:
        message, hint = (
            (f"{endpoint.endpoint_key} takes no references.", "Remove `refs`.")
            if mode == "image-to-image"
            else (f"{endpoint.endpoint_key} needs a reference picture.", "Add `refs: [picture.png]`.")
        )
        place = refs or node
        return [Problem("job.invalid_params", message, hint, place.line, place.column, "refs")]
    return []


def plan_jobs(
    nodes: list[Node],
    endpoints: Mapping[str, Endpoint],
    preset: PresetLookup,
) -> list[JobPlan | list[Problem]]:
    """The plans of all documents of a file, each within what the ones before it leave of its limits.

    Raises JobFileError, before anything is planned, when there are too many documents.
    """
    if len(nodes) > MAX_JOBS_IN_FILE:
        place = nodes[MAX_JOBS_IN_FILE]
        message = f"The file holds {len(nodes):,} jobs; one file may hold {MAX_JOBS_IN_FILE}."
        raise JobFileError([Problem("job.too_large", message, "Split the file.", place.line, place.column)])
    repeated = _repeated_ids(nodes)
    plans: list[JobPlan | list[Problem]] = []
    total = 0
    for index, node in enumerate(nodes):
        plan = plan_job(node, endpoints, preset)
        if index in repeated:
            plan = [repeated[index], *(plan if isinstance(plan, list) else [])]
        elif isinstance(plan, JobPlan) and total + len(plan.runs) > MAX_RUNS_IN_FILE:
            message = f"The jobs of this file ask for more than {MAX_RUNS_IN_FILE} pictures together."
            plan = [Problem("job.too_large", message, "Split the file.", node.line, node.column)]
        total += len(plan.runs) if isinstance(plan, JobPlan) else 0
        plans.append(plan)
    return plans


def _repeated_ids(nodes: Sequence[Node]) -> dict[int, Problem]:
    """A problem for each document whose id stands in an earlier one; UUIDs are the same in any case."""
    problems: dict[int, Problem] = {}
    first: dict[str, int] = {}
    for index, node in enumerate(nodes):
        place = find_given(node, "id")
        text = read_text(place)
        if place is None or text is None:
            continue
        earlier = first.setdefault(text.lower() if is_uuid(text) else text, index)
        if earlier != index:
            message = f"The id `{text:.60}` stands in document {earlier + 1} already."
            hint = "Give each job of a file an id of its own."
            problems[index] = Problem("job.duplicate_id", message, hint, place.line, place.column, "id")
    return problems
