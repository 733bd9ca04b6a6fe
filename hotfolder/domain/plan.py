"""From a job to the pictures it asks for: endpoint, mode and params of each, or all that is wrong."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hotfolder.domain.document import Node, child, entries
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.generation import Mode
from hotfolder.domain.job import MAX_RUNS_IN_FILE, JobFile, read_job
from hotfolder.domain.nearest import did_you_mean, find_nearest
from hotfolder.domain.params import ParamNode, check_param, check_params, check_size, problem_at
from hotfolder.domain.presets import PresetLookup, gather_params
from hotfolder.domain.sizes import SIZE_PARAMS
from hotfolder.errors import Problem

SEED_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Run:
    """One picture to make: canonical params without size and seed; a seed of None is chosen at acceptance."""

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
    problems += endpoint_problems
    given, preset_problems = gather_params(node, job, preset)
    problems += preset_problems
    if endpoint is None:
        return problems
    runs, run_problems = _plan_runs(node, job, endpoint, given)
    problems += run_problems + _mode_problems(node, endpoint)
    if problems or job is None:
        return sorted(_unique(problems), key=lambda each: (each.line or 0, each.column or 0))
    return JobPlan(job, endpoint, _mode(node), tuple(runs))


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


def _find_endpoint(node: Node, endpoints: Mapping[str, Endpoint]) -> tuple[Endpoint | None, list[Problem]]:
    """The endpoint, or the nearest one beside the problem, so that the params are still checked."""
    key, task = child(node, "endpointKey"), child(node, "task")
    if key is not None and task is not None:
        problem = Problem(
            "job.invalid", "`task` stands for an endpointKey; this job has both.", "Remove one of them."
        )
        return None, [replace(problem, line=task.line, column=task.column, path="task")]
    if task is not None:
        return None, [_no_tasks_yet(task)] if task.value == "upscale" else []
    if key is None:
        hint = "Add a line such as `endpointKey: local.procedural.image` (see `hotfolder endpoints list`)."
        return None, [
            Problem("job.unknown_endpoint", "`endpointKey` is missing.", hint, node.line, node.column)
        ]
    name = str(key.value)
    if name in endpoints:
        return endpoints[name], []
    problem = Problem(
        "job.unknown_endpoint",
        f"There is no endpoint `{name}`.",
        did_you_mean(name, endpoints),
        key.line,
        key.column,
        "endpointKey",
    )
    nearest = find_nearest(name, endpoints)
    return (endpoints[nearest] if nearest else None), [problem]


def _no_tasks_yet(task: Node) -> Problem:
    return Problem(
        "job.not_supported",
        "`task: upscale` has no effect in this version: upscaling comes later.",
        "Use an endpointKey (see `hotfolder endpoints list`).",
        task.line,
        task.column,
        "task",
    )


def _plan_runs(
    node: Node, job: JobFile | None, endpoint: Endpoint, given: Mapping[str, ParamNode]
) -> tuple[list[Run], list[Problem]]:
    base, problems = check_params(
        endpoint, {name: each for name, each in given.items() if not _is_null(each)}
    )
    matrix, matrix_problems = _check_matrix(node, endpoint)
    problems += matrix_problems
    problems += _missing_params(node, endpoint, {*given, *matrix})
    problems += _count_problems(node, job, matrix)
    if problems or job is None:
        return [], problems
    runs: list[Run] = []
    for combination in itertools.product(*matrix.values()):
        values = base | dict(zip(matrix, combination, strict=True))
        size, problem = check_size(endpoint, values, given, child(node, "params") or node)
        if size is None:
            return [], [problem] if problem else []
        runs += _counted(len(runs), values, job.count, size.width, size.height, endpoint)
    return runs, []


def _is_null(param: ParamNode) -> bool:
    return param.value.kind == "null"


def _counted(
    first: int, values: dict[str, Any], count: int, width: int, height: int, endpoint: Endpoint
) -> list[Run]:
    """The runs of one combination: seed, seed + 1, ... below 2^31, or seeds to be chosen."""
    seed = values.get("seed", -1)
    defaults = {
        name: schema.default
        for name, schema in endpoint.request_schema.properties.items()
        if schema.default is not None
    }
    params = {name: each for name, each in (defaults | values).items() if name not in (*SIZE_PARAMS, "seed")}
    return [
        Run(first + index, params, None if seed == -1 else (seed + index) % SEED_LIMIT, width, height)
        for index in range(count)
    ]


def _check_matrix(node: Node, endpoint: Endpoint) -> tuple[dict[str, list[Any]], list[Problem]]:
    axes: dict[str, list[Any]] = {}
    problems: list[Problem] = []
    for entry in entries(child(node, "matrix")):
        name = str(entry.key.value)
        axes[name] = []
        for index, each in enumerate(entry.value.value if entry.value.kind == "list" else ()):
            value, problem = check_param(endpoint, name, ParamNode(entry.key, each), f"matrix.{name}.{index}")
            if problem is not None:
                problems.append(problem)
                if name not in endpoint.request_schema.properties:
                    break
            axes[name].append(value)
    return axes, problems


def _missing_params(node: Node, endpoint: Endpoint, names: set[str]) -> list[Problem]:
    place = child(node, "params") or node
    return [
        problem_at(
            place, None, f"params.{name}", f"is missing; {endpoint.endpoint_key} needs it", f"Add `{name}`."
        )
        for name in endpoint.request_schema.required
        if name not in names
    ]


def _count_problems(node: Node, job: JobFile | None, matrix: Mapping[str, list[Any]]) -> list[Problem]:
    place = child(node, "matrix") or child(node, "count") or node
    if "seed" in matrix and child(node, "count") is not None:
        hint = "Remove `count`, or list no seeds in the matrix."
        return [
            Problem(
                "job.invalid", "`count` and `matrix.seed` both choose seeds.", hint, place.line, place.column
            )
        ]
    total = run_count(job, matrix)
    if total > MAX_RUNS_IN_FILE:
        message = f"The matrix and count ask for {total:,} pictures; one file may ask for {MAX_RUNS_IN_FILE}."
        return [Problem("job.too_large", message, "Split the job.", place.line, place.column, "matrix")]
    return []


def run_count(job: JobFile | None, matrix: Mapping[str, list[Any]]) -> int:
    """How many pictures a job's matrix and count ask for."""
    total = job.count if job is not None else 1
    for values in matrix.values():
        total *= len(values)
    return total


