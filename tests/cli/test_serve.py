"""`mien serve`: its settings as they are shown, its document, and wrong use."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Mien

KEY = "a-key-of-twenty-four-chars"


def test_the_configuration_is_shown_with_secrets_masked(
    mien: Mien, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "service.toml").write_text("queue = 99\nport = 1\n")
    monkeypatch.setenv("MIEN_API_KEYS", KEY)
    monkeypatch.setenv("MIEN_PORT", "2")

    outcome = mien("serve", "--config", "service.toml", "--host", "::1", "--show-config")

    assert outcome.code == 0
    assert KEY not in outcome.out
    shown = tomllib.loads(outcome.out)
    assert (shown["queue"], shown["port"], shown["host"]) == (99, 2, "::1")
    assert shown["api_keys"] == ["********"]
    assert shown["tls_self_signed"] is False


def test_what_takes_several_values_is_parted_or_repeated(mien: Mien) -> None:
    flags = ["--models", "a,b", "--models", "c", "--hosts", "x.example", "--hosts", "y.example"]

    shown = tomllib.loads(mien("serve", *flags, "--show-config").out)

    assert (shown["models"], shown["hosts"]) == (["a", "b", "c"], ["x.example", "y.example"])
    assert shown["origins"] == []


def test_the_document_is_printed(mien: Mien) -> None:
    outcome = mien("serve", "--openapi")

    document = json.loads(outcome.out)
    assert document["openapi"].startswith("3.1")
    assert document["paths"]["/v1/analyze"]["post"]["operationId"] == "analyze"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "70000"], "settings: port: Input should be less than or equal to 65535"),
        (["--tls-cert", "a.pem"], "settings: tls_cert and tls_key go together"),
        (["--config", "none.toml"], "none.toml: cannot be read (No such file or directory)"),
        (["--models", "none"], "'none': neither a model file nor a packaged model"),
    ],
)
def test_wrong_use(mien: Mien, arguments: list[str], told: str) -> None:
    outcome = mien("serve", *arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"mien: {told}")


def test_help_names_every_flag_of_a_setting(mien: Mien) -> None:
    shown = mien("serve", "--help").out

    for flag in ("--host", "--workers", "--tls-self-signed", "--api-key-file", "--show-config"):
        assert flag in shown
    assert "MIEN_API_KEYS" in shown
