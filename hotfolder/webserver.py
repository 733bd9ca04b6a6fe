"""The web process: Datasette with our plugin under uvicorn, on a socket that may be its parent's."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from datasette_hotfolder import compat, tables
from datasette_hotfolder.access import Rules
from datasette_hotfolder.news import News
from datasette_hotfolder.services import Services
from datasette_hotfolder.threads import Threads
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hotfolder import __version__
from hotfolder.accounts.store import FILE as ACCOUNTS_FILE
from hotfolder.accounts.store import AccountStore, open_accounts
from hotfolder.app import Library
from hotfolder.files.storage import write_json
from hotfolder.library.browse import MediaBrowser
from hotfolder.library.changes import ChangeStore
from hotfolder.library.collections import CollectionStore
from hotfolder.library.control import ControlStore
from hotfolder.library.duplicates import DuplicateStore
from hotfolder.library.keywords import KeywordStore
from hotfolder.library.ratings import RatingStore
from hotfolder.listening import base_url
from hotfolder.webhost import LibraryHost
from hotfolder.workshop import build_folder_desk

if sys.platform != "win32":
    import resource

log = logging.getLogger(__name__)

HEADER_LIMIT_S = 10.0
HEAD_MAX_BYTES = 512 * 1024  # with what came of the body in the same packets
TRAILERS_MAX_BYTES = 8 * 1024
CONNECTIONS_MAX = 1000
FILES_WANTED = 4 * CONNECTIONS_MAX
CACHE_KIB = 2000
"""Of each of its connections; the system keeps the pages of the file in memory, too."""
GRACE_S = 3
"""So long may requests in hand take at a stop."""


def serve_web(library: Library, listener: socket.socket) -> None:
    """Serve until SIGTERM or Ctrl-C; requests in hand have GRACE_S to end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until there is a loop that listens
    _raise_limit_of_files()
    library.database.limit_cache(CACHE_KIB)
    library.database.be_eager()
    accounts = open_accounts(library.paths.root / ACCOUNTS_FILE)
    services = build_services(library, accounts)
    services.threads.slow.executor.submit(services.browser.warm_up)  # two seconds at a million pictures
    note = library.paths.run / "web"
    try:
        write_json(note, {"url": base_url(listener)})
        _run(_serve(services, listener))
    except KeyboardInterrupt:
        log.info("stopped before it served a page")
    finally:
        note.unlink(missing_ok=True)
        services.threads.stop()
        accounts.close()


def _run(service: Coroutine[Any, Any, None]) -> None:
    """On the quicker event loop where there is one."""
    if sys.platform == "win32":
        asyncio.run(service)
    else:
        import uvloop

        uvloop.run(service)


def build_services(library: Library, accounts: AccountStore) -> Services:
    """What the plugin is handed."""
    settings = library.settings
    database, threads = library.database, Threads()
    browser, ratings = MediaBrowser(database), RatingStore(database, library.media)

    async def read_latest() -> int:
        return await threads.call(threads.reading, database.last_event_seq)

    return Services(
        paths=library.paths,
        database=database,
        media=library.media,
        browser=browser,
        ratings=ratings,
        changes=ChangeStore(database, library.media, ratings, library.trash),
        collections=CollectionStore(database),
        keywords=KeywordStore(database),
        trash=library.trash,
        duplicates=DuplicateStore(database),
        folders=build_folder_desk(library),
        jobs=library.jobs,
        generations=library.generations,
        accounts=accounts,
        control=library.control,
        review=library.review_desk,
        wishes=ControlStore(database),
        host=LibraryHost(library),
        news=News(read_latest),
        rules=Rules(settings.web.host, settings.web.private, tuple(settings.web.allowed_hosts)),
        threads=threads,
        lanes=settings.queue.lanes.model_dump(),
        cookie_name=cookie_name(library.paths.root),
        default_endpoint=settings.api.default_endpoint,
        version=__version__,
    )


def cookie_name(root: Path) -> str:
    """One a library: browsers keep the cookies of all ports of a host together."""
    return "hotfolder_" + hashlib.sha256(os.fsencode(root)).hexdigest()[:12]


async def _serve(services: Services, listener: socket.socket) -> None:
    description = tables.describe_tables(services.database.list_tables())
    datasette = compat.build_datasette(
        services.paths.database, description, tables.SETTINGS, secrets.token_hex(32)
    )
    compat.attach(datasette, services)
    config = uvicorn.Config(
        datasette.app(),
        http=_Protocol,
        limit_concurrency=CONNECTIONS_MAX,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who stands at the other end of the connection decides, not what it says
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True
        services.news.stop()

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop)
    await server.serve(sockets=[listener])


class _Protocol(HttpToolsProtocol):
    """HTTP that hangs up on who connects and does not say what for, says it without end, or far too much."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._loose_bytes = 0
        """How much has come since the last head, piece of a body or message ended: the parser holds it."""
        self._trailer_bytes: int | None = None
        """How much has come of headers after the body; None while the head is read."""
        self._is_in_message = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unset_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._loose_bytes += len(data)
        if self._loose_bytes > HEAD_MAX_BYTES:
            self.transport.close()
            return
        super().data_received(data)
        if self._deadline is None and not self._is_in_message and not self._is_answering():
            self._set_deadline()  # uvicorn's own ended with the first byte, and it may be no request

    def on_message_begin(self) -> None:
        self._loose_bytes, self._trailer_bytes, self._is_in_message = 0, None, True
        self._set_deadline()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._trailer_bytes is None:
            super().on_header(name, value)
            return
        self._trailer_bytes += len(name) + len(value)  # nobody reads them
        if self._trailer_bytes > TRAILERS_MAX_BYTES:
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._loose_bytes = self._trailer_bytes = 0
        self._unset_deadline()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._loose_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._loose_bytes, self._is_in_message = 0, False
        self._unset_deadline()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_in_message and self._deadline is None:
            self._set_deadline()  # the rest of what was refused has to come soon

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _set_deadline(self) -> None:
        self._unset_deadline()
        self._deadline = self.loop.call_later(HEADER_LIMIT_S, self._hang_up)

    def _unset_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up(self) -> None:
        if self._is_answering():  # an earlier request: who waits for that may be late with the next one
            self._set_deadline()
        elif not self.transport.is_closing():
            self.transport.close()


def _raise_limit_of_files() -> None:
    """Each connection is a file: as many as the system lets us have, should somebody open very many."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, FILES_WANTED)), hard))


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: they raise the signal again and end with another exit code."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
