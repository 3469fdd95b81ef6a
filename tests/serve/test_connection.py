"""Connections that are held for nothing: slow and endless heads, and bodies after the answer."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mien.serve import connection
from tests.serve.conftest import Running, Serve

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"


@pytest.fixture
def service(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(connection, "REST_SECONDS", 0.3)
    return serve(timeout=0.5)


@contextmanager
def connected(service: Running) -> Iterator[socket.socket]:
    host, port = service.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as found:
        yield found


def answer(found: socket.socket) -> bytes:
    """Return all that comes until the service closes the connection."""
    parts = []
    while part := found.recv(65536):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("sent", [b"", b"G", HEAD])
def test_a_head_that_does_not_come_ends_the_connection(service: Running, sent: bytes) -> None:
    with connected(service) as found:
        found.sendall(sent)
        assert answer(found) == b""


def test_a_second_head_has_no_more_time_than_the_first(service: Running) -> None:
    with connected(service) as found:
        found.sendall(HEAD + b"\r\n" + HEAD)
        assert answer(found).count(b"HTTP/1.1 200") == 1


def test_a_slow_request_within_the_time_is_answered(service: Running) -> None:
    with connected(service) as found:
        for byte in HEAD + b"Connection: close\r\n\r\n":
            found.sendall(bytes([byte]))
            time.sleep(0.001)
        assert answer(found).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "large",
    [
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
        HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 700) for n in range(100)) + b"\r\n",
        HEAD + b"X: " + b"a" * 1_000_000,
    ],
    ids=["address", "header", "headers", "endless"],
)
def test_a_head_that_is_too_large_is_refused(service: Running, large: bytes) -> None:
    with connected(service) as found:
        try:
            found.sendall(large)
            got = answer(found)
        except ConnectionError:  # it was closed before all was sent
            return
    assert got.startswith(b"HTTP/1.1 400") or got == b""


def test_a_large_body_is_no_large_head(service: Running) -> None:
    with connected(service) as found:
        found.sendall(
            POST + b"Connection: close\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000)
        )
        assert answer(found).startswith(b"HTTP/1.1 415")


def test_the_rest_of_an_answered_body_is_not_waited_for(service: Running) -> None:
    with connected(service) as found:
        found.sendall(POST + b"Content-Length: 1000\r\n\r\n")
        assert answer(found).startswith(b"HTTP/1.1 408")


def test_an_answer_leaves_in_one_piece_and_much_of_it_at_once() -> None:
    loop, inner = asyncio.new_event_loop(), Inner()
    joined = connection.Joined(inner, loop)
    joined.write(b"head")
    joined.write(b"body")
    assert inner.written == []
    loop.run_until_complete(asyncio.sleep(0))
    assert inner.written == [b"headbody"]

    joined.write(bytes(70_000))
    assert [len(part) for part in inner.written] == [8, 70_000]
    joined.write(b"last")
    joined.close()
    assert inner.written[2:] == [b"last"]
    joined.write(b"too late")
    loop.run_until_complete(asyncio.sleep(0))
    assert len(inner.written) == 3
    loop.close()


class Inner(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def test_a_connection_lives_on_between_requests(service: Running) -> None:
    with connected(service) as found:
        for _ in range(3):
            found.sendall(HEAD + b"\r\n")
            assert found.recv(65536).startswith(b"HTTP/1.1 200")
            time.sleep(0.4)
