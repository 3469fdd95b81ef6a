"""`mien watch`: cameras to visits; `mien watch check`: what a camera can give."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup

from mien.cli.output import json_text
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.watch.config import Config
    from mien.watch.run import Status, Watch
    from mien.watch.visit import Visit


_HELP: Final = """Watch cameras: count visits, with ages, areas and times; keep no picture.

Without re-identification a visit is not a person: who comes twice is two visits.

\bExamples:
  mien watch shop.toml                      cameras, areas, hours and store as configured
  mien watch --camera 0                     a webcam; visits to standard output
  mien watch --camera day.mp4               a recording, as fast as it can be read
  mien watch --camera rtsp://10.0.0.5/live  a stream
  mien watch shop.toml --serve              ... and the audience on a page, over HTTP
  mien watch shop.toml --serve --no-cameras only the page, of what is stored
  mien watch check --camera 0               what can be expected of a camera
  mien watch run --help                     all options of watching
"""


class _Default(TyperGroup):
    """`mien watch CONFIG.toml` stands for `mien watch run CONFIG.toml`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help", "-h"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_Default, no_args_is_help=True, help=_HELP)

_ConfigFile = Annotated[
    Path | None, typer.Argument(metavar="[CONFIG.toml]", help="The configuration.")
]
_CameraOption = Annotated[
    str | None,
    typer.Option("--camera", metavar="NUMBER|FILE|URL", help="One camera, and no configuration."),
]


@app.command()
def run(
    config: _ConfigFile = None,
    camera: _CameraOption = None,
    real_time: Annotated[
        bool, typer.Option("--real-time", help="Play a file at its own pace.")
    ] = False,
    to_stdout: Annotated[
        bool,
        typer.Option("--stdout", help="Write visits as JSON lines, and store none."),
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve the audience and the page, as \\[serve] does.")
    ] = False,
    no_cameras: Annotated[
        bool,
        typer.Option("--no-cameras", help="With --serve: show the store, and watch nothing."),
    ] = False,
    host: Annotated[
        str | None, typer.Option(help="Address to serve at; 0.0.0.0 for every network.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to serve at. \\[8000]")] = None,
    openapi: Annotated[
        bool, typer.Option("--openapi", help="Print the OpenAPI document, and exit.")
    ] = False,
) -> None:
    """Watch until Ctrl-C, or until all files have ended. (The word `run` may be left out.)

    With a configuration visits go to its store; with --camera they are JSON lines on standard
    output. How the cameras are is told on standard error.
    """
    _check_installed()
    if openapi:
        _print_document()
        return
    found = _config(config, camera, real_time=real_time)
    if serve or no_cameras or (found.serve is not None and found.serve.enabled and not to_stdout):
        if config is None or to_stdout:
            raise MienError("--serve shows what is stored: it goes with a configuration alone")
        _serve(found, config, {"host": host, "port": port}, cameras=not no_cameras)
        return
    if host is not None or port is not None:
        raise MienError("--host and --port go with --serve")
    _watch(found, lines=to_stdout or camera is not None)


@app.command()
def check(
    config: _ConfigFile = None,
    camera: _CameraOption = None,
    seconds: Annotated[float, typer.Option(help="How long to look at each.", min=1)] = 60,
) -> None:
    """Look at each camera for a minute: widths of faces, light, rate, turn, error to expect."""
    _check_installed()
    from mien.model import Model
    from mien.watch.check import look, report

    found = _config(config, camera)
    card = Model.open(found.model, threads=1).card
    dark = False
    for one in found.cameras:
        typer.echo(f"{one.name}: {one.shown}", err=True)
        seen = look(one, found, seconds)
        dark = dark or not seen.looked_at
        for name, text in report(seen, card):
            typer.echo(f"  {name:<8} {text}")
    if dark:
        raise MienError("a camera gave no picture; see its state")


