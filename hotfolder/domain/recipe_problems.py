"""What is wrong with a recipe (what it leaves to the jobs is no problem), and the report of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from hotfolder.domain.document import Node, child
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.given import find_given, list_given
from hotfolder.domain.plan import plan_job
from hotfolder.domain.presets import PresetLookup, gather_params
from hotfolder.domain.wording import one_line
from hotfolder.errors import Problem

_SHOWN: Final = 60
_USELESS: Final = {
    "id": "`id` names one job; in a recipe it would name many.",
    "atomic": "`atomic` says how the jobs of one file are taken; a recipe has none.",
}


def find_recipe_problems(
    own: Node, whole: Node, endpoints: Mapping[str, Endpoint], preset: PresetLookup
) -> list[Problem]:
    """All problems of a recipe, in the order of the text; `whole` is `own` with what it inherits."""
    planned = plan_job(whole, endpoints, preset)
    is_left = _left_to_the_jobs(whole, preset)
    found = [each for each in planned if not is_left(each.path or "")] if isinstance(planned, list) else []
    return sorted([*_useless_keys(own), *found], key=lambda each: (each.line or 0, each.column or 0))


def build_recipe_report(place: PurePosixPath, problems: Sequence[Problem]) -> str:
    """The Markdown report beside a recipe, given its place below inbox/: what is wrong, and how to go on."""
    name, folder = one_line(place.name), one_line(str(PurePosixPath("inbox") / place.parent))
    count = f"{len(problems)} problem" + ("" if len(problems) == 1 else "s")
    lines = [
        f"# {name}: cannot be used",
        "",
        f"{count} found. Nothing is lost: what lies in `{folder}/` waits.",
    ]
    lines += [line for problem in problems for line in ("", *_problem_lines(problem))]
    lines += ["", "## To go on", "", f"Mend `{name}` and save it: the waiting files are then taken in,"]
    return "\n".join([*lines, "and this report goes away.", ""])


def _left_to_the_jobs(node: Node, preset: PresetLookup) -> Callable[[str], bool]:
    """Says of a problem's path whether it is about something that the recipe leaves open."""
    gathered = gather_params(node, preset).params
    params = {name[:_SHOWN] for name, each in gathered.items() if each.value.kind != "null"}
    variables = {str(each.key.value)[:_SHOWN] for each in list_given(find_given(node, "vars"))}
    whole = set(_open_keys(node))

    def is_left(path: str) -> bool:
        key, _, name = path.partition(".")
        if not name:
            return path in whole
        return (key == "params" and name[:_SHOWN] not in params) or (
            key == "vars" and name[:_SHOWN] not in variables
        )

    return is_left


def _open_keys(node: Node) -> Iterator[str]:
    if find_given(node, "endpointKey") is None:
        yield "endpointKey"
    references = find_given(node, "refs")
    if references is None or (references.kind == "list" and not references.value):
        yield "refs"
    variables = child(node, "vars")
    if find_given(node, "preset") is None and variables is not None and variables.kind == "map":
        yield "vars"


def _useless_keys(node: Node) -> list[Problem]:
    return [
        Problem(
            "job.invalid",
            _USELESS[str(entry.key.value)],
            f"Remove the key `{entry.key.value}`.",
            entry.key.line,
            entry.key.column,
            str(entry.key.value),
        )
        for entry in list_given(node)
        if entry.key.value in _USELESS
    ]


def _problem_lines(problem: Problem) -> list[str]:
    where = f"**line {problem.line}, column {problem.column}:** " if problem.line else ""
    hints = ["", *(f"  {line}" for line in problem.hint.splitlines())] if problem.hint else []
    return [f"- {where}{one_line(problem.message)} (`{problem.code}`)", *hints]
