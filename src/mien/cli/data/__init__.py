"""`mien data`: pictures and labels as they lie on disk -> manifests, checked, parted and shown."""

import typer

from mien.cli.data.augmenting import augment
from mien.cli.data.checking import check
from mien.cli.data.importing import import_source
from mien.cli.data.joining import join
from mien.cli.data.labelling import label
from mien.cli.data.showing import show
from mien.cli.data.splitting import split

app = typer.Typer(no_args_is_help=True, help="Make manifests: tables of labelled pictures.")
app.command("import")(import_source)
app.command()(join)
app.command()(check)
app.command()(split)
app.command()(augment)
app.command()(label)
app.command()(show)
