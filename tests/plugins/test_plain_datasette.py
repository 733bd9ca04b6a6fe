"""The plugin in a Datasette that hotfolder did not start: no route, no gate, no harm."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import datasette_hotfolder
import pytest
from datasette.app import Datasette
from datasette_hotfolder import compat


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Somebody else's database, with names like ours in it."""
    path = tmp_path / "library.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE media (id TEXT PRIMARY KEY, name TEXT)")
    connection.execute("INSERT INTO media VALUES ('m', '<b>bold</b>')")
    connection.commit()
    connection.close()
    return path


def ask(database: Path, test: Callable[[Any], Awaitable[None]]) -> None:
    """Run one test against a plain Datasette, in this process."""

    async def run() -> None:
        datasette = Datasette(files=[str(database)])
        await datasette.invoke_startup()
        try:
            await test(datasette)
        finally:
            close = getattr(datasette, "close", None)  # 1.0 has one
            if close is not None:
                result = close()
                if asyncio.iscoroutine(result):
                    await result

    asyncio.run(run())


def test_none_of_our_routes_is_there(database: Path) -> None:
    async def test(datasette: Any) -> None:
        for path in ("/-/library", "/-/api/media", "/media/m/original"):
            assert (await datasette.client.get(path)).status_code == 404, path

    ask(database, test)


def test_its_own_pages_are_as_they_were(database: Path) -> None:
    async def test(datasette: Any) -> None:
        for path in (
            "/",
            "/library",
            "/library/media",
            "/library/media.json",
            "/-/plugins.json",
            "/-/versions.json",
        ):
            answer = await datasette.client.get(path)
            assert answer.status_code == 200, path
            assert "tables.css" not in answer.text
            assert "Light table" not in answer.text
            assert "x-frame-options" not in answer.headers
        assert "&lt;b&gt;bold&lt;/b&gt;" in (await datasette.client.get("/library/media")).text

    ask(database, test)


def test_any_host_and_any_origin_are_its_own_affair(database: Path) -> None:
    async def test(datasette: Any) -> None:
        answer = await datasette.client.get(
            "/library", headers={"Host": "elsewhere.example", "X-Forwarded-For": "10.0.0.1"}
        )
        assert answer.status_code == 200

    ask(database, test)


def test_its_protection_of_forms_is_not_switched_off() -> None:
    assert datasette_hotfolder.skip_csrf(scope={"type": "http", "headers": []}) is False


def test_the_mark_that_keeps_cache_headers_is_the_one_that_datasette_looks_for() -> None:
    from datasette import app

    assert b"_datasette_static" in Path(app.__file__).read_bytes()

    @compat.keeps_cache_headers
    def view() -> None: ...

    assert view._datasette_static is True  # type: ignore[attr-defined]
