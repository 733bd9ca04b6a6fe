"""What is wrong with a recipe, what is not, and the report of it."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.recipe_problems import build_recipe_report, find_recipe_problems
from hotfolder.errors import Problem
from tests.domain.job_texts import ENDPOINTS, parse_one, shelf

HEAD = "endpointKey: local.procedural.image\n"
PRESETS = {
    "shot": "params: {prompt: 'A {product}', steps: 6}\n",
    "broken": "params: {steps: 11}\n",
}


def problems_of(text: str, endpoints: dict[str, Endpoint] | None = None) -> list[Problem]:
    node = parse_one(text)
    return find_recipe_problems(node, node, endpoints or ENDPOINTS, shelf(PRESETS))


@pytest.mark.parametrize(
    "text",
    [
        "priority: 1\n",
        "params: {steps: 99, anything: x}\n",  # for which endpoint is known from the job only
        HEAD,
        f"{HEAD}params: {{prompt: , steps: 2}}\n",
        f"{HEAD}params: {{size: 64*64}}\nkeywords: [shoes]\nrefs: [pose.png]\ncount: 4\ntitle: Shoes\n",
        f"{HEAD}matrix: {{steps: [1, 2], prompt: [a, b]}}\n",
        f"{HEAD}preset: shot\n",
        f"{HEAD}preset: shot\nvars: {{product: kettle}}\n",
        f"{HEAD}vars: {{product: kettle}}\n",
        f"{HEAD}refs: []\n",
    ],
)
def test_what_a_recipe_leaves_to_its_jobs_is_no_problem(text: str) -> None:
    assert problems_of(text) == []


@pytest.mark.parametrize(
    ("text", "code", "path", "line"),
    [
        (f"{HEAD}titel: x\n", "job.unknown_key", "titel", 2),
        ("endpointKey: local.procedral.image\n", "job.unknown_endpoint", "endpointKey", 1),
        (f"{HEAD}params: {{steps: 99}}\n", "job.invalid_params", "params.steps", 2),
        (f"{HEAD}params: {{stepz: 9}}\n", "job.invalid_params", "params.stepz", 2),
        (f"{HEAD}params: {{prompt: ''}}\n", "job.invalid_params", "params.prompt", 2),
        (f"{HEAD}params: {{size: 64x}}\n", "job.invalid_params", "params.size", 2),
        (f"{HEAD}params: {{size: 64*64, width: 64}}\n", "job.invalid_params", "params.width", 2),
        (f"{HEAD}params: []\n", "job.invalid_params", "params", 2),
        (f"{HEAD}matrix: {{steps: [99]}}\n", "job.invalid_params", "matrix.steps.0", 2),
        (f"{HEAD}count: 2\nmatrix: {{seed: [1]}}\n", "job.invalid", "matrix.seed", 3),
        (f"{HEAD}preset: nope\n", "job.invalid_params", "preset", 2),
        (f"{HEAD}preset: shot\nvars: {{produkt: x}}\n", "job.invalid_params", "vars.produkt", 3),
        (f"{HEAD}vars: 5\n", "job.invalid", "vars", 2),
        (f"{HEAD}vars: {{a: [x]}}\n", "job.invalid", "vars.a", 2),
        (f"{HEAD}refs: pose.png\n", "job.invalid", "refs", 2),
        (f"{HEAD}task: upscale\n", "job.invalid", "task", 2),
        (f"{HEAD}deliver: []\n", "job.not_supported", "deliver", 2),
        (f"{HEAD}id: a\n", "job.invalid", "id", 2),
        (f"{HEAD}atomic: false\n", "job.invalid", "atomic", 2),
        (f"{HEAD}preset: broken\n", "job.invalid_params", "params.steps", 2),
        ("- a\n", "job.parse", None, 1),
    ],
)
def test_fault_of_what_a_recipe_gives_is_found_at_its_place(
    text: str, code: str, path: str | None, line: int
) -> None:
    assert [(each.code, each.path, each.line) for each in problems_of(text)] == [(code, path, line)]


def test_all_problems_are_found_at_once_in_the_order_of_the_text() -> None:
    text = f"titel: x\n{HEAD}params:\n  steps: 99\n  stepz: 1\nid: a\npreset: nope\n"

    assert [each.line for each in problems_of(text)] == [1, 4, 5, 6, 7]
    assert problems_of(text)[0].hint == "Did you mean `title`?"


def test_endpoint_that_wants_a_reference_gets_it_from_the_job() -> None:
    base = ENDPOINTS["local.procedural.image"]
    only_edits = base.model_copy(update={"modes": ("image-to-image",)})
    only_texts = base.model_copy(update={"modes": ("text-to-image",)})

    assert problems_of(HEAD, {base.endpoint_key: only_edits}) == []
    assert problems_of(f"{HEAD}refs: []\n", {base.endpoint_key: only_edits}) == []
    (problem,) = problems_of(f"{HEAD}refs: [a.png]\n", {base.endpoint_key: only_texts})
    assert problem.path == "refs"


def test_report_tells_every_problem_with_its_place_and_how_to_go_on() -> None:
    problems = [
        Problem("job.unknown_key", "`titel` is not a known key.", "Did you mean `title`?", 2, 1, "titel"),
        Problem("job.unreadable", "The recipe cannot be read.", None),
    ]

    report = build_recipe_report(PurePosixPath("shoes/_folder.yaml"), problems)

    assert report.splitlines() == [
        "# _folder.yaml: cannot be used",
        "",
        "2 problems found. Nothing is lost: what lies in `inbox/shoes/` waits.",
        "",
        "- **line 2, column 1:** `titel` is not a known key. (`job.unknown_key`)",
        "",
        "  Did you mean `title`?",
        "",
        "- The recipe cannot be read. (`job.unreadable`)",
        "",
        "## To go on",
        "",
        "Mend `_folder.yaml` and save it: the waiting files are then taken in,",
        "and this report goes away.",
    ]


def test_report_of_the_outermost_recipe_speaks_of_the_whole_inbox() -> None:
    report = build_recipe_report(PurePosixPath("_folder.json"), [Problem("job.parse", "m")])

    assert "what lies in `inbox/` waits" in report
    assert "1 problem found" in report
