"""Clients for bench_web: one that asks as a browser does, and several at once that only count."""

from __future__ import annotations

import http.client
import json
import selectors
import socket
import time
from itertools import cycle
from urllib.parse import urlsplit

CONNECTIONS = 8


class Client:
    """One connection that is kept, with the cookie of a session."""

    def __init__(self, address: str, cookie: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._headers = {"Cookie": cookie, "Origin": address, "Content-Type": "application/json"}

    def get(self, path: str) -> bytes:
        return self._ask("GET", path, None)

    def post(self, path: str, value: object) -> bytes:
        return self._ask("POST", path, json.dumps(value))

    def _ask(self, method: str, path: str, body: str | None) -> bytes:
        try:
            return self._ask_once(method, path, body)
        except (ConnectionError, http.client.HTTPException):  # closed after a pause
            self._connection.close()
            return self._ask_once(method, path, body)

    def _ask_once(self, method: str, path: str, body: str | None) -> bytes:
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        data = response.read()
        assert response.status == 200, (response.status, path, data[:300])
        return data


def serve_rate(address: str, cookie: str, paths: list[str], *, seconds: float) -> float:
    """Answers a second over several connections; the client does little, for it shares the cores."""
    parts = urlsplit(address)
    host = f"{parts.hostname}:{parts.port}"
    asked = cycle(
        [f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode() for path in paths]
    )
    selector = selectors.DefaultSelector()
    for _ in range(CONNECTIONS):
        each = socket.create_connection((parts.hostname or "", parts.port or 80))
        selector.register(each, selectors.EVENT_READ, Answer())
        each.sendall(next(asked))
    answered, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        for key, _ in selector.select(1.0):
            if key.data.read(key.fileobj):
                answered += 1
                key.fileobj.sendall(next(asked))  # type: ignore[union-attr]
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return answered / elapsed


class Answer:
    """Reads one answer after the other: its length by its header, nothing else."""

    def __init__(self) -> None:
        self._left = -1
        self._head = b""

    def read(self, connection: socket.socket) -> bool:
        """Whether an answer is complete."""
        data = connection.recv(256 * 1024)
        if self._left < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return False
            assert self._head.startswith(b"HTTP/1.1 200"), self._head[:200]
            head = self._head[:end].lower()
            start = head.index(b"content-length:") + 15
            self._left = int(head[start : head.find(b"\r\n", start) if b"\r\n" in head[start:] else end])
            data, self._head = self._head[end + 4 :], b""
        self._left -= len(data)
        if self._left > 0:
            return False
        self._left = -1
        return True
