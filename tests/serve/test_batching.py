"""The queue: what is batched, what fails alone, what is refused, and what the end waits for."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from functools import partial
from typing import Any

import pytest

from mien.serve.batching import Batcher, QueueFullError, _Job
from mien.serve.metrics import Metrics
from tests.serve.conftest import wait_until

Make = Callable[..., Batcher]


class Doubling:
    """Doubles numbers; -1 cannot be prepared, and a batch with 666 in it fails."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = threading.Event()
        self.open.set()
        self.busy = threading.Event()

    def prepare(self, source: int, /) -> int:
        if source < 0:
            raise ValueError("below zero")
        return source

    def finish(self, prepared: Sequence[int], /) -> list[int]:
        self.busy.set()
        assert self.open.wait(30)
        if 666 in prepared:
            raise RuntimeError("too much")
        self.batches.append(list(prepared))
        return [2 * number for number in prepared]


def given(*numbers: int) -> list[Callable[[], Any]]:
    return [partial(int, number) for number in numbers]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Batcher] = []

    def start(limit: int = 100, batch: int = 8, wait: float = 0.0, threads: int = 2) -> Batcher:
        made.append(Batcher(Metrics(), threads=threads, limit=limit, batch=batch, wait=wait))
        return made[-1]

    yield start
    for batcher in made:
        batcher.close()


def blocked(batcher: Batcher, reader: Doubling) -> Any:
    """Have the reader stand in the middle of a batch of its own; return that one's result."""
    reader.open.clear()
    (first,) = batcher.submit(reader, given(0))
    assert reader.busy.wait(30)
    return first


def test_results_come_in_order(make: Make) -> None:
    futures = make().submit(Doubling(), given(*range(50)))
    assert [future.result(30) for future in futures] == [2 * n for n in range(50)]


def test_what_waits_goes_as_one_batch(make: Make) -> None:
    batcher, reader = make(batch=8, wait=30), Doubling()
    blocked(batcher, reader)
    futures = [future for n in range(1, 12) for future in batcher.submit(reader, given(n))]
    wait_until(lambda: len(batcher._ready) == 11 and batcher._busy == 1)
    reader.open.set()

    assert [future.result(30) for future in futures] == [2 * n for n in range(1, 12)]
    assert [len(batch) for batch in reader.batches] == [1, 8, 3]


def test_a_lone_picture_waits_for_none(make: Make) -> None:
    (future,) = make(wait=1000).submit(Doubling(), given(3))
    assert future.result(30) == 6


@pytest.mark.parametrize(("usual", "waits"), [(0.5, 10), (30, 30), (900, 50)])
def test_a_batch_waits_for_as_long_as_a_picture_takes(
    make: Make, monkeypatch: pytest.MonkeyPatch, usual: float, waits: float
) -> None:
    batcher = make(wait=10)
    monkeypatch.setattr("mien.serve.batching.perf_counter", lambda: 0.0)
    with batcher._changed:  # so that no worker takes it
        batcher._usual = usual
        batcher._ready.append(_Job(Doubling(), None, since=0.0))
        assert batcher._patience() == waits
        batcher._ready.clear()


def test_how_long_a_picture_takes_is_learnt(make: Make) -> None:
    batcher = make(threads=1)
    for future in batcher.submit(Doubling(), [partial(_slowly, 0.02)] * 20):
        future.result(30)
    assert batcher._usual > 0.01


def _slowly(seconds: float) -> int:
    time.sleep(seconds)
    return 1


def test_readers_are_not_mixed(make: Make) -> None:
    batcher, one, other = make(wait=0.05), Doubling(), Doubling()
    futures = [f for n in range(6) for f in batcher.submit((one, other)[n % 2], given(n))]
    assert [future.result(30) for future in futures] == [0, 2, 4, 6, 8, 10]
    assert {n % 2 for batch in one.batches for n in batch} == {0}


def test_one_that_cannot_be_prepared_fails_alone(make: Make) -> None:
    good, bad, also = make().submit(Doubling(), given(1, -1, 2))
    assert (good.result(30), also.result(30)) == (2, 4)
    with pytest.raises(ValueError, match="below zero"):
        bad.result(30)


def test_one_at_which_the_network_fails_does_so_alone(make: Make) -> None:
    batcher, reader = make(wait=0.05), Doubling()
    first = blocked(batcher, reader)
    good, bad, also = batcher.submit(reader, given(1, 666, 2))
    reader.open.set()
    assert (first.result(30), good.result(30), also.result(30)) == (0, 2, 4)
    with pytest.raises(RuntimeError, match="too much"):
        bad.result(30)


def test_a_full_queue_takes_all_or_none_of_a_request(make: Make) -> None:
    batcher, reader = make(limit=3), Doubling()
    blocked(batcher, reader)
    assert batcher.has_room(2)
    with pytest.raises(QueueFullError):
        batcher.submit(reader, given(1, 2, 3))
    futures = batcher.submit(reader, given(1, 2))
    assert (batcher.pending, batcher.has_room()) == (3, False)
    reader.open.set()
    assert [future.result(30) for future in futures] == [2, 4]


def test_room_comes_back(make: Make) -> None:
    batcher = make(limit=2)
    for _ in range(20):
        futures = batcher.submit(Doubling(), given(1, -1))
        assert futures[0].result(30) == 2
        assert futures[1].exception(30) is not None
    batcher.close()
    assert batcher.pending == 0


def test_what_nobody_waits_for_is_not_begun(make: Make) -> None:
    batcher, reader = make(threads=1), Doubling()
    gate = threading.Event()

    def slow() -> int:
        assert gate.wait(30)
        return 1

    (first,) = batcher.submit(reader, [slow])
    (second,) = batcher.submit(reader, given(-1))
    assert second.cancel()
    gate.set()
    assert first.result(30) == 2
    with pytest.raises(CancelledError):
        second.result(30)
    batcher.close()
    assert (batcher.pending, reader.batches) == (0, [[1]])


def test_closing_finishes_what_was_accepted(make: Make) -> None:
    batcher = make(batch=2, wait=0.01)
    futures = batcher.submit(Doubling(), given(*range(40)))
    batcher.close()
    assert [future.result(0) for future in futures] == [2 * n for n in range(40)]


def test_other_work_is_done_too(make: Make) -> None:
    assert make().call(lambda: "drawn").result(30) == "drawn"
