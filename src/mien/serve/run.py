"""The service as a process: its web server, TLS, workers, and the word at its start."""

import errno
import json
import os
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from mien.serve import logs, peers, tls
from mien.serve.app import create_app
from mien.serve.connection import Connection
from mien.serve.settings import Settings, SettingsError

_VARIABLE: Final = "_MIEN_SERVE_SETTINGS"
_PEERS: Final = "_MIEN_SERVE_PEERS"
_GRACE: Final = 5
_NOT_STARTED: Final = 3
_FILES: Final = 65_536
_SWITCH: Final = 0.0005
"""Seconds after which a thread gives way to another that waits. With Python's own 5 ms the one that
answers would wait for those that decode at each step of a request: refusals took twice as long."""


Extend = Callable[[FastAPI], AbstractContextManager[Callable[[], None]]]
"""Adds to an application what lasts as long as it is served. It gives a function that is called,
in a signal's handler, as soon as the process is told to end; the block is left once all that was
accepted is answered."""


def serve(settings: Settings, tell: Callable[[str], None], extend: Extend | None = None) -> None:
    """Serve until the process is told to end; what was accepted is finished first.

    Args:
        settings: The service's settings; one worker where there is more to serve.
        tell: Gets lines for whoever started it.
        extend: Adds more to the application.

    Raises:
        ModelError: A model cannot be used.
        SettingsError: The settings do not fit together.
        OSError: The port cannot be listened at.
    """
    # The web server, once it has ended in peace, sends itself the signal again.
    signal.signal(signal.SIGTERM, _exit)
    _allow_connections()
    with ExitStack() as stack:
        if settings.tls_self_signed:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mien-tls-"))
            made = tls.make_certificate(Path(folder), tls.names_for(settings.host))
            settings = settings.model_copy(update={"tls_cert": made.cert, "tls_key": made.key})
            tell(_warning(made.fingerprint))
        _check_tls(settings)
        settings = settings.model_copy(update={"port": _check_free(settings)})
        app = create_app(settings)
        stack.callback(app.state.service.close)
        ending = stack.enter_context(extend(app)) if extend else _nothing
        for line in _greeting(settings):
            tell(line)
        for entry in app.state.service.catalogue.entries.values():
            tell(entry.card.terms)
        for note in app.state.service.catalogue.notes:
            tell(note)
        if all(entry.kind != "face" for entry in app.state.service.catalogue.entries.values()):
            tell("None of the models reads faces; --models face,... adds the packaged one.")
        options = server_options(settings)
        if settings.workers == 1:
            sys.setswitchinterval(_SWITCH)
            _Server(app, options, ending).run_to_end()
            return
        # Each worker is a fresh process; what they are told goes by the environment.
        os.environ[_VARIABLE] = _packed(settings)
        stack.callback(os.environ.pop, _VARIABLE, None)
        if peers.SUPPORTED:
            made_for = tempfile.TemporaryDirectory(prefix="mien-", ignore_cleanup_errors=True)
            os.environ[_PEERS] = stack.enter_context(made_for)
            stack.callback(os.environ.pop, _PEERS, None)
        uvicorn.run("mien.serve.run:create_worker", factory=True, **options)


