"""The end of the service's log, and what is added to it, as text that nobody trusts."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.answers import View, answer, api, find_number, require, require_method
from datasette_hotfolder.services import Services
from hotfolder.domain.wording import one_line
from hotfolder.errors import LibraryError
from hotfolder.files.storage import open_regular

LOG: Final = "hotfolder.log"
TAIL_BYTES: Final = 64 * 1024
LINE_MAX: Final = 4000
_HEAD_BYTES: Final = 200
_PLACE_BITS: Final = 35
_MARK_BITS: Final = 18
"""Together not more than a number of JavaScript holds."""


def build_log_views(services: Services) -> list[tuple[str, View]]:
    """The route of the log."""

    @api
    async def log(request: Request) -> Response:
        require_method(request, "GET")
        require(request, "admin")
        after = find_number(request, "after", 0, 2 ** (_PLACE_BITS + _MARK_BITS) - 1)
        return answer(await services.read(read_log, services.paths.logs / LOG, after))

    return [(r"^/-/api/log$", log)]


@dataclass(frozen=True, slots=True)
class _Part:
    """Whole lines of a log up to `end`, what tells this log from others, and whether some were left out."""

    data: bytes
    end: int
    mark: int
    is_cut: bool = False

    @property
    def next(self) -> int:
        """Where to go on, as a number that another log of the same name does not share."""
        return self.mark << _PLACE_BITS | self.end


_NOTHING: Final = _Part(b"", 0, 0)


def read_log(file: Path, after: int | None) -> dict[str, Any]:
    """What was added after a place, the last 64 KiB at most; `reset`: it does not follow what was told.

    A log that was put aside meanwhile is read to its end first.
    """
    mark, place = divmod(after or 0, 1 << _PLACE_BITS)
    now = _read(file, 0)
    if after and mark == now.mark and place <= now.end:
        now = _read(file, place)
        return _tell([now], reset=now.is_cut)
    aside = _read(file.with_name(f"{file.name}.1"), place) if after else _NOTHING
    if after and mark == aside.mark and place <= aside.end:
        return _tell([aside, now], reset=aside.is_cut or now.is_cut)
    return _tell([now], reset=bool(after))


def _tell(parts: list[_Part], *, reset: bool) -> dict[str, Any]:
    data = b"".join(each.data for each in parts)[-TAIL_BYTES:]
    lines = data.decode("utf-8", "replace").split("\n")[:-1]
    return {"lines": [_shown(each) for each in lines], "next": parts[-1].next, "reset": reset}


def _shown(line: str) -> str:
    text = one_line(line.removesuffix("\r"))
    return text if len(text) <= LINE_MAX else f"{text[:LINE_MAX]}…"


def _read(file: Path, place: int) -> _Part:
    """The whole lines behind a place, as far as the last 64 KiB hold them."""
    try:
        stream = open_regular(file)
    except (OSError, LibraryError):
        return _NOTHING
    with stream:
        size_bytes = os.fstat(stream.fileno()).st_size
        first, is_whole, _ = stream.read(_HEAD_BYTES).partition(b"\n")
        if not is_whole and len(first) < _HEAD_BYTES:
            return _NOTHING  # its first line is being written
        mark = zlib.crc32(first) % (1 << _MARK_BITS)
        if place > size_bytes:
            return _Part(b"", size_bytes, mark)
        start = max(place, size_bytes - TAIL_BYTES)
        stream.seek(start)
        data = stream.read(size_bytes - start)
    if start > place:
        data = data.partition(b"\n")[2]
    whole = data[: data.rfind(b"\n") + 1]
    return _Part(whole, size_bytes - len(data) + len(whole), mark, start > place)
