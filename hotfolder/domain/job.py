"""A job file's keys: from a document node to a JobFile, or a list of problems with line and column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from hotfolder.domain.document import Node, find_node, to_plain
from hotfolder.domain.given import as_written, describe, list_given
from hotfolder.domain.instants import format_instant, parse_instant
from hotfolder.domain.nearest import did_you_mean
from hotfolder.domain.node import MAX_PROBLEMS
from hotfolder.errors import Problem

MAX_JOBS_IN_FILE = 256
MAX_RUNS_IN_FILE = 256
COUNT_MAX = 64

NOT_SUPPORTED: dict[str, str] = {
    "deliver": "deliveries other than the result file",
}
"""Keys of the contract that have no effect in this version: refused rather than ignored in silence."""


def _as_text(value: Any) -> Any:
    return as_written(value) if isinstance(value, Node) else value


def _as_instant(text: str) -> str:
    try:
        return format_instant(parse_instant(text.strip()))
    except ValueError:
        raise ValueError("a time with its zone, such as 2026-12-01T08:00:00Z") from None


def _as_name(text: str) -> str:
    name = text.strip()
    if not (name and name.isprintable()):
        raise ValueError("a name without invisible characters")
    return name


def _as_value(value: Any) -> Any:
    return to_plain(value) if isinstance(value, Node) else value


def _as_tree(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_tree(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_tree(each) for each in value]
    return _as_value(value)


def _without_empty(value: Any) -> Any:
    """A name without a value is as good as absent."""
    return (
        {key: each for key, each in value.items() if each is not None} if isinstance(value, dict) else value
    )


def _as_reference(value: Any) -> Any:
    """A reference given as plain text is its path."""
    if not isinstance(value, Node | dict):
        raise ValueError("a path, or a mapping with one of path, media and sha256")
    return {"path": value} if isinstance(value, Node) else value


Text = Annotated[StrictStr, Field(min_length=1, max_length=4096), BeforeValidator(_as_text)]
YesNo = Annotated[StrictBool, BeforeValidator(_as_value)]


# Limits stand before the validators: only so do they reach the JSON Schema.
_Sha256 = Annotated[StrictStr, Field(pattern="^[0-9a-fA-F]{64}$"), BeforeValidator(_as_text)]
_SubmittedId = Annotated[StrictStr, Field(min_length=1, max_length=200), BeforeValidator(_as_text)]
_Count = Annotated[StrictInt, Field(ge=1, le=COUNT_MAX), BeforeValidator(_as_value)]
_Priority = Annotated[StrictInt, Field(ge=-100, le=100), BeforeValidator(_as_value)]
_Attempts = Annotated[StrictInt, Field(ge=1, le=100), BeforeValidator(_as_value)]


class _JobModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class Reference(_JobModel):
    """A reference picture: exactly one of a path, a library media id, or a content hash."""

    path: Text | None = None
    media: Text | None = None
    sha256: _Sha256 | None = None
    role: Text | None = None

    @model_validator(mode="after")
    def _names_one_source(self) -> Reference:
        if sum(each is not None for each in (self.path, self.media, self.sha256)) != 1:
            raise ValueError("exactly one of path, media and sha256")
        return self


class Credit(_JobModel):
    """Who made it and who owns it, for the written metadata."""

    copyright: Text | None = None
    creator: Text | None = None


_REFERENCE_SCHEMA = {"anyOf": [{"type": "string"}, Reference.model_json_schema(by_alias=True)]}
_ANY_MAP = Annotated[dict[str, Any], BeforeValidator(_as_tree)]
_Axis = Annotated[list[Any], Field(min_length=1), BeforeValidator(_as_tree)]


class JobFile(_JobModel):
    """One job as a submitter writes it (version 1)."""

    endpoint_key: Text | None = Field(None, description="Which endpoint makes the picture.")
    task: Annotated[Literal["upscale"] | None, BeforeValidator(_as_text)] = Field(
        None, description="Short for an endpointKey: `upscale` is `local.upscale`."
    )
    params: _ANY_MAP = Field(default_factory=dict, description="Checked against the endpoint's schema.")
    refs: list[Annotated[Reference, BeforeValidator(_as_reference), WithJsonSchema(_REFERENCE_SCHEMA)]] = (
        Field(default_factory=list, max_length=64, description="Reference pictures, in order.")
    )
    count: _Count = Field(1, description="How many pictures.")
    matrix: Annotated[dict[str, _Axis], BeforeValidator(_without_empty)] = Field(
        default_factory=dict, description="Lists of values for params: every combination is run."
    )
    preset: Text | None = Field(None, description="A named parameter set, placed under params.")
    vars: Annotated[dict[str, Text], BeforeValidator(_without_empty)] = Field(
        default_factory=dict, description="Fills {name} in a preset."
    )
    priority: _Priority = Field(0, description="Higher first.")
    owner: Annotated[Text, AfterValidator(_as_name)] | None = Field(
        None, description="Whose job it is: stands in its row and its result."
    )
    id: _SubmittedId | None = Field(
        None, description="Chosen by the submitter: a UUID becomes the job id, other text is a unique key."
    )
    keywords: list[Text] = Field(
        default_factory=list, max_length=500, description="campaign/spring is hierarchical."
    )
    collection: Text | None = Field(None, description="Its pictures join this collection.")
    title: Text | None = None
    not_before: Annotated[Text, AfterValidator(_as_instant)] | None = Field(
        None, description="Not run before this instant, such as 2026-12-01T08:00:00Z."
    )
    max_attempts: _Attempts | None = None
    review: YesNo = Field(False, description="Its pictures wait for somebody to accept or discard them.")
    deliver: Annotated[list[Any], BeforeValidator(_as_tree)] = Field(default_factory=list)
    metadata: Credit = Credit()
    extra: _ANY_MAP = Field(default_factory=dict, description="Kept untouched for the submitter.")
    atomic: YesNo = Field(True, description="In the first of several documents: accept all or none.")


def read_job(node: Node) -> tuple[JobFile | None, list[Problem]]:
    """The job that a document holds, and the problems of its keys; None when there is any."""
    if node.kind != "map":
        problem = Problem(
            "job.parse",
            f"A job is a mapping of keys to values; this document is {describe(node)}.",
            "Start with `endpointKey: ...` on a line of its own.",
            node.line,
            node.column,
        )
        return None, [problem]
    problems = _not_supported(node)
    try:
        job = JobFile.model_validate(_to_keys(node))
    except ValidationError as error:
        found = error.errors(include_url=False)[:MAX_PROBLEMS]
        return None, problems + [_to_problem(node, each) for each in found]
    return (None if problems else job), problems


def _to_keys(root: Node) -> dict[str, Any]:
    """The keys of a job for its model: known ones that are empty are absent, refused ones are dealt with."""
    known = {field.alias for field in JobFile.model_fields.values()}
    return {
        str(entry.key.value): _to_input(entry.value)
        for entry in root.value
        if entry.key.value not in NOT_SUPPORTED
        and not (entry.value.kind == "null" and entry.key.value in known)
    }


def _to_input(node: Node) -> Any:
    """Maps and lists as Python ones with scalar nodes as leaves: the fields decide how to read those."""
    if node.kind == "map":
        return {str(entry.key.value): _to_input(entry.value) for entry in node.value}
    if node.kind == "list":
        return [_to_input(each) for each in node.value]
    return None if node.kind == "null" else node


def _not_supported(node: Node) -> list[Problem]:
    return [
        Problem(
            "job.not_supported",
            f"`{entry.key.value}` has no effect in this version; "
            f"it is meant for {NOT_SUPPORTED[str(entry.key.value)]}.",
            f"Remove the key `{entry.key.value}`.",
            entry.key.line,
            entry.key.column,
            str(entry.key.value),
        )
        for entry in list_given(node)
        if entry.key.value in NOT_SUPPORTED
    ]


def _to_problem(root: Node, error: Any) -> Problem:
    path = error["loc"]
    text_path = ".".join(f"{part!s:.60}" for part in path)
    if error["type"] == "extra_forbidden":
        return _unknown_key(root, path, text_path)
    node = _deepest(root, path)
    found = "missing" if error["type"] == "missing" else describe(node)
    expected = _expected(error)
    return Problem(
        "job.invalid_params" if path[0] in ("params", "matrix") else "job.invalid",
        f"`{text_path}` is {found}; expected {expected}.",
        _mend(text_path if isinstance(path[-1], int) else f"{path[-1]:.60}", node, error),
        node.line,
        node.column,
        text_path,
    )


def _unknown_key(root: Node, path: Sequence[str | int], text_path: str) -> Problem:
    name = str(path[-1])
    parent = _deepest(root, path[:-1])
    key = next((entry.key for entry in parent.value if entry.key.value == name), parent)
    known = _known_keys(path)
    return Problem(
        "job.unknown_key",
        f"`{text_path}` is not a known key.",
        did_you_mean(name, known),
        key.line,
        key.column,
        text_path,
    )


def _known_keys(path: Sequence[str | int]) -> list[str]:
    inner: dict[str, type[_JobModel]] = {"refs": Reference, "metadata": Credit}
    model = inner.get(str(path[0]), JobFile) if len(path) > 1 else JobFile
    names = [field.alias or name for name, field in model.model_fields.items()]
    return [name for name in names if name not in NOT_SUPPORTED]


def _deepest(root: Node, path: Sequence[str | int]) -> Node:
    """The node at the path, or the nearest one above it that exists."""
    for end in range(len(path), 0, -1):
        node = find_node(root, path[:end])
        if node is not None:
            return node
    return root


_EXPECTED = {
    "int_type": "a whole number",
    "string_type": "text",
    "string_too_short": "some text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}


def _expected(error: Any) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "greater_than_equal":
            return f"at least {context['ge']}"
        case "less_than_equal":
            return f"at most {context['le']}"
        case "string_too_long":
            return f"at most {context['max_length']} characters"
        case "too_long":
            return f"at most {context['max_length']} values"
        case "too_short":
            return "at least one value"
        case "literal_error":
            return str(context["expected"])
        case "string_pattern_mismatch":
            return "64 hexadecimal digits"
        case "value_error":
            return str(context["error"])
        case kind:
            return _EXPECTED.get(kind, str(error["msg"]))


def _mend(name: str, node: Node, error: Any) -> str:
    if error["type"] == "int_type" and node.kind == "text" and str(node.value).lstrip("-").isdigit():
        return f"Write it without quotes: {name}: {node.value}"
    if error["type"] == "string_type" and node.kind in ("integer", "number", "boolean"):
        return f'Write it in quotes: "{node.written}"'
    if error["type"] == "list_type":
        return f"Write it as a list: {name}: [...]"
    return f"Give `{name}` {_expected(error)}, or leave it out."
