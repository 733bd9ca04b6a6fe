"""/-/metrics: what Prometheus asks for, gathered anew for each scrape."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.answers import View, api, require_method
from datasette_hotfolder.exposition import Machine, build_exposition
from datasette_hotfolder.services import Services
from hotfolder.library.metrics import MetricsStore

TEXT_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"
GPUS_STALE_S: Final = 120.0
"""Figures of graphics cards that are older than this tell nothing of now."""


def build_metrics_views(services: Services) -> list[tuple[str, View]]:
    """The route for monitors; the gate decides who may look."""

    @api
    async def metrics(request: Request) -> Response:
        require_method(request, "GET")
        body = await services.read(_scrape, services)
        return Response(body, headers={"Cache-Control": "no-store"}, content_type=TEXT_FORMAT)

    return [(r"^/-/metrics$", metrics)]


def _scrape(services: Services) -> bytes:
    return build_exposition(MetricsStore(services.database).read(), _look_around(services))


def _look_around(services: Services) -> Machine:
    sidecar = services.host.describe_health()["sidecar"]
    disk = shutil.disk_usage(services.paths.root)
    wal = services.paths.database.with_name(services.paths.database.name + "-wal")
    wal_bytes = 0
    with suppress(FileNotFoundError):
        wal_bytes = wal.stat().st_size
    return Machine(
        version=services.version,
        sidecar_is_alive=sidecar["alive"],
        heartbeat_age_s=sidecar["heartbeatAgeS"],
        disk_free_bytes=disk.free,
        disk_size_bytes=disk.total,
        wal_bytes=wal_bytes,
        watching=_read_list(services.paths.run / "watching") if sidecar["alive"] else (),
        gpus=_read_list(services.paths.run / "gpus", GPUS_STALE_S),
    )


def _read_list(path: Path, stale_s: float | None = None) -> list[dict[str, Any]]:
    """What the sidecar wrote; nothing where it wrote nothing, or too long ago."""
    try:
        if stale_s is not None and time.time() - path.stat().st_mtime > stale_s:
            return []
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
