"""Endpoints by key: list and get; never touches the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from hotfolder.catalog.store import ProviderFile
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.nearest import did_you_mean
from hotfolder.errors import CatalogError


class EndpointCatalog:
    """All endpoints that a job may name."""

    def __init__(self, providers: Iterable[ProviderFile]) -> None:
        found: dict[str, Endpoint] = {}
        for provider in providers:
            found |= {each.endpoint_key: each for each in provider.endpoints}
        self.by_key: Mapping[str, Endpoint] = MappingProxyType(found)

    def get(self, endpoint_key: str) -> Endpoint:
        """The endpoint; raises CatalogError with the nearest key as a hint."""
        if endpoint_key not in self.by_key:
            hint = did_you_mean(endpoint_key, self.by_key)
            raise CatalogError(
                f"There is no endpoint `{endpoint_key}`.", code="job.unknown_endpoint", hint=hint
            )
        return self.by_key[endpoint_key]

    def list(self) -> list[Endpoint]:
        """All endpoints by key."""
        return [self.by_key[key] for key in sorted(self.by_key)]
