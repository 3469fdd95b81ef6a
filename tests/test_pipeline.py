"""Order, laziness, threads and ends of the row of work that reads many pictures."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from mien.pipeline import in_batches


def same(number: int) -> int:
    return number


def double(numbers: Sequence[int]) -> list[int]:
    return [2 * number for number in numbers]


@pytest.fixture(autouse=True)
def _threads_end() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Counted:
    """Whole numbers without end; `taken` of them so far."""

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[int]:
        for number in itertools.count():
            self.taken += 1
            yield number


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8, 9, 50])
@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_whatever_takes_longer(count: int, threads: int) -> None:
    def uneven(number: int) -> int:
        time.sleep(0.001 * (number % 3))
        return number

    found = in_batches(range(count), uneven, double, threads=threads, batch=4)
    assert list(found) == [2 * number for number in range(count)]


def test_batches_are_full_but_for_the_last() -> None:
    sizes = []

    def note(numbers: Sequence[int]) -> Sequence[int]:
        sizes.append(len(numbers))
        return numbers

    assert list(in_batches(range(10), same, note, threads=1, batch=4)) == list(range(10))
    assert sizes == [4, 4, 2]


def test_an_endless_source_is_read_only_so_far_ahead() -> None:
    source = Counted()
    results = in_batches(source, same, double, threads=2, batch=4)
    assert source.taken == 0
    for position in range(40):
        assert next(results) == 2 * position
        assert source.taken - position <= 4 * 4
    results.close()


def test_closing_early_begins_nothing_more() -> None:
    begun = []

    def slow(number: int) -> int:
        begun.append(number)
        time.sleep(0.005)
        return number

    results = in_batches(Counted(), slow, double, threads=1, batch=4)
    assert next(results) == 0
    results.close()
    at_the_end = len(begun)
    time.sleep(0.02)
    assert len(begun) == at_the_end < 16
    assert list(results) == []


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_no_more_threads_work_than_asked_for(threads: int) -> None:
    names, lock = set(), threading.Lock()
    working = most = 0

    def work(number: int) -> int:
        nonlocal working, most
        with lock:
            names.add(threading.current_thread())
            working += 1
            most = max(most, working)
        time.sleep(0.002)
        with lock:
            working -= 1
        return number

    def finish(numbers: Sequence[int]) -> list[int]:
        return [work(number) for number in numbers]

    assert list(in_batches(range(20), work, finish, threads=threads, batch=4)) == list(range(20))
    assert most <= threads
    assert len(names) <= threads
    assert threading.main_thread() not in names


def test_an_error_in_preparing_ends_it() -> None:
    def fail_at_9(number: int) -> int:
        if number == 9:
            raise ZeroDivisionError("nine")
        return number

    results = in_batches(Counted(), fail_at_9, double, threads=2, batch=4)
    with pytest.raises(ZeroDivisionError, match="nine"):
        list(results)
    assert list(results) == []


def test_an_error_in_finishing_ends_it() -> None:
    def fail(numbers: Sequence[int]) -> list[int]:
        raise ZeroDivisionError("all")

    with pytest.raises(ZeroDivisionError, match="all"):
        list(in_batches(Counted(), same, fail, threads=2, batch=4))


def test_an_error_of_the_source_ends_it() -> None:
    def source() -> Iterator[int]:
        yield from range(3)
        raise OSError("unplugged")

    with pytest.raises(OSError, match="unplugged"):
        list(in_batches(source(), same, double, threads=2, batch=4))
