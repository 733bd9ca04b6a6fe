"""The socket that the web is served on, and its address as people type it."""

from __future__ import annotations

import ipaddress
import socket

from hotfolder.errors import ConfigError

_BACKLOG = 512


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket; raises ConfigError when the address is taken or not ours.

    It names IPPROTO_TCP: without that asyncio leaves Nagle's algorithm on, and each answer waits 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if not host:
            raise OSError("no address is named")  # to the system this would be every address
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"The web pages cannot be served on {host!r}, port {port}: {error.strerror or error}.",
            code="web.address",
            hint="Set `web.port` (0: any free one) or `web.host` in hotfolder.yaml, or use --port.",
        ) from error
    return listener


def base_url(listener: socket.socket) -> str:
    """The address of a listening socket as people type it."""
    host, port = listener.getsockname()[:2]
    return build_url(host, port)


def build_url(host: str, port: int) -> str:
    """The address at which a browser on this machine reaches what listens at host and port."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.version == 6:
        return f"http://[{'::1' if address.is_unspecified else address}]:{port}"
    return f"http://{'127.0.0.1' if address.is_unspecified else address}:{port}"
