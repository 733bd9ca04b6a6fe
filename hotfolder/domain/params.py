"""Params of a job against the canonical schema of its endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hotfolder.domain.document import Node, to_plain
from hotfolder.domain.endpoint import Endpoint, PropertySchema
from hotfolder.domain.given import as_written, describe
from hotfolder.domain.nearest import did_you_mean
from hotfolder.domain.node import MAX_PROBLEMS
from hotfolder.domain.sizes import Size, SizeError, resolve_size
from hotfolder.errors import Problem


@dataclass(frozen=True, slots=True)
class ParamNode:
    """A param as written: its key and value, where in the job file, or from which preset it came."""

    key: Node
    value: Node
    preset: str | None = None
    path: str = ""


def check_params(endpoint: Endpoint, given: Mapping[str, ParamNode]) -> tuple[dict[str, Any], list[Problem]]:
    """Plain values for every known param that has one, and the problems among them."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, param in given.items():
        if param.value.kind == "null" and name in endpoint.request_schema.properties:
            continue
        if len(problems) >= MAX_PROBLEMS:
            break
        value, problem = check_param(endpoint, name, param)
        if problem is not None:
            problems.append(problem)
        else:
            values[name] = value
    return values, problems


def check_param(endpoint: Endpoint, name: str, param: ParamNode) -> tuple[Any, Problem | None]:
    """One param's plain value, or its problem."""
    schema = endpoint.request_schema.properties.get(name)
    if schema is None:
        return None, unknown_param(endpoint, name, param)
    value, expected = _read_value(schema, param.value)
    if expected is None:
        return value, None
    hint = _mend(name, schema, param.value)
    message = f"is {describe(param.value)}; expected {expected}"
    return None, _problem_of(name, param, param.value, message, hint)


def unknown_param(endpoint: Endpoint, name: str, param: ParamNode) -> Problem:
    """The problem of a param that the endpoint does not have, with the reason or the nearest one."""
    reason = endpoint.absent_params.get(name)
    if reason is not None:
        hint = f"Remove `{name}`: {reason}"
    else:
        hint = did_you_mean(name, endpoint.request_schema.properties)
    return _problem_of(name, param, param.key, f"is not a param of {endpoint.endpoint_key}", hint)


def _problem_of(name: str, param: ParamNode, node: Node, message: str, hint: str) -> Problem:
    """A problem of a param; one inside a preset names the preset instead of a line of the job file."""
    if param.preset is None:
        return problem_at(node, param.path or f"params.{name:.60}", message, hint)
    path = f"params.{name:.60}"
    message = f"`{path}` of the preset `{param.preset}` {message}."
    return Problem("job.invalid_params", message, hint, path=path)


def problem_at(node: Node, path: str, message: str, hint: str) -> Problem:
    """A problem of params at a place in the job file; the message goes on behind the path."""
    return Problem("job.invalid_params", f"`{path}` {message}.", hint, node.line, node.column, path)


def check_size(
    endpoint: Endpoint, values: Mapping[str, Any], given: Mapping[str, ParamNode], root: Node
) -> tuple[Size | None, Problem | None]:
    """The size in pixels that the values mean for this endpoint, or the problem with it."""
    edges = [endpoint.request_schema.properties.get(name) for name in ("width", "height")]
    lowest = [each.minimum for each in edges if each is not None and each.minimum is not None]
    highest = [each.maximum for each in edges if each is not None and each.maximum is not None]
    try:
        size = resolve_size(
            values,
            multiple=endpoint.limits.size_multiple,
            max_pixels=endpoint.limits.max_pixels,
            min_edge_px=int(max(lowest, default=1)),
            max_edge_px=int(min(highest)) if highest else None,
        )
    except SizeError as error:
        message = f"cannot be used: {error}"
        param = given.get(error.param)
        if param is None:
            return None, problem_at(root, f"params.{error.param}", message, error.hint)
        return None, _problem_of(error.param, param, param.value, message, error.hint)
    return size, None


def _read_value(schema: PropertySchema, node: Node) -> tuple[Any, str | None]:
    """The value and None, or nothing and what was expected instead."""
    value = node.value
    match schema.type:
        case "string":
            value = as_written(node)
            fits = isinstance(value, str)
        case "integer":
            fits = node.kind == "integer"
        case "number":
            fits = node.kind in ("integer", "number")
        case "boolean":
            fits = node.kind == "boolean"
        case _:
            return _read_list(schema, node)
    if not fits or not _is_in_range(schema, value):
        return None, describe_schema(schema)
    return value, None


def _read_list(schema: PropertySchema, node: Node) -> tuple[Any, str | None]:
    if node.kind != "list":
        return None, describe_schema(schema)
    items = schema.items
    if items is None:
        return to_plain(node), None
    most = len(node.value) if items.max_items is None else items.max_items
    if not (items.min_items or 0) <= len(node.value) <= most:
        return None, describe_schema(schema)
    read = [_read_value(PropertySchema(type=items.type), each) for each in node.value]
    wrong = next((expected for _, expected in read if expected is not None), None)
    return ([value for value, _ in read], None) if wrong is None else (None, f"a list, each item {wrong}")


def _is_in_range(schema: PropertySchema, value: Any) -> bool:
    if schema.enum is not None and value not in schema.enum:
        return False
    if isinstance(value, bool):
        return True
    measure = len(value.strip()) if isinstance(value, str) else value
    if schema.minimum is not None and measure < schema.minimum:
        return False
    return not (schema.maximum is not None and measure > schema.maximum)


def describe_schema(schema: PropertySchema) -> str:
    """What a param takes, in words: `a whole number from 1 to 10`."""
    if schema.enum is not None:
        return "one of " + ", ".join(str(each) for each in schema.enum)
    match schema.type:
        case "string":
            words = "some text" if schema.minimum else "text"
            return words if schema.maximum is None else f"{words} of at most {schema.maximum:g} characters"
        case "boolean":
            return "true or false"
        case "array":
            return "a list" + _bounds(*_item_limits(schema), " items")
        case "integer":
            return "a whole number" + _bounds(schema.minimum, schema.maximum)
        case _:
            return "a number" + _bounds(schema.minimum, schema.maximum)


def _item_limits(schema: PropertySchema) -> tuple[int | None, int | None]:
    return (schema.items.min_items, schema.items.max_items) if schema.items is not None else (None, None)


def _bounds(lowest: float | None, highest: float | None, unit: str = "") -> str:
    if lowest is not None and highest is not None:
        return f" from {lowest:.10g} to {highest:.10g}{unit}"
    if lowest is not None:
        return f" of at least {lowest:.10g}{unit}"
    return f" of at most {highest:.10g}{unit}" if highest is not None else ""


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
