"""The JSON Schema of job files, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hotfolder.domain.document import parse_documents, to_plain
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.job import NOT_SUPPORTED, JobFile
from hotfolder.domain.job_schema import build_job_schema
from tests.domain.job_texts import ENDPOINTS, parse_one

EXAMPLES = Path(__file__).parents[2] / "example-library" / "inbox"
SCHEMA = build_job_schema(list(ENDPOINTS.values()))
VALIDATOR = Draft202012Validator(SCHEMA)
FLUX = "endpointKey: local.flux2-klein-4b.image\n"


def _faults(text: str) -> list[str]:
    """Where the schema finds fault with a job, as paths."""
    job = to_plain(parse_one(text))
    return sorted(each.json_path for each in VALIDATOR.iter_errors(job))


def test_schema_is_itself_a_valid_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ["01-lighthouse.yaml", "02-from-a-sketch.yaml", "03-contact-sheet.yaml"])
def test_example_job_is_valid(name: str) -> None:
    (node,) = parse_documents((EXAMPLES / name).read_bytes(), "yaml")

    assert [each.message for each in VALIDATOR.iter_errors(to_plain(node))] == []


def test_example_that_is_broken_on_purpose_is_not_valid() -> None:
    text = (EXAMPLES / "04-broken-on-purpose.yaml").read_text(encoding="utf-8")

    assert _faults(text) == ["$", "$.endpointKey"]


def test_misspelt_key_is_refused() -> None:
    assert _faults(f"{FLUX}params: {{prompt: x}}\ntitel: x\n") == ["$"]


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ("{prompt: x, steps: 11}", "$.params.steps"),
        ("{prompt: x, steps: 0}", "$.params.steps"),
        ('{prompt: x, steps: "4"}', "$.params.steps"),
        ('{prompt: ""}', "$.params.prompt"),
        ("{prompt: x, seed: -2}", "$.params.seed"),
        ("{prompt: x, sampling_method: ddim}", "$.params.sampling_method"),
        ("{prompt: x, guidance: 3.5}", "$.params"),
    ],
)
def test_params_are_checked_against_the_named_endpoint(params: str, path: str) -> None:
    assert _faults(f"{FLUX}params: {params}\n") == [path]


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("count: 0", "$.count"),
        ("count: 65", "$.count"),
        ("priority: 101", "$.priority"),
        ("matrix: {steps: []}", "$.matrix.steps"),
        ("maxAttempts: 0", "$.maxAttempts"),
        ("refs: [{rolle: x}]", "$.refs[0]"),
        ("refs: [{sha256: abc}]", "$.refs[0]"),
        ("metadata: {copyrigth: x}", "$.metadata"),
        ("keywords: spring", "$.keywords"),
    ],
)
def test_keys_are_checked_like_those_of_a_job_file(line: str, path: str) -> None:
    assert _faults(f"{FLUX}params: {{prompt: x}}\n{line}\n") == [path]


def test_references_may_be_text_or_mappings() -> None:
    text = f"{FLUX}params: {{prompt: x}}\nrefs: [a.png, {{path: b.png, role: style}}, {{media: c}}]\n"

    assert _faults(text) == []


def test_keys_without_effect_are_not_offered() -> None:
    assert not set(NOT_SUPPORTED) & set(SCHEMA["properties"])


def test_every_other_key_is_offered_with_words_or_a_type() -> None:
    keys = {field.alias or name for name, field in JobFile.model_fields.items()}

    assert set(SCHEMA["properties"]) == keys - set(NOT_SUPPORTED)
    assert SCHEMA["additionalProperties"] is False


def test_list_and_text_limits_of_a_param_are_in_the_schema() -> None:
    properties: dict[str, Any] = {
        "tags": {"type": "array", "items": {"type": "string", "minItems": 1, "maxItems": 2}},
        "label": {"type": "string", "minimum": 2, "maximum": 3},
        "strength": {"type": "number", "minimum": 0.5, "maximum": 1},
    }
    endpoint = Endpoint.model_validate(
        ENDPOINTS["local.procedural.image"].model_dump(by_alias=True)
        | {"endpointKey": "test.image", "requestSchema": {"properties": properties}}
    )
    validator = Draft202012Validator(build_job_schema([endpoint]))

    def is_valid(**params: object) -> bool:
        return validator.is_valid({"endpointKey": "test.image", "params": params})

    assert is_valid(tags=["a", "b"], label="abc", strength=0.5)
    assert not is_valid(tags=[])
    assert not is_valid(tags=["a", "b", "c"])
    assert not is_valid(tags=[1])
    assert not is_valid(label="a")
    assert not is_valid(label="abcd")
    assert not is_valid(strength=0.4)
