"""The OpenAPI document with the watch's routes."""

import re
from typing import Any

import pytest

from mien.serve.app import create_app
from mien.serve.settings import Settings
from mien.watch.http.app import install

OPERATIONS = {
    ("get", "/v1/audience"): "audience",
    ("get", "/v1/audience/live"): "liveAudience",
    ("get", "/v1/audience/events"): "audienceEvents",
    ("get", "/v1/privacy"): "privacy",
    ("get", "/v1/cameras"): "listCameras",
    ("get", "/v1/cameras/{name}/still"): "still",
    ("put", "/v1/cameras/{name}/areas"): "setAreas",
    ("get", "/v1/tallies"): "listTallies",
    ("post", "/v1/tallies"): "startTally",
    ("get", "/v1/tallies/{tally}"): "getTally",
    ("delete", "/v1/tallies/{tally}"): "dropTally",
    ("post", "/v1/tallies/{tally}/taps"): "tap",
    ("delete", "/v1/tallies/{tally}/taps"): "untap",
    ("post", "/v1/tallies/{tally}/finish"): "finishTally",
}


@pytest.fixture(scope="module")
def document(tiny_models: tuple[str, str]) -> Any:
    app = create_app(Settings(models=tiny_models, threads=1))
    install(app, None)
    app.state.service.close()
    return app.openapi()


def test_the_watch_adds_its_operations_to_the_service_s(document: Any) -> None:
    found = {
        (method, path): operation["operationId"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert OPERATIONS.items() <= found.items()
    assert found["post", "/v1/analyze"] == "analyze"


def test_every_reference_leads_somewhere(document: Any) -> None:
    named = set(re.findall(r"'#/components/schemas/([^']+)'", str(document)))
    assert named <= document["components"]["schemas"].keys()
    assert {"AreasBody", "TapBody", "TallyBody", "TallyRuns", "LiveResult"} <= named


def test_every_route_asks_for_a_key_and_describes_its_problems(document: Any) -> None:
    for method, path in OPERATIONS:
        operation = document["paths"][path][method]
        assert operation["security"] == [{"HTTPBearer": []}, {"APIKeyHeader": []}]
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"]
