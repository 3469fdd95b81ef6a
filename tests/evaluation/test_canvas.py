"""Pictures of figures: their bytes, their texts, and their place in a page."""

import threading
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes

from mien.evaluation.canvas import ACCENT, Form, drawable, inline, one, percentages
from mien.images import load

HOSTILE = '<script>alert(1)</script> & "$\\frac{"'


def drawn(form: Form, title: str = "title") -> bytes:
    def draw(axes: Axes) -> None:
        axes.plot((0, 1), (0, 1), color=ACCENT)
        axes.set_title(title)

    return one(draw, 2, 1, form)


@pytest.mark.parametrize("form", ["png", "svg"])
def test_equal_drawings_give_equal_bytes(form: Form) -> None:
    first = drawn(form)
    assert first == drawn(form)
    assert first != drawn(form, "another")


def test_sizes() -> None:
    picture = load(drawn("png"))
    assert (picture.width, picture.height) == (400, 200)
    assert b'viewBox="0 0 144 72"' in drawn("svg")


@pytest.mark.parametrize(
    ("ticks", "texts"),
    [
        ((0.0, 0.5, 1.0), ["0 %", "50 %", "100 %"]),
        ((0.775, 0.78, 0.785), ["77.5 %", "78.0 %", "78.5 %"]),
        ((0.1 + 0.2, 0.31), ["30 %", "31 %"]),
        ((0.99975, 1.0), ["99.975 %", "100.000 %"]),
        ((), []),
    ],
)
def test_ticks_of_shares_are_told_apart(ticks: tuple[float, ...], texts: list[str]) -> None:
    formatter = percentages()
    formatter.create_dummy_axis()
    assert formatter.format_ticks(list(ticks)) == texts


def test_no_date_and_no_program_are_told() -> None:
    for data in (drawn("png"), drawn("svg")):
        assert b"Matplotlib" not in data
        assert b"<dc:" not in data


def test_settings_of_others_neither_matter_nor_change() -> None:
    plain = drawn("svg")
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9}):
        assert drawn("svg") == plain
        assert matplotlib.rcParams["font.size"] == 30
    assert matplotlib.rcParams["svg.fonttype"] == "path"


def test_a_thread_of_its_own_draws_the_same() -> None:
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(drawn("svg")))
    thread.start()
    thread.join()
    assert found == [drawn("svg")]


def test_a_hostile_text_stays_text() -> None:
    root = ET.fromstring(drawn("svg", HOSTILE))
    assert HOSTILE in [element.text for element in root.iter() if element.tag.endswith("}text")]


@pytest.mark.parametrize("form", ["png", "svg"])
def test_letters_that_the_font_lacks_do_not_stop_it(form: Form) -> None:
    assert drawn(form, "日本語 \U0001f600 ไทย")


def test_in_a_page() -> None:
    element = inline(drawn("svg", f"{ACCENT} id=&"), 'a "title" <b>', "age-1")
    root = ET.fromstring(element.replace("xlink:href", "href"))
    assert root.attrib["aria-label"] == 'a "title" <b>'
    assert root.attrib["viewBox"] == "0 0 144 72"
    ids = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
    assert len(ids) == len(set(ids)) > 3
    assert all(name.startswith("age-1-") for name in ids)
    for reference in (node.attrib["href"] for node in root.iter() if "href" in node.attrib):
        assert reference.removeprefix("#") in ids
    # Colours are the page's, but a text that looks like one stays.
    assert "stroke: var(--accent)" in element
    assert f"{ACCENT} id=&amp;" in element
    assert element.count(ACCENT) == 1


def test_drawable() -> None:
    assert drawable("cats") == "cats"
    assert drawable("a\nb\x1b") == "a\\nb\\x1b"
    assert len(drawable("long" * 100)) == 24


def test_the_accent_is_seen() -> None:
    pixels = load(drawn("png")).pixels.astype(int)
    accent = np.array([int(ACCENT[i : i + 2], 16) for i in (1, 3, 5)])
    assert (np.abs(pixels - accent).max(axis=2) < 8).sum() > 100
