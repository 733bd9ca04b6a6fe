"""Provider files: those of the package, and what is said of a broken one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hotfolder.catalog.store import load_builtin_providers, load_extra_provider, parse_provider
from hotfolder.domain.document import parse_documents
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.params import ParamNode, check_param
from hotfolder.errors import CatalogError

BUILTIN = [endpoint for provider in load_builtin_providers() for endpoint in provider.endpoints]
KEYS = [each.endpoint_key for each in BUILTIN]


def _provider(**changes: Any) -> bytes:
    endpoint = BUILTIN[0].model_dump(by_alias=True, mode="json") | changes
    return json.dumps({"providerId": "mine", "displayName": "Mine", "endpoints": [endpoint]}).encode()


def _param(name: str, value: object) -> ParamNode:
    (node,) = parse_documents(json.dumps({name: value}).encode(), "json")
    return ParamNode(node.value[0].key, node.value[0].value)


def test_package_brings_the_local_endpoints() -> None:
    assert {
        "local.flux2-klein-4b.image",
        "local.flux2-klein-9b.image",
        "local.procedural.image",
    } <= set(KEYS)
    assert len(KEYS) == len(set(KEYS))


@pytest.mark.parametrize("endpoint", BUILTIN, ids=KEYS)
def test_order_required_and_controls_of_an_endpoint_name_its_params(endpoint: Endpoint) -> None:
    schema = endpoint.request_schema
    groups = {each.id for each in endpoint.ui_schema.groups}

    assert sorted(schema.order) == sorted(schema.properties)
    assert set(schema.required) <= set(schema.properties)
    assert set(endpoint.ui_schema.controls) <= set(schema.properties)
    assert {each.group for each in endpoint.ui_schema.controls.values()} <= groups
    assert not set(endpoint.absent_params) & set(schema.properties)


@pytest.mark.parametrize("endpoint", BUILTIN, ids=KEYS)
def test_every_default_of_an_endpoint_is_a_value_that_it_takes(endpoint: Endpoint) -> None:
    defaults = {
        name: each.default
        for name, each in endpoint.request_schema.properties.items()
        if each.default is not None
    }

    assert defaults
    for name, default in defaults.items():
        assert check_param(endpoint, name, _param(name, default)) == (default, None)


@pytest.mark.parametrize("endpoint", BUILTIN, ids=KEYS)
def test_every_param_of_an_endpoint_has_a_title_and_words(endpoint: Endpoint) -> None:
    for each in endpoint.request_schema.properties.values():
        assert each.title
        assert each.description


@pytest.mark.parametrize("key", ["local.flux2-klein-4b.image", "local.flux2-klein-9b.image"])
def test_flux_endpoint_takes_one_to_ten_steps_eight_references_and_euler(key: str) -> None:
    endpoint = BUILTIN[KEYS.index(key)]
    steps = endpoint.request_schema.properties["steps"]

    assert (steps.minimum, steps.maximum, steps.default) == (1, 10, 4)
    assert endpoint.request_schema.properties["sampling_method"].enum == ("euler",)
    assert (endpoint.limits.refs, endpoint.limits.size_multiple) == (8, 16)
    assert set(endpoint.modes) == {"text-to-image", "image-to-image"}
    assert endpoint.execution_mode == "queued-local"
    assert "guidance" in endpoint.absent_params


def test_provider_file_is_read() -> None:
    provider = parse_provider("mine.json", _provider(endpointKey="mine.a.image"))

    assert provider.provider_id == "mine"
    assert [each.endpoint_key for each in provider.endpoints] == ["mine.a.image"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "Expecting"),
        (b"\xff", "decode"),
        (b"[" * 100_000, "recursion"),
        (b"[]", "ProviderFile"),
        (b'{"providerId": "mine"}', "displayName"),
        (_provider(colour="red"), "endpoints.0.colour"),
        (_provider(outputType="sound"), "endpoints.0.outputType"),
        (_provider(requestSchema={"properties": {"a": {"type": "text"}}}), "requestSchema.properties.a.type"),
    ],
)
def test_broken_provider_file_is_named_with_the_place_of_its_fault(data: bytes, words: str) -> None:
    with pytest.raises(CatalogError, match=words) as refused:
        parse_provider("mine.json", data)

    assert "mine.json" in refused.value.message
    assert refused.value.hint


def test_endpoints_of_an_extra_are_asked_for_by_its_name() -> None:
    (endpoint,) = load_extra_provider("style").endpoints

    assert endpoint.endpoint_key == "local.style-transfer.image"
    assert endpoint.endpoint_key not in KEYS
    assert (endpoint.limits.refs, endpoint.takes_size) == (2, False)
    assert sorted(endpoint.request_schema.order) == sorted(endpoint.request_schema.properties)
