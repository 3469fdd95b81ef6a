"""The page of a comparison: one file, nothing from outside, names as text."""

from pathlib import Path

from mien.evaluation.comparison import compare
from mien.evaluation.comparison_page import write_page
from tests.evaluation.contenders import contender


def test_the_page_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    runs = [contender("one", 10), contender("<script>two", 60), contender("three", 12)]
    write_page(compare(runs), path, "a machine")
    text = path.read_text()
    assert "<script" not in text
    assert "&lt;script&gt;two" in text
    assert not any(f'{key}="http' in text for key in ("src", "href"))
    assert "a machine" in text
    assert text.count("<svg") >= 2
