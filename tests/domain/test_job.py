"""The keys of a job file: what each takes, and what is said of one that cannot be used."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hotfolder.domain.document import parse_documents
from hotfolder.domain.job import JobFile, read_job
from hotfolder.domain.plan import JobPlan, plan_jobs
from hotfolder.errors import JobFileError, Problem
from tests.domain.job_texts import ENDPOINTS, JOB, json_job, parse_one, plan_of, problems_of, shelf

DIGITS = "1234567890" * 6 + "0012"
EVERY_KEY = """\
endpointKey: local.procedural.image
params:
  prompt: A lighthouse at dusk, long exposure
  size: 1024*1024
  seed: 42
  steps: 4
refs:
  - ./moodboard.png
  - {path: ./layout.png, role: composition}
  - media: 0b6c
  - sha256: 9F86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
count: 4
matrix: {steps: [4, 8]}
preset: product-shot
vars: {product: kettle}
priority: 5
id: 3f0c
keywords: [campaign/spring, lighthouse]
title: Lighthouse
maxAttempts: 3
metadata: {copyright: Studio, creator: Anna}
extra: {order: 4711, lines: [1, {a: null}]}
atomic: true
"""


def _found(problem: Problem) -> tuple[str, int | None, int | None, str | None]:
    return problem.code, problem.line, problem.column, problem.path


def test_every_supported_key_is_read() -> None:
    job, problems = read_job(parse_one(EVERY_KEY))

    assert problems == []
    assert job is not None
    assert (job.endpoint_key, job.count, job.priority, job.max_attempts, job.atomic) == (
        "local.procedural.image",
        4,
        5,
        3,
        True,
    )
    assert (job.preset, job.vars, job.id, job.title) == (
        "product-shot",
        {"product": "kettle"},
        "3f0c",
        "Lighthouse",
    )
    assert job.keywords == ["campaign/spring", "lighthouse"]
    assert (job.metadata.copyright, job.metadata.creator) == ("Studio", "Anna")
    assert job.extra == {"order": 4711, "lines": [1, {"a": None}]}
    assert job.matrix == {"steps": [4, 8]}


def test_references_may_be_text_or_name_a_path_a_media_id_or_a_content() -> None:
    job, _ = read_job(parse_one(EVERY_KEY))

    assert job is not None
    assert [each.model_dump(exclude_none=True) for each in job.refs] == [
        {"path": "./moodboard.png"},
        {"path": "./layout.png", "role": "composition"},
        {"media": "0b6c"},
        {"sha256": "9F86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
    ]


def test_everything_but_the_endpoint_and_params_may_be_left_out() -> None:
    job, problems = read_job(parse_one(JOB))

    assert problems == []
    assert job == JobFile.model_validate(
        {"endpointKey": "local.procedural.image", "params": {"prompt": "A quiet bay"}}
    )
    assert (job.count, job.priority, job.refs, job.atomic) == (1, 0, [], True)


@pytest.mark.parametrize(
    ("written", "read"), [("2026", "2026"), ("007", "007"), ("3:2", "3:2"), ("true", "true"), ("1e3", "1e3")]
)
def test_unquoted_title_stays_text_as_written(written: str, read: str) -> None:
    assert plan_of(f"{JOB}title: {written}\n").job.title == read


def test_all_digit_sha256_without_quotes_stays_text() -> None:
    job = plan_of(f"{JOB}refs:\n  - sha256: {DIGITS}\n").job

    assert job.refs[0].sha256 == DIGITS


def test_unquoted_aspect_ratio_stays_text() -> None:
    job = plan_of("endpointKey: local.procedural.image\nparams:\n  prompt: x\n  aspectRatio: 3:2\n").job

    assert job.params["aspectRatio"] == "3:2"


def test_text_keys_inside_lists_and_maps_take_numbers_as_written() -> None:
    text = (
        f"{JOB}refs: [2026, {{path: 1.50, role: 3}}]\nkeywords: [2026, no]\nmetadata: {{copyright: 2026}}\n"
    )

    job = plan_of(text).job

    assert (job.refs[0].path, job.refs[1].path, job.refs[1].role) == ("2026", "1.50", "3")
    assert job.keywords == ["2026", "no"]
    assert job.metadata.copyright == "2026"


def test_three_different_faults_are_reported_together_with_place_and_hint() -> None:
    text = 'endpointKey: local.procedurall.image\ntitel: Old mill\nparams:\n  prompt: x\n  steps: "4"\n'

    problems = problems_of(text)

    assert [_found(each) for each in problems] == [
        ("job.unknown_endpoint", 1, 14, "endpointKey"),
        ("job.unknown_key", 2, 1, "titel"),
        ("job.invalid_params", 5, 10, "params.steps"),
    ]
    assert [each.hint for each in problems] == [
        "Did you mean `local.procedural.image`?",
        "Did you mean `title`?",
        "Write it without quotes: steps: 4",
    ]
    assert 'is the text "4"; expected a whole number from 1 to 10' in problems[2].message


@pytest.mark.parametrize(
    ("line", "column", "path", "found", "expected"),
    [
        ("endpointKey: [a]", 14, "endpointKey", "a list", "text"),
        ("count: 0", 8, "count", "the number 0", "at least 1"),
        ("count: 65", 8, "count", "the number 65", "at most 64"),
        ("count: 2.0", 8, "count", "the number 2.0", "a whole number"),
        ("count: true", 8, "count", "true", "a whole number"),
        ('count: "4"', 8, "count", 'the text "4"', "a whole number"),
        ("count: [4]", 8, "count", "a list", "a whole number"),
        ("priority: 101", 11, "priority", "the number 101", "at most 100"),
        ("priority: -101", 11, "priority", "the number -101", "at least -100"),
        ("priority: high", 11, "priority", 'the text "high"', "a whole number"),
        ("maxAttempts: 0", 14, "maxAttempts", "the number 0", "at least 1"),
        ("maxAttempts: 101", 14, "maxAttempts", "the number 101", "at most 100"),
        ("atomic: maybe", 9, "atomic", 'the text "maybe"', "true or false"),
        ("atomic: 1", 9, "atomic", "the number 1", "true or false"),
        ("title: {}", 8, "title", "a mapping", "text"),
        ('title: ""', 8, "title", 'the text ""', "some text"),
        ("title: " + "x" * 5000, 8, "title", 'the text "xxx', "at most 4096 characters"),
        ("id: " + "x" * 201, 5, "id", 'the text "xxx', "at most 200 characters"),
        ('id: ""', 5, "id", 'the text ""', "some text"),
        ("preset: [a]", 9, "preset", "a list", "text"),
        ("vars: [a]", 7, "vars", "a list", "a mapping of keys to values"),
        ("keywords: spring", 11, "keywords", 'the text "spring"', "a list"),
        ("keywords: [a, {b: c}]", 15, "keywords.1", "a mapping", "text"),
        ("keywords: [a, null]", 15, "keywords.1", "empty", "text"),
        ("metadata: Anna", 11, "metadata", 'the text "Anna"', "a mapping of keys to values"),
        ("metadata: {creator: [Anna]}", 21, "metadata.creator", "a list", "text"),
        ("extra: 4711", 8, "extra", "the number 4711", "a mapping of keys to values"),
        ("refs: a.png", 7, "refs", 'the text "a.png"', "a list"),
        ("refs: {path: a.png}", 7, "refs", "a mapping", "a list"),
        ("refs: [[a.png]]", 8, "refs.0", "a list", "a path, or a mapping"),
        ("refs: [a.png, null]", 15, "refs.1", "empty", "a path, or a mapping"),
        ("refs: [{sha256: abc}]", 17, "refs.0.sha256", 'the text "abc"', "64 hexadecimal digits"),
        ("refs: [{path: a, media: b}]", 8, "refs.0", "a mapping", "exactly one of path, media and sha256"),
        ("refs: [{role: style}]", 8, "refs.0", "a mapping", "exactly one of path, media and sha256"),
        ("refs: [{}]", 8, "refs.0", "a mapping", "exactly one of path, media and sha256"),
        ('refs: [""]', 8, "refs.0.path", 'the text ""', "some text"),
        ("task: downscale", 7, "task", 'the text "downscale"', "upscale"),
    ],
)
def test_value_that_a_key_cannot_take_is_shown_beside_what_is_expected(
    line: str, column: int, path: str, found: str, expected: str
) -> None:
    above = "" if line.startswith(("endpointKey", "task")) else JOB

    (problem,) = problems_of(above + line + "\n")

    assert _found(problem) == ("job.invalid", above.count("\n") + 1, column, path)
    assert f"`{path}` is {found}" in problem.message
    assert f"expected {expected}" in problem.message.replace("'", "")
    assert problem.hint


@pytest.mark.parametrize(
    ("line", "path"),
    [("params: [a]", "params"), ("matrix: [a]", "matrix"), ("matrix: {steps: 4}", "matrix.steps")],
)
def test_params_and_matrix_of_a_wrong_shape_are_one_problem_each(line: str, path: str) -> None:
    (problem,) = problems_of("endpointKey: local.procedural.image\nvars: {}\n" + line + "\n")[-1:]

    assert (problem.code, problem.line, problem.path) == ("job.invalid_params", 3, path)


@pytest.mark.parametrize(
    "line",
    [
        "count: 1",
        "count: 64",
        "priority: -100",
        "priority: 100",
        "maxAttempts: 1",
        "maxAttempts: 100",
        "id: " + "x" * 200,
        "title: " + "x" * 4096,
        "keywords: []",
        "refs: []",
        "extra: {}",
        "vars: {}",
        "matrix: {}",
        "metadata: {}",
    ],
)
def test_values_at_the_edge_of_what_a_key_takes_are_accepted(line: str) -> None:
    assert plan_of(f"{JOB}{line}\n").runs


@pytest.mark.parametrize(
    ("line", "column", "path", "nearest"),
    [
        ("titel: x", 1, "titel", "title"),
        ("keyword: [x]", 1, "keyword", "keywords"),
        ("max_attempts: 3", 1, "max_attempts", "maxAttempts"),
        ("titel:", 1, "titel", "title"),
        ("metadata: {copyrigth: x}", 12, "metadata.copyrigth", "copyright"),
        ("refs: [{path: a.png, rolle: x}]", 22, "refs.0.rolle", "role"),
        ("refs: [b.png, {pth: a.png}]", 16, "refs.1.pth", "path"),
    ],
)
def test_misspelt_key_is_named_where_it_stands_with_the_nearest_known_one(
    line: str, column: int, path: str, nearest: str
) -> None:
    problem = problems_of(f"{JOB}{line}\n")[-1]

    assert _found(problem) == ("job.unknown_key", 3, column, path)
    assert problem.hint == f"Did you mean `{nearest}`?"


def test_names_of_the_code_are_not_keys_of_a_job_file() -> None:
    problems = problems_of("endpoint_key: local.procedural.image\nparams: {prompt: x}\n")

    assert ("job.unknown_key", "Did you mean `endpointKey`?") in {(each.code, each.hint) for each in problems}


def test_key_that_resembles_nothing_gets_all_known_keys_as_its_hint() -> None:
    (problem,) = problems_of(f"{JOB}zzzz: 1\n")

    assert problem.hint is not None
    assert problem.hint.startswith("Known: ")
    assert "endpointKey" in problem.hint


@pytest.mark.parametrize(
    "line",
    [
        "deliver: [{folder: outbox/dam}]",
        "deliver: 4",
    ],
)
def test_key_without_effect_in_this_version_is_refused_whatever_its_value(line: str) -> None:
    key = line.partition(":")[0]

    (problem,) = problems_of(f"{JOB}{line}\n")

    assert _found(problem) == ("job.not_supported", 3, 1, key)
    assert problem.hint == f"Remove the key `{key}`."


@pytest.mark.parametrize(
    ("line", "path", "expected"),
    [
        ("review: perhaps", "review", "true or false"),
        ("collection: [x]", "collection", "text"),
        ("notBefore: tomorrow", "notBefore", "a time with its zone, such as 2026-12-01T08:00:00Z"),
        ("notBefore: 2026-12-01T08:00:00", "notBefore", "a time with its zone"),
        ("notBefore: 2026-13-01T08:00:00Z", "notBefore", "a time with its zone"),
    ],
)
def test_a_key_of_the_queue_with_a_wrong_value_says_what_it_takes(line, path, expected) -> None:
    (problem,) = problems_of(f"{JOB}{line}\n")

    assert (problem.code, problem.path, problem.line) == ("job.invalid", path, 3)
    assert f"expected {expected}" in problem.message


def test_the_time_before_which_a_job_is_not_run_is_kept_in_utc() -> None:
    job, problems = read_job(parse_one(f"{JOB}notBefore: 2026-12-01T10:00:00+02:00\n"))

    assert problems == []
    assert job is not None
    assert job.not_before == "2026-12-01T08:00:00.000Z"


def test_task_without_a_reference_says_what_its_endpoint_needs() -> None:
    (problem,) = problems_of("task: upscale\nparams: {}\n")

    assert _found(problem) == ("job.invalid_params", 1, 1, "refs")
    assert problem.message == "local.upscale needs a reference picture."


def test_task_beside_an_endpoint_is_a_problem() -> None:
    (problem,) = problems_of(f"{JOB}task: upscale\n")

    assert _found(problem) == ("job.invalid", 3, 7, "task")


@pytest.mark.parametrize(
    "key",
    [
        "task",
        "refs",
        "count",
        "matrix",
        "preset",
        "vars",
        "priority",
        "owner",
        "id",
        "keywords",
        "collection",
        "title",
        "notBefore",
        "maxAttempts",
        "review",
        "deliver",
        "metadata",
        "extra",
        "atomic",
    ],
)
def test_empty_key_behaves_as_if_it_were_absent(key: str) -> None:
    assert plan_of(f"{JOB}{key}:\n") == plan_of(JOB)
    assert plan_of(json_job(**{key: None}), document_format="json").runs == plan_of(JOB).runs


def test_empty_keys_inside_of_maps_behave_as_if_they_were_absent() -> None:
    text = f"{JOB}metadata: {{creator: , copyright: Studio}}\nrefs: [{{path: a.png, media: , role: null}}]\n"

    job = plan_of(text).job

    assert job.metadata.model_dump() == {"copyright": "Studio", "creator": None}
    assert job.refs[0].path == "a.png"


@pytest.mark.parametrize("text", ["endpointKey:\nparams: {prompt: x}\n", "params: {prompt: x}\n"])
def test_job_with_an_empty_or_no_endpoint_is_told_to_name_one(text: str) -> None:
    (problem,) = problems_of(text)

    assert (problem.code, problem.line, problem.path) == ("job.unknown_endpoint", 1, "endpointKey")
    assert "is missing" in problem.message


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"count": "4"}, "count"),
        ({"priority": "5"}, "priority"),
        ({"priority": 5.0}, "priority"),
        ({"title": 2026}, "title"),
        ({"id": 12}, "id"),
        ({"atomic": "true"}, "atomic"),
        ({"keywords": [2026]}, "keywords.0"),
        ({"refs": [5]}, "refs.0.path"),
        ({"refs": [{"sha256": int(DIGITS)}]}, "refs.0.sha256"),
        ({"metadata": {"creator": True}}, "metadata.creator"),
        ({"endpointKey": 5}, "endpointKey"),
    ],
)
def test_json_values_of_another_type_are_refused_and_never_converted(
    keys: dict[str, object], path: str
) -> None:
    (problem,) = problems_of(json_job(**keys), document_format="json")

    assert (problem.code, problem.path) == ("job.invalid", path)


@pytest.mark.parametrize("text", ["- a\n- b\n", "lighthouse\n", "4711\n"])
def test_document_that_is_no_mapping_is_a_parse_problem(text: str) -> None:
    (problem,) = problems_of(text)

    assert (problem.code, problem.line, problem.column) == ("job.parse", 1, 1)


def test_long_and_broken_texts_are_shortened_to_one_line_in_messages() -> None:
    (problem,) = problems_of(json_job(count="x\n" * 5000), document_format="json")

    assert len(problem.message) < 200
    assert "\n" not in problem.message


def test_file_with_thousands_of_faults_is_answered_soon_with_the_first_hundred() -> None:
    node = parse_one(JOB + "".join(f"unknown{number}: 1\n" for number in range(3000)))
    started = time.process_time()

    (problems,) = plan_jobs([node], ENDPOINTS, shelf({}))

    assert time.process_time() - started < 3
    assert isinstance(problems, list)
    assert len(problems) == 100


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["3:2", "512*512", "postcard", "4", -1, 2**31, "local.procedural.image"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["prompt", "size", "steps", "seed", "width", "resolution", "path", "sha256", "role"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
KEYS = st.sampled_from([field.alias or name for name, field in JobFile.model_fields.items()])
JOBS = st.dictionaries(KEYS | st.text(max_size=5), VALUES, max_size=7)
PRESETS = {"postcard": "params: {prompt: 'A card of {place}', size: 768*512, steps: 4}\n"}


@settings(deadline=None, max_examples=200)
@given(job=JOBS, named=st.booleans())
@example(job={"vars": {"function-before": [1]}, "preset": "postcard"}, named=True)
@example(job={"params": {"steps": 10**400}, "matrix": {"steps": []}}, named=True)
def test_any_json_object_gives_a_plan_or_problems_with_a_place_and_a_hint(
    job: dict[str, object], named: bool
) -> None:
    whole = {"endpointKey": "local.procedural.image", **job} if named else job
    try:
        nodes = parse_documents(json.dumps(whole).encode(), "json")
    except JobFileError as error:  # such as half a character behind an escape
        plans: list[JobPlan | list[Problem]] = [error.problems]
    else:
        plans = plan_jobs(nodes, ENDPOINTS, shelf(PRESETS))

    for plan in plans:
        if isinstance(plan, JobPlan):
            assert plan.runs
            assert whole.get("endpointKey") in ENDPOINTS
            continue
        assert plan
        for problem in plan:
            assert problem.line == 1
            assert problem.column is not None
            assert problem.column >= 1
            assert problem.message
            assert problem.hint


@settings(deadline=None, max_examples=100)
@given(job=JOBS, empty=KEYS.filter(lambda key: key not in ("endpointKey", "params")))
def test_null_for_any_optional_key_changes_nothing(job: dict[str, object], empty: str) -> None:
    without = {"endpointKey": "local.procedural.image", **job}
    without.pop(empty, None)
    try:
        first, second = (
            parse_documents(json.dumps(each).encode(), "json")[0]
            for each in (without, without | {empty: None})
        )
    except JobFileError:
        return

    lookup = shelf(PRESETS)

    assert plan_jobs([first], ENDPOINTS, lookup) == plan_jobs([second], ENDPOINTS, lookup)


def test_blanks_around_an_owner_are_no_part_of_the_name() -> None:
    job, problems = read_job(parse_one('endpointKey: local.procedural.image\nowner: " mallory "\n'))

    assert problems == []
    assert job is not None
    assert job.owner == "mallory"


@pytest.mark.parametrize("owner", ["mal\u200blory", "mal\u00adlory", "mal\\nlory", "mal\\u202elory", "  "])
def test_owner_with_what_nobody_sees_is_refused(owner: str) -> None:
    job, problems = read_job(parse_one(f'endpointKey: local.procedural.image\nowner: "{owner}"\n'))

    assert job is None
    assert [_found(each) for each in problems] == [("job.invalid", 2, 8, "owner")]
    assert "a name without invisible characters" in problems[0].message
