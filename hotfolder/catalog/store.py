"""Provider files: the endpoints that ship with the package."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from hotfolder.domain.endpoint import Endpoint
from hotfolder.errors import CatalogError

_FOLDER: Final = "hotfolder.catalog.builtin"
_EXTRA: Final = "extra-"


class ProviderFile(BaseModel):
    """One provider with its endpoints."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    provider_id: str
    display_name: str
    endpoints: tuple[Endpoint, ...] = ()


def load_builtin_providers() -> list[ProviderFile]:
    """The provider files of the package, by name; raises CatalogError when one is broken."""
    names = sorted(each.name for each in files(_FOLDER).iterdir() if each.name.endswith(".json"))
    return [_load(name) for name in names if not name.startswith(_EXTRA)]


def load_extra_provider(extra: str) -> ProviderFile:
    """The endpoints of the package that are there with one of its extras only."""
    return _load(f"{_EXTRA}{extra}.json")


def _load(name: str) -> ProviderFile:
    return parse_provider(name, files(_FOLDER).joinpath(name).read_bytes())


def parse_provider(name: str, data: bytes) -> ProviderFile:
    """A provider file from its JSON; raises CatalogError that names the file and the place."""
    try:
        return ProviderFile.model_validate(json.loads(data))
    except (ValidationError, ValueError, RecursionError) as error:
        raise CatalogError(
            f"The provider file {name} cannot be used: {error}", hint="Mend or remove it."
        ) from error
