"""hotfolder endpoints and schema: what can be asked for, and in which form."""

from __future__ import annotations

import json
import os

import click

from hotfolder.app import build_catalog
from hotfolder.catalog.endpoints import EndpointCatalog
from hotfolder.cli.opening import find_root
from hotfolder.cli.output import json_option, print_json, print_table, say
from hotfolder.config import Settings, load_settings
from hotfolder.domain.endpoint import Endpoint, PropertySchema
from hotfolder.domain.job_schema import build_job_schema
from hotfolder.domain.params import describe_schema
from hotfolder.errors import LibraryError


@click.group()
def endpoints() -> None:
    """The endpoints that a job may name."""


@endpoints.command("list")
@json_option
@click.pass_context
def list_endpoints(context: click.Context, as_json: bool) -> None:
    """List all endpoints."""
    found = _catalog(context).list()
    if as_json:
        print_json([_to_object(each) for each in found])
        return
    rows = [(each.endpoint_key, each.display_name, ", ".join(each.modes)) for each in found]
    print_table(("Endpoint", "Name", "Modes"), rows)


@endpoints.command()
@click.argument("endpoint_key")
@json_option
@click.pass_context
def show(context: click.Context, endpoint_key: str, as_json: bool) -> None:
    """Show one endpoint and its params."""
    endpoint = _catalog(context).get(endpoint_key)
    if as_json:
        print_json(_to_object(endpoint))
        return
    say(f"{endpoint.endpoint_key}: {endpoint.display_name}")
    say(f"Modes: {', '.join(endpoint.modes)}; at most {endpoint.limits.refs} reference pictures.\n")
    schema_of = endpoint.request_schema
    rows = [
        (
            name,
            describe_schema(each),
            "required" if name in schema_of.required else _default_of(each),
            each.description,
        )
        for name, each in schema_of.properties.items()
    ]
    print_table(("Param", "Takes", "Default", "Meaning"), rows)


@click.command()
@click.argument("kind", type=click.Choice(["job", "endpoint"]))
@click.pass_context
def schema(context: click.Context, kind: str) -> None:
    """Print the JSON Schema of a job file or an endpoint."""
    if kind == "job":
        print_json(build_job_schema(_catalog(context).list()))
    else:
        dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        print_json(dialect | Endpoint.model_json_schema(by_alias=True))


def _catalog(context: click.Context) -> EndpointCatalog:
    """The endpoints of the library in question; without one those of the package."""
    try:
        root = find_root(context)
    except LibraryError:
        return build_catalog(Settings())
    return build_catalog(load_settings(root, os.environ).settings)


def _default_of(schema: PropertySchema) -> str:
    """The default as a job file would write it."""
    if schema.default is None:
        return ""
    return schema.default if isinstance(schema.default, str) else json.dumps(schema.default)


def _to_object(endpoint: Endpoint) -> object:
    return endpoint.model_dump(mode="json", by_alias=True, exclude_none=True)
