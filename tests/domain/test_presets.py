"""Presets under the params of a job, and the vars that fill them."""

from __future__ import annotations

import pytest

from hotfolder.domain.presets import read_preset
from hotfolder.errors import JobFileError
from tests.domain.job_texts import parse_one, plan_of, problems_of

PRESETS = {
    "product-shot": "title: A shot\nparams: {prompt: 'A {product} on {ground}', size: 768*512, steps: 6}\n",
    "plain": "params: {prompt: A quiet bay, steps: 2}\n",
    "braces": "params: {prompt: 'json {{key}} and {{{name}}} and { } {1}'}\n",
    "ratio": "params: {prompt: x, resolution: 512, aspectRatio: 3:2}\n",
    "edges": "params: {prompt: x, width: 512, height: 256}\n",
    "broken": "params: {prompt: x, steps: 11, stepz: 4}\n",
    "number": "params: {prompt: 2026}\n",
}
HEAD = "endpointKey: local.procedural.image\n"
SHOT = f"{HEAD}preset: product-shot\nvars: {{product: kettle, ground: slate}}\n"


def _size(text: str) -> tuple[int, int]:
    (run,) = plan_of(text, presets=PRESETS).runs
    return run.width, run.height


def test_preset_gives_the_params_that_the_job_leaves_out() -> None:
    (run,) = plan_of(SHOT, presets=PRESETS).runs

    assert run.params == {"prompt": "A kettle on slate", "steps": 6, "caption": True}
    assert (run.width, run.height) == (768, 512)


def test_params_of_the_job_win_over_those_of_the_preset() -> None:
    (run,) = plan_of(f"{SHOT}params: {{steps: 3, seed: 9}}\n", presets=PRESETS).runs

    assert (run.params["steps"], run.seed, run.params["prompt"]) == (3, 9, "A kettle on slate")


def test_param_without_a_value_does_not_hide_that_of_the_preset() -> None:
    (run,) = plan_of(f"{SHOT}params: {{steps: , prompt: null}}\n", presets=PRESETS).runs

    assert (run.params["steps"], run.params["prompt"]) == (6, "A kettle on slate")


def test_matrix_wins_over_the_preset() -> None:
    runs = plan_of(f"{SHOT}matrix: {{steps: [1, 2], resolution: [512]}}\n", presets=PRESETS).runs

    assert [(run.params["steps"], run.width, run.height) for run in runs] == [(1, 512, 512), (2, 512, 512)]


def test_vars_are_put_in_as_they_are_written() -> None:
    text = f"{HEAD}preset: product-shot\nvars: {{product: 2026, ground: '{{product}}'}}\n"

    (run,) = plan_of(text, presets=PRESETS).runs

    assert run.params["prompt"] == "A 2026 on {product}"


def test_doubled_braces_are_braces() -> None:
    (run,) = plan_of(f"{HEAD}preset: braces\nvars: {{name: kettle}}\n", presets=PRESETS).runs

    assert run.params["prompt"] == "json {key} and {kettle} and { } {1}"


def test_text_of_a_preset_may_be_written_without_quotes() -> None:
    (run,) = plan_of(f"{HEAD}preset: number\n", presets=PRESETS).runs

    assert run.params["prompt"] == "2026"


@pytest.mark.parametrize("variables", ["vars: {product: kettle}\n", "vars: {product: kettle, ground: }\n"])
def test_missing_var_is_a_problem_where_the_preset_is_named(variables: str) -> None:
    (problem,) = problems_of(f"{HEAD}preset: product-shot\n{variables}", presets=PRESETS)

    assert (problem.code, problem.line, problem.column) == ("job.invalid_params", 2, 9)
    assert problem.path == "vars.ground"
    assert "needs {ground} for `prompt`" in problem.message
    assert problem.hint == "Add it: vars: {ground: ...}"


def test_all_missing_vars_are_reported_in_the_order_of_the_text() -> None:
    problems = problems_of(f"{HEAD}preset: product-shot\n", presets=PRESETS)

    assert [each.path for each in problems] == ["vars.product", "vars.ground"]


def test_var_of_a_text_that_the_job_replaces_is_not_needed() -> None:
    (run,) = plan_of(f"{HEAD}preset: product-shot\nparams: {{prompt: mine}}\n", presets=PRESETS).runs

    assert run.params["prompt"] == "mine"


