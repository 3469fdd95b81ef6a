"""Who may call: API keys, the rate of each client, and the origins of pages."""

import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import sha256
from ipaddress import ip_address
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from mien.serve.problems import Problem

_MOST_CLIENTS: Final = 10_000
_CUSTOMER: Final = 64
"""Bits of an IPv6 address that whoever has a network may choose at will."""


class Keys:
    """The API keys of a service; without any, it is open to all.

    Args:
        keys: The keys.
    """

    def __init__(self, keys: Iterable[SecretStr]) -> None:
        self._digests = [_digest(key.get_secret_value()) for key in keys]

    def check(self, given: str | None) -> None:
        """Refuse a request without a right key; the time taken tells nothing of the keys.

        Args:
            given: The key that came with the request; None where none did.

        Raises:
            Problem: There are keys, and this is none of them.
        """
        if not self._digests:
            return
        digest = _digest(given or "")
        # Every key is compared, so that the time does not tell which one it was.
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        if not any(matches):
            raise Problem(
                401,
                "unauthorized",
                "This service asks for an API key: send the header 'Authorization: Bearer KEY' "
                "or 'X-API-Key: KEY'.",
                headers={"WWW-Authenticate": "Bearer"},
            )


def _digest(key: str) -> bytes:
    return sha256(key.encode("utf-8", "replace")).digest()


class RateLimit:
    """How many requests a minute each client may make: a bucket a client, filled steadily.

    Args:
        per_minute: Requests a minute, which may also come at once; 0 for any number.
        now: The clock, in seconds.
    """

    def __init__(self, per_minute: int, now: Callable[[], float] = monotonic) -> None:
        self._size, self._now = per_minute, now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Count a client's request.

        Args:
            client: Address of the client.

        Raises:
            Problem: It has made too many of late.
        """
        if not self._size:
            return
        now, client = self._now(), _of_one(client)
        left, since = self._buckets.pop(client, (float(self._size), now))
        left = min(self._size, left + (now - since) * self._size / 60)
        self._buckets[client] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1:
            wait = max(1, round((1 - left) * 60 / self._size + 0.5))
            raise Problem(
                429,
                "too-many-requests",
                f"More than {self._size} requests a minute; wait {wait} s.",
                headers={"Retry-After": str(wait)},
            )


def _of_one(client: str) -> str:
    """Return what stands for a client: of an IPv6 address its network, which is one customer's."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if address.version == 4 or address.ipv4_mapped:
        return client
    return f"{int(address) >> _CUSTOMER:x}"


def may_stream(origin: str | None, host: str | None, allowed: Iterable[str]) -> bool:
    """Return whether a page of this origin may open a stream.

    Browsers let any page open a WebSocket, and tell where it comes from; other programs tell
    nothing, and need no leave.

    Args:
        origin: The header Origin; None where there is none.
        host: The header Host.
        allowed: Origins beside the service's own; "*" for all.
    """
    if origin is None:
        return True
    if origin in allowed or "*" in allowed:
        return True
    # A page without an origin of its own says "null", which names no host.
    try:
        return bool(host) and urlsplit(origin).netloc == host
    except ValueError:  # an origin that is no URL
        return False
