"""What the tests of charts share: their texts, and that equal input gives equal, light pictures."""

import xml.etree.ElementTree as ET
from collections.abc import Callable

from mien.evaluation.canvas import COLUMN, WIDE, Form
from mien.images import load

Chart = Callable[[Form], bytes]


def texts(svg: bytes) -> list[str]:
    """Return the texts of an SVG, in its order."""
    elements = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(element.itertext()).strip() for element in elements]


def assert_sound(chart: Chart, *, wide: bool = False) -> None:
    """Check that a chart is the same twice, light, and as wide as its place on a page."""
    first = chart("svg")
    assert first == chart("svg")
    assert len(first) < 60_000
    picture = load(chart("png"))
    assert picture.width == round(200 * (WIDE if wide else COLUMN))
    assert 100 < picture.height < 2_000
