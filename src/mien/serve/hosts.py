"""By which names the service may be called, so that no page can reach it by a name of its own.

A page from anywhere may have its own name point at this machine's address once it is loaded ("DNS
rebinding"): to the browser, what it asks for then comes from where the page came from. Only the
name in the request, its header Host, tells.
"""

import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from mien.errors import printable, shortened
from mien.serve import tls
from mien.serve.problems import Problem, request_id_of
from mien.serve.settings import Settings, SettingsError

_HOST: Final = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::[0-9]*)?", re.I)
_OF_NETWORKS: Final = (".local", ".lan", ".internal", ".home.arpa")
"""Ends of names that nobody can register: a local network gives them."""

_MOST_KNOWN: Final = 100


class Names:
    """The names that a service may be called by.

    Those that nobody can point at this machine from outside always may: addresses, `localhost`,
    and the machine's own name. Where other machines reach the service anyway, so may the names of
    local networks: those without a dot, and those that end in `.local` and the like.

    Args:
        names: Further names; `*.example.com` stands for all below `example.com`, `*` for any.
        local: Whether only this machine can reach the service.
    """

    def __init__(self, names: Iterable[str], *, local: bool) -> None:
        lowered = {name.lower().rstrip(".") for name in names}
        self._any = "*" in lowered
        self._suffixes = tuple(name[1:] for name in lowered if name.startswith("*."))
        self._local = local
        own = socket.gethostname().lower()
        self._names = lowered | {"localhost", own, own.partition(".")[0] + ".local"}
        # What requests were called by of late: nearly all say the same.
        self._known: set[bytes] = set()

    def allow(self, host: bytes) -> bool:
        """Return whether a request may bear this header Host."""
        if self._any or host in self._known:
            return True
        found = _HOST.fullmatch(host.decode("latin-1"))
        allowed = found is not None and (
            _is_address(found["v6"]) if found["v6"] else self._allows(found["name"])
        )
        if allowed and len(self._known) < _MOST_KNOWN:
            self._known.add(host)
        return allowed

    def _allows(self, name: str) -> bool:
        name = name.lower().rstrip(".")
        if name in self._names or name.endswith((".localhost", *self._suffixes)):
            return True
        if _is_address(name):
            return True
        return not self._local and ("." not in name or name.endswith(_OF_NETWORKS))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def names_of(settings: Settings) -> Names:
    """Return the names that a service with these settings may be called by.

    Raises:
        SettingsError: The certificate, which holds names too, cannot be read.
    """
    return Names(
        [*settings.hosts, settings.host, *_certified(settings.tls_cert)], local=settings.local
    )


def _certified(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        return tls.names_in(path)
    except OSError as error:
        raise SettingsError(f"tls_cert: {path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SettingsError(f"tls_cert: {path}: holds no certificate as PEM") from error


class KnownHosts:
    """Middleware that refuses requests and streams by other names.

    Args:
        app: The application within.
        names: The names that may be used.
    """

    def __init__(self, app: ASGIApp, names: Names) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] in ("http", "websocket"):
            for name, value in scope["headers"]:
                if name == b"host" and not self._names.allow(value):
                    await self._refuse(value, scope, receive, send)
                    return
        await self._app(scope, receive, send)

    async def _refuse(self, host: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            # Before it is accepted: the web server answers 403.
            await send({"type": "websocket.close", "code": 1008, "reason": "unknown host"})
            return
        shown = printable(shortened(host.decode("latin-1")))
        problem = Problem(
            421,
            "unknown-host",
            f"The service is not known as {shown!r}; name it by --hosts or MIEN_HOSTS, or call "
            "the service by its address.",
        )
        await problem.response(request_id_of(scope))(scope, receive, send)