def test_var_without_a_place_is_a_problem_with_the_nearest_place() -> None:
    (problem,) = problems_of(
        f"{HEAD}preset: product-shot\nvars:\n  product: a\n  ground: b\n  grond: c\n", presets=PRESETS
    )

    assert (problem.code, problem.line, problem.path) == ("job.invalid_params", 6, "vars.grond")
    assert problem.hint == "Did you mean `ground`?"


def test_var_for_a_preset_without_places_is_to_be_removed() -> None:
    (problem,) = problems_of(f"{HEAD}preset: plain\nvars: {{product: a}}\n", presets=PRESETS)

    assert problem.hint == "Remove it from `vars`."


def test_var_whose_place_the_job_replaces_is_no_fault() -> None:
    (run,) = plan_of(f"{SHOT}params: {{prompt: mine}}\n", presets=PRESETS).runs

    assert run.params["prompt"] == "mine"


@pytest.mark.parametrize("preset", ["", "preset:\n"])
def test_vars_without_a_preset_are_a_problem(preset: str) -> None:
    text = f"{HEAD}params: {{prompt: x}}\n{preset}vars: {{product: kettle}}\n"

    (problem,) = problems_of(text, presets=PRESETS)

    assert (problem.code, problem.path) == ("job.invalid", "vars")


def test_unknown_preset_is_one_problem_and_not_a_missing_prompt_too() -> None:
    (problem,) = problems_of(f"{HEAD}preset: produkt-shot\n", presets=PRESETS)

    assert (problem.line, problem.column, problem.path) == (2, 9, "preset")


def test_misspelt_key_beside_a_preset_is_the_only_problem() -> None:
    (problem,) = problems_of(f"{SHOT}titel: x\n", presets=PRESETS)

    assert (problem.code, problem.path) == ("job.unknown_key", "titel")


def test_faults_inside_a_preset_name_it_and_stand_where_it_is_named() -> None:
    problems = problems_of(f"{HEAD}preset: broken\n", presets=PRESETS)

    assert [each.path for each in problems] == ["params.steps", "params.stepz"]
    assert all("of the preset `broken`" in each.message for each in problems)
    assert [(each.line, each.column) for each in problems] == [(2, 9), (2, 9)]


def test_fault_of_a_preset_that_the_job_replaces_is_none() -> None:
    (problem,) = problems_of(f"{HEAD}preset: broken\nparams: {{steps: 4}}\n", presets=PRESETS)

    assert problem.path == "params.stepz"


@pytest.mark.parametrize(
    ("preset", "params", "size"),
    [
        ("product-shot", "size: 256*256", (256, 256)),
        ("product-shot", "width: 320, height: 640", (320, 640)),
        ("product-shot", "resolution: 512, aspectRatio: 16:9", (512, 288)),
        ("product-shot", "aspectRatio: 1:1", (1024, 1024)),
        ("edges", "resolution: 512", (512, 512)),
        ("edges", "size: 640*320", (640, 320)),
        ("ratio", "size: 640*320", (640, 320)),
        ("ratio", "resolution: 1024", (1024, 688)),
        ("ratio", "aspectRatio: 2:3", (352, 512)),
        ("ratio", "seed: 1", (512, 352)),
    ],
)
def test_size_of_the_job_replaces_that_of_the_preset_in_whatever_form(
    preset: str, params: str, size: tuple[int, int]
) -> None:
    variables = "vars: {product: a, ground: b}\n" if preset == "product-shot" else ""

    assert _size(f"{HEAD}preset: {preset}\n{variables}params: {{{params}}}\n") == size


def test_job_that_gives_half_a_size_over_a_preset_is_told_so() -> None:
    (problem,) = problems_of(f"{HEAD}preset: edges\nparams: {{width: 640}}\n", presets=PRESETS)

    assert (problem.line, problem.path) == (3, "params.width")
    assert "needs `height`" in problem.message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("title: x\n", 1, "with `params`"),
        ("title: x\nparams: 4\n", 2, "with `params`"),
        ("- a\n", 1, "with `params`"),
        ("params: {prompt: x}\ndescripton: y\n", 2, "`descripton` is not a known key"),
    ],
)
def test_preset_of_another_shape_is_refused_with_its_place(text: str, line: int, words: str) -> None:
    with pytest.raises(JobFileError) as refused:
        read_preset("mine", parse_one(text))

    (problem,) = refused.value.problems
    assert problem.line == line
    assert words in problem.message
    assert problem.hint
