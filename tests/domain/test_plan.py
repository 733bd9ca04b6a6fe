"""From a job to its pictures: endpoint, mode, seeds, matrix, and the limits of a file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.domain.plan import JobPlan
from hotfolder.errors import JobFileError, Problem
from tests.domain.job_texts import JOB, json_job, plan_all, plan_of, problems_of

HEAD = "endpointKey: local.procedural.image\n"
LAST_SEED = 2**31 - 1


def _place(problem: Problem) -> tuple[str, int | None, int | None, str | None]:
    return problem.code, problem.line, problem.column, problem.path


def _seeds(text: str) -> list[int | None]:
    return [run.seed for run in plan_of(text).runs]


def test_smallest_job_is_one_picture_with_the_defaults_of_its_endpoint() -> None:
    plan = plan_of(JOB)

    assert plan.endpoint.endpoint_key == "local.procedural.image"
    assert plan.mode == "text-to-image"
    (run,) = plan.runs
    assert (run.position, run.seed, run.width, run.height) == (0, None, 1024, 1024)
    assert run.params == {"prompt": "A quiet bay", "steps": 4, "caption": True}


def test_flux_endpoint_runs_with_its_default_steps_and_sampler() -> None:
    (run,) = plan_of("endpointKey: local.flux2-klein-9b.image\nparams: {prompt: x}\n").runs

    assert run.params == {"prompt": "x", "steps": 4, "sampling_method": "euler"}


def test_job_with_references_is_image_to_image() -> None:
    assert plan_of(f"{JOB}refs: [a.png]\n").mode == "image-to-image"
    assert plan_of(f"{JOB}refs: []\n").mode == "text-to-image"


def test_unknown_endpoint_names_the_nearest_one_at_its_place() -> None:
    (problem,) = problems_of("params: {prompt: x}\nendpointKey: local.flux2-klein4b.image\n")

    assert _place(problem) == ("job.unknown_endpoint", 2, 14, "endpointKey")
    assert problem.hint == "Did you mean `local.flux2-klein-4b.image`?"


def test_params_are_not_judged_by_an_endpoint_that_was_hardly_meant() -> None:
    (problem,) = problems_of("endpointKey: local.nope\nparams: {prompt: x, gamma: 2}\n")

    assert (problem.code, problem.hint) == ("job.unknown_endpoint", "Did you mean `local.upscale`?")


def test_endpoint_that_resembles_none_lists_all() -> None:
    (problem,) = problems_of("endpointKey: zzz\nparams: {prompt: x}\n")

    assert problem.hint is not None
    assert "local.procedural.image" in problem.hint


def test_faults_of_keys_counts_and_presets_are_reported_without_a_known_endpoint_too() -> None:
    text = "endpointKey: zzz\ntitel: x\ncount: 2\nmatrix: {seed: [1]}\npreset: nope\n"

    problems = problems_of(text)

    assert [each.path for each in problems] == ["endpointKey", "titel", "matrix.seed", "preset"]


@pytest.mark.parametrize("count", [1, 2, 64])
def test_count_gives_so_many_pictures_with_seeds_from_the_first_up(count: int) -> None:
    assert _seeds(f"{HEAD}params: {{prompt: x, seed: 100}}\ncount: {count}\n") == list(
        range(100, 100 + count)
    )


@pytest.mark.parametrize("seed", ["", ", seed: -1", ", seed: "])
def test_omitted_seed_leaves_the_choice_open_for_each_picture(seed: str) -> None:
    assert _seeds(f"{HEAD}params: {{prompt: x{seed}}}\ncount: 64\n") == [None] * 64


def test_seeds_wrap_below_two_to_the_31() -> None:
    text = f"{HEAD}params: {{prompt: x, seed: {LAST_SEED - 1}}}\ncount: 4\n"

    assert _seeds(text) == [LAST_SEED - 1, LAST_SEED, 0, 1]


@given(seed=st.integers(0, LAST_SEED), count=st.integers(1, 64))
@settings(deadline=None, max_examples=25)
def test_seeds_of_a_job_are_distinct_and_within_their_range(seed: int, count: int) -> None:
    seeds = _seeds(f"{HEAD}params: {{prompt: x, seed: {seed}}}\ncount: {count}\n")

    assert len(set(seeds)) == count
    assert all(each is not None and 0 <= each <= LAST_SEED for each in seeds)


@pytest.mark.parametrize("seed", [-2, 2**31])
def test_seed_outside_of_its_range_is_a_problem(seed: int) -> None:
    (problem,) = problems_of(f"{HEAD}params:\n  prompt: x\n  seed: {seed}\n")

    assert _place(problem) == ("job.invalid_params", 4, 9, "params.seed")


def test_matrix_runs_every_combination_in_the_written_order() -> None:
    runs = plan_of(f"{JOB}matrix: {{seed: [1, 2, 3], steps: [4, 8]}}\n").runs

    assert [(run.seed, run.params["steps"]) for run in runs] == [
        (1, 4),
        (1, 8),
        (2, 4),
        (2, 8),
        (3, 4),
        (3, 8),
    ]
    assert [run.position for run in runs] == list(range(6))


def test_order_of_the_axes_is_the_order_of_the_file() -> None:
    runs = plan_of(f"{JOB}matrix: {{steps: [4, 8], seed: [1, 2]}}\n").runs

    assert [(run.seed, run.params["steps"]) for run in runs] == [(1, 4), (2, 4), (1, 8), (2, 8)]


def test_matrix_replaces_the_param_of_the_same_name() -> None:
    text = f"{HEAD}params: {{prompt: x, steps: 1, seed: 7}}\nmatrix: {{steps: [2, 3]}}\n"

    assert [(run.seed, run.params["steps"]) for run in plan_of(text).runs] == [(7, 2), (7, 3)]


def test_count_repeats_each_combination_with_seeds_from_the_first_up() -> None:
    text = f"{HEAD}params: {{prompt: x, seed: 5}}\nmatrix: {{steps: [2, 3]}}\ncount: 2\n"

    assert [(run.params["steps"], run.seed) for run in plan_of(text).runs] == [(2, 5), (2, 6), (3, 5), (3, 6)]


def test_matrix_may_hold_sizes_and_prompts() -> None:
    text = f"{HEAD}matrix: {{prompt: [a, 2026], size: [512*512, 100*64]}}\n"

    runs = plan_of(text).runs

    assert [(run.params["prompt"], run.width, run.height) for run in runs] == [
        ("a", 512, 512),
        ("a", 112, 64),
        ("2026", 512, 512),
        ("2026", 112, 64),
    ]
    assert all("size" not in run.params for run in runs)


def test_empty_axis_of_a_matrix_behaves_as_if_it_were_absent() -> None:
    assert (
        plan_of(f"{JOB}matrix: {{seed: , steps: [2]}}\n").runs
        == plan_of(f"{JOB}matrix: {{steps: [2]}}\n").runs
    )


@pytest.mark.parametrize("count", [1, 2])
def test_count_together_with_seeds_in_the_matrix_is_a_problem(count: int) -> None:
    (problem,) = problems_of(f"{JOB}count: {count}\nmatrix: {{seed: [1, 2]}}\n")

    assert _place(problem) == ("job.invalid", 4, 9, "matrix.seed")


def test_matrix_and_count_may_ask_for_256_pictures() -> None:
    assert len(plan_of(f"{JOB}matrix: {{steps: [1, 2, 3, 4]}}\ncount: 64\n").runs) == 256


@pytest.mark.parametrize(
    "keys",
    [
        "matrix: {steps: [1, 2, 3, 4, 5]}\ncount: 64\n",
        f"matrix: {{seed: {list(range(257))}}}\n",
        f"matrix: {{seed: {list(range(129))}, steps: [1, 2]}}\n",
    ],
)
def test_more_than_256_pictures_are_too_large_a_job(keys: str) -> None:
    (problem,) = problems_of(JOB + keys)

    assert _place(problem) == ("job.too_large", 3, 9, "matrix")


def test_matrix_with_more_combinations_than_can_be_written_down_is_refused_at_once() -> None:
    axes = {f"axis{number}": [1, 2] for number in range(14_400)}

    problems = problems_of(json_job(matrix=axes), document_format="json")

    assert "job.too_large" in {each.code for each in problems}


def test_faulty_axis_does_not_hide_how_many_pictures_the_others_ask_for() -> None:
    text = f"{JOB}matrix: {{steps: [], seed: {list(range(300))}}}\n"

    assert {each.code for each in problems_of(text)} == {"job.too_large", "job.invalid_params"}


@pytest.mark.parametrize(
    ("matrix", "column", "path", "words"),
    [
        ("{steps: [4, x, 99]}", 21, "matrix.steps.1", 'the text "x"'),
        ("{steps: [null]}", 18, "matrix.steps.0", "is empty"),
        ("{steps: []}", 17, "matrix.steps", "at least one value"),
        ("{steps: 4}", 17, "matrix.steps", "expected a list"),
        ("{stepz: [4, 8]}", 10, "matrix.stepz", "is not a param of local.procedural.image"),
        ("{stepz: 4}", 10, "matrix.stepz", "is not a param of local.procedural.image"),
        ("{guidance: [3, 4]}", 10, "matrix.guidance", "is not a param of local.procedural.image"),
        ("{size: [512*512, big]}", 26, "matrix.size.1", "is not a size"),
    ],
)
def test_fault_in_a_matrix_is_shown_where_it_stands(matrix: str, column: int, path: str, words: str) -> None:
    problems = [each for each in problems_of(f"{JOB}matrix: {matrix}\n") if each.path == path]

    assert words in problems[0].message
    assert _place(problems[0]) == ("job.invalid_params", 3, column, path)


def test_every_faulty_value_of_a_matrix_is_reported() -> None:
    problems = problems_of(f"{JOB}matrix: {{steps: [4, x, 99], size: [a, b]}}\n")

    assert [each.path for each in problems] == [
        "matrix.steps.1",
        "matrix.steps.2",
        "matrix.size.0",
        "matrix.size.1",
    ]


def test_size_that_cannot_be_used_is_reported_beside_other_faults() -> None:
    problems = problems_of(f"{HEAD}titel: x\nparams: {{prompt: x, size: big, steps: 11}}\n")

    assert [each.path for each in problems] == ["titel", "params.size", "params.steps"]


def test_half_a_size_is_not_complained_about_when_the_other_half_is_faulty() -> None:
    (problem,) = problems_of(f"{HEAD}params: {{prompt: x, width: 512, height: '512'}}\n")

    assert problem.path == "params.height"


@pytest.mark.parametrize("params", ["{steps: 4}", "{prompt: }", "", "{}"])
def test_missing_prompt_is_a_problem(params: str) -> None:
    (problem,) = problems_of(f"{HEAD}params: {params}\n")

    assert (problem.code, problem.path, problem.hint) == (
        "job.invalid_params",
        "params.prompt",
        "Add `prompt`.",
    )
    assert problem.line is not None


def test_documents_of_a_file_are_planned_one_by_one() -> None:
    plans = plan_all(f"{JOB}---\n{JOB}titel: x\n---\n{JOB}count: 3\n")

    assert [len(each.runs) if isinstance(each, JobPlan) else each[0].line for each in plans] == [1, 6, 3]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("order-1", "order-1"),
        ("2026", '"2026"'),
        ("3F2504E0-4F89-41D3-9A0C-0305E82C3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
    ],
)
def test_same_id_in_two_documents_is_a_problem_of_the_second(first: str, second: str) -> None:
    plans = plan_all(f"{JOB}id: {first}\n---\n{JOB}id: {second}\n")

    assert isinstance(plans[0], JobPlan)
    assert isinstance(plans[1], list)
    assert [_place(each) for each in plans[1]] == [("job.duplicate_id", 7, 5, "id")]
    assert "document 1" in plans[1][0].message


def test_ids_that_are_no_uuids_differ_by_case() -> None:
    plans = plan_all(f"{JOB}id: order-a\n---\n{JOB}id: order-A\n")

    assert all(isinstance(each, JobPlan) for each in plans)


def test_repeated_id_is_reported_beside_the_other_faults_of_both_documents() -> None:
    first, second = plan_all(f"{JOB}id: a\ntitel: x\n---\n{JOB}id: a\ntitel: x\n")

    assert isinstance(first, list)
    assert isinstance(second, list)
    assert [each.code for each in first] == ["job.unknown_key"]
    assert [each.code for each in second] == ["job.duplicate_id", "job.unknown_key"]


def test_documents_may_ask_for_256_pictures_together_and_not_for_one_more() -> None:
    largest = f"{JOB}matrix: {{steps: [1, 2, 3, 4]}}\ncount: 63\n"

    exact = plan_all(f"{largest}---\n{JOB}count: 4\n")
    beyond = plan_all(f"{largest}---\n{JOB}count: 5\n---\n{JOB}count: 4\n")

    assert all(isinstance(each, JobPlan) for each in exact)
    assert [isinstance(each, JobPlan) for each in beyond] == [True, False, True]
    assert isinstance(beyond[1], list)
    assert (beyond[1][0].code, beyond[1][0].line) == ("job.too_large", 6)


def test_place_of_a_job_beyond_the_limit_is_its_own_in_json_too() -> None:
    job = json.loads(json_job(count=64))
    text = json.dumps([*[job] * 4, job])

    plans = plan_all(text, document_format="json")

    assert isinstance(plans[4], list)
    assert plans[4][0].column == text.rindex('{"endpointKey"') + 1


def test_file_with_more_than_256_jobs_is_refused_as_a_whole() -> None:
    with pytest.raises(JobFileError) as refused:
        plan_all("{}\n" * 257, document_format="jsonl")

    (problem,) = refused.value.problems
    assert (problem.code, problem.line) == ("job.too_large", 257)


def test_task_is_short_for_its_endpoint_whose_size_follows_from_the_reference() -> None:
    short = plan_of("task: upscale\nparams: {factor: 2}\nrefs: [a.png]\ncount: 2\n")
    long = plan_of("endpointKey: local.upscale\nparams: {factor: 2}\nrefs: [a.png]\ncount: 2\n")

    assert short.runs == long.runs
    assert (short.endpoint.endpoint_key, short.mode) == ("local.upscale", "image-to-image")
    assert [(run.params, run.width, run.height) for run in short.runs] == [({"factor": 2}, 0, 0)] * 2


def test_matrix_of_factors_is_a_picture_each() -> None:
    runs = plan_of("task: upscale\nmatrix: {factor: [2, 4]}\nrefs: [a.png]\n").runs

    assert [run.params for run in runs] == [{"factor": 2}, {"factor": 4}]


@pytest.mark.parametrize("name", ["size", "width", "seed", "prompt", "steps"])
def test_param_that_upscaling_has_not_is_a_problem_that_says_why(name: str) -> None:
    (problem,) = problems_of(f"task: upscale\nparams: {{{name}: 4}}\nrefs: [a.png]\n")

    assert _place(problem) == ("job.invalid_params", 2, 10, f"params.{name}")
    assert (problem.hint or "").startswith(f"Remove `{name}`: ")
