"""The OpenAPI document with the watch's routes."""

from typing import Any

import pytest
from schemathesis import GenerationMode

from mien.serve.app import create_app
from mien.serve.settings import Settings
from mien.watch.http.app import install
from tests.serve import openapi
from tests.serve.conftest import Running

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
def document(tiny: str) -> Any:
    app = create_app(Settings(models=(tiny,), threads=1))
    install(app, None)
    app.state.service.close()
    return app.openapi()


def test_the_watch_adds_its_operations_to_the_service_s(document: Any) -> None:
    found = openapi.operations(document)
    assert OPERATIONS.items() <= found.items()
    assert found["post", "/v1/analyze"] == "analyze"


def test_every_reference_leads_somewhere(document: Any) -> None:
    named = openapi.named(document)
    assert named <= document["components"]["schemas"].keys()
    assert {"AreasBody", "TapBody", "TallyBody", "TallyRuns", "LiveResult"} <= named


def test_every_route_asks_for_a_key_and_describes_its_problems(document: Any) -> None:
    for method, path in OPERATIONS:
        operation = document["paths"][path][method]
        assert operation["security"] == [{"HTTPBearer": []}, {"APIKeyHeader": []}]
        assert not openapi.undescribed(operation)


ENDING = [(method, path) for method, path in OPERATIONS if path != "/v1/audience/events"]
INSIDE = [(method, path, GenerationMode.POSITIVE) for method, path in ENDING]
OUTSIDE = [
    (method, path, GenerationMode.NEGATIVE)
    for method, path in ENDING
    if method in ("post", "put") or "{" in path or path == "/v1/audience"
]


@pytest.mark.parametrize(("method", "path", "mode"), [*INSIDE, *OUTSIDE])
def test_the_watch_keeps_to_its_document(
    shop: Running, document: Any, method: str, path: str, mode: GenerationMode
) -> None:
    openapi.keeps_to(document, shop.url, method, path, mode, 10)
