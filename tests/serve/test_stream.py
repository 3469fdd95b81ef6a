"""The stream: what opens it, that the newest frame wins, and what it survives."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from mien.serve.settings import Settings
from tests.serve.conftest import KEY, Running, Serve, running, wait_until


@contextmanager
def opened(service: Running, **headers: str) -> Iterator[ClientConnection]:
    url = service.url.replace("http", "ws", 1) + "/v1/stream"
    with connect(url, additional_headers=headers, max_size=None, compression=None) as socket:
        yield socket


def told(socket: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(socket.recv(timeout=60))
    return found


def begin(socket: ClientConnection, **options: Any) -> dict[str, Any]:
    socket.send(json.dumps({"type": "start", **options}))
    return told(socket)


def test_frames_go_in_and_faces_come_out(real: Running, portrait: bytes) -> None:
    with opened(real) as socket:
        assert begin(socket, tasks=["age"]) == {"type": "ready", "model": "face", "tasks": ["age"]}
        for number in (1, 2):
            socket.send(portrait)
            found = told(socket)
            assert (found["type"], found["frame"], found["dropped"]) == ("result", number, 0)
            assert (found["width"], found["height"]) == (512, 512)
            assert list(found["faces"][0]["attributes"]) == ["age"]
            assert found["milliseconds"] > 0


def test_the_newest_frame_wins(real: Running, portrait: bytes) -> None:
    with opened(real) as socket:
        begin(socket)
        for _ in range(30):
            socket.send(portrait)
        numbers: list[int] = []
        answers: list[dict[str, Any]] = []
        while not numbers or numbers[-1] < 30:
            answers.append(told(socket))
            numbers.append(answers[-1]["frame"])

    assert numbers == sorted(set(numbers))
    assert len(numbers) < 30
    assert len(numbers) + sum(answer["dropped"] for answer in answers) == 30


def test_a_damaged_frame_does_not_end_it(real: Running, portrait: bytes) -> None:
    with opened(real) as socket:
        begin(socket)
        socket.send(b"no picture")
        found = told(socket)
        assert (found["type"], found["frame"], found["status"]) == ("problem", 1, 422)
        socket.send(portrait)
        assert told(socket)["type"] == "result"


@pytest.mark.parametrize(
    ("first", "status"),
    [
        ("{}", 422),
        ("no json", 422),
        (b"binary", 422),
        ('{"type": "start", "colour": 1}', 422),
        ('{"type": "start", "tasks": ["height"]}', 422),
        ('{"type": "start", "model": "none"}', 404),
    ],
)
def test_a_first_message_that_is_none(real: Running, first: str | bytes, status: int) -> None:
    with opened(real) as socket:
        socket.send(first)
        found = told(socket)
        assert (found["type"], found["frame"], found["status"]) == ("problem", 0, status)
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(timeout=30)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1008


def test_a_text_where_a_frame_should_be_ends_it(real: Running) -> None:
    with opened(real) as socket:
        begin(socket)
        socket.send("a frame?")
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(timeout=30)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1003


def test_a_key_is_asked_for_in_the_first_message(serve: Serve, red: bytes) -> None:
    guarded = serve(api_keys=KEY)
    for wrong in ({}, {"key": KEY + "x"}):
        with opened(guarded) as socket:
            assert begin(socket, **wrong)["status"] == 401
    with opened(guarded) as socket:
        assert begin(socket, key=KEY)["type"] == "ready"
        socket.send(red)
        assert told(socket)["faces"] == []


def test_pages_of_other_origins_are_turned_away(serve: Serve) -> None:
    service = serve(origins="https://shop.example")
    with pytest.raises(InvalidStatus) as caught, opened(service, Origin="https://evil.example"):
        pass
    assert caught.value.response.status_code == 403
    for origin in ("https://shop.example", service.url):
        with opened(service, Origin=origin) as socket:
            assert begin(socket)["type"] == "ready"


def test_so_many_streams_and_no_more(serve: Serve) -> None:
    service = serve(max_streams=1)
    with opened(service) as socket:
        assert begin(socket)["type"] == "ready"
        with opened(service) as second, pytest.raises(ConnectionClosed) as caught:
            begin(second)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1013
    wait_until(lambda: service.service.streams == 0)
    with opened(service) as socket:
        assert begin(socket)["type"] == "ready"


def test_strangers_take_no_places(serve: Serve) -> None:
    service = serve(max_streams=1, api_keys=KEY)
    with opened(service), opened(service), opened(service) as socket:
        assert begin(socket, key=KEY)["type"] == "ready"


def test_clients_that_vanish_leave_nothing(serve: Serve, portrait: bytes) -> None:
    service = serve()
    for _ in range(5):
        with opened(service) as socket:
            begin(socket)
            socket.send(portrait)
            socket.socket.close()
    wait_until(lambda: service.service.streams == 0 and service.service.batcher.pending == 0)


def test_the_end_of_the_service_ends_it(tiny_models: tuple[str, str], red: bytes) -> None:
    with ExitStack() as ends:
        settings = Settings(models=tiny_models, threads=1, timeout=1)
        service = ends.enter_context(running(settings))
        with opened(service) as socket:
            begin(socket)
            socket.send(red)
            assert told(socket)["type"] == "result"
            ends.close()
            with pytest.raises(ConnectionClosed) as caught:
                socket.recv(timeout=30)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1012


@pytest.mark.parametrize("limits", [{"max_body": 5000, "max_held": 5000}, {"max_frame": 5000}])
def test_a_frame_that_is_too_large_ends_it(serve: Serve, limits: dict[str, int]) -> None:
    with opened(serve(**limits)) as socket:
        begin(socket)
        socket.send(bytes(6000))
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(timeout=30)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009


def test_those_that_say_nothing_are_few(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.serve.stream._MOST_WAITING", 2)
    service = serve()
    with ExitStack() as stack:
        first, _ = (stack.enter_context(opened(service)) for _ in range(2))
        wait_until(lambda: service.service.waiting == 2)
        with pytest.raises(InvalidStatus), opened(service):
            pass
        assert begin(first)["type"] == "ready"  # from now on it has a place of its own
        wait_until(lambda: service.service.waiting == 1)
        third = stack.enter_context(opened(service))
        assert begin(third)["type"] == "ready"
    wait_until(lambda: service.service.waiting == 0)
