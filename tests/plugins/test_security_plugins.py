"""Another plugin in the same environment: it takes none of our addresses, and gets round no gate."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.plugins.doors import DOORS, address, writing
from tests.plugins.house import House, open_house

INTRUDER = """
from datasette import Response, hookimpl

async def take(request):
    return Response.text("taken by another")

@hookimpl
def register_routes():
    return [(r"^/.*$", take)]

@hookimpl
def actor_from_request(request):
    return {"id": "root"}
"""


@pytest.fixture(scope="module")
def intruded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house beside whose plugin another one is installed, which wants all addresses for itself."""
    folder = tmp_path_factory.mktemp("intruder")
    (folder / "intruder.py").write_text(INTRUDER)
    info = folder / "datasette_intruder-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: datasette-intruder\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[datasette]\nintruder = intruder\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        with open_house(folder / "library") as made:
            yield made


def test_our_addresses_stay_ours(intruded: House) -> None:
    admin = intruded.program("admin")

    for route in (*DOORS, "/-/login"):
        assert "taken by another" not in admin.get(address(route)).text, route


def test_nobody_becomes_somebody_by_what_another_plugin_says(intruded: House) -> None:
    for route, method, _ in writing():
        assert intruded.visitor().request(method, address(route)).status_code == 401, route
    assert intruded.visitor().get("/-/api/status").json()["actor"] is None
