"""Connections that keep the server waiting, or send what nobody reads without end, are hung up on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from hotfolder import webserver
from hotfolder.webserver import _Protocol

LIMIT_S = 0.2
PATIENCE_S = 10.0
HOST = b"Host: x\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = b"POST /%s HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
UPLOAD = b"POST /%s HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Connection]]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers at once with 200, or reads the whole body first (/read) and tells its length and headers."""
    body, length = b"", 0
    if scope["path"] == "/read":
        more = True
        while more:
            message = await receive()
            length += len(message.get("body", b""))
            more = message.get("more_body", False)
        body = b"%d bytes, %d headers" % (length, len(scope["headers"]))
    if scope["path"] == "/slow":
        await asyncio.sleep(4 * LIMIT_S)
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Connect]:
    config = uvicorn.Config(application, http=_Protocol, ws="none", lifespan="off", log_config=None)
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Protocol(config, state, {}), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    opened: list[asyncio.StreamWriter] = []

    async def connect() -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        opened.append(writer)
        return reader, writer

    try:
        yield connect
    finally:
        for each in opened:
            each.close()
        server.close()
        await server.wait_closed()


def run(test: Callable[[Connect], Awaitable[None]]) -> None:
    async def go() -> None:
        async with serving() as connect:
            await asyncio.wait_for(test(connect), PATIENCE_S)

    asyncio.run(go())


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webserver, "HEADER_LIMIT_S", LIMIT_S)


async def read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server hangs up."""
    read = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            read += piece
    return bytes(read)


async def takes_all(writer: asyncio.StreamWriter, start: bytes, piece: bytes) -> bool:
    """Whether the server goes on reading until it has got 64 MiB."""
    writer.write(start)
    try:
        for _ in range(1024):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        return False
    return True


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
    assert head.startswith(b"HTTP/1.1 200")
    return await reader.readexactly(length)


@pytest.mark.parametrize("start", [b"", b"\r\n", b"GET / HTTP/1.1\r\nHo"])
def test_who_connects_and_does_not_say_what_for_is_hung_up_on(hurry: None, start: bytes) -> None:
    async def test(connect: Connect) -> None:
        reader, writer = await connect()
        writer.write(start)
        assert await read_to_the_end(reader) == b""

    run(test)


@pytest.mark.parametrize("start", [b"\r\n", b"GET / HTTP/1.1\r\nHo"])
def test_half_a_second_head_does_not_keep_a_connection_for_ever(hurry: None, start: bytes) -> None:
    async def test(connect: Connect) -> None:
        reader, writer = await connect()
        writer.write(GET)
        await answer_of(reader)
        writer.write(start)
        assert await read_to_the_end(reader) == b""

    run(test)


@pytest.mark.parametrize("rest", [b"", b"x"])
def test_refused_post_whose_body_never_comes_is_hung_up_on(hurry: None, rest: bytes) -> None:
    async def test(connect: Connect) -> None:
        reader, writer = await connect()
        writer.write(UPLOAD % (b"", 1000))
        await answer_of(reader)
        writer.write(rest)
        assert await read_to_the_end(reader) == b""

    run(test)


def test_refused_post_whose_body_drips_in_whole_is_hung_up_on_when_nothing_follows(hurry: None) -> None:
    async def test(connect: Connect) -> None:
        reader, writer = await connect()
        writer.write(UPLOAD % (b"", 2) + b"a")
        await answer_of(reader)
        writer.write(b"b")
        assert await read_to_the_end(reader) == b""

    run(test)


def test_refused_body_that_comes_soon_leaves_the_connection_open_for_the_next_request() -> None:
    async def test(connect: Connect) -> None:
        reader, writer = await connect()
        writer.write(UPLOAD % (b"", 3) + b"ab")
        await answer_of(reader)
        writer.write(b"c" + GET)
        assert await answer_of(reader) == b""

    run(test)


@pytest.mark.parametrize("path", [b"slow", b"read"])
def test_answer_that_takes_longer_than_a_head_may_is_waited_for(hurry: None, path: bytes) -> None:
    async def test(connect: Connect) -> None:
        reader, writer = await connect()
        writer.write(UPLOAD % (path, 2) + b"a" + b"b" * (path == b"slow"))
        await asyncio.sleep(2 * LIMIT_S)  # the time that passes is what is tested
        writer.write(b"b" * (path == b"read") + GET[:9])
        await answer_of(reader)

    run(test)


def test_trailers_are_read_by_nobody_and_a_few_do_no_harm() -> None:
    async def test(connect: Connect) -> None:
        reader, writer = await connect()
        writer.write(CHUNKED % b"read" + b"3\r\nabc\r\n0\r\nAuthorization: x\r\nX: y\r\n\r\n" + GET)
        assert await answer_of(reader) == b"3 bytes, 2 headers"
        assert await answer_of(reader) == b""

    run(test)


@pytest.mark.parametrize("path", [b"", b"read"])
@pytest.mark.parametrize("start", [b"", b"X: "], ids=["many trailers", "one endless trailer"])
def test_trailers_without_end_are_not_kept_in_memory(path: bytes, start: bytes) -> None:
    """They are cut off within what the sockets hold: of 64 MiB hardly any is taken."""
    piece = b"a" * 65536 if start else b"X: aaaaaaaaaaaa\r\n" * 4096

    async def test(connect: Connect) -> None:
        reader, writer = await connect()
        assert not await takes_all(writer, CHUNKED % path + b"0\r\n" + start, piece)
        await read_to_the_end(reader)

    run(test)


def test_endless_extension_of_a_chunk_is_cut_off() -> None:
    async def test(connect: Connect) -> None:
        reader, writer = await connect()
        assert not await takes_all(writer, CHUNKED % b"read" + b"3;x=", b"a" * 65536)
        await read_to_the_end(reader)

    run(test)


def test_long_body_is_no_head(hurry: None) -> None:
    async def test(connect: Connect) -> None:
        reader, writer = await connect()
        writer.write(UPLOAD % (b"read", 8_000_000) + b"a" * 8_000_000)
        assert await answer_of(reader) == b"8000000 bytes, 2 headers"

    run(test)
