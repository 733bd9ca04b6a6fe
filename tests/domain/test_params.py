"""Params against the schema of their endpoint."""

from __future__ import annotations

from typing import Any

import pytest

from hotfolder.domain.endpoint import Endpoint, PropertySchema
from hotfolder.domain.params import ParamNode, check_param, check_params, describe_schema
from tests.domain.job_texts import ENDPOINTS, json_job, parse_one, plan_of, problems_of

HEAD = "endpointKey: local.procedural.image\nparams:\n  prompt: x\n"


def _endpoint(**properties: dict[str, Any]) -> Endpoint:
    return Endpoint.model_validate(
        {
            "endpointKey": "test.endpoint.image",
            "providerId": "test",
            "providerModelId": "test",
            "displayName": "Test",
            "modes": ["text-to-image"],
            "outputType": "image",
            "executionMode": "queued-local",
            "requestSchema": {"properties": properties},
        }
    )


def _param(text: str) -> ParamNode:
    (entry,) = parse_one(text).value
    return ParamNode(entry.key, entry.value)


@pytest.mark.parametrize(
    ("line", "column", "found", "expected", "hint"),
    [
        (
            'steps: "4"',
            10,
            'the text "4"',
            "a whole number from 1 to 10",
            "Write it without quotes: steps: 4",
        ),
        ("steps: 0", 10, "the number 0", "a whole number from 1 to 10", "Give `steps` a whole number"),
        ("steps: 11", 10, "the number 11", "a whole number from 1 to 10", "Give `steps` a whole number"),
        ("steps: 4.0", 10, "the number 4.0", "a whole number from 1 to 10", "Give `steps` a whole number"),
        ("steps: four", 10, 'the text "four"', "a whole number from 1 to 10", "Give `steps` a whole number"),
        ("steps: true", 10, "true", "a whole number from 1 to 10", "Give `steps` a whole number"),
        ("steps: [4]", 10, "a list", "a whole number from 1 to 10", "Give `steps` a whole number"),
        ("caption: yes", 12, 'the text "yes"', "true or false", "Give `caption` true or false"),
        ("caption: 1", 12, "the number 1", "true or false", "Give `caption` true or false"),
        ("width: 63", 10, "the number 63", "a whole number from 64 to 4096", "Give `width`"),
        ("size: {a: b}", 9, "a mapping", "text", "Give `size` text"),
        ("aspectRatio: [3, 2]", 16, "a list", "text", "Give `aspectRatio` text"),
        ("seed: 2147483648", 9, "the number 2147483648", "from -1 to 2147483647", "Give `seed`"),
    ],
)
def test_param_of_the_wrong_type_or_range_is_shown_with_place_and_hint(
    line: str, column: int, found: str, expected: str, hint: str
) -> None:
    (problem,) = problems_of(f"{HEAD}  {line}\n")

    name = line.partition(":")[0]
    assert (problem.code, problem.line, problem.column) == ("job.invalid_params", 4, column)
    assert problem.path == f"params.{name}"
    assert f"`params.{name}` is {found}; expected " in problem.message
    assert expected in problem.message
    assert problem.hint is not None
    assert problem.hint.startswith(hint)


@pytest.mark.parametrize("prompt", ['""', '"   "', "[a]", "{a: b}"])
def test_prompt_without_text_is_a_problem(prompt: str) -> None:
    (problem,) = problems_of(f"endpointKey: local.procedural.image\nparams: {{prompt: {prompt}}}\n")

    assert "expected some text" in problem.message


@pytest.mark.parametrize(
    ("written", "read"), [("2026", "2026"), ("3:2", "3:2"), ("1.0", "1.0"), ("no", "no"), ("0x1F", "0x1F")]
)
def test_text_param_takes_an_unquoted_scalar_as_written(written: str, read: str) -> None:
    (run,) = plan_of(f"endpointKey: local.procedural.image\nparams: {{prompt: {written}}}\n").runs

    assert run.params["prompt"] == read


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"steps": "4"}, "params.steps"),
        ({"width": "512", "height": 512}, "params.width"),
        ({"seed": "42"}, "params.seed"),
        ({"seed": 42.0}, "params.seed"),
        ({"caption": "true"}, "params.caption"),
        ({"prompt": 2026}, "params.prompt"),
        ({"size": 1024}, "params.size"),
        ({"aspectRatio": 1.5}, "params.aspectRatio"),
    ],
)
def test_json_params_of_another_type_are_refused_and_never_converted(
    params: dict[str, object], path: str
) -> None:
    (problem,) = problems_of(json_job(params={"prompt": "x"} | params), document_format="json")

    assert (problem.code, problem.path) == ("job.invalid_params", path)


