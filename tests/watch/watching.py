"""A process that watches as `mien watch` does, and tells each visit once it was handed on.

    python -m tests.watch.watching shop.toml

A line "visit ID" follows each visit that the recorder has taken, "state ..." its state each half
second; it ends in good order when its standard input is closed.
"""

import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mien.watch import config
from mien.watch.keeping import Keeper, keeper
from mien.watch.run import Watch
from mien.watch.visit import Visit
from tests.photos import astronaut
from tests.watch.video import Image, access_units

FRAMES = 60
"""Frames of the film, which is shown again and again."""

SHOWN = (12, 42)
"""The frames in which somebody passes."""

RATE = 10


def passing() -> Iterator[Image]:
    """Give the frames of a film: somebody passes, and nobody is there before and after."""
    face = astronaut()[40:210, 140:300]
    rng = np.random.default_rng(0)
    for index in range(FRAMES):
        # No two frames are the same: a picture that never changes is taken for a frozen camera.
        pixels = rng.integers(85, 95, (240, 420, 3), dtype=np.uint8)
        if SHOWN[0] <= index < SHOWN[1]:
            left = 4 + 8 * (index - SHOWN[0])
            pixels[30:200, left : left + 160] = face[:, : 420 - left]
        yield pixels


def film() -> list[bytes]:
    """Return the film as H.264."""
    return access_units(passing(), RATE)


class Telling:
    """Hands visits to a keeper, and then tells them."""

    def __init__(self, keeping: Keeper) -> None:
        self._keeping = keeping

    def put(self, visits: Sequence[Visit]) -> None:
        """Take visits."""
        for visit in visits:
            self._keeping.put([visit])
            _tell(f"visit {visit.id}")


def _tell(line: str) -> None:
    # One write a line: threads do not mix theirs.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _report(keeping: Keeper, watch: Watch, over: threading.Event) -> None:
    while not over.wait(0.5):
        state, health = keeping.recorder.state, watch.status()[0].health
        _tell(
            f"state {health.state} losses={health.losses} frames={health.frames} "
            f"waiting={state.waiting} held={state.held} stored={state.stored} lost={state.lost}"
        )


def _stop_when_told(watch: Watch) -> None:
    sys.stdin.read()
    watch.stop()


def main() -> None:
    """Watch until the standard input is closed."""
    known = config.read(Path(sys.argv[1]))
    over = threading.Event()
    with keeper(known) as keeping:
        watch = Watch(known, Telling(keeping))
        threads = [
            threading.Thread(target=_stop_when_told, args=(watch,), daemon=True),
            threading.Thread(target=_report, args=(keeping, watch, over), daemon=True),
        ]
        for thread in threads:
            thread.start()
        watch.run()
        over.set()


if __name__ == "__main__":
    main()
