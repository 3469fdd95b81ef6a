"""Keys, rates and origins."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from mien.serve.access import Keys, RateLimit, may_stream
from mien.serve.problems import Problem
from tests.serve.conftest import KEY, Serve, files, problem


def test_without_keys_all_may_come() -> None:
    Keys([]).check(None)


@pytest.mark.parametrize("given", [None, "", KEY[:-1], KEY + "x", KEY.upper(), "ключ"])
def test_a_wrong_key_is_refused(given: str | None) -> None:
    keys = Keys([SecretStr("another-key-of-ours"), SecretStr(KEY)])
    keys.check(KEY)
    with pytest.raises(Problem) as caught:
        keys.check(given)
    assert caught.value.status == 401
    assert KEY not in caught.value.detail


def test_a_client_may_make_so_many_a_minute() -> None:
    now = [0.0]
    limit = RateLimit(3, lambda: now[0])
    for _ in range(3):
        limit.take("a")
    limit.take("b")
    with pytest.raises(Problem) as caught:
        limit.take("a")
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "20"})
    now[0] = 20
    limit.take("a")
    with pytest.raises(Problem):
        limit.take("a")


def test_a_network_of_ipv6_is_one_client() -> None:
    limit = RateLimit(1)
    for client in ("2001:db8::1", "2001:db8:0:1::1", "::ffff:10.0.0.1", "::ffff:10.0.0.2"):
        limit.take(client)
    with pytest.raises(Problem):
        limit.take("2001:db8::ffff:0:0:2")


def test_clients_without_end_take_no_memory_without_end() -> None:
    limit = RateLimit(1)
    for number in range(11_000):
        limit.take(str(number))
    assert len(limit._buckets) == 10_000


@pytest.mark.parametrize(
    ("origin", "allowed", "may"),
    [
        (None, (), True),
        ("http://here:80", (), True),
        ("http://there", (), False),
        ("http://there", ("http://there",), True),
        ("http://there.evil", ("http://there",), False),
        ("http://there", ("*",), True),
        ("null", (), False),
        ("http://here:80.evil", (), False),
    ],
)
def test_which_pages_may_stream(origin: str | None, allowed: tuple[str, ...], may: bool) -> None:
    assert may_stream(origin, "here:80", allowed) is may


@pytest.mark.parametrize("origin", ["null", "", "file://", "http://["])
def test_an_origin_that_names_no_host_is_not_that_of_a_request_without_one(origin: str) -> None:
    assert not may_stream(origin, "", ())
    assert not may_stream(origin, None, ())


@pytest.mark.parametrize("path", ["/v1/analyze", "/image", "/uploader", "/v2/models/tiny/infer"])
def test_routes_ask_for_a_key_before_they_look_at_a_body(serve: Serve, path: str) -> None:
    guarded = serve(api_keys=KEY)
    answer = guarded.http.post(path, content=b"nothing")
    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_opens(serve: Serve, red: bytes, keys: Path) -> None:
    guarded = serve(api_key_file=keys)
    for header in ({"Authorization": f"Bearer {KEY}"}, {"X-API-Key": KEY}):
        answer = guarded.http.post("/v1/analyze", files=files(red), headers=header)
        assert answer.status_code == 200
    for path in ("/v1/models", "/v1/models/tiny/file", "/v1/detector/file", "/metrics"):
        problem(guarded.http.get(path), 401, "unauthorized")
        assert guarded.http.get(path, headers={"X-API-Key": KEY}).status_code == 200
    for path in ("/healthz", "/readyz", "/v2/health/live", "/", "/docs", "/openapi.json"):
        assert guarded.http.get(path).status_code == 200


def test_a_client_that_calls_too_often(serve: Serve) -> None:
    limited = serve(rate=2)
    answers = [limited.http.get("/v1/models") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    problem(answers[2], 429, "too-many-requests")
    assert 1 <= int(answers[2].headers["retry-after"]) <= 31
    assert limited.http.get("/healthz").status_code == 200


def test_other_pages_may_call_only_where_their_origin_is_set(serve: Serve, red: bytes) -> None:
    page = {"Origin": "https://shop.example"}
    closed = serve().http.post("/v1/analyze", files=files(red), headers=page)
    assert "access-control-allow-origin" not in closed.headers
    open_ = serve(origins="https://shop.example").http
    answer = open_.post("/v1/analyze", files=files(red), headers=page)
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    other = open_.post("/v1/analyze", files=files(red), headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    asked = {**page, "Access-Control-Request-Method": "POST"}
    assert open_.options("/image", headers=asked).status_code == 200
