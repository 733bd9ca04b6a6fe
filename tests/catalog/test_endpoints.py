"""Endpoints by key."""

from __future__ import annotations

import pytest

from hotfolder.catalog.endpoints import EndpointCatalog
from hotfolder.catalog.store import ProviderFile, load_builtin_providers
from hotfolder.errors import CatalogError

CATALOG = EndpointCatalog(load_builtin_providers())


def test_endpoint_is_found_by_its_key() -> None:
    assert CATALOG.get("local.procedural.image").display_name == "Procedural (no AI model)"


def test_unknown_endpoint_is_an_error_that_names_the_nearest_key() -> None:
    with pytest.raises(CatalogError) as refused:
        CATALOG.get("local.procedurall.image")

    assert refused.value.code == "job.unknown_endpoint"
    assert refused.value.hint == "Did you mean `local.procedural.image`?"


def test_key_that_resembles_none_lists_all_endpoints() -> None:
    with pytest.raises(CatalogError) as refused:
        CATALOG.get("zzz")

    assert refused.value.hint == "Known: " + ", ".join(sorted(CATALOG.by_key)) + "."


def test_endpoints_are_listed_by_key() -> None:
    keys = [each.endpoint_key for each in CATALOG.list()]

    assert keys == sorted(CATALOG.by_key)
    assert "local.flux2-klein-4b.image" in keys


def test_endpoint_of_a_later_provider_wins_over_an_earlier_one() -> None:
    mine = CATALOG.get("local.procedural.image").model_copy(update={"display_name": "Mine"})
    provider = ProviderFile.model_validate({"providerId": "mine", "displayName": "Mine", "endpoints": [mine]})

    catalog = EndpointCatalog([*load_builtin_providers(), provider])

    assert catalog.get("local.procedural.image").display_name == "Mine"
    assert len(catalog.list()) == len(CATALOG.list())
