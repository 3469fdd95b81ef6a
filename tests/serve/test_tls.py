"""The self-signed certificate, and a service that speaks TLS with it."""

import ssl
import stat
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest

from mien.serve.tls import make_certificate, names_for, own_addresses
from tests.serve.conftest import Serve


def test_a_service_speaks_tls(serve: Serve, tmp_path: Path) -> None:
    made = make_certificate(tmp_path, ["localhost", "127.0.0.1"])
    service = serve(tls_cert=made.cert, tls_key=made.key)
    answer = service.http.get("/healthz")
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    with pytest.raises(httpx2.ConnectError, match="certificate verify failed"):
        httpx2.get(f"{service.url}/healthz")


def test_the_key_is_its_owners_alone_and_the_fingerprint_is_right(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, ["shop.local", "::1"])
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    der = ssl.PEM_cert_to_DER_cert(made.cert.read_text())
    assert made.fingerprint.replace(":", "").lower() == sha256(der).hexdigest()


def test_what_a_certificate_is_for() -> None:
    assert {"localhost", "127.0.0.1", "shop.example"} <= set(names_for("shop.example"))
    assert "0.0.0.0" not in names_for("0.0.0.0")
    assert all(address in names_for("0.0.0.0") for address in own_addresses())
