"""A watch put together: cameras, store, live totals, and the service beside them."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mien.errors import MienError
from mien.watch.bulletin import Bulletin, Edition, Reader, Sources
from mien.watch.config import Config
from mien.watch.keeping import SharedStore, keeper
from mien.watch.run import Watch

if TYPE_CHECKING:
    from fastapi import FastAPI

    from mien.serve.settings import Settings
    from mien.watch.mqtt import Publisher
    from mien.watch.run import Status
    from mien.watch.store.recorder import Recorder

_NO_FLAGS: Final[Mapping[str, object]] = {}


class _Mqtt:
    """Publishes the totals of each edition."""

    def __init__(self, publisher: "Publisher") -> None:
        self._publisher = publisher

    def read(self, edition: Edition) -> None:
        self._publisher.publish(edition.totals)


class _Changes:
    """Logs each change of a camera's state."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    def read(self, edition: Edition) -> None:
        from mien.serve.logs import log

        for status in edition.cameras:
            now = status.health.state, status.health.reason
            if self._known.get(status.name) != now:
                self._known[status.name] = now
                log("camera", camera=status.name, state=now[0], reason=now[1])


@contextmanager
def publishing(config: Config) -> Iterator[list[Reader]]:
    """Give whoever publishes live totals by a configuration, until the block ends.

    Raises:
        WatchError: The broker's credentials are missing.
        MienError: The packages are missing, or there can be no such broker.
    """
    if config.mqtt is None:
        yield []
        return
    try:
        from mien.watch.mqtt import Publisher
    except ModuleNotFoundError as error:
        raise MienError(
            f"[mqtt] needs packages that are not installed ({error.name}); "
            "install them by: pip install 'mien[mqtt]'"
        ) from error
    user, password = config.mqtt.login()
    publisher = Publisher(
        config.mqtt.host,
        config.mqtt.port,
        user=user,
        password=password,
        tls=config.mqtt.tls,
        topic=config.mqtt.prefix,
        discovery=config.mqtt.discovery,
    )
    try:
        yield [_Mqtt(publisher)]
    finally:
        publisher.close()


@contextmanager
def announcing(config: Config, watch: Watch, recorder: "Recorder") -> Iterator[None]:
    """Publish a watch's live totals, where a configuration asks for it, until the block ends."""
    if config.mqtt is None:
        yield
        return
    with ExitStack() as stack:
        store = SharedStore(config, upgrade=True)
        stack.callback(store.close)
        readers = stack.enter_context(publishing(config))
        sources = Sources(store, watch.status, lambda: recorder.state)
        bulletin = Bulletin(config, sources, readers)
        bulletin.start()
        stack.callback(bulletin.close)
        yield


def settings_of(
    config: Config,
    flags: Mapping[str, object] = _NO_FLAGS,
    environment: Mapping[str, str] = environ,
) -> "Settings":
    """Return the settings of the service beside a watch.

    Args:
        config: The watch's configuration, whose table `[serve]` counts.
        flags: Settings that were given as flags; None where one was not.
        environment: Environment variables, as for `mien serve`.

    Raises:
        SettingsError: A setting makes no sense.
    """
    from mien.serve.settings import SettingsError, merged

    table = {} if config.serve is None else config.serve.model_dump(exclude_unset=True)
    table.pop("enabled", None)
    # The watch's own model, which both then share.
    found = merged({"models": (config.model,), **table}, environment, flags)
    if found.workers != 1:
        raise SettingsError("workers: cameras and service share one process; leave it at 1")
    return found


@dataclass
class Served:
    """A watch that is served.

    Attributes:
        config: Its configuration.
        file: The configuration's file.
        tell: Gets lines for whoever started it.
        cameras: Whether its cameras are watched; else only its store is shown.
        status: How the cameras were at the end.
    """

    config: Config
    file: Path
    tell: Callable[[str], None]
    cameras: bool = True
    status: "Sequence[Status]" = ()

    def run(self, settings: "Settings") -> None:
        """Serve until the process is told to end; then finish all open visits, and store them.

        Args:
            settings: The service's settings.

        Raises:
            MienError: Something cannot be used: the model, the store, the outbox, a setting.
            OSError: The port cannot be listened at.
        """
        from mien.serve.run import serve

        serve(settings, self.tell, self.extend)

    @contextmanager
    def extend(self, app: "FastAPI") -> Iterator[Callable[[], None]]:
        """Add the watch to the service's application, and run it, until the block ends.

        Gives what stops the cameras.
        """
        from mien.serve.service import Service
        from mien.watch.gauges import Cameras, Gauges
        from mien.watch.http.app import install
        from mien.watch.http.hub import Hub

        service: Service = app.state.service
        with ExitStack() as stack:
            store = SharedStore(self.config, upgrade=self.cameras)
            stack.callback(store.close)
            readers: list[Reader] = [Gauges(service.metrics.registry), _Changes()]
            readers += stack.enter_context(publishing(self.config))
            watch = recorder = None
            sources = Sources(store)
            if self.cameras:
                sink = stack.enter_context(keeper(self.config))
                recorder = sink.recorder
                model = service.catalogue.opened(self.config.model)
                watch = Watch(self.config, sink, model=model)
                if model is None:
                    self.tell(watch.model.card.terms)
                if not service.settings.local and not service.settings.guarded:
                    self.tell(
                        "Without an API key, whoever reaches this machine may look through "
                        "its cameras and draw their areas: set one by api_key_file."
                    )
                Cameras(service.metrics.registry, watch.status)
                sources = Sources(store, watch.status, lambda: sink.recorder.state)
            bulletin = Bulletin(self.config, sources, readers)
            hub = Hub(self.config, bulletin, store, file=self.file, watch=watch, recorder=recorder)
            stack.callback(hub.close)
            install(app, hub)
            bulletin.start()
            stack.callback(bulletin.close)
            if watch is None:
                yield _nothing
                return
            try:
                with _beside(watch):
                    yield watch.stop
            finally:
                self.status = watch.status()


@contextmanager
def _beside(watch: Watch) -> Iterator[None]:
    """Run a watch in a thread until the block ends; then have it finish all open visits.

    Raises:
        Exception: What the watch failed with.
    """
    failed: list[BaseException] = []

    def run() -> None:
        try:
            watch.run()
        except BaseException as error:
            failed.append(error)
            # A service without its cameras must not look well: the process ends.
            signal.raise_signal(signal.SIGTERM)

    thread = threading.Thread(target=run, name="mien-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        watch.stop()
        with _deaf():
            thread.join()
        if failed:
            raise failed[0]


@contextmanager
def _deaf() -> Iterator[None]:
    """Ignore further requests to end while visits are brought to safety; Ctrl-C still breaks it."""
    old: Any = None
    # Only the main thread may say so; elsewhere no signal comes either.
    with suppress(ValueError):
        old = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        yield
    finally:
        if old is not None:
            signal.signal(signal.SIGTERM, old)


def _nothing() -> None:
    """Do nothing: there are no cameras to stop."""
