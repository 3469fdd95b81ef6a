"""What a service refuses for its size, its number or its time; and that it stays well meanwhile."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
from PIL import Image

from mien.serve.settings import Settings
from tests.pictures import encode
from tests.serve.conftest import Running, Serve, files, problem, running, wait_until

FORM = "multipart/form-data; boundary=b"


def hold(service: Running) -> threading.Event:
    """Hold the one thread that prepares pictures until the event is set."""
    free, held = threading.Event(), threading.Event()

    def wait() -> None:
        held.set()
        free.wait(60)

    service.service.batcher.call(wait)
    assert held.wait(30)
    return free


@contextmanager
def busy(service: Running) -> Iterator[threading.Event]:
    """Hold that thread until the block ends at the latest."""
    free = hold(service)
    try:
        yield free
    finally:
        free.set()


def raw(service: Running, *parts: bytes) -> socket.socket:
    """Open a connection and send the beginning of a request."""
    host, port = service.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    for part in parts:
        connection.sendall(part)
    return connection


def head(length: int) -> bytes:
    lines = ["POST /v1/analyze HTTP/1.1", "Host: localhost", f"Content-Type: {FORM}"]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


def test_a_body_that_is_declared_too_large_is_refused_unread(serve: Serve) -> None:
    with raw(serve(max_body=5000), head(5001)) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_of_undeclared_size_is_counted_as_it_comes(serve: Serve) -> None:
    service, sent = serve(max_body=100_000), []

    def endless() -> Iterator[bytes]:
        for _ in range(20):
            sent.append(1)
            yield bytes(10_000)

    answer = service.http.post(
        "/v1/analyze", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert "100,000 bytes" in problem(answer, 413, "body-too-large")["detail"]
    assert service.service.bodies._held == 0


def test_a_body_of_just_the_size_is_taken(serve: Serve) -> None:
    service = serve(max_body=5000)
    kind = {"Content-Type": "application/json"}
    problem(
        service.http.post("/v1/analyze", content=b" " * 5000, headers=kind), 400, "invalid-json"
    )
    problem(
        service.http.post("/v1/analyze", content=b" " * 5001, headers=kind), 413, "body-too-large"
    )


def test_all_bodies_together_are_bounded(serve: Serve, red: bytes) -> None:
    service = serve(max_body=10_000, max_held=12_000)
    with raw(service, head(9000), bytes(8900)):
        wait_until(lambda: service.service.bodies._held == 8900)
        large = files(bytes(5000))
        answer = service.http.post("/v1/analyze", files=large)
        problem(answer, 503, "no-memory")
        assert answer.headers["retry-after"] == "1"
        assert service.http.post("/v1/analyze", files=files(red)).status_code == 200
    wait_until(lambda: service.service.bodies._held == 0)


def test_a_body_that_comes_too_slowly(serve: Serve) -> None:
    with raw(serve(timeout=0.2), head(1000), b"--b") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")


def test_a_picture_of_too_many_pixels(serve: Serve) -> None:
    large = encode(Image.new("1", (400, 300)), "PNG")
    service = serve(max_pixels=100_000)
    found = problem(service.http.post("/v1/analyze", files=files(large)), 422, "unreadable-picture")
    assert "100,000" in found["detail"]


def test_a_full_queue_refuses_at_once_and_loses_nothing(serve: Serve, red: bytes) -> None:
    service = serve(queue=4, max_pictures=4)
    with ThreadPoolExecutor(4) as clients, busy(service) as free:

        def post() -> httpx2.Response:
            return httpx2.post(f"{service.url}/v1/analyze", files=files(red), timeout=60)

        accepted = [clients.submit(post) for _ in range(4)]
        wait_until(lambda: service.service.batcher.pending == 4)
        refused = service.http.post("/v1/analyze", files=files(red))
        problem(refused, 503, "queue-full")
        assert refused.headers["retry-after"] == "1"
        # What watches over the service is answered all the same.
        assert service.http.get("/healthz").status_code == 200
        assert service.http.get("/readyz").status_code == 200
        figures = service.http.get("/metrics").text
        assert "mien_queue_depth 4.0" in figures
        assert 'mien_rejected_total{reason="queue"} 1.0' in figures
        free.set()
        assert [answer.result(60).status_code for answer in accepted] == [200] * 4
    assert service.http.post("/v1/analyze", files=files(red)).status_code == 200


def test_a_request_for_which_there_is_too_little_room(serve: Serve, red: bytes) -> None:
    service = serve(queue=4, max_pictures=4)
    with ThreadPoolExecutor(1) as clients, busy(service):
        clients.submit(httpx2.post, f"{service.url}/v1/analyze", files=files(red), timeout=60)
        wait_until(lambda: service.service.batcher.pending == 1)
        problem(service.http.post("/v1/analyze", files=files(*[red] * 4)), 503, "queue-full")


def test_a_request_that_takes_too_long_is_given_up(serve: Serve, red: bytes) -> None:
    service = serve(timeout=0.2)
    with busy(service):
        answer = service.http.post("/v1/analyze", files=files(red))
        problem(answer, 503, "too-slow")
        assert "retry-after" in answer.headers
    wait_until(lambda: service.service.batcher.pending == 0)


def test_the_end_waits_for_what_was_accepted(tiny_models: tuple[str, str], red: bytes) -> None:
    with ThreadPoolExecutor(3) as clients:
        with running(Settings(models=tiny_models, threads=1)) as service:
            free, url = hold(service), f"{service.url}/v1/analyze"
            answers = [
                clients.submit(httpx2.post, url, files=files(red), timeout=60) for _ in range(3)
            ]
            wait_until(lambda: service.service.batcher.pending == 3)
            threading.Timer(0.5, free.set).start()
        assert [answer.result(60).status_code for answer in answers] == [200] * 3
