"""`mien serve`: the HTTP service, its settings and its OpenAPI document."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from mien.errors import MienError

HELP: Final = """Serve the reading of faces and pictures over HTTP, and a page to see it.

Each setting is a flag, a key in a TOML file (--config), or an environment variable: MIEN_ and its \
name in capitals, such as MIEN_API_KEYS. A flag wins over the environment, and that over the file. \
--show-config shows what came out, and all settings that have no flag. What takes several values \
takes them by commas, or is given several times.

Ctrl-C ends it, once all requests that were accepted are answered.

\bExamples:
  mien serve                                   at http://127.0.0.1:8000/
  mien serve --host 0.0.0.0 --tls-self-signed  for phones on the local network too
  mien serve --models face,animals.onnx
  mien serve --config service.toml --show-config
  mien serve --openapi > openapi.json
"""

_LISTENING, _READING, _LIMITS, _ACCESS = "Listening", "Reading", "Limits", "Access"


def _option(panel: str, text: str, *names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel, metavar=metavar)


def serve(
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings as a TOML file.")
    ] = None,
    host: Annotated[
        str | None, _option(_LISTENING, "Address; 0.0.0.0 for every network. [127.0.0.1]")
    ] = None,
    port: Annotated[int | None, _option(_LISTENING, "Port. [8000]")] = None,
    workers: Annotated[
        int | None, _option(_LISTENING, "Processes; they share nothing but the port. [1]")
    ] = None,
    tls_cert: Annotated[
        Path | None, _option(_LISTENING, "Certificate chain, PEM.", metavar="FILE")
    ] = None,
    tls_key: Annotated[
        Path | None, _option(_LISTENING, "Its private key, PEM.", metavar="FILE")
    ] = None,
    tls_self_signed: Annotated[
        bool | None,
        _option(
            _LISTENING, "Make a certificate at the start; browsers warn of it.", "--tls-self-signed"
        ),
    ] = None,
    models: Annotated[
        list[str] | None,
        _option(
            _READING,
            "Packaged models or files; by default what MIEN_MODEL names, or face, and cifar10.",
            metavar="NAME|FILE,...",
        ),
    ] = None,
    threads: Annotated[
        int | None, _option(_READING, "Cores a process may use; 0 for its share of all. [0]")
    ] = None,
    batch: Annotated[
        int | None, _option(_READING, "Pictures that go through a network together. [16]")
    ] = None,
    queue: Annotated[
        int | None, _option(_LIMITS, "Pictures that may wait; beyond, requests get 503. [64]")
    ] = None,
    timeout: Annotated[
        float | None, _option(_LIMITS, "Seconds that a request may take. [30]")
    ] = None,
    max_body: Annotated[
        int | None, _option(_LIMITS, "Bytes of a request's body. [20000000]")
    ] = None,
    max_pixels: Annotated[
        int | None, _option(_LIMITS, "Width times height of a picture. [50000000]")
    ] = None,
    max_pictures: Annotated[int | None, _option(_LIMITS, "Pictures in a request. [16]")] = None,
    rate: Annotated[
        int | None, _option(_LIMITS, "Requests a minute of one client; 0 for any number. [0]")
    ] = None,
    api_key_file: Annotated[
        Path | None,
        _option(_ACCESS, "API keys, one a line; or set MIEN_API_KEYS.", metavar="FILE"),
    ] = None,
    hosts: Annotated[
        list[str] | None,
        _option(_ACCESS, "Further names that the service is called by.", metavar="NAME,..."),
    ] = None,
    origins: Annotated[
        list[str] | None,
        _option(_ACCESS, "Origins of other pages that may call.", metavar="URL,..."),
    ] = None,
    servers: Annotated[
        list[str] | None,
        _option(_ACCESS, "Origins of services that the page may call.", metavar="URL,..."),
    ] = None,
    show_config: Annotated[
        bool, typer.Option("--show-config", help="Print all settings as TOML, and exit.")
    ] = False,
    openapi: Annotated[
        bool, typer.Option("--openapi", help="Print the OpenAPI document, and exit.")
    ] = False,
) -> None:
    """Take the settings, and serve."""
    given = {
        name: ",".join(value) if isinstance(value, list) else value
        for name, value in locals().items()
        if name not in _NO_SETTINGS and value != []
    }
    check_installed()
    from mien.serve import settings as known

    settings = known.load(config, os.environ, given)
    for line in known.misspelt(os.environ):
        typer.echo(f"note: {line}", err=True)
    if show_config:
        typer.echo(known.shown(settings))
    elif openapi:
        print_document()
    else:
        from mien.serve.run import serve as run

        run(settings, lambda line: typer.echo(line, err=True))


_NO_SETTINGS: Final = frozenset({"config", "show_config", "openapi"})


def print_document(extend: Callable[[Any], None] = lambda _: None) -> None:
    """Print the OpenAPI document of an application with all defaults.

    Args:
        extend: Adds further routes to it.
    """
    import json

    from mien.serve.app import create_app
    from mien.serve.settings import Settings

    app = create_app(Settings())
    extend(app)
    typer.echo(json.dumps(app.openapi(), indent=2))
    app.state.service.close()


def check_installed() -> None:
    """Make sure that serving is possible here.

    Raises:
        MienError: A package is missing.
    """
    try:
        import mien.serve.run  # noqa: F401
    except ModuleNotFoundError as error:
        raise MienError(
            f"serving needs packages that are not installed ({error.name}); "
            "install them by: pip install 'mien[serve]'"
        ) from error
