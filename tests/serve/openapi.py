"""What is asked of an OpenAPI document, whoever adds routes to it."""

import re
from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

_CHECKS: Final = (
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.unsupported_method,
)


def operations(document: Any) -> dict[tuple[str, str], str]:
    """Return method and path -> name of the operation."""
    return {
        (method, path): operation["operationId"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def named(document: Any) -> set[str]:
    """Return the names of schemas that are referred to."""
    return set(re.findall(r"'#/components/schemas/([^']+)'", str(document)))


def undescribed(operation: Any) -> list[str]:
    """Return the statuses of errors that are no described problems."""
    return [
        status
        for status, answer in operation["responses"].items()
        if int(status) >= 400 and list(answer["content"]) != ["application/problem+json"]
    ]


def keeps_to(
    document: Any, url: str, method: str, path: str, mode: GenerationMode, examples: int
) -> None:
    """Send made-up requests, and check the answers against the document."""
    operation = schemathesis.openapi.from_dict(document)[path][method]

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def keeps(case: Any) -> None:
        case.call_and_validate(base_url=url, checks=_CHECKS)

    keeps()
