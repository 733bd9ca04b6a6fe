"""Endpoints of the model sets in the settings, for an engine that runs any of them."""

from __future__ import annotations

from collections.abc import Iterable

from hotfolder.catalog.endpoints import EndpointCatalog
from hotfolder.catalog.store import ProviderFile
from hotfolder.domain.endpoint import Endpoint

TEMPLATE = "local.flux2-klein-4b.image"


def build_set_endpoints(model_sets: Iterable[str], providers: Iterable[ProviderFile]) -> ProviderFile:
    """`local.sdcpp.SET.image` for each set, with the params of the FLUX.2 Klein endpoint."""
    template = EndpointCatalog(providers).get(TEMPLATE)
    endpoints = tuple(_build_endpoint(each, template) for each in model_sets)
    return ProviderFile(provider_id="local", display_name="This machine", endpoints=endpoints)


def _build_endpoint(model_set: str, template: Endpoint) -> Endpoint:
    return template.model_copy(
        update={
            "endpoint_key": f"local.sdcpp.{model_set}.image",
            "provider_model_id": f"sdcpp/{model_set}",
            "canonical_model_id": None,
            "display_name": f"{model_set} (stable-diffusion.cpp)",
            "tags": ("sdcpp",),
        }
    )