class _Server(uvicorn.Server):
    """The web server, which tells at once when it is to end: answers may take long to finish."""

    def __init__(self, app: FastAPI, options: dict[str, Any], ending: Callable[[], None]) -> None:
        super().__init__(uvicorn.Config(app, **options))
        self._service, self._ending = app.state.service, ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal that asks for the end."""
        self._service.ending = True
        self._ending()
        super().handle_exit(sig, frame)

    def run_to_end(self) -> None:
        """Serve until the end, as `uvicorn.run` does."""
        with suppress(KeyboardInterrupt):
            self.run()
        if not self.started:
            raise SystemExit(_NOT_STARTED)


def _nothing() -> None:
    """Do nothing: there is nothing but the service to end."""


def _allow_connections() -> None:
    """Let the process open as many files as it may; each connection is one, and 1,024 are few."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _exit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _check_free(settings: Settings) -> int:
    """Bind the port for a moment: the web server itself would end without a clear word.

    Returns:
        The port, which the system chooses where the settings leave it open by 0.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            port: int = probe.getsockname()[1]
            return port
    except UnicodeError as error:
        told = f"{settings.host}:{settings.port}: cannot be listened at: that is no host's name"
        raise SettingsError(told) from error
    except OSError as error:
        told = f"cannot be listened at: {error.strerror}; {_advice(error)}"
        raise OSError(error.errno, told, f"{settings.host}:{settings.port}") from error


def _advice(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "end what uses it, or choose another --port"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "choose a --port from 1024 on"
    return "--host is an address of this machine, such as 127.0.0.1; 0.0.0.0 is all of them"


def _check_tls(settings: Settings) -> None:
    """Load the certificate and its key: a worker that cannot would be started again for ever."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    cert, key = settings.tls_cert, settings.tls_key
    try:
        key.read_bytes()
        # Without a password, so that nothing waits at a terminal for one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SettingsError(f"tls_key: {key}: is not the key of {cert}") from error
        raise SettingsError(f"tls_key: {key}: holds no plain private key as PEM") from error
    except OSError as error:
        raise SettingsError(f"tls_key: {key}: cannot be read ({error.strerror})") from error


def create_worker() -> FastAPI:
    """Return the application of a worker, by what the process that started it left for it."""
    sys.setswitchinterval(_SWITCH)
    folder = os.environ.get(_PEERS)
    settings = Settings.model_validate_json(os.environ[_VARIABLE])
    return create_app(settings, Path(folder) if folder else None)


def _packed(settings: Settings) -> str:
    plain = settings.model_dump(mode="json")
    plain["api_keys"] = [key.get_secret_value() for key in settings.api_keys]
    if settings.tls_self_signed:
        # Its files are the web server's matter, which knows of them.
        plain |= {"tls_cert": None, "tls_key": None}
    return json.dumps(plain)


def server_options(settings: Settings) -> dict[str, Any]:
    """Return what the web server is told; settings as uvicorn names them."""
    return {
        "host": settings.host,
        "port": settings.port,
        "workers": settings.workers,
        "http": Connection,
        "ssl_certfile": settings.tls_cert,
        "ssl_keyfile": settings.tls_key,
        "log_config": logs.configuration(settings.log),
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(settings.proxies),
        "forwarded_allow_ips": list(settings.proxies),
        "ws_max_size": min(settings.max_frame, settings.max_body),
        # A camera's frames are compressed already.
        "ws_per_message_deflate": False,
        "ws_max_queue": 2,
        "timeout_graceful_shutdown": int(settings.timeout) + _GRACE,
    }


def _greeting(settings: Settings) -> list[str]:
    scheme = "https" if settings.tls else "http"
    everywhere = settings.host in ("0.0.0.0", "::")  # noqa: S104 (compared, not listened at)
    hosts = ["localhost", *tls.own_addresses()] if everywhere else [settings.host]
    shown = [f"[{host}]" if ":" in host else host for host in hosts]
    lines = [f"mien serves at {scheme}://{host}:{settings.port}/" for host in shown]
    if not settings.local and not settings.guarded:
        lines.append("No API key is set: whoever reaches this machine may use the service.")
    if not settings.local and not settings.tls:
        lines.append(
            "Without TLS, browsers on other machines give the page no camera: add "
            "--tls-self-signed, or a certificate."
        )
    return lines


def _warning(fingerprint: str) -> str:
    return (
        "The certificate is self-signed: browsers warn of it once, and again after each start. "
        "Go on only if the fingerprint (SHA-256) that they show is\n"
        f"  {fingerprint}"
    )
