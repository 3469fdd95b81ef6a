import io
import re

import pytest

from mien.cli.progress import Counts, progress, watch


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return terminal


def test_a_bar_tells_count_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)

    with progress(20, "pictures") as advance:
        for _ in range(20):
            advance()

    shown = re.sub("\x1b.*?[mlhKA]", "", terminal.getvalue())
    assert "20/20 pictures, " in shown
    assert re.search(r"[\d.]+ a second, \d\d:\d\d left", shown)
    assert terminal.getvalue().endswith("\x1b[1A\x1b[2K")


@pytest.mark.parametrize(("total", "quiet"), [(8, False), (0, False), (100, True)])
def test_a_handful_or_quiet_work_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, total: int, quiet: bool
) -> None:
    terminal = open_terminal(monkeypatch)

    with progress(total, "pictures", quiet=quiet) as advance:
        advance()

    assert terminal.getvalue() == ""


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(100, "pictures") as advance:
        advance()

    assert capsys.readouterr() == ("", "")


def test_watch_hands_on_every_item(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)

    assert list(watch("pictures")(iter(range(9)), 9)) == list(range(9))
    assert "9/9" in terminal.getvalue()


def test_counts_of_faces() -> None:
    counts = Counts(total=3, faces=0)
    counts.add([{"path": "a", "face": 1}, {"path": "a", "face": 2}])
    counts.add([{"path": "b"}])
    counts.add([{"path": "c", "error": "broken"}])

    assert counts.done == 3
    assert counts.summary() == "2 pictures read, 2 faces, 1 without a face, 1 failed"


def test_counts_of_whole_pictures() -> None:
    counts = Counts(total=2000)
    for _ in range(1500):
        counts.add([{"path": "a", "rank": 1}, {"path": "a", "rank": 2}])

    assert counts.summary() == "1,500 pictures read, 0 failed"


def test_a_loop_says_how_it_fares(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    watched = watch("batches")
    for number in watched(range(30), 30):
        watched.note(f"loss {10 - number / 3:.1f}")
    assert "left, loss 0.3" in terminal.getvalue()
