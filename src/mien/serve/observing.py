"""Round every request: its id, its line in the log, its figures, and a last answer."""

import logging
import re
from random import getrandbits
from time import perf_counter
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.serve.logs import failure, log
from mien.serve.metrics import Metrics
from mien.serve.problems import of_exception

HEADER: Final = "X-Request-ID"
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_GONE: Final = 499
"""Stands in the log where the client went away before its answer, as other servers write it."""


class Observer:
    """Middleware that gives each request an id, counts it and logs it.

    Args:
        app: The application within.
        metrics: Where requests are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(scope, send)
        try:
            await self._app(scope, receive, request.send)
        except ClientDisconnect:
            request.status = request.status or _GONE
        except Exception as error:
            log("failed", level=logging.ERROR, request_id=request.id, **failure(error))
            if not request.status:
                await of_exception(error).response(request.id)(scope, receive, request.send)
        finally:
            self._report(scope, request)

    def _report(self, scope: Scope, request: "_Request") -> None:
        seconds = perf_counter() - request.start
        # Neither a path nor a method from outside may make figures of its own.
        template = getattr(scope.get("route"), "path", "")
        route = template if isinstance(template, str) and template else "other"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.request(method, route, request.status, seconds)
        log(
            "request",
            request_id=request.id,
            method=method,
            route=route,
            status=request.status,
            milliseconds=round(seconds * 1000, 1),
        )


class _Request:
    """What is known of a request so far."""

    def __init__(self, scope: Scope, send: Send) -> None:
        given = Headers(scope=scope).get(HEADER, "")
        self.id = given if _ID.fullmatch(given) else f"{getrandbits(128):032x}"
        self.start = perf_counter()
        self.status = 0
        self._send = send
        scope.setdefault("state", {})["request_id"] = self.id

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            MutableHeaders(scope=message)[HEADER] = self.id
        await self._send(message)
