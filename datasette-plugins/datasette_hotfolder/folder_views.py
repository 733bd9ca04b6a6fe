"""Import folders over HTTP, for admins alone: what they name is a place on the machine of the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.answers import RequestError, View, answer, api, read_json, require, require_method
from datasette_hotfolder.bulk_views import check_names
from datasette_hotfolder.services import ImportFolders, Services
from hotfolder.library.import_folders import FolderMode

MODES: Final = ("copy", "move", "reference")
PATH_MAX: Final = 4096
WORDS_MAX: Final = 100


def build_folder_views(services: Services, folders: ImportFolders) -> list[tuple[str, View]]:
    """The route of import folders."""

    @api
    async def import_folders(request: Request) -> Response:
        require_method(request, "GET", "POST", "DELETE")
        require(request, "admin")
        if request.method == "POST":
            given = _read_folder(await read_json(request))
            await services.examine(folders.add, *given)
            services.host.nudge()
        elif request.method == "DELETE":
            body = await read_json(request)
            check_names(body, ("folderId",))
            await services.write(folders.remove, _read_text(body, "folderId"))
            services.host.nudge()
        found = await services.examine(folders.describe)
        return answer({"items": list(found)}, 201 if request.method == "POST" else 200)

    return [(r"^/-/api/import-folders$", import_folders)]


def _read_folder(body: Mapping[str, Any]) -> tuple[str, FolderMode, bool, Sequence[str], str | None]:
    check_names(body, ("path", "mode", "recursive", "keywords", "collection"))
    mode, recursive = body.get("mode", "copy"), body.get("recursive", True)
    if mode not in MODES:
        raise RequestError(f"`mode` takes {', '.join(MODES)}.")
    if not isinstance(recursive, bool):
        raise RequestError("`recursive` takes true or false.")
    collection = _read_text(body, "collection") if body.get("collection") is not None else None
    return _read_text(body, "path"), mode, recursive, _read_words(body.get("keywords", [])), collection


def _read_text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > PATH_MAX or not value.isprintable():
        raise RequestError(f"`{name}` takes a text.")
    return value


def _read_words(value: Any) -> Sequence[str]:
    is_list = isinstance(value, list) and len(value) <= WORDS_MAX
    if not is_list or not all(isinstance(each, str) and each.isprintable() for each in value):
        raise RequestError("`keywords` takes a list of words.")
    return list(value)
