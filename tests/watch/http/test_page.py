"""The page of a watch begins with the audience."""

from pathlib import Path

import pytest

from tests.serve.conftest import Running


def test_the_page_begins_with_the_audience(
    shop: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text('<!doctype html><html lang="en"><p>built</p>')
    monkeypatch.setattr("mien.serve.pages.BUILT", tmp_path)
    answer = shop.http.get("/")
    assert answer.text == '<!doctype html><html data-first="audience" lang="en"><p>built</p>'
    assert answer.headers["cache-control"] == "no-cache"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert shop.http.head("/").status_code == 200


def test_the_plain_page_is_there_where_none_is_built(
    shop: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.serve.pages.BUILT", tmp_path)
    assert "mien" in shop.http.get("/").text
