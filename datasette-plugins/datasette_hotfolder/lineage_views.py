"""What a picture was made from and what was made from it, for the lineage page and programs."""

from __future__ import annotations

from typing import Any

from datasette import Request, Response

from datasette_hotfolder.answers import View, actor_of, answer, api, require_method
from datasette_hotfolder.objects import input_thumbnail_url, media_object
from datasette_hotfolder.services import Services
from hotfolder.accounts.scopes import Actor
from hotfolder.library.lineage import Lineage, Link, Relative, read_lineage


def build_lineage_views(services: Services) -> list[tuple[str, View]]:
    """The route /-/api/lineage/<id>."""

    @api
    async def lineage(request: Request) -> Response:
        require_method(request, "GET")
        media_id = request.url_vars["media_id"]
        return answer(await services.read(describe_lineage, services, media_id, actor_of(request)))

    return [(r"^/-/api/lineage/(?P<media_id>[^/]+)$", lineage)]


def describe_lineage(services: Services, media_id: str, actor: Actor | None) -> dict[str, Any]:
    """The relatives of a picture as an object; raises NotFound."""
    media = services.get_picture(media_id, actor)
    found = read_lineage(services.database, media_id, is_reviewed=actor is None)
    return {
        "mediaId": media.media_id,
        "pictures": [_relative_object(each, found) for each in found.pictures],
        "links": [_link_object(each) for each in found.links],
        "isCut": found.is_cut,
    }


def _relative_object(relative: Relative, lineage: Lineage) -> dict[str, Any]:
    """Of a picture that is gone only the thumbnail is left that its references keep."""
    media = relative.media
    known = {
        "key": relative.key,
        "level": relative.level,
        "mode": relative.mode,
        "endpointKey": relative.endpoint_key,
        "prompt": relative.prompt,
    }
    if media is not None and media.deleted_at is None:
        return {**media_object(media), **known, "state": "present"}
    seen = next(each for each in lineage.links if each.source == relative.key)
    return {
        **known,
        "mediaId": None,
        "state": "deleted" if media is not None else "outside",
        "title": media.title if media else None,
        "originalName": media.original_name if media else seen.original_name,
        "fileName": media.file_name if media else None,
        "thumbnailUrl": input_thumbnail_url(seen.generation_id, seen.position, seen.sha256),
    }


def _link_object(link: Link) -> dict[str, Any]:
    return {"source": link.source, "target": link.target, "role": link.role, "position": link.position}
