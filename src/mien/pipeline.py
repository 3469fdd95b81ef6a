"""Items without end through a pool: prepared side by side, finished in batches, given in order."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Final, TypeVar, cast

_BATCH: Final = 16
Item = TypeVar("Item")
Prepared = TypeVar("Prepared")
Result = TypeVar("Result")


def in_batches(
    items: Iterable[Item],
    prepare: Callable[[Item], Prepared],
    finish: Callable[[Sequence[Prepared]], Sequence[Result]],
    *,
    threads: int,
    batch: int,
) -> Generator[Result, None, None]:
    """Work through items in order while a bounded number of them is in memory.

    At most four batches are under way at a time. An exception of either function, or of the items
    themselves, ends the iteration; closing the iterator early ends the threads.

    Args:
        items: What to work through; taken one by one, as there is room.
        prepare: Called for each item, side by side with others.
        finish: Called for up to `batch` prepared items in a row; returns their results in order.
        threads: How many threads work, at least 1.
        batch: How many items are finished together, at least 1.
    """
    source = iter(items)
    waiting: deque[Future[Prepared]] = deque()
    batches: deque[Future[Sequence[Result]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                for item in islice(source, 2 * batch - len(waiting)):
                    waiting.append(pool.submit(prepare, item))
                if not waiting:
                    break
                ready = [waiting.popleft().result() for _ in range(min(batch, len(waiting)))]
                batches.append(pool.submit(finish, ready))
                if len(batches) > 1:
                    yield from batches.popleft().result()
            for last in batches:
                yield from last.result()
        finally:
            # What has not begun by now is wanted no more.
            pool.shutdown(wait=True, cancel_futures=True)


def read(
    pictures: Iterable[Item],
    prepare: Callable[..., Prepared],
    finish: Callable[[Sequence[Prepared]], Sequence[Result]],
    *,
    threads: int,
    keep: bool,
) -> Generator[Result, None, None]:
    """Read pictures in order, as `in_batches` works through items.

    Args:
        pictures: The pictures; one alone, by its path or as an array, is taken as one.
        prepare: Called for each picture, and told whether to `keep` it decoded.
        finish: Runs the network over some prepared pictures.
        threads: How many threads work.
        keep: Whether results hold decoded pictures, of which few fit in memory.
    """
    if isinstance(pictures, str | bytes | os.PathLike) or getattr(pictures, "ndim", 4) < 4:
        # One picture, which would be taken apart.
        pictures = cast("list[Item]", [pictures])
    batch = min(_BATCH, threads) if keep else _BATCH
    yield from in_batches(
        pictures, partial(prepare, keep=keep), finish, threads=threads, batch=batch
    )
