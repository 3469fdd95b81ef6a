"""By which names the service answers, over HTTP and for streams."""

import socket
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from mien.serve.hosts import Names, names_of
from mien.serve.settings import Settings, SettingsError
from mien.serve.tls import make_certificate, names_in
from tests.serve.conftest import Serve, problem


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST:8000", "localhost.", "app.localhost", "127.0.0.1:80", "10.1.2.3"),
        *("[::1]", "[::1]:8000", "mine", "mine:1", "mine.local"),
        *("a.example", "deep.b.example", "b.example.:443"),
    ],
)
def test_names_that_nobody_else_can_have(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Mine")
    names = Names(["A.example.", "*.b.example", "b.example"], local=True)
    assert names.allow(host.encode())
    assert names.allow(host.encode())  # also once it is known


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "localhost.evil.example", "notlocalhost", "a.example.evil.example"),
        *("example", "xb.example", "127.0.0.1.evil.example", "", ":80", "a b", "a@localhost"),
        *("localhost:80:80", "localhost/", "[::1", "::1", "[evil.example]", "l\xf6calhost", "*"),
        *("1.2.3", "[1.2.3.4.5]"),
    ],
)
def test_names_that_anybody_may_have(host: str) -> None:
    names = Names(["a.example", "*.b.example"], local=True)
    assert not names.allow(host.encode("latin-1"))


def test_a_service_for_others_too_has_the_names_of_their_network() -> None:
    names = Names([], local=False)
    for host in (b"nas", b"nas:8000", b"nas.lan", b"nas.local.", b"a.b.internal"):
        assert names.allow(host)
        assert not Names([], local=True).allow(host)
    assert not names.allow(b"nas.evil.example")


def test_any_name_may_be_allowed() -> None:
    assert Names(["*"], local=True).allow(b"any.example")


def test_what_is_remembered_is_bounded() -> None:
    names = Names(["*.example"], local=True)
    assert all(names.allow(f"a{number}.example".encode()) for number in range(1000))
    assert len(names._known) <= 100


def test_the_names_in_a_certificate_count(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, ["a.example", "*.b.example", "10.0.0.1"])
    assert names_in(made.cert) == ["a.example", "*.b.example"]
    names = names_of(Settings(tls_cert=made.cert, tls_key=made.key, host="c.example"))
    for host in (b"a.example", b"x.b.example", b"c.example"):
        assert names.allow(host)
    assert not names.allow(b"x.a.example")


@pytest.mark.parametrize(
    ("content", "told"), [(b"none", "holds no certificate"), (None, "cannot be read")]
)
def test_a_certificate_that_is_none(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "cert.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=f"tls_cert: .*cert.pem: {told}"):
        names_of(Settings(tls_cert=path, tls_key=path))


def test_requests_by_another_name_are_refused(serve: Serve) -> None:
    service = serve(hosts=("known.example",), origins=("https://page.example",))
    for host in ("known.example", "localhost"):
        assert service.http.get("/healthz", headers={"host": host}).status_code == 200
    answer = service.http.get(
        "/v1/models", headers={"host": "evil.example:8000", "origin": "https://page.example"}
    )
    found = problem(answer, 421, "unknown-host")
    assert "'evil.example:8000'" in found["detail"]
    assert "--hosts" in found["detail"]
    assert answer.headers["access-control-allow-origin"] == "https://page.example"


def test_one_of_two_names_is_not_enough(serve: Serve) -> None:
    service = serve()
    address = service.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=30) as found:
        found.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert found.recv(100).startswith(b"HTTP/1.1 421")


def test_streams_by_another_name_are_refused(serve: Serve) -> None:
    service = serve()
    port = int(service.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as found:
        with pytest.raises(InvalidStatus) as caught:
            connect(f"ws://evil.example:{port}/v1/stream", sock=found)
        assert caught.value.response.status_code == 403
