"""Pages that stand alone: a template filled, its charts drawn into it, every text made harmless."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from mien.errors import printable
from mien.evaluation.blocks import Block, Draw
from mien.evaluation.canvas import inline


@dataclass(frozen=True)
class Shown:
    """A block as the page holds it: its chart drawn."""

    question: str
    svg: Markup
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    wide: bool = False


def fill(template: str, **values: Any) -> str:
    """Fill a template; every text is escaped but for the charts, which are our own.

    Args:
        template: Name of a file beside this one.
        values: What the template shows.
    """
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_source),
    )
    environment.filters["shown"] = _shown
    return environment.get_template(template).render(**values)


def shown(block: Block, prefix: str) -> Shown:
    """Draw a block's chart.

    Args:
        block: The block.
        prefix: Letters and dashes that no other block of the page has.
    """
    return Shown(
        question=block.question,
        svg=inlined(block.draw, block.question, prefix) if block.draw else Markup(),
        columns=block.columns,
        rows=block.rows,
        notes=block.notes,
        points=block.points,
        wide=block.wide,
    )


def inlined(draw: Draw, title: str, prefix: str) -> Markup:
    """Return a chart as part of a page; see `canvas.inline`."""
    # Safe as it stands: the drawing library escapes the labels, `inline` the title.
    return Markup(inline(draw(form="svg"), title, prefix))  # noqa: S704


def _source(name: str) -> str:
    return files("mien.evaluation").joinpath(name).read_text(encoding="utf-8")


def _shown(text: str) -> str:
    """Return a text without what could garble a page; line breaks stay, not those before a "%"."""
    lines = (printable(line) for line in text.split("\n"))
    return "\n".join(lines).replace(" %", "\N{NO-BREAK SPACE}%")
