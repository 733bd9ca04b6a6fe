"""Job files as texts, planned with the built-in endpoints and with presets given as texts."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hotfolder.catalog.endpoints import EndpointCatalog
from hotfolder.catalog.store import load_builtin_providers
from hotfolder.domain.document import DocumentFormat, Node, parse_documents
from hotfolder.domain.params import ParamNode
from hotfolder.domain.plan import JobPlan, plan_jobs
from hotfolder.domain.presets import PresetLookup, read_preset
from hotfolder.errors import Problem

ENDPOINTS = EndpointCatalog(load_builtin_providers()).by_key
JOB = "endpointKey: local.procedural.image\nparams: {prompt: A quiet bay}\n"
"""Two lines that are a sound job; what a test adds starts on line 3."""


def parse_one(text: str, document_format: DocumentFormat = "yaml") -> Node:
    (node,) = parse_documents(text.encode(), document_format)
    return node


def shelf(presets: Mapping[str, str]) -> PresetLookup:
    def find(name: str) -> dict[str, ParamNode] | list[Problem]:
        if name not in presets:
            return [Problem("job.invalid_params", f"There is no preset `{name}`.", "Choose another.")]
        return read_preset(name, parse_one(presets[name]))

    return find


def plan_all(
    text: str, *, presets: Mapping[str, str] | None = None, document_format: DocumentFormat = "yaml"
) -> list[JobPlan | list[Problem]]:
    nodes = parse_documents(text.encode(), document_format)
    return plan_jobs(nodes, ENDPOINTS, shelf(presets or {}))


def plan_of(
    text: str, *, presets: Mapping[str, str] | None = None, document_format: DocumentFormat = "yaml"
) -> JobPlan:
    """The plan of a sound file with one job."""
    (plan,) = plan_all(text, presets=presets, document_format=document_format)
    assert isinstance(plan, JobPlan), plan
    return plan


def problems_of(
    text: str, *, presets: Mapping[str, str] | None = None, document_format: DocumentFormat = "yaml"
) -> list[Problem]:
    """What is wrong with a file with one job."""
    (plan,) = plan_all(text, presets=presets, document_format=document_format)
    assert isinstance(plan, list), plan
    return plan


def json_job(**keys: object) -> str:
    """A sound job as JSON, with keys added or replaced."""
    job: dict[str, object] = {"endpointKey": "local.procedural.image", "params": {"prompt": "A quiet bay"}}
    return json.dumps(job | keys)
