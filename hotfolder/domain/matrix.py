"""The matrix of a job: lists of values for params, every combination of which is run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hotfolder.domain.document import Node
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.given import find_given, list_given
from hotfolder.domain.job import COUNT_MAX, MAX_RUNS_IN_FILE
from hotfolder.domain.node import MAX_PROBLEMS
from hotfolder.domain.params import ParamNode, check_param, unknown_param
from hotfolder.errors import Problem

Axes = Mapping[str, Sequence[tuple[Any, ParamNode]]]
"""For each param its values, each with where it is written."""


def check_matrix(node: Node, endpoint: Endpoint) -> tuple[Axes, list[Problem]]:
    """The axes without a fault, and the problems of the others; their shape is checked with the keys."""
    axes: dict[str, list[tuple[Any, ParamNode]]] = {}
    problems: list[Problem] = []
    for entry in list_given(find_given(node, "matrix")):
        name = str(entry.key.value)
        if len(problems) >= MAX_PROBLEMS:
            break
        if name not in endpoint.request_schema.properties:
            whole = ParamNode(entry.key, entry.value, path=f"matrix.{name:.60}")
            problems.append(unknown_param(endpoint, name, whole))
        elif entry.value.kind == "list" and entry.value.value:
            axis, axis_problems = _check_axis(endpoint, name, entry.key, entry.value)
            problems += axis_problems
            if not axis_problems:
                axes[name] = axis
    return axes, problems


def _check_axis(
    endpoint: Endpoint, name: str, key: Node, values: Node
) -> tuple[list[tuple[Any, ParamNode]], list[Problem]]:
    axis: list[tuple[Any, ParamNode]] = []
    problems: list[Problem] = []
    for index, each in enumerate(values.value):
        if len(problems) >= MAX_PROBLEMS:
            break
        param = ParamNode(key, each, path=f"matrix.{name}.{index}")
        value, problem = check_param(endpoint, name, param)
        axis.append((value, param))
        problems += [problem] if problem is not None else []
    return axis, problems


def check_counts(node: Node) -> list[Problem]:
    """The problems of how many pictures are asked for, and with which seeds."""
    matrix, count = find_given(node, "matrix"), find_given(node, "count")
    place = matrix or node
    if count is not None and "seed" in axis_lengths(node):
        message = "`count` and `matrix.seed` both choose seeds."
        hint = "Remove `count`, or list no seeds in the matrix."
        return [Problem("job.invalid", message, hint, place.line, place.column, "matrix.seed")]
    total = run_count(node)
    if total > MAX_RUNS_IN_FILE:
        # Python refuses to print integers past 4300 digits, and nobody reads them.
        shown = f"{total:,}" if total < 1_000_000_000 else "more than a billion"
        message = f"The matrix and count ask for {shown} pictures; one file may ask for {MAX_RUNS_IN_FILE}."
        return [Problem("job.too_large", message, "Split the job.", place.line, place.column, "matrix")]
    return []


def run_count(node: Node) -> int:
    """How many pictures the matrix and count ask for, as far as they make sense."""
    count = find_given(node, "count")
    times = count.value if count is not None and count.kind == "integer" else 1
    return math.prod(axis_lengths(node).values()) * min(max(times, 1), COUNT_MAX)


def axis_lengths(node: Node) -> dict[str, int]:
    """How many values each axis of the matrix has; a faulty one counts as one value."""
    return {
        str(entry.key.value): max(len(entry.value.value), 1) if entry.value.kind == "list" else 1
        for entry in list_given(find_given(node, "matrix"))
    }
