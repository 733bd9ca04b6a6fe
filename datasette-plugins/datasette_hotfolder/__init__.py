"""The light table: hotfolder's pages and API as a Datasette plugin."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from datasette import hookimpl

from datasette_hotfolder import compat, tables
from datasette_hotfolder.answers import build_unknown_view
from datasette_hotfolder.bulk_views import build_bulk_views
from datasette_hotfolder.collection_views import build_collection_views
from datasette_hotfolder.download_views import build_download_views
from datasette_hotfolder.duplicate_views import build_duplicate_views
from datasette_hotfolder.endpoint_views import build_endpoint_views
from datasette_hotfolder.engine_views import build_engine_views
from datasette_hotfolder.event_views import build_event_views
from datasette_hotfolder.file_views import build_file_views
from datasette_hotfolder.folder_views import build_folder_views
from datasette_hotfolder.gate import ACTOR, Gate
from datasette_hotfolder.image_api import build_image_api
from datasette_hotfolder.job_desk import JobDesk
from datasette_hotfolder.job_views import build_job_views
from datasette_hotfolder.keyword_views import build_keyword_views
from datasette_hotfolder.lane_views import build_lane_views
from datasette_hotfolder.lineage_views import build_lineage_views
from datasette_hotfolder.live_queries import check_query, count_queries
from datasette_hotfolder.log_views import build_log_views
from datasette_hotfolder.login_views import build_login_views
from datasette_hotfolder.media_views import build_media_views
from datasette_hotfolder.metrics_views import build_metrics_views
from datasette_hotfolder.page_views import build_page_views
from datasette_hotfolder.plain import STATIC
from datasette_hotfolder.preference_views import build_preference_views
from datasette_hotfolder.review_views import build_review_views
from datasette_hotfolder.sidecar_views import build_sidecar_views
from datasette_hotfolder.stats_views import build_stats_views
from datasette_hotfolder.trash_views import build_trash_views
from datasette_hotfolder.upload_views import build_upload_views
from hotfolder.clock import new_id


@hookimpl(tryfirst=True)  # no other plugin takes our addresses
def register_routes(datasette: Any) -> list[tuple[str, Any]]:
    """Our routes; none in a Datasette that hotfolder did not start."""
    services = compat.find_services(datasette)
    if services is None:
        return []
    desk = JobDesk(services, new_id)
    count_live = functools.partial(count_queries, services.browser)
    return [
        *build_page_views(services, desk),
        *build_bulk_views(services, services.changes),
        *build_media_views(services),
        *build_lineage_views(services),
        *build_collection_views(services, services.collections, check_query, count_live),
        *build_keyword_views(services, services.keywords),
        *build_trash_views(services, services.trash),
        *build_folder_views(services, services.folders),
        *build_duplicate_views(services, services.duplicates),
        *build_upload_views(services, new_id),
        *build_download_views(services),
        *build_endpoint_views(services),
        *build_file_views(services),
        *build_sidecar_views(services),
        *build_job_views(services, desk),
        *build_lane_views(services),
        *build_event_views(services),
        *build_review_views(services, services.review),
        *build_engine_views(services),
        *build_metrics_views(services),
        *build_stats_views(services),
        *build_log_views(services),
        *build_preference_views(services),
        *build_image_api(services, desk),
        *build_login_views(services),
        (r"^/(?:-/api|v1)/.*$", build_unknown_view()),
    ]


@hookimpl(trylast=True)  # around those of other plugins
def asgi_wrapper(datasette: Any) -> Callable[[Any], Any]:
    """The gate in front of everything."""
    services = compat.find_services(datasette)
    return (lambda application: application) if services is None else (lambda app: Gate(app, services))


@hookimpl
def actor_from_request(request: Any) -> dict[str, Any] | None:
    """For Datasette's own pages; the prefix keeps a name like `root` from meaning anything to it."""
    actor = request.scope.get(ACTOR)
    if actor is None:
        return None
    return {"id": f"hotfolder:{actor.name}", "name": actor.name, "scopes": sorted(actor.scopes)}


@hookimpl
def skip_csrf(scope: Any) -> bool:
    """0.65 only: what has passed the gate has shown where it comes from."""
    return ACTOR in scope


@hookimpl
def extra_css_urls(datasette: Any) -> list[str]:
    """Datasette's own pages in the colours of the light table."""
    return [f"{STATIC}/tables.css"] if compat.find_services(datasette) else []


@hookimpl
def menu_links(datasette: Any) -> list[dict[str, str]]:
    """The way back from Datasette's own pages."""
    if compat.find_services(datasette) is None:
        return []
    return [{"href": "/-/library", "label": "Light table"}, {"href": "/-/queue", "label": "Queue"}]


@hookimpl
def render_cell(row: Any, column: str, table: str | None, database: str | None) -> Any:
    """Thumbnails in the cells of `media`."""
    return tables.render_cell(row, table, column, database)
