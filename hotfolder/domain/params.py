"""Params of a job against the canonical schema of its endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hotfolder.domain.document import Node
from hotfolder.domain.endpoint import Endpoint, PropertySchema
from hotfolder.domain.job import describe
from hotfolder.domain.nearest import did_you_mean
from hotfolder.domain.sizes import Size, SizeError, resolve_size
from hotfolder.errors import Problem


@dataclass(frozen=True, slots=True)
class ParamNode:
    """A param as written: its key and value, and the preset it came from (None: the job file itself)."""

    key: Node
    value: Node
    preset: str | None = None


def check_params(endpoint: Endpoint, given: Mapping[str, ParamNode]) -> tuple[dict[str, Any], list[Problem]]:
    """Plain values for every known param that is given, and every problem among them."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, param in given.items():
        value, problem = check_param(endpoint, name, param)
        if problem is not None:
            problems.append(problem)
        else:
            values[name] = value
    return values, problems


def check_param(
    endpoint: Endpoint, name: str, param: ParamNode, path: str | None = None
) -> tuple[Any, Problem | None]:
    """One param's plain value, or its problem."""
    path = path or f"params.{name}"
    schema = endpoint.request_schema.properties.get(name)
    if schema is None:
        return None, _unknown_param(endpoint, name, param, path)
    value, expected = _read_value(schema, param.value)
    if expected is None:
        return value, None
    hint = _mend(name, schema, param.value)
    return None, problem_at(
        param.value, param.preset, path, f"is {describe(param.value)}; expected {expected}", hint
    )


def problem_at(node: Node, preset: str | None, path: str, message: str, hint: str) -> Problem:
    """A problem of a param; one inside a preset names the preset instead of a line of the job file."""
    if preset is not None:
        return Problem("job.invalid_params", f"`{path}` of the preset `{preset}` {message}.", hint, path=path)
    return Problem("job.invalid_params", f"`{path}` {message}.", hint, node.line, node.column, path)


def check_size(
    endpoint: Endpoint, values: Mapping[str, Any], given: Mapping[str, ParamNode], root: Node
) -> tuple[Size | None, Problem | None]:
    """The size in pixels that the values mean for this endpoint, or the problem with it."""
    try:
        limits = endpoint.limits
        return resolve_size(values, multiple=limits.size_multiple, max_pixels=limits.max_pixels), None
    except SizeError as error:
        param = given.get(error.param)
        node, preset = (param.value, param.preset) if param else (root, None)
        return None, problem_at(node, preset, f"params.{error.param}", f"cannot be used: {error}", error.hint)


def _unknown_param(endpoint: Endpoint, name: str, param: ParamNode, path: str) -> Problem:
    reason = endpoint.absent_params.get(name)
    if reason is not None:
        hint = f"Remove `{name}`: {reason}"
    else:
        hint = did_you_mean(name, endpoint.request_schema.properties)
    return problem_at(param.key, param.preset, path, f"is not a param of {endpoint.endpoint_key}", hint)


def _read_value(schema: PropertySchema, node: Node) -> tuple[Any, str | None]:
    """The value and None, or nothing and what was expected instead."""
    value = node.value
    match schema.type:
        case "string":
            if node.plain and node.kind in ("integer", "number", "boolean"):
                value = node.written
            fits = isinstance(value, str)
        case "integer":
            fits = node.kind == "integer"
        case "number":
            fits = node.kind in ("integer", "number")
        case "boolean":
            fits = node.kind == "boolean"
        case _:
            fits, value = node.kind == "list", None
    if not fits or not _is_in_range(schema, value):
        return None, describe_schema(schema)
    return value, None


def _is_in_range(schema: PropertySchema, value: Any) -> bool:
    if schema.enum is not None and value not in schema.enum:
        return False
    if isinstance(value, str):
        return not (schema.minimum and len(value.strip()) < schema.minimum)
    if schema.minimum is not None and value < schema.minimum:
        return False
    return not (schema.maximum is not None and value > schema.maximum)


def describe_schema(schema: PropertySchema) -> str:
    """What a param takes, in words: `a whole number from 1 to 10`."""
    words = {
        "string": "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "array": "a list",
    }[schema.type]
    if schema.enum is not None:
        return "one of " + ", ".join(str(each) for each in schema.enum)
    if schema.type in ("integer", "number") and schema.minimum is not None and schema.maximum is not None:
        return f"{words} from {schema.minimum:g} to {schema.maximum:.10g}"
    return "some text" if schema.type == "string" and schema.minimum else words


def _mend(name: str, schema: PropertySchema, node: Node) -> str:
    if schema.type in ("integer", "number") and node.kind == "text" and _is_number(str(node.value)):
        return f"Write it without quotes: {name}: {node.value}"
    if schema.type == "string" and node.kind in ("integer", "number", "boolean"):
        return f'Write it in quotes: "{node.written}"'
    return f"Give `{name}` {describe_schema(schema)}, or leave it out."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
