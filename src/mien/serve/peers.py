"""The workers of one service, which share nothing, but tell each other their figures.

A scrape reaches whichever worker takes its connection. So each one listens at a socket in a folder
that only this user may enter, tells its figures to whoever connects there, and asks all others when
it is scraped itself. The worker's number stands at each figure: one that was started anew begins at
nought, as Prometheus expects of a process.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from mien.serve.logs import log

SUPPORTED: Final = hasattr(socket, "AF_UNIX")
"""Whether this system has the sockets that it takes; without, a worker tells its own figures."""

_SUFFIX: Final = ".sock"
_TIMEOUT: Final = 2.0


class Peers:
    """One worker's way to the others.

    Args:
        folder: Where the workers' sockets lie.
        own: Gives this worker's figures, in Prometheus' text format.
        name: What this worker is called; by default the number of its process.
    """

    def __init__(self, folder: Path, own: Callable[[], bytes], name: str = "") -> None:
        self._folder, self._own, self._name = folder, own, name or str(os.getpid())
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen."""
        path = self._folder / (self._name + _SUFFIX)
        path.unlink(missing_ok=True)
        try:
            self._server = await asyncio.start_unix_server(self._tell, path)
        except OSError as error:
            # A socket's path may have no more than about a hundred characters.
            log("no figures for other workers", reason=error.strerror or "path too long")

    async def close(self) -> None:
        """End it."""
        if self._server is not None:
            self._server.close()
        (self._folder / (self._name + _SUFFIX)).unlink(missing_ok=True)

    async def text(self) -> bytes:
        """Return the figures of all workers, each with the label `worker`."""
        names = sorted({path.stem for path in self._folder.glob("*" + _SUFFIX)} | {self._name})
        texts = await asyncio.gather(*map(self._ask, names))
        return merged({name: text for name, text in zip(names, texts, strict=True) if text})

    async def _ask(self, name: str) -> bytes:
        if name == self._name:
            return self._own()
        path = self._folder / (name + _SUFFIX)
        try:
            async with asyncio.timeout(_TIMEOUT):
                reader, writer = await asyncio.open_unix_connection(path)
                try:
                    return await reader.read()
                finally:
                    writer.close()
        except TimeoutError:
            log("worker silent", worker=name)
        except OSError:
            # It was killed, and left its socket behind.
            path.unlink(missing_ok=True)
        return b""

    async def _tell(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(self._own())
            await writer.drain()
        writer.close()


def merged(texts: Mapping[str, bytes]) -> bytes:
    """Return the figures of several workers as one text, each with the label `worker`.

    Args:
        texts: Each worker's figures by its name, in Prometheus' text format.
    """
    registry = CollectorRegistry()
    registry.register(_Merged(texts))
    return generate_latest(registry)


class _Merged(Collector):
    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for worker, text in self._texts.items():
            for family in text_string_to_metric_families(text.decode()):
                known = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                known.samples += [
                    sample._replace(labels={**sample.labels, "worker": worker})
                    for sample in family.samples
                ]
        return families.values()
