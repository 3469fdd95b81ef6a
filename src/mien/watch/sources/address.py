"""A source's address, whose credentials are shown to nobody."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

_URL: Final = re.compile(r"(?i)^[a-z][a-z0-9+.-]+://")
# Greedy up to the last "@", for passwords with an unescaped "/" or "@" in them.
_USER: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s'\"]*@")
# Many cameras take user and password as ?user=...&pwd=...
_QUERY: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s'\"?#]*)[?#][^\s'\"]*")
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# Others would read files or run programs, or are no sources.
_SCHEMES: Final = ("http", "https", "rtmp", "rtmps", "rtp", "rtsp", "rtsps", "srt", "tcp", "udp")


class AddressError(ValueError):
    """An address that cannot be used; the message shows no credentials."""


def redacted(text: str) -> str:
    """Return a text in which no URL shows its user, its password or its query.

    Example:
        >>> redacted("rtsp://me:secret@10.0.0.5/live?token=1 failed")
        'rtsp://***@10.0.0.5/live?*** failed'
    """
    return _QUERY.sub(r"\1?***", _USER.sub(r"\1***@", text))


@dataclass(frozen=True)
class Address:
    """Where frames come from.

    Attributes:
        kind: What it is.
        target: What FFmpeg opens; never shown.
        shown: The same without credentials.
    """

    kind: Literal["webcam", "file", "stream"]
    target: str = field(repr=False)
    shown: str

    @classmethod
    def of(cls, source: str, credentials: str, environment: Mapping[str, str]) -> "Address":
        """Return a source's address.

        Args:
            source: Number of a webcam, a file, or a URL in which `${NAME}` stands for an
                environment variable.
            credentials: Name of an environment variable that holds "user:password"; or empty.
            environment: The environment's variables.

        Raises:
            AddressError: A variable is missing, or FFmpeg may not open such an address.
        """
        if source.isdecimal():
            return cls("webcam", source, f"webcam {int(source)}")
        if not _URL.match(source):
            if credentials:
                raise AddressError("credentials go with a URL only")
            # Else FFmpeg would take a name such as "concat:a" for a protocol.
            return cls("file", f"file:{Path(source).expanduser()}", source)
        scheme = source.partition("://")[0].lower()
        if scheme not in _SCHEMES:
            raise AddressError(
                f"a source's URL begins with {', '.join(_SCHEMES[:-1])} or {_SCHEMES[-1]}, "
                f"not with {scheme}"
            )
        shown = redacted(source)
        target = _VARIABLE.sub(lambda found: quote(_get(environment, found[1]), safe=""), source)
        if credentials:
            user, _, password = _get(environment, credentials).partition(":")
            begin, _, rest = target.partition("://")
            target = f"{begin}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"
        return cls("stream", target, shown)


def _get(environment: Mapping[str, str], name: str) -> str:
    try:
        return environment[name]
    except KeyError:
        raise AddressError(f"the environment variable {name} is not set") from None
