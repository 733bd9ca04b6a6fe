"""Endpoints: what can be asked of a provider, in one canonical form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

PropertyType = Literal["string", "number", "integer", "boolean", "array"]


class _Canonical(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class ItemsSchema(_Canonical):
    """What an array property holds, and how many."""

    type: PropertyType
    min_items: int | None = None
    max_items: int | None = None


class PropertyUi(_Canonical):
    """How a form shows a property."""

    component: str | None = None
    placeholder: str | None = None
    hidden: bool = False
    transform_map: dict[str, Any] | None = None


class PropertySchema(_Canonical):
    """One param of an endpoint."""

    type: PropertyType
    title: str | None = None
    description: str | None = None
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    enum: tuple[str | int | float, ...] | None = None
    items: ItemsSchema | None = None
    ui: PropertyUi | None = None


class RequestSchema(_Canonical):
    """All params of an endpoint, which must be given, and their order in a form."""

    properties: dict[str, PropertySchema]
    required: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


class Limits(_Canonical):
    """What an endpoint takes at most: references, and the grid and number of pixels of its pictures.

    `full_size_refs`: the engine gets references with all of their pixels and their transparency.
    """

    refs: int = 0
    full_size_refs: bool = False
    size_multiple: int = 1
    max_pixels: int | None = None


class UiGroup(_Canonical):
    """A group of controls in a form."""

    id: str
    label: str
    order: int | None = None


class UiControl(_Canonical):
    """Where a control stands in a form."""

    group: str | None = None
    order: int | None = None
    graphical: bool | None = None


class UiSchema(_Canonical):
    """Groups and places of an endpoint's controls."""

    groups: tuple[UiGroup, ...] = ()
    controls: dict[str, UiControl] = Field(default_factory=dict)


class Endpoint(_Canonical):
    """A canonical endpoint (PRODUCT names: endpointKey, providerId, ...)."""

    endpoint_key: str
    provider_id: str
    provider_model_id: str
    canonical_model_id: str | None = None
    display_name: str
    modes: tuple[Literal["text-to-image", "image-to-image", "text-to-video", "image-to-video"], ...]
    output_type: Literal["image", "video"]
    execution_mode: Literal["queued-local", "remote-async"]
    request_schema: RequestSchema
    ui_schema: UiSchema = UiSchema()
    limits: Limits = Limits()
    tags: tuple[str, ...] = ()
    absent_params: Mapping[str, str] = Field(default_factory=dict)
    """Params that users expect here, with the reason why there are none."""

    @property
    def takes_size(self) -> bool:
        """Whether a job may say how large its pictures are; else that follows from the reference."""
        return "width" in self.request_schema.properties
