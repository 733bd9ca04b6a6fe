"""hotfolder endpoints and schema."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from hotfolder.cli.demo import find_examples
from hotfolder.domain.document import parse_documents, to_plain
from tests.cli.conftest import Command


def test_list_names_the_built_in_endpoints_without_a_library(command: Command) -> None:
    outcome = command("endpoints", "list")

    assert outcome.code == 0
    for key in ("local.procedural.image", "local.flux2-klein-4b.image", "local.flux2-klein-9b.image"):
        assert key in outcome.out


def test_list_as_json_is_an_array_of_objects_in_camel_case(command: Command) -> None:
    found = command("endpoints", "list", "--json").json

    keys = [each["endpointKey"] for each in found]
    assert keys == sorted(keys)
    assert all({"providerId", "displayName", "modes", "requestSchema"} <= set(each) for each in found)


def test_show_tells_each_param_with_its_default(command: Command) -> None:
    outcome = command("endpoints", "show", "local.procedural.image")

    lines = {line.split()[0]: line for line in outcome.out.splitlines() if line}
    assert outcome.code == 0
    assert "required" in lines["prompt"]
    assert "a whole number from" in lines["steps"]
    assert "True" not in outcome.out, "defaults stand there as a job file writes them"


def test_show_as_json_is_one_object(command: Command) -> None:
    found = command("endpoints", "show", "local.procedural.image", "--json").json

    assert found["endpointKey"] == "local.procedural.image"
    assert found["requestSchema"]["required"] == ["prompt"]


def test_unknown_endpoint_names_the_nearest_one(command: Command) -> None:
    outcome = command("endpoints", "show", "local.procedurall.image")

    assert outcome.code == 1
    assert "[job.unknown_endpoint]" in outcome.err
    assert "Did you mean `local.procedural.image`?" in outcome.err


@pytest.mark.parametrize("kind", ["job", "endpoint"])
def test_schemas_are_valid_json_schemas(kind: str, command: Command) -> None:
    found = command("schema", kind).json

    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(found)


def read_examples() -> list[tuple[str, object]]:
    files = sorted(Path(find_examples(), "inbox").glob("*.yaml"))
    return [(each.name, to_plain(parse_documents(each.read_bytes(), "yaml")[0])) for each in files]


def test_every_sound_example_fits_the_schema_and_the_broken_one_does_not(command: Command) -> None:
    validator = jsonschema.Draft202012Validator(command("schema", "job").json)

    fits = {name: validator.is_valid(job) for name, job in read_examples()}

    assert fits == {name: not name.startswith("04-broken") for name in fits}
    assert len(fits) == 4


def test_every_endpoint_fits_its_schema(command: Command) -> None:
    validator = jsonschema.Draft202012Validator(command("schema", "endpoint").json)

    for each in command("endpoints", "list", "--json").json:
        validator.validate(each)
