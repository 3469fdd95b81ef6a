"""The OpenAPI document: what clients are made of, and that the service keeps to it."""

from typing import Any

import pytest
from schemathesis import GenerationMode

from tests.serve import openapi
from tests.serve.conftest import Running

OPERATIONS = {
    ("post", "/v1/analyze"): "analyze",
    ("post", "/v1/classify"): "classify",
    ("post", "/v1/annotate"): "annotate",
    ("get", "/v1/models"): "listModels",
    ("get", "/v1/models/{name}"): "getModel",
    ("get", "/v1/models/{name}/file"): "getModelFile",
    ("get", "/v1/detector/file"): "getDetectorFile",
    ("post", "/image"): "readAge",
    ("post", "/uploader"): "drawExpressions",
    ("get", "/healthz"): "health",
    ("get", "/readyz"): "ready",
    ("get", "/metrics"): "metrics",
    ("get", "/v2"): "serverMetadata",
    ("get", "/v2/health/live"): "serverLive",
    ("get", "/v2/health/ready"): "serverReady",
    ("get", "/v2/models/{name}"): "modelMetadata",
    ("get", "/v2/models/{name}/ready"): "modelReady",
    ("post", "/v2/models/{name}/infer"): "infer",
}


@pytest.fixture(scope="module")
def document(real: Running) -> Any:
    return real.http.get("/openapi.json").json()


def test_operations_keep_their_names(document: Any) -> None:
    assert openapi.operations(document) == OPERATIONS


def test_every_reference_leads_somewhere(document: Any) -> None:
    assert openapi.named(document) <= document["components"]["schemas"].keys()
    assert {"StreamStart", "StreamResult", "Problem", "PicturesBody", "AnalyzeResult"} <= (
        document["components"]["schemas"].keys()
    )


def test_every_problem_is_described(document: Any) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            assert not openapi.undescribed(operation)


INSIDE = [(method, path, GenerationMode.POSITIVE) for method, path in OPERATIONS]
OUTSIDE = [
    (method, path, GenerationMode.NEGATIVE)
    for method, path in OPERATIONS
    if method == "post" or "{" in path
]


@pytest.mark.parametrize(("method", "path", "mode"), [*INSIDE, *OUTSIDE])
def test_the_service_keeps_to_its_document(
    real: Running, document: Any, method: str, path: str, mode: GenerationMode
) -> None:
    openapi.keeps_to(document, real.url, method, path, mode, 10 if method == "post" else 3)
