"""Security headers of every answer: what a page from here may do, and who may hold it."""

from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY: Final = {
    "default-src": "'none'",
    # Networks run in the browser as WebAssembly, in workers.
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "'self' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' blob: data:",
    "media-src": "'self' blob:",
    "font-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
_FIXED: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    # Cross-origin isolation, without which a page gets no threads for WebAssembly.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Middleware that adds the headers.

    Args:
        app: The application within.
        servers: Origins of other services that the page may call.
        lasting_tls: Whether browsers may be told to come by TLS only, from now on.
    """

    def __init__(self, app: ASGIApp, servers: Sequence[str], *, lasting_tls: bool) -> None:
        self._app = app
        headers = dict(_FIXED) | {"Content-Security-Policy": policy(servers)}
        if lasting_tls:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        # As they go over the wire, since every answer bears them.
        self._headers = [(name.lower().encode(), text.encode()) for name, text in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], *self._headers]
                # What was read of a picture is nobody's to keep, unless a route says so.
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def policy(servers: Sequence[str]) -> str:
    """Return the content security policy.

    Args:
        servers: Origins of other services that the page may call, over HTTP and by stream.
    """
    if "*" in servers:
        others = ["http:", "https:", "ws:", "wss:"]
    else:
        others = [*servers, *(server.replace("http", "ws", 1) for server in servers)]
    parts = dict(_POLICY) | {"connect-src": " ".join(["'self'", *others])}
    return "; ".join(f"{name} {value}" for name, value in parts.items())
