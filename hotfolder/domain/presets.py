"""Presets: named parameter sets under the params of a job, with {places} filled from its vars."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace

from hotfolder.domain.document import Node, child, entries, to_plain
from hotfolder.domain.given import find_given, list_given, read_text
from hotfolder.domain.nearest import did_you_mean
from hotfolder.domain.params import ParamNode
from hotfolder.domain.sizes import SIZE_PARAMS
from hotfolder.errors import JobFileError, Problem

PresetLookup = Callable[[str], dict[str, ParamNode] | list[Problem]]
"""The params of a named preset, or the problems with it."""

_PRESET_KEYS = ("title", "description", "params")


@dataclass(frozen=True, slots=True)
class GatheredParams:
    """The params of a job over those of its preset; not complete when the preset could not be read."""

    params: Mapping[str, ParamNode]
    problems: list[Problem]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class PresetSummary:
    """What a preset is for, its params as they stand, and the names in them that `vars` have to fill."""

    name: str
    title: str | None
    description: str | None
    params: Mapping[str, object]
    variables: tuple[str, ...]


def read_preset(name: str, node: Node) -> dict[str, ParamNode]:
    """The params of a preset's document; raises JobFileError when it is not of the right shape."""
    params = child(node, "params")
    unknown = next((entry.key for entry in entries(node) if entry.key.value not in _PRESET_KEYS), None)
    if unknown is not None:
        message = f"`{unknown.value:.60}` is not a known key of a preset."
        hint = did_you_mean(str(unknown.value), _PRESET_KEYS)
        raise JobFileError([Problem("job.invalid_params", message, hint, unknown.line, unknown.column)])
    if params is None or params.kind != "map":
        place = params or node
        message = f"The preset `{name}` is not a mapping with `params`."
        hint = f"presets/{name}.yaml holds title, description and params, nothing else."
        raise JobFileError([Problem("job.invalid_params", message, hint, place.line, place.column)])
    return {str(entry.key.value): ParamNode(entry.key, entry.value, name) for entry in entries(params)}


def summarize_preset(name: str, node: Node) -> PresetSummary:
    """A preset as people choose it; raises JobFileError when it is not of the right shape."""
    params = read_preset(name, node)
    texts = (str(each.value.value) for each in params.values() if each.value.kind == "text")
    return PresetSummary(
        name,
        read_text(find_given(node, "title")),
        read_text(find_given(node, "description")),
        {key: to_plain(each.value) for key, each in params.items()},
        tuple(dict.fromkeys(variable for text in texts for variable in _placeholders(text))),
    )


def gather_params(node: Node, preset: PresetLookup) -> GatheredParams:
    """The job's params over those of its preset, whose {names} are filled from vars."""
    own = {
        str(entry.key.value): ParamNode(entry.key, entry.value) for entry in entries(child(node, "params"))
    }
    named = find_given(node, "preset")
    variables = {str(entry.key.value): entry.value for entry in list_given(find_given(node, "vars"))}
    if named is None:
        return GatheredParams(own, _vars_without_preset(variables))
    name = read_text(named)
    if name is None:
        return GatheredParams(own, [], complete=False)
    whole = preset(name)
    if isinstance(whole, list):
        problems = [replace(each, line=named.line, column=named.column, path="preset") for each in whole]
        return GatheredParams(own, problems, complete=False)
    given = {entry.key.value for key in ("params", "matrix") for entry in list_given(child(node, key))}
    below = {
        name: param
        for name, param in whole.items()
        if name not in given and not _size_is_replaced(name, given)
    }
    filled, problems = _fill(below, variables, named)
    return GatheredParams({**own, **filled}, problems + _unused_vars(whole, variables, named))


def _size_is_replaced(name: str, given: Set[str]) -> bool:
    """A size of the job replaces that of the preset in whatever form it stands."""
    sizes = given & set(SIZE_PARAMS)
    return name in SIZE_PARAMS and bool(sizes) and not {name, *sizes} <= {"resolution", "aspectRatio"}


_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_-]*)\}")


def _fill(
    params: Mapping[str, ParamNode], variables: Mapping[str, Node], named: Node
) -> tuple[dict[str, ParamNode], list[Problem]]:
    filled: dict[str, ParamNode] = {}
    missing: dict[str, str] = {}
    for name, param in params.items():
        filled[name] = param
        if param.value.kind == "text":
            text = str(param.value.value)
            missing |= {each: name for each in _placeholders(text) if each not in variables}
            text = _PLACEHOLDER.sub(lambda match: _filling(match, variables), text)
            filled[name] = replace(param, value=replace(param.value, value=text, written=text))
    problems = [
        Problem(
            "job.invalid_params",
            f"The preset `{named.written}` needs {{{variable}}} for `{param_name}`, and `vars` has none.",
            f"Add it: vars: {{{variable}: ...}}",
            named.line,
            named.column,
            f"vars.{variable}",
        )
        for variable, param_name in missing.items()
    ]
    return filled, problems


def _filling(match: re.Match[str], variables: Mapping[str, Node]) -> str:
    """What stands for one placeholder; `{{` and `}}` are literal braces."""
    if match[1] is None:
        return match[0][0]
    return variables[match[1]].written if match[1] in variables else match[0]


def _placeholders(text: str) -> list[str]:
    return [match[1] for match in _PLACEHOLDER.finditer(text) if match[1]]


def _vars_without_preset(variables: Mapping[str, Node]) -> list[Problem]:
    hint = "Add `preset: NAME`, or remove `vars`."
    return [
        Problem(
            "job.invalid", "`vars` fill a preset; this job names none.", hint, each.line, each.column, "vars"
        )
        for each in list(variables.values())[:1]
    ]


def _unused_vars(
    params: Mapping[str, ParamNode], variables: Mapping[str, Node], named: Node
) -> list[Problem]:
    texts = [str(each.value.value) for each in params.values() if each.value.kind == "text"]
    used = {place for text in texts for place in _placeholders(text)}
    return [
        Problem(
            "job.invalid_params",
            f"The preset `{named.written}` has no place for {{{name:.60}}}.",
            did_you_mean(name, used) if used else "Remove it from `vars`.",
            node.line,
            node.column,
            f"vars.{name:.60}",
        )
        for name, node in variables.items()
        if name not in used
    ]
