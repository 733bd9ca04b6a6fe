"""The socket of the web: quick, on the address that was asked for, and an address that people can type."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from hotfolder.errors import ConfigError
from hotfolder.listening import base_url, build_url, open_socket


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(open_socket("127.0.0.1", 0)) as opened:
        yield opened


def test_a_free_port_is_chosen_and_told_in_the_address(listener: socket.socket) -> None:
    port = listener.getsockname()[1]

    assert base_url(listener) == f"http://127.0.0.1:{port}"
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def test_the_socket_names_tcp_so_that_answers_are_not_held_back(listener: socket.socket) -> None:
    assert listener.proto == socket.IPPROTO_TCP


def test_a_program_that_is_started_does_not_inherit_the_socket(listener: socket.socket) -> None:
    assert not listener.get_inheritable()


def test_an_address_that_is_taken_is_refused_with_what_to_do(listener: socket.socket) -> None:
    port = listener.getsockname()[1]

    with pytest.raises(ConfigError, match=f"port {port}") as caught:
        open_socket("127.0.0.1", port)

    assert caught.value.code == "web.address"
    assert "web.port" in (caught.value.hint or "")


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "[::1]", "x" * 300, "a..b", "", "127.0.0.1 "])
def test_a_host_that_is_not_of_this_machine_is_refused_in_words(host: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_socket(host, 0).close()

    assert caught.value.code == "web.address"


def test_a_port_is_free_again_at_once_for_the_next_start() -> None:
    with closing(open_socket("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            served, _ = first.accept()
            served.close()  # the server ends the connection first, which keeps the port for a while
    open_socket("127.0.0.1", port).close()


def test_an_ipv6_address_is_served_too() -> None:
    try:
        listener = open_socket("::1", 0)
    except ConfigError:
        pytest.skip("this machine has no IPv6")
    with closing(listener):
        assert base_url(listener) == f"http://[::1]:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"), ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"), ("2001:DB8::1", "http://[2001:db8::1]:80"), ("light.example", "http://light.example:80"),
        ("192.168.7.7", "http://192.168.7.7:80"),
    ],
)  # fmt: skip
def test_the_address_is_one_that_a_browser_on_this_machine_reaches(host: str, expected: str) -> None:
    assert build_url(host, 80) == expected
