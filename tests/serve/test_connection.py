"""Connections that are held for nothing: slow and endless heads, and bodies after the answer."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
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
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.6)
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


@pytest.mark.parametrize(
    ("takes", "ends"),
    [([100_000, 100_000], True), ([100_000, 90_000], True), ([100_000, 50_000, 10_000, 0], False)],
)
def test_a_client_that_takes_nothing_is_left(takes: list[int], ends: bool) -> None:
    loop, inner = Loop(), Inner()
    joined = connection.Joined(inner, loop)  # type: ignore[arg-type]
    inner.left = takes[0]
    joined.close()
    joined.watch()  # a second time changes nothing
    for left in takes[1:]:
        assert not inner.aborted
        inner.left = left
        loop.go_on()
    assert inner.aborted == ends
    assert loop.due == []


def test_a_client_that_takes_all_is_let_be() -> None:
    loop, inner = Loop(), Inner()
    joined = connection.Joined(inner, loop)  # type: ignore[arg-type]
    joined.watch()
    assert loop.due == []
    inner.left = 100_000
    joined.watch()
    joined.end_watch()
    assert loop.due[0].cancelled


class Due:
    """What a loop is to call later."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call, self.cancelled = call, False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """A loop whose time stands still until it is told to go on."""

    def __init__(self) -> None:
        self.due: list[Due] = []

    def call_later(self, _seconds: float, work: Callable[..., None], *given: Any) -> Due:
        self.due.append(Due(partial(work, *given)))
        return self.due[-1]

    def go_on(self) -> None:
        self.due.pop(0).call()


def test_a_file_that_is_not_taken_does_not_hold_the_connection(
    real: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.2)
    whole = len(real.http.get("/v1/models/face/file").content)
    host, port = real.url.removeprefix("http://").split(":")
    with socket.socket() as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        found.settimeout(30)
        found.connect((host, int(port)))
        found.sendall(b"GET /v1/models/face/file HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(2)
        got = 0
        try:
            while part := found.recv(1 << 20):
                got += len(part)
        except ConnectionError:
            pass
    assert 0 < got < whole


class Inner(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = self.aborted = False
        self.left = 0

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        self.written.append(bytes(data))

    def writelines(self, parts: Iterable[Any]) -> None:
        self.write(b"".join(parts))

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def get_write_buffer_size(self) -> int:
        return self.left

    def is_closing(self) -> bool:
        return self.closed


def test_a_connection_lives_on_between_requests(service: Running) -> None:
    with connected(service) as found:
        for _ in range(3):
            found.sendall(HEAD + b"\r\n")
            assert found.recv(65536).startswith(b"HTTP/1.1 200")
            time.sleep(0.4)


def test_an_idle_connection_ends(service: Running) -> None:
    with connected(service) as found:
        found.sendall(HEAD + b"\r\n")
        assert answer(found).count(b"HTTP/1.1 200") == 1


def test_a_connection_whose_body_came_after_the_answer_ends_too(service: Running) -> None:
    with connected(service) as found:
        found.sendall(POST + b"Content-Length: 10\r\n\r\n12345")
        assert found.recv(65536).startswith(b"HTTP/1.1 408")
        found.sendall(b"67890")
        assert answer(found) == b""


def test_a_request_that_came_while_the_loop_was_busy_is_answered(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = connection.Connection.data_received

    def data_received(self: connection.Connection, data: bytes) -> None:
        received(self, data)
        if b"/busy" in data:
            time.sleep(1.0)

    monkeypatch.setattr(connection.Connection, "data_received", data_received)
    with connected(service) as found, connected(service) as other:
        found.sendall(HEAD + b"\r\n")
        assert found.recv(65536).startswith(b"HTTP/1.1 200")
        other.sendall(b"GET /busy HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.3)
        found.sendall(HEAD + b"Connection: close\r\n\r\n")
        assert answer(found).startswith(b"HTTP/1.1 200")
