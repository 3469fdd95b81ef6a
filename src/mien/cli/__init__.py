"""The command line: one module a command, each with no logic of its own."""

import os
import sys
from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mien import __version__
from mien.cli import models, predict
from mien.cli.output import printable
from mien.errors import MienError


class _Commands(TyperGroup):
    """The commands, and the one place where what goes wrong in them becomes a message."""

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except MienError as error:
            _explain(str(error))
        except BrokenPipeError:
            # Whoever read the output has seen enough; end as other programs do on SIGPIPE.
            _settle_standard_output()
            raise typer.Exit(141) from None
        except OSError as error:
            where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
            _explain(f"{where}{error.strerror or error}")
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(130) from None
        else:
            return result


def _explain(message: str) -> None:
    _settle_standard_output()
    lines = "\n".join(map(printable, message.splitlines()))
    typer.echo(f"mien: {lines}", err=True)
    raise typer.Exit(2)


def _settle_standard_output() -> None:
    """Write out what standard output holds, or drop it, so that it cannot fail again at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_HELP = """Read faces and pictures with small models, on this machine.

\b
Examples:
  mien predict photo.jpg                    the faces of a picture, as a table
  mien predict photos -o faces.csv          those of all pictures in a folder
  mien predict photos --draw annotated      ... drawn into copies of the pictures
  mien predict photo.jpg --tasks age,race   only what is named
  mien models show face                     what the default model reads, and how well
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
    app(prog_name="mien")
