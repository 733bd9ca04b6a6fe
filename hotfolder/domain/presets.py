"""Presets: named parameter sets under the params of a job, with {places} filled from its vars."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from hotfolder.domain.document import Node, child, entries
from hotfolder.domain.job import JobFile
from hotfolder.domain.nearest import did_you_mean
from hotfolder.domain.params import ParamNode
from hotfolder.domain.sizes import SIZE_PARAMS
from hotfolder.errors import JobFileError, Problem

PresetLookup = Callable[[str], dict[str, ParamNode] | list[Problem]]
"""The params of a named preset, or the problems with it."""


def read_preset(name: str, node: Node) -> dict[str, ParamNode]:
    """The params of a preset's document; raises JobFileError when it is not of the right shape."""
    params = child(node, "params")
    known = {"params", "title", "description"}
    unknown = [str(entry.key.value) for entry in entries(node) if entry.key.value not in known]
    if node.kind != "map" or params is None or params.kind != "map" or unknown:
        found = f" (unknown key `{unknown[0]}`)" if unknown else ""
        message = f"The preset `{name}` is not a mapping with `params`{found}."
        hint = f"presets/{name}.yaml holds title, description and params, nothing else."
        raise JobFileError([Problem("job.invalid_params", message, hint)])
    return {str(entry.key.value): ParamNode(entry.key, entry.value, name) for entry in entries(params)}


def gather_params(
    node: Node, job: JobFile | None, preset: PresetLookup
) -> tuple[dict[str, ParamNode], list[Problem]]:
    """The job's params over those of its preset, whose {names} are filled from vars."""
    own = {
        str(entry.key.value): ParamNode(entry.key, entry.value) for entry in entries(child(node, "params"))
    }
    named = child(node, "preset")
    variables = {str(entry.key.value): entry.value for entry in entries(child(node, "vars"))}
    if named is None or job is None or job.preset is None:
        return own, _vars_without_preset(variables) if named is None else []
    below = preset(job.preset)
    if isinstance(below, list):
        return own, [replace(each, line=named.line, column=named.column, path="preset") for each in below]
    below = {
        name: param for name, param in below.items() if name not in own and not _size_is_replaced(name, own)
    }
    filled, problems = _fill(below, job.vars, named)
    return {**filled, **own}, problems + _unused_vars(below, variables, named)


def _size_is_replaced(name: str, own: Mapping[str, ParamNode]) -> bool:
    """A size of the job replaces that of the preset in whatever form it stands."""
    return (
        name in SIZE_PARAMS
        and any(each in own for each in SIZE_PARAMS)
        and not ({name, *own} & set(SIZE_PARAMS) <= {"resolution", "aspectRatio"})
    )


_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_-]*)\}")


def _fill(
    params: Mapping[str, ParamNode], variables: Mapping[str, str], named: Node
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


def _filling(match: re.Match[str], variables: Mapping[str, str]) -> str:
    """What stands for one placeholder; `{{` and `}}` are literal braces."""
    return match[0][0] if match[1] is None else variables.get(match[1], match[0])


def _placeholders(text: str) -> set[str]:
    return {match[1] for match in _PLACEHOLDER.finditer(text) if match[1]}


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
    used = set().union(*(_placeholders(text) for text in texts))
    return [
        Problem(
            "job.invalid_params",
            f"The preset `{named.written}` has no place for {{{name}}}.",
            did_you_mean(name, used) if used else "Remove it from `vars`.",
            node.line,
            node.column,
            f"vars.{name}",
        )
        for name, node in variables.items()
        if name not in used
    ]
