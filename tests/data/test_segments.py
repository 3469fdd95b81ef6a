"""Segments on disk: whole or absent, full at a number of pictures or of bytes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data import segments
from mien.data.segments import Entry, read_segment, read_segments, write_segment
from mien.errors import DataError
from tests.labelled import noise


def entry(number: int, height: int = 5, width: int = 7) -> Entry:
    view = np.full((2, 3), number, float)
    return Entry(number.to_bytes(16), noise(number, height, width), view, number % 2 == 0)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=8))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, sides: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("segments")
    written = [entry(number, *shape) for number, shape in enumerate(sides)]
    made = write_segment(folder, iter(written))
    assert made is not None
    found = read_segment(made.folder)
    pixels = found.open_pixels()
    assert not pixels.flags.writeable
    for row, wanted in enumerate(written):
        start, shape = found.offsets[row], found.shapes[row]
        stored = pixels[start : start + shape.prod()].reshape(shape)
        np.testing.assert_array_equal(stored, wanted.pixels)
        np.testing.assert_array_equal(found.views[row], wanted.view)
        assert (found.keys[row], found.aligned[row]) == (wanted.key, wanted.aligned)


def test_a_segment_is_full_at_a_number_of_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "PICTURES", 4)
    entries = map(entry, range(9))
    made = [write_segment(tmp_path, entries) for _ in range(4)]
    assert [found and len(found.keys) for found in made] == [4, 4, 1, None]
    whole, damaged = read_segments(tmp_path)
    keys = {key for found in whole for key in found.keys}
    assert (keys, damaged) == ({number.to_bytes(16) for number in range(9)}, 0)


def test_a_segment_is_full_at_a_number_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "BYTES", 300)
    entries = map(entry, range(5))  # of 105 bytes each
    made = [write_segment(tmp_path, entries) for _ in range(3)]
    assert [found and len(found.keys) for found in made] == [3, 2, None]


def test_no_entry_leaves_nothing(tmp_path: Path) -> None:
    assert write_segment(tmp_path, iter([])) is None
    assert list(tmp_path.iterdir()) == []


def test_a_failure_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    def failing() -> Iterator[Entry]:
        yield entry(0)
        raise DataError("no more")

    with pytest.raises(DataError, match="no more"):
        write_segment(tmp_path, failing())
    assert list(tmp_path.iterdir()) == []


def test_the_same_segment_twice_is_kept_once(tmp_path: Path) -> None:
    first, second = (write_segment(tmp_path, map(entry, range(3))) for _ in range(2))
    assert first is not None
    assert second is not None
    assert second.folder == first.folder
    assert list(tmp_path.iterdir()) == [first.folder]


def test_a_file_in_a_segment_s_place(tmp_path: Path) -> None:
    (tmp_path / "segment-0123").write_text("x")
    assert read_segments(tmp_path) == ([], 1)
    assert list(tmp_path.iterdir()) == []
