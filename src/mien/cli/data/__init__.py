"""`mien data`: pictures and labels as they lie on disk -> manifests, checked and parted."""

import typer

from mien.cli.data.importing import import_source
from mien.cli.data.joining import join

app = typer.Typer(no_args_is_help=True, help="Make manifests: tables of labelled pictures.")
app.command("import")(import_source)
app.command()(join)
