"""The service as a process: what it says, how it ends, and several of it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from mien.serve.run import serve
from mien.serve.settings import Settings, SettingsError
from mien.serve.tls import make_certificate
from tests.serve.conftest import KEY, files, wait_until

PROGRAM = [sys.executable, "-W", "error", "-c", "from mien.cli import main; main()", "serve"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def process(tmp_path: Path, *flags: str, **environment: str) -> Iterator[tuple[str, Path]]:
    """Run the program until the block ends; yield its address, and the file of what it says."""
    port, said = free_port(), tmp_path / "said.txt"
    with said.open("w") as stream:
        running = subprocess.Popen(
            [*PROGRAM, "--port", str(port), "--threads", "1", *flags],
            stdout=stream,
            stderr=stream,
            env=os.environ | environment,
        )
    try:
        yield f"127.0.0.1:{port}", said
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
    finally:
        running.kill()
        running.wait()


def is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz", verify=False).status_code == 200
    except httpx2.TransportError:
        return False


def test_it_may_open_more_connections_than_a_shell_allows() -> None:
    script = (
        "import resource; _, hard = resource.getrlimit(resource.RLIMIT_NOFILE);"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard));"
        "from mien.serve.run import _allow_connections; _allow_connections();"
        "assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, 65_536)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_it_serves_and_ends_when_told(
    tmp_path: Path, tiny_models: tuple[str, str], red: bytes
) -> None:
    models = ("--models", ",".join(tiny_models))
    with process(tmp_path, *models, MIEN_API_KEYS=KEY) as (address, said):
        url = f"http://{address}"
        wait_until(lambda: is_ready(url))
        header = {"X-API-Key": KEY}
        answer = httpx2.post(f"{url}/v1/analyze", files=files(red), headers=header)
        assert answer.status_code == 200
    greeting, first, second, *lines = said.read_text().splitlines()
    assert greeting == f"mien serves at http://{address}/"
    assert first == "model tiny-face 1: its weights may be used for tests"
    assert second == "model tiny-colour 1: its weights may be used for tests"
    events = [json.loads(line)["event"] for line in lines]
    assert set(events[:-1]) == {"request"}
    assert events[-1] == "ended"
    assert KEY not in said.read_text()


def test_a_certificate_of_its_own(tmp_path: Path, tiny_models: tuple[str, str]) -> None:
    flags = ("--models", tiny_models[0], "--tls-self-signed", "--host", "0.0.0.0")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with process(tmp_path, *flags, TMPDIR=str(temporary)) as (address, said):
        wait_until(lambda: is_ready(f"https://{address}"))
        assert len(list(temporary.glob("mien-tls-*/key.pem"))) == 1
    # Nor is the key left behind.
    assert list(temporary.glob("mien-tls-*")) == []
    text = said.read_text()
    assert "The certificate is self-signed: browsers warn of it" in text
    assert "No API key is set" in text
    assert f"mien serves at https://localhost:{address.split(':')[1]}/" in text


def test_workers_share_the_port(tmp_path: Path, tiny_models: tuple[str, str]) -> None:
    flags = ("--models", tiny_models[0], "--workers", "2")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    keys = {"MIEN_API_KEYS": KEY, "TMPDIR": str(temporary)}
    with process(tmp_path, *flags, **keys) as (address, said):
        url = f"http://{address}"
        wait_until(lambda: is_ready(url))
        wait_until(lambda: len(workers_at(url)) == 2)
        assert httpx2.get(f"{url}/v1/models").status_code == 401
        assert httpx2.get(f"{url}/v1/models", headers={"X-API-Key": KEY}).status_code == 200
    assert said.read_text().count('"event": "ended"') == 2
    assert list(temporary.glob("mien-*")) == []


def workers_at(url: str) -> set[str]:
    """Return the workers that one scrape tells of."""
    text = httpx2.get(f"{url}/metrics", headers={"X-API-Key": KEY}).text
    return set(re.findall(r'^mien_queue_depth{worker="(\d+)"} 0.0$', text, re.MULTILINE))


def test_a_host_that_is_none(tiny_models: tuple[str, str]) -> None:
    done = subprocess.run(
        [*PROGRAM, "--host", "a..b", "--models", tiny_models[0]],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "a..b:8000: cannot be listened at: that is no host's name" in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken(tmp_path: Path, tiny_models: tuple[str, str], workers: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*PROGRAM, "--port", port, "--models", tiny_models[0], "--workers", workers],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert f"mien: 127.0.0.1:{port}: cannot be listened at: Address already in use" in done.stderr
    assert "choose another --port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_that_is_not_this_machine(tiny_models: tuple[str, str]) -> None:
    settings = Settings(models=tiny_models, host="192.0.2.1")
    with pytest.raises(OSError, match="--host is an address of this machine") as caught:
        serve(settings, print)
    assert caught.value.filename == "192.0.2.1:8000"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_certificate_and_a_key_that_do_not_go_together(tmp_path: Path, workers: int) -> None:
    (tmp_path / "other").mkdir()
    cert = make_certificate(tmp_path, ["localhost"]).cert
    other = make_certificate(tmp_path / "other", ["localhost"]).key
    none = tmp_path / "none.pem"
    none.write_text("none")
    for key, told in (
        (other, "is not the key of .*cert.pem"),
        (none, "holds no plain private key"),
        (tmp_path / "missing.pem", "cannot be read"),
    ):
        settings = Settings(tls_cert=cert, tls_key=key, workers=workers)
        with pytest.raises(SettingsError, match=f"tls_key: .*{key.name}: {told}"):
            serve(settings, print)


def test_a_port_of_the_systems_choice_and_models_without_faces(
    tmp_path: Path, tiny_models: tuple[str, str]
) -> None:
    with process(tmp_path, "--models", tiny_models[1], "--port", "0") as (_, said):
        wait_until(lambda: "None of the models reads faces" in said.read_text())
        found = re.match(r"mien serves at (http://127.0.0.1:[1-9]\d*)/", said.read_text())
        assert found is not None
        wait_until(lambda: is_ready(found[1]))
