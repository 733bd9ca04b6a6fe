"""hotfolder up, serve: the library in the browser, with the sidecar or alone."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import click

from hotfolder.accounts.store import FILE as ACCOUNTS_FILE
from hotfolder.accounts.store import open_accounts
from hotfolder.app import Library
from hotfolder.cli.accounts import build_link
from hotfolder.cli.library import logged, serve_sidecar
from hotfolder.cli.opening import library_argument, opened, user_name
from hotfolder.cli.output import say
from hotfolder.listening import base_url, open_socket
from hotfolder.webchild import WebChild

_HOST = click.option("--host", help="Serve on this address instead of `web.host`.")
_PORT = click.option(
    "--port", type=click.IntRange(0, 65535), help="Serve on this port instead of `web.port` (0: a free one)."
)


@click.command()
@library_argument
@_HOST
@_PORT
@click.pass_context
def up(context: click.Context, library_argument: Path | None, host: str | None, port: int | None) -> None:
    """Run the sidecar and the web together, until Ctrl-C. Prints a link to log in."""
    with opened(context, library_argument, _options(host, port)) as library, logged(library):
        web = library.settings.web
        _refuse_second(library)
        run_together(library, open_socket(web.host, web.port))


@click.command()
@library_argument
@_HOST
@_PORT
@click.option("--socket", "descriptor", type=int, hidden=True, help="A listening socket of the parent.")
@click.pass_context
def serve(
    context: click.Context,
    library_argument: Path | None,
    host: str | None,
    port: int | None,
    descriptor: int | None,
) -> None:
    """Serve the web pages alone, until Ctrl-C."""
    from hotfolder.webserver import serve_web  # here: half a second that no other command should wait for

    with opened(context, library_argument, _options(host, port)) as library, logged(library, "web"):
        if descriptor is not None:
            serve_web(library, socket.socket(fileno=descriptor))
            return
        listener = open_socket(library.settings.web.host, library.settings.web.port)
        _print_link(library, base_url(listener))
        serve_web(library, listener)


def _refuse_second(library: Library) -> None:
    """Say first that this library is served already: the taken port would only follow from that."""
    library.lock.acquire()
    library.lock.release()


def run_together(library: Library, listener: socket.socket) -> None:
    """The sidecar here, the web in a child; both end together."""
    child = WebChild(library.paths.root, listener, ["--host", library.settings.web.host])
    try:
        serve_sidecar(
            library,
            on_start=lambda: _start_web(library, child, base_url(listener)),
            on_stop=child.begin_stop,
        )
    finally:
        child.stop()


def _start_web(library: Library, child: WebChild, url: str) -> None:
    child.start()
    _print_link(library, url)


def _print_link(library: Library, url: str) -> None:
    """On the screen only, never in a log: whoever has the link is logged in."""
    accounts = open_accounts(library.paths.root / ACCOUNTS_FILE)
    try:
        secret = accounts.create_login_link(user_name(), ["admin"])
    finally:
        accounts.close()
    say(f"The library is at {url}. To log in, open (works once, within an hour):\n")
    say(f"    {build_link(url, secret)}\n")


def _options(host: str | None, port: int | None) -> dict[str, Any]:
    return {key: value for key, value in (("web.host", host), ("web.port", port)) if value is not None}
