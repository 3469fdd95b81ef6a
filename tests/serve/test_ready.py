"""The question of a container's health check, over HTTP and TLS, and where nobody answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mien.serve.ready import main
from mien.serve.tls import make_certificate
from tests.serve.conftest import Running, Serve
from tests.serve.test_run import free_port


def port_of(service: Running) -> str:
    return service.url.rpartition(":")[2]


def test_a_service_that_is_ready(serve: Serve) -> None:
    service = serve(api_keys=("k" * 16,))
    assert main([port_of(service)], {}) == 0
    assert main([], {"MIEN_PORT": port_of(service), "MIEN_HOST": "0.0.0.0"}) == 0


def test_a_service_that_speaks_tls(serve: Serve, tmp_path: Path) -> None:
    made = make_certificate(tmp_path, ["shop.example"])
    service = serve(tls_cert=made.cert, tls_key=made.key)
    assert main([port_of(service)], {}) == 0


def test_a_service_that_is_not_ready(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    service = serve()
    service.service.ready = False
    assert main([port_of(service)], {}) == 1
    assert "answers 503" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["", "none", "99999", "-1"])
def test_no_service(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([port or str(free_port())], {}) == 1
    assert capsys.readouterr().err.startswith("not ready: ")


def test_it_asks_without_the_service_itself() -> None:
    script = (
        "import sys; from mien.serve.ready import main; code = main(sys.argv[1:], {});"
        "assert not {'numpy', 'fastapi', 'pydantic'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(free_port())],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert (done.returncode, done.stderr.partition(":")[0]) == (1, "not ready")
