"""The OpenAPI document: what clients are made of, and that the service keeps to it."""

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

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
    found = {
        (method, path): operation["operationId"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert found == OPERATIONS


def test_every_reference_leads_somewhere(document: Any) -> None:
    named = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))
    assert named <= document["components"]["schemas"].keys()
    assert {"StreamStart", "StreamResult", "Problem", "PicturesBody", "AnalyzeResult"} <= (
        document["components"]["schemas"].keys()
    )


def test_every_problem_is_described(document: Any) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]


KEPT = (
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.unsupported_method,
)


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
    operation = schemathesis.openapi.from_dict(document)[path][method]

    @settings(
        max_examples=10 if method == "post" else 3,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def keeps(case: Any) -> None:
        case.call_and_validate(base_url=real.url, checks=KEPT)

    keeps()
