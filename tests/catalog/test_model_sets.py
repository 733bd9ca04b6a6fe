"""Endpoints that model sets of the settings bring."""

from __future__ import annotations

from hotfolder.catalog.endpoints import EndpointCatalog
from hotfolder.catalog.model_sets import TEMPLATE, build_set_endpoints
from hotfolder.catalog.store import load_builtin_providers

BUILTIN = load_builtin_providers()


def test_each_model_set_has_an_endpoint_with_the_params_of_flux2_klein() -> None:
    catalog = EndpointCatalog([*BUILTIN, build_set_endpoints(["flux2-klein-9b", "mine"], BUILTIN)])

    mine = catalog.get("local.sdcpp.mine.image")
    assert mine.provider_model_id == "sdcpp/mine"
    assert mine.display_name == "mine (stable-diffusion.cpp)"
    assert mine.canonical_model_id is None, "nothing is known of the set but its name"
    template = catalog.get(TEMPLATE)
    assert (mine.request_schema, mine.modes, mine.limits) == (
        template.request_schema,
        template.modes,
        template.limits,
    )
    assert "local.sdcpp.flux2-klein-9b.image" in catalog.by_key


def test_without_model_sets_there_is_no_such_endpoint() -> None:
    assert build_set_endpoints([], BUILTIN).endpoints == ()
