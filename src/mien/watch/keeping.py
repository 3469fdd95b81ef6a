"""Finished visits to the store of a configuration, by way of the local outbox."""

import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Final
from urllib.parse import quote

from mien.watch.config import Config, WatchError
from mien.watch.store.recorder import Recorder
from mien.watch.store.store import Store
from mien.watch.visit import Visit

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Keeper:
    """A sink that gives each visit to a recorder, which has it on the disk when it returns.

    Attributes:
        recorder: The recorder.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def put(self, visits: Sequence[Visit]) -> None:
        """Take visits."""
        for visit in visits:
            self.recorder.record(visit)


class SharedStore:
    """A configuration's store for all who read it: opened when first asked for, and again after
    it could not be.

    Args:
        config: Whose store.
        upgrade: Whether its tables are made, or brought to the newest schema.
        environment: The environment's variables.
    """

    def __init__(
        self, config: Config, *, upgrade: bool, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._upgrade = upgrade
        self._url, self._zone = store_url(config, environment), config.schedule.time_zone
        self._store: Store | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Store:
        """Return the store, which any thread may use.

        Raises:
            StoreError: It cannot be reached, or its tables are not as they must be.
        """
        with self._lock:
            if self._store is None:
                self._store = Store(self._url, zone=self._zone, upgrade=self._upgrade)
            return self._store

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None


@contextmanager
def keeper(config: Config, environment: Mapping[str, str] = os.environ) -> Iterator[Keeper]:
    """Open the recorder of a configuration, until the block ends.

    Raises:
        WatchError: An environment variable that the store's URL names is missing.
        StoreError: The URL makes no sense, or another process uses the outbox.
        OutputError: The outbox cannot be written.
    """
    connect = partial(Store, store_url(config, environment), zone=config.schedule.time_zone)
    keep = timedelta(days=config.store.keep_days)
    recorder = Recorder(config.store.outbox, connect, keep=keep)
    try:
        yield Keeper(recorder)
    finally:
        recorder.close()


def store_url(config: Config, environment: Mapping[str, str] = os.environ) -> str:
    """Return the URL of a configuration's store, with the environment's variables in place.

    A variable that is the whole URL stands as it is; in a part of one, characters that mean
    something in a URL are escaped.

    Raises:
        WatchError: One of them is missing.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in environment:
            raise WatchError(f"store.url: the environment variable {name} is not set")
        return environment[name] if found[0] == url else quote(environment[name], safe="")

    url = config.store.url.strip()
    return _VARIABLE.sub(value, url)
