"""`mien store`: the database of visits."""

from typing import Annotated

import typer

from mien.errors import MienError

app = typer.Typer(no_args_is_help=True, help="Look after the database of visits.")


@app.callback()
def _store() -> None:
    """Look after the database of visits."""


@app.command()
def upgrade(
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL|FILE",
            help="The database of visits. \\[sqlite:///mien-watch.sqlite3]",
        ),
    ] = None,
) -> None:
    """Bring the database to the schema of this mien, or make its tables.

    `mien watch` does so by itself when it starts.

    mien store upgrade --store postgresql://mien@localhost/audience
    """
    try:
        from mien.watch.store.store import DEFAULT, Store
    except ModuleNotFoundError as error:
        raise MienError(
            f"the store needs packages that are not installed ({error.name}); "
            "install them by: pip install 'mien[watch]'"
        ) from error

    opened = Store(store or DEFAULT)
    opened.close()
    typer.echo(f"{opened.name} is up to date")