@pytest.mark.parametrize("key", ["local.flux2-klein-4b.image", "local.flux2-klein-9b.image"])
@pytest.mark.parametrize("name", ["guidance", "cfgScale"])
def test_guidance_of_a_flux_endpoint_is_said_to_be_never_read(key: str, name: str) -> None:
    (problem,) = problems_of(f"endpointKey: {key}\nparams:\n  prompt: x\n  {name}: 3.5\n")

    assert (problem.code, problem.line, problem.column) == ("job.invalid_params", 4, 3)
    assert f"is not a param of {key}" in problem.message
    assert problem.hint is not None
    assert "never reads a guidance scale" in problem.hint


@pytest.mark.parametrize("value", ["4", ""])
def test_misspelt_param_names_the_nearest_one_at_its_key(value: str) -> None:
    (problem,) = problems_of(f"{HEAD}  stepz: {value}\n")

    assert (problem.line, problem.column, problem.path) == (4, 3, "params.stepz")
    assert problem.hint == "Did you mean `steps`?"


def test_param_without_a_value_behaves_as_if_it_were_absent() -> None:
    assert plan_of(f"{HEAD}  steps:\n  seed: ~\n  size: null\n").runs == plan_of(HEAD).runs


def test_integer_is_kept_and_a_number_takes_integers_too() -> None:
    endpoint = _endpoint(strength={"type": "number", "minimum": 0, "maximum": 1})

    assert check_param(endpoint, "strength", _param("strength: 1"))[0] == 1
    assert check_param(endpoint, "strength", _param("strength: 0.25"))[0] == 0.25
    assert check_param(endpoint, "strength", _param("strength: 1.01"))[1] is not None


def test_enum_takes_its_values_only() -> None:
    endpoint = _endpoint(mode={"type": "string", "enum": ["fast", "fine"]})

    assert check_param(endpoint, "mode", _param("mode: fine"))[0] == "fine"
    problem = check_param(endpoint, "mode", _param("mode: Fine"))[1]
    assert problem is not None
    assert "expected one of fast, fine" in problem.message


def test_list_param_keeps_its_items() -> None:
    endpoint = _endpoint(tags={"type": "array", "items": {"type": "string", "minItems": 1, "maxItems": 2}})

    assert check_param(endpoint, "tags", _param("tags: [a, 2026]"))[0] == ["a", "2026"]
    for wrong in ("[]", "[a, b, c]", "[[a]]", "[null]", "a"):
        assert check_param(endpoint, "tags", _param(f"tags: {wrong}"))[1] is not None


def test_list_param_of_unknown_items_is_taken_as_it_is() -> None:
    endpoint = _endpoint(points={"type": "array"})

    assert check_param(endpoint, "points", _param("points: [[1, 2], {a: b}]"))[0] == [[1, 2], {"a": "b"}]


def test_text_longer_than_its_endpoint_takes_is_a_problem() -> None:
    endpoint = _endpoint(label={"type": "string", "maximum": 3})

    assert check_param(endpoint, "label", _param("label: abc"))[1] is None
    problem = check_param(endpoint, "label", _param("label: abcd"))[1]
    assert problem is not None
    assert "text of at most 3 characters" in problem.message


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (PropertySchema(type="integer", minimum=1, maximum=10), "a whole number from 1 to 10"),
        (PropertySchema(type="integer", minimum=1), "a whole number of at least 1"),
        (PropertySchema(type="number", maximum=0.5), "a number of at most 0.5"),
        (
            PropertySchema(type="integer", minimum=-1, maximum=2147483647),
            "a whole number from -1 to 2147483647",
        ),
        (PropertySchema(type="string", minimum=1), "some text"),
        (PropertySchema(type="boolean"), "true or false"),
        (PropertySchema(type="array"), "a list"),
    ],
)
def test_schema_is_described_in_words(schema: PropertySchema, words: str) -> None:
    assert describe_schema(schema) == words


def test_good_params_are_kept_beside_the_problems_of_others() -> None:
    text = "prompt: x\nsteps: 99\nseed: 7\n"
    given = {str(entry.key.value): ParamNode(entry.key, entry.value) for entry in parse_one(text).value}

    values, problems = check_params(ENDPOINTS["local.procedural.image"], given)

    assert values == {"prompt": "x", "seed": 7}
    assert [each.path for each in problems] == ["params.steps"]
