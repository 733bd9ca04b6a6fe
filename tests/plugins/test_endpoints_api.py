"""Endpoints and presets over the API: as the library has them, with what this machine lacks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.plugins.house import House

ENDPOINTS = "/-/api/endpoints"
PRESETS = "/-/api/presets"
KLEIN = "local.flux2-klein-4b.image"
SHOT = """
title: Shot
description: "One thing: <script>alert(1)</script>"
params: {prompt: "{product} on {ground}, {product} again, {{no}}", size: 768*768, steps: 6}
"""


@pytest.fixture(scope="module")
def anna(house: House) -> httpx.Client:
    return house.program("read", "anna")


@pytest.fixture
def presets(house: House) -> Iterator[Path]:
    folder = house.root / "presets"
    (folder / "shot.yaml").write_text(SHOT)
    (folder / "broken.yaml").write_text("params: [1")
    yield folder
    for each in folder.iterdir():
        each.unlink()


def items_of(client: httpx.Client, **query: str) -> dict[str, dict[str, Any]]:
    answer = client.get(ENDPOINTS, params=query)
    assert answer.status_code == 200, answer.text
    return {each["endpointKey"]: each for each in answer.json()["items"]}


def test_endpoints_are_those_of_the_command_line(house: House, anna: httpx.Client) -> None:
    command = [sys.executable, "-m", "hotfolder", "--library", str(house.root), "endpoints", "list", "--json"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    found = [
        {name: value for name, value in each.items() if name not in ("available", "problem")}
        for each in items_of(anna).values()
    ]
    assert found == told


def test_endpoint_alone_is_what_it_is_in_the_list(anna: httpx.Client) -> None:
    assert anna.get(f"{ENDPOINTS}/{KLEIN}").json() == items_of(anna)[KLEIN]


def test_what_this_machine_lacks_for_an_endpoint_is_told(anna: httpx.Client, visitor: httpx.Client) -> None:
    found = items_of(anna)

    assert (found["local.procedural.image"]["available"], found["local.procedural.image"]["problem"]) == (
        True,
        None,
    )
    assert found["local.upscale"]["available"] is True
    assert found[KLEIN]["available"] is False
    assert "cn-engine" in found[KLEIN]["problem"] or "models.sets" in found[KLEIN]["problem"]
    assert {each["problem"] for each in items_of(visitor).values()} == {None}


def test_endpoints_are_chosen_by_provider_and_by_what_comes_out(anna: httpx.Client) -> None:
    assert items_of(anna, provider="local", outputType="image").keys() == items_of(anna).keys()
    assert items_of(anna, provider="nobody") == items_of(anna, outputType="video") == {}
    assert anna.get(ENDPOINTS, params={"outputType": "sound"}).status_code == 400


def test_unknown_endpoint_is_not_found_and_the_nearest_one_is_named(anna: httpx.Client) -> None:
    answer = anna.get(f"{ENDPOINTS}/local.procedurel.image")

    assert answer.status_code == 404
    assert "local.procedural.image" in answer.json()["error"]["hint"]


def test_presets_come_with_the_names_that_have_to_be_filled(anna: httpx.Client, presets: Path) -> None:
    items = {each["name"]: each for each in anna.get(PRESETS).json()["items"]}

    assert items["shot"] == {
        "name": "shot",
        "title": "Shot",
        "description": "One thing: <script>alert(1)</script>",
        "params": {
            "prompt": "{product} on {ground}, {product} again, {{no}}",
            "size": "768*768",
            "steps": 6,
        },
        "vars": ["product", "ground"],
        "problem": None,
    }
    assert (items["broken"]["params"], items["broken"]["vars"]) == ({}, [])
    assert "presets/broken.yaml" in items["broken"]["problem"]


def test_preset_that_is_written_meanwhile_is_there_at_once(anna: httpx.Client, presets: Path) -> None:
    (presets / "new.yaml").write_text("params: {prompt: A bay}\n")

    assert "new" in [each["name"] for each in anna.get(PRESETS).json()["items"]]


def test_presets_are_for_members(visitor: httpx.Client) -> None:
    assert visitor.get(PRESETS).status_code == 401


@pytest.mark.parametrize("path", [ENDPOINTS, f"{ENDPOINTS}/{KLEIN}", PRESETS])
def test_endpoints_and_presets_are_only_read(anna: httpx.Client, path: str) -> None:
    assert anna.post(path, json={}).status_code == 405
