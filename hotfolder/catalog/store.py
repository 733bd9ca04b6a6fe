"""Provider files: the endpoints that ship with the package."""

from __future__ import annotations

import json
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from hotfolder.domain.endpoint import Endpoint
from hotfolder.errors import CatalogError


class ProviderFile(BaseModel):
    """One provider with its endpoints."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    provider_id: str
    display_name: str
    endpoints: tuple[Endpoint, ...] = ()


def load_builtin_providers() -> list[ProviderFile]:
    """The provider files of the package, by name; raises CatalogError when one is broken."""
    folder = files("hotfolder.catalog.builtin")
    names = sorted(each.name for each in folder.iterdir() if each.name.endswith(".json"))
    return [parse_provider(name, folder.joinpath(name).read_bytes()) for name in names]


def parse_provider(name: str, data: bytes) -> ProviderFile:
    """A provider file from its JSON; raises CatalogError that names the file and the place."""
    try:
        return ProviderFile.model_validate(json.loads(data))
    except (ValidationError, ValueError, RecursionError) as error:
        raise CatalogError(
            f"The provider file {name} cannot be used: {error}", hint="Mend or remove it."
        ) from error