def _mode(node: Node) -> Mode:
    refs = child(node, "refs")
    return "image-to-image" if refs is not None and refs.kind == "list" and refs.value else "text-to-image"


def _mode_problems(node: Node, endpoint: Endpoint) -> list[Problem]:
    refs = child(node, "refs")
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
    """The plans of all documents of a file; the limits of a file fall on the first beyond them."""
    plans = [plan_job(node, endpoints, preset) for node in nodes]
    total, ids = 0, dict[str, int]()
    for index, plan in enumerate(plans):
        if isinstance(plan, list):
            continue
        total += len(plan.runs)
        if total > MAX_RUNS_IN_FILE:
            message = f"The jobs of this file ask for more than {MAX_RUNS_IN_FILE} pictures together."
            plans[index] = [Problem("job.too_large", message, "Split the file.", nodes[index].line, 1)]
        elif plan.job.id is not None and plan.job.id in ids:
            message = f"The id `{plan.job.id}` stands in document {ids[plan.job.id] + 1} already."
            place = child(nodes[index], "id") or nodes[index]
            hint = "Give each job of a file an id of its own."
            plans[index] = [Problem("job.duplicate_id", message, hint, place.line, place.column, "id")]
        elif plan.job.id is not None:
            ids[plan.job.id] = index
    return plans