def _watch(config: "Config", *, lines: bool) -> None:
    from mien.watch.run import Watch
    from mien.watch.wiring import announcing

    with ExitStack() as stack:
        sink = stack.enter_context(_sink(config, lines))
        watch = Watch(config, sink)
        typer.echo(watch.model.card.terms, err=True)
        if not lines:
            stack.enter_context(announcing(config, watch, sink.recorder))
        with _stopping(watch.stop), _telling(watch):
            watch.run()
    _tell_end(watch.status())


def _serve(config: "Config", file: Path, flags: dict[str, object], *, cameras: bool) -> None:
    from mien.cli.serve import check_installed

    check_installed()
    from mien.watch.wiring import Served, settings_of

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    served = Served(config, file, tell, cameras)
    try:
        served.run(settings_of(config, flags))
    finally:
        for status in served.status:
            tell(_summary(status))


def _print_document() -> None:
    from mien.cli.serve import check_installed, print_document

    check_installed()
    from mien.watch.http.app import install

    print_document(lambda app: install(app, None))


def _config(path: Path | None, camera: str | None, **changes: Any) -> "Config":
    from mien.watch import config

    if (path is None) == (camera is None):
        raise MienError("give either a configuration file or --camera")
    if path is not None:
        if path.suffix.lower() != ".toml" and not path.is_dir():
            raise MienError(
                f"{path}: a configuration ends in .toml; a recording or a stream is watched by "
                f"mien watch --camera {path}"
            )
        return config.read(path)
    return config.of_source(str(camera), **changes)


class _Lines:
    """Visits as JSON lines on standard output."""

    def put(self, visits: "Sequence[Visit]") -> None:
        from dataclasses import asdict

        for visit in visits:
            times = {"entered": visit.entered.isoformat(), "left": visit.left.isoformat()}
            sys.stdout.write(json_text(asdict(visit) | times) + "\n")
        sys.stdout.flush()


@contextmanager
def _sink(config: "Config", lines: bool) -> Iterator[Any]:
    if lines:
        yield _Lines()
        return
    from mien.watch.keeping import keeper

    with keeper(config) as sink:
        yield sink


@contextmanager
def _stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Have Ctrl-C and SIGTERM end the watch in good order; a second Ctrl-C ends it at once."""

    def handle(_number: int, _frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()

    old = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


@contextmanager
def _telling(watch: "Watch") -> Iterator[None]:
    """Tell on standard error when a camera's state changes."""
    over = threading.Event()

    def tell() -> None:
        known: dict[str, str] = {}
        while True:
            for status in watch.status():
                health = status.health
                text = health.state + (f": {health.reason}" if health.reason else "")
                if known.get(status.name) != text:
                    known[status.name] = text
                    typer.echo(f"{status.name}: {text}", err=True)
            if over.wait(1.0):
                return

    thread = threading.Thread(target=tell, name="mien-telling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _tell_end(statuses: "Sequence[Status]") -> None:
    """Tell what was counted and what was left out; nothing is left out in silence."""
    for status in statuses:
        typer.echo(_summary(status), err=True)
    reasons = [s.health.reason for s in statuses if s.health.state == "ended" and s.health.reason]
    if reasons:
        raise MienError("; ".join(reasons))


def _summary(status: "Status") -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(status.counted.items()))
    health = status.health
    left_out = {
        "frames dropped": health.dropped,
        "packets damaged": health.damaged,
        "frames failed": status.failed,
        "visits unread": status.unread,
    }
    extra = "".join(f", {count} {what}" for what, count in left_out.items() if count)
    return f"{status.name}: visits: {kinds or 'none'}; {health.frames} frames{extra}"


def _check_installed() -> None:
    try:
        import mien.watch.run  # noqa: F401
    except ModuleNotFoundError as error:
        raise MienError(
            f"watching needs packages that are not installed ({error.name}); "
            "install them by: pip install 'mien[watch]'"
        ) from error
