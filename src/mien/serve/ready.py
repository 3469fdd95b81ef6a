"""Asks the service on this machine whether it is ready: `python -m mien.serve.ready [PORT]`.

For the health check of a container, which runs every few seconds: it imports nothing of the
service. The port is that of `MIEN_PORT`, or 8000; TLS is found out.
"""

import http.client
import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from typing import Final

_TIMEOUT: Final = 4
_EVERYWHERE: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Return 0 if the service is ready, else 1 and say why."""
    host = environment.get("MIEN_HOST", "")
    host = _EVERYWHERE.get(host, host)
    port = arguments[0] if arguments else environment.get("MIEN_PORT") or "8000"
    if not port.isdecimal():
        return _told(f"{port!r} is no port")
    try:
        try:
            status = _ask(http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT))
        except (http.client.HTTPException, ConnectionResetError):
            # Something listens, but speaks no plain HTTP. The certificate may bear any name: this
            # is the same machine, and nothing secret is said.
            unchecked = ssl._create_unverified_context()  # noqa: S323
            status = _ask(
                http.client.HTTPSConnection(host, int(port), timeout=_TIMEOUT, context=unchecked)
            )
    except (OSError, http.client.HTTPException, OverflowError) as error:
        return _told(f"{host}:{port} does not answer: {error}")
    return 0 if status == 200 else _told(f"{host}:{port} answers {status}")


def _ask(connection: http.client.HTTPConnection) -> int:
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    finally:
        connection.close()


def _told(reason: str) -> int:
    sys.stderr.write(f"not ready: {reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
