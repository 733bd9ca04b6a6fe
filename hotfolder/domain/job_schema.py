"""The JSON Schema of job files, for editors: the keys of a job, and the params of each endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hotfolder.domain.endpoint import Endpoint, PropertySchema
from hotfolder.domain.job import NOT_SUPPORTED, JobFile

SCHEMA_ID = "https://hotfolder.dev/schema/job-file.schema.json"


def build_job_schema(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """JSON Schema (2020-12) of one job; keys without effect in this version are left out."""
    schema = JobFile.model_json_schema(by_alias=True)
    properties = schema["properties"]
    for name in NOT_SUPPORTED:
        del properties[name]
    properties["endpointKey"] = {
        "description": "Which endpoint makes the picture.",
        "enum": [each.endpoint_key for each in endpoints],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **schema,
        "title": "hotfolder job file",
        "allOf": [_when_endpoint(each) for each in endpoints],
    }


def _when_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    params = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: _to_json_schema(each) for name, each in endpoint.request_schema.properties.items()
        },
    }
    return {
        "if": {"properties": {"endpointKey": {"const": endpoint.endpoint_key}}, "required": ["endpointKey"]},
        "then": {"properties": {"params": params}},
    }


def _to_json_schema(each: PropertySchema) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": each.type}
    texts = {"title": each.title, "description": each.description, "default": each.default}
    schema |= {key: value for key, value in texts.items() if value is not None}
    if each.enum is not None:
        schema["enum"] = list(each.enum)
    if each.type in ("integer", "number"):
        bounds = {"minimum": each.minimum, "maximum": each.maximum}
        schema |= {key: _whole(value) for key, value in bounds.items() if value is not None}
    if each.type == "string":
        lengths = {"minLength": each.minimum, "maxLength": each.maximum}
        schema |= {key: int(value) for key, value in lengths.items() if value is not None}
    if each.items is not None:
        schema["items"] = {"type": each.items.type}
        counts = {"minItems": each.items.min_items, "maxItems": each.items.max_items}
        schema |= {key: value for key, value in counts.items() if value is not None}
    return schema


def _whole(value: float) -> int | float:
    return int(value) if value == int(value) else value
