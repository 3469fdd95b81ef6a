"""What stands round every request: its id, figures, log, headers and last answer."""

import asyncio
import json
import logging
import sys
import threading
from pathlib import Path

import httpx2
import pytest

from mien.serve.app import create_app
from mien.serve.headers import policy
from mien.serve.logs import JsonFormatter, TextFormatter
from mien.serve.settings import Settings
from tests.serve.conftest import KEY, Running, Serve, files, problem, wait_until


def test_a_request_bears_its_id_or_gets_one(real: Running) -> None:
    given = real.http.get("/healthz", headers={"X-Request-ID": "shop-7.1"})
    assert given.headers["x-request-id"] == "shop-7.1"
    for odd in ("a b", "x" * 65, "é"):
        got = real.http.get("/healthz", headers={b"X-Request-ID": odd.encode()})
        assert len(got.headers["x-request-id"]) == 32


def test_security_headers_stand_on_every_answer(real: Running) -> None:
    for path in ("/", "/docs", "/nothing", "/v1/models", "/openapi.json"):
        headers = real.http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-embedder-policy"] == "require-corp"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers
        assert "strict-transport-security" not in headers
    assert real.http.get("/v1/models").headers["cache-control"] == "no-store"


def test_the_policy_allows_networks_workers_and_configured_servers() -> None:
    parts = dict(part.split(" ", 1) for part in policy(["https://b.example"]).split("; "))
    assert parts["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert parts["worker-src"] == "'self' blob:"
    assert parts["img-src"] == "'self' blob: data:"
    assert parts["connect-src"] == "'self' https://b.example wss://b.example"
    assert "connect-src 'self' http: https: ws: wss:" in policy(["*"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/analyze", "POST"),
        ("DELETE", "/v1/models", "GET"),
        ("POST", "/", "GET, HEAD"),
        ("PUT", "/image", "POST"),
    ],
)
def test_a_wrong_method(real: Running, method: str, path: str, allowed: str) -> None:
    answer = real.http.request(method, path)
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == allowed


def test_an_address_where_nothing_is(real: Running) -> None:
    for path in ("/nothing", "/v1/nothing", "/v1/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd"):
        problem(real.http.get(path), 404, "not-found")


def test_what_fails_inside_is_logged_without_its_words(
    serve: Serve, red: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    service = serve()

    def fail(*_: object) -> None:
        raise RuntimeError("the client's secret")

    service.service.batcher.submit = fail  # type: ignore[method-assign, assignment]
    with caplog.at_level(logging.INFO, "mien.serve"):
        answer = service.http.post("/v1/analyze", files=files(red))
    found = problem(answer, 500, "internal-error")
    (failed,) = [record for record in caplog.records if record.message == "failed"]
    line = JsonFormatter().format(failed)
    assert found["request_id"] in line
    assert json.loads(line)["error"] == "RuntimeError"
    assert "secret" not in line + answer.text


def test_the_log_holds_nothing_private(
    serve: Serve, red: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    service = serve(api_keys=KEY)
    with caplog.at_level(logging.INFO, "mien.serve"):
        service.http.post(
            "/v1/analyze?tasks=gender&name=Eve",
            files=[("file", ("eve.jpg", red))],
            headers={"X-API-Key": KEY},
        )
        wait_until(lambda: any(record.message == "request" for record in caplog.records))
    (record,) = [record for record in caplog.records if record.message == "request"]
    line = json.loads(JsonFormatter().format(record))
    assert line.keys() == {
        *("time", "level", "event", "request_id", "method", "route", "status", "milliseconds")
    }
    assert (line["route"], line["status"]) == ("/v1/analyze", 422)
    assert "status=422" in TextFormatter().format(record)


def test_a_log_line_tells_where_an_exception_came_from() -> None:
    try:
        raise ValueError("secret")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", None, sys.exc_info())
    line = json.loads(JsonFormatter().format(record))
    assert line["error"] == "ValueError"
    assert "test_operation.py" in line["at"][0]
    assert "secret" not in json.dumps(line)


def test_figures(serve: Serve, red: bytes) -> None:
    service = serve()
    service.http.post("/v1/analyze", files=files(red, red))
    service.http.post("/v1/annotate", files=files(red))
    service.http.get("/some/path/of/a/client")
    answer = service.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'mien_requests_total{method="POST",route="/v1/analyze",status="200"} 1.0',
        'mien_requests_total{method="GET",route="other",status="404"} 1.0',
        'mien_request_seconds_count{route="/v1/analyze"} 1.0',
        "mien_batch_pictures_sum 3.0",
        "mien_queue_depth 0.0",
        "mien_streams 0.0",
        'mien_stage_seconds_count{stage="draw"} 1.0',
    ):
        assert line in answer.text.splitlines()
    for stage in ("receive", "wait", "prepare", "gather", "network"):
        assert f'mien_stage_seconds_count{{stage="{stage}"}}' in answer.text
    assert "process_resident_memory_bytes" in answer.text
    assert "/some/path" not in answer.text


def test_pages_need_no_other_host(real: Running) -> None:
    for path in ("/", "/docs", "/pages/docs.js", "/pages/plain.css"):
        answer = real.http.get(path)
        assert answer.status_code == 200
        assert "//" not in answer.text.replace("// Shows", "")
    assert real.http.get("/").headers["cache-control"] == "no-cache"


def test_a_short_address_leads_to_the_tally(real: Running) -> None:
    answer = real.http.get("/tally", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "./#/tally")


def test_a_built_page_stands_before_the_plain_one(
    tmp_path: Path, tiny_models: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<p>built</p>")
    (tmp_path / "assets" / "app-1a2b.js").write_text("1")
    monkeypatch.setattr("mien.serve.pages.BUILT", tmp_path)
    app = create_app(Settings(models=tiny_models, threads=1))
    transport = httpx2.ASGITransport(app)

    async def fetch(path: str) -> httpx2.Response:
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.get(path)

    assert asyncio.run(fetch("/")).text == "<p>built</p>"
    script = asyncio.run(fetch("/assets/app-1a2b.js"))
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asyncio.run(fetch("/assets/gone.js")).status_code == 404
    app.state.service.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_one_of_several_workers_takes_connections_once_it_is_ready(
    tiny_models: tuple[str, str], monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    app = create_app(Settings(models=tiny_models, threads=1, workers=workers))
    service, gate = app.state.service, threading.Event()
    warm_up = service.warm_up
    monkeypatch.setattr(service, "warm_up", lambda: gate.wait(30) and warm_up())

    async def run() -> list[bool]:
        # A worker alone answers meanwhile, above all that it is alive.
        asyncio.get_running_loop().call_later(0.1, gate.set)
        async with app.router.lifespan_context(app):
            return [service.ready]

    assert asyncio.run(run()) == [workers > 1]


def test_a_service_that_cannot_warm_up_says_why(
    tiny_models: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = create_app(Settings(models=tiny_models, threads=1))
    monkeypatch.setattr(app.state.service.catalogue, "warm_up", lambda: 1 / 0)

    async def run() -> None:
        async with app.router.lifespan_context(app):
            pass

    with caplog.at_level(logging.INFO, "mien.serve"):
        asyncio.run(run())
    assert [record.getMessage() for record in caplog.records] == ["warm-up failed", "ended"]
    assert caplog.records[0].fields["error"] == "ZeroDivisionError"  # type: ignore[attr-defined]
    assert not app.state.service.ready
