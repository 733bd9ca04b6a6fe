"""Scripts and styles: kept for good under their version, whatever else is asked for."""

from __future__ import annotations

import re

import httpx
import pytest
from datasette_hotfolder.assets import FOLDER, find_version


def test_every_script_that_a_page_names_is_kept_for_good(visitor: httpx.Client) -> None:
    page = visitor.get("/-/library").text

    named = set(re.findall(r'(?:src|href)="(/-/assets/[^"]+)"', page))
    assert len(named) > 5
    for each in named:
        answer = visitor.get(each)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_each_script_and_style_comes_as_it_is_with_its_type(visitor: httpx.Client) -> None:
    for file in FOLDER.iterdir():
        answer = visitor.get(f"/-/assets/{find_version()}/{file.name}")
        assert answer.content == file.read_bytes()
        assert answer.headers["content-type"].startswith(("text/javascript", "text/css", "image/svg+xml"))


def test_an_address_of_an_earlier_version_gives_what_there_is_and_is_not_kept(visitor: httpx.Client) -> None:
    answer = visitor.get("/-/assets/0123456789abcdef/library.js")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["none.js", "../plain.py", "..%2fplain.py", "library.js%00", "__init__.py", "library.JS"]
)
def test_nothing_else_is_there(visitor: httpx.Client, name: str) -> None:
    answer = visitor.get(f"/-/assets/{find_version()}/{name}")

    assert not answer.is_success  # Datasette leads some of them to where there is nothing either


def test_a_head_has_no_body_and_a_forged_host_no_file(visitor: httpx.Client) -> None:
    path = f"/-/assets/{find_version()}/library.js"

    assert visitor.head(path).content == b""
    assert visitor.get(path, headers={"Host": "evil.example"}).status_code == 421
