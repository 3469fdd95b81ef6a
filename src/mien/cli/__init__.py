"""The command line: one module a command, each with no logic of its own."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mien import __version__
from mien.cli import (
    audience,
    compare,
    data,
    evaluate,
    features,
    fit,
    models,
    predict,
    serve,
    store,
    train,
    watch,
)
from mien.errors import MienError, printable


class _Commands(TyperGroup):
    """The commands, and the one place where what goes wrong in them becomes a message."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except MienError as error:
            _explain(str(error))
            raise typer.Exit(2) from None
        except BrokenPipeError:
            # Whoever read the output has seen enough; end as other programs do on SIGPIPE.
            _settle_standard_output()
            raise typer.Exit(141) from None
        except OSError as error:
            _explain(_failure(error))
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(130) from None
        else:
            return result


def _explain(message: str) -> None:
    _settle_standard_output()
    lines = "\n".join(map(printable, message.splitlines()))
    typer.echo(f"mien: {lines}", err=True)


def _failure(error: OSError) -> str:
    what = os.fsdecode(error.filename) if error.filename else "the output was not written"
    return f"{what}: {error.strerror or error}"


def _settle_standard_output() -> None:
    """Write out what standard output holds, or drop it, so that it cannot fail again at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_HELP = """Read faces and pictures with small models, on this machine.

\bExamples:
  mien predict photo.jpg                 the faces of a picture, as a table
  mien predict photos -o faces.csv       ... of all pictures in a folder
  mien predict photos --draw annotated   ... and drawn into copies of them
  mien models show face                  what the model reads, and how well
  mien train --data animals              learn a folder of pictures, one subfolder a class
  mien serve                             read over HTTP, and on a page
  mien watch --camera 0                  count visits before a camera

Each command explains itself with --help.
"""

app = typer.Typer(
    cls=_Commands,
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
app.command("predict", help=predict.HELP)(predict.predict)
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.add_typer(watch.app, name="watch")
app.command("audience", help=audience.HELP)(audience.audience)
app.add_typer(store.app, name="store")
app.command("serve", help=serve.HELP)(serve.serve)
app.command("train")(train.train)
app.command("features")(features.features)
app.command("fit")(fit.fit)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mien {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options that stand before any command."""


def main() -> None:
    """Run the command line; the console script `mien`."""
    for name in ("stdout", "stderr"):
        # A program may be started with closed streams.
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 (open to the end)
    try:
        app(prog_name="mien")
    except OSError as error:  # while the help was written
        _explain(_failure(error))
        sys.exit(2)
