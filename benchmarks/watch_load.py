"""What watching costs: processor time for each second of a stream, memory, and what is dropped.

    python benchmarks/watch_load.py --csv results/watch-load.csv

The stream is a made-up film of 1280 x 720 at 10 frames a second in which up to five copies of a
photograph (scikit-image's astronaut) walk about, encoded as H.264. Watched as a file at full speed
it gives the processor time of all threads, decoding included, by the second of film. An hour in
which all of them leave the picture and come back again and again, and faces are looked for twice a
second to save time (all frames are decoded), gives the memory after each part. Watched in real
time, several at once, it tells what a machine that is too slow leaves out; how much that is depends
on what else the machine does.
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from mien.model import Model
from mien.watch.config import Config
from mien.watch.run import Watch
from mien.watch.visit import Visit
from tables import Row, show, write

_RATE: Final = 10
_HEIGHT, _WIDTH = 720, 1280
_LOOP: Final = 60
_BEYOND: Final = 600


class Nowhere:
    """A sink that only counts."""

    def __init__(self) -> None:
        self.count = 0

    def put(self, visits: Sequence[Visit]) -> None:
        """Take visits."""
        self.count += len(visits)


@dataclass(frozen=True)
class Watched:
    """What a film was like to watch.

    Attributes:
        seconds: Its length.
        wall: Seconds that watching took.
        spent: Seconds of processor time.
        visits: How many were found.
        memory: Frames so far, and megabytes then.
    """

    seconds: float
    wall: float
    spent: float
    visits: int
    memory: Sequence[tuple[int, float]]


def main() -> None:
    """Take the options, measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="face", help="a packaged model's name, or a file")
    parser.add_argument("--minutes", type=float, default=3, help="of film for the cost")
    parser.add_argument("--long", type=float, default=60, help="minutes of film for the memory")
    parser.add_argument("--streams", type=int, default=4, help="watched in real time at once")
    parser.add_argument("--seconds", type=float, default=40, help="of watching in real time")
    parser.add_argument("--threads", type=int, default=0, help="cores to use; 0 for all")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file")
    options = parser.parse_args()
    model = Model.open(options.model, threads=options.threads)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.ts"
        # No camera may come to the film's end while all are watched at once.
        film(encoded(), path, max(options.minutes * 60, options.seconds))
        rows = cost(path, model, options) + together(path, model, options)
        film(encoded(beyond=_BEYOND), path, options.long * 60)
        rows += memory(path, model, options)
    show(rows, f"1280 x 720, {_RATE} frames/s, up to 5 faces")
    if options.csv:
        write(rows, options.csv, 0)


def encoded(beyond: int = 0) -> list[tuple[bytes, bool]]:
    """Return a minute of film as H.264: packets, and which of them are key frames.

    Args:
        beyond: By how many pixels people walk out of the picture.
    """
    encoder = av.CodecContext.create("libx264", "w")
    if not isinstance(encoder, av.VideoCodecContext):
        raise TypeError("libx264 encodes no video")
    encoder.width, encoder.height, encoder.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
    encoder.framerate = _RATE  # type: ignore[assignment]
    encoder.options = {"preset": "veryfast", "crf": "26", "bf": "0", "g": str(5 * _RATE)}
    units = []
    for pixels in frames(beyond):
        units += encoder.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24"))
    units += encoder.encode(None)
    return [(bytes(unit), unit.is_keyframe) for unit in units]


def film(once: Sequence[tuple[bytes, bool]], path: Path, seconds: float) -> None:
    """Write a film: the packets of a minute again and again."""
    with av.open(str(path), "w", format="mpegts") as container:
        stream: Any = container.add_stream("libx264", rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for index in range(int(seconds * _RATE)):
            data, key = once[index % len(once)]
            packet = av.Packet(data)
            packet.stream = stream
            packet.pts = packet.dts = index
            packet.time_base = Fraction(1, _RATE)
            packet.is_keyframe = key
            container.mux(packet)


def frames(beyond: int) -> Iterator[NDArray[np.uint8]]:
    """Give a minute of frames: five people go to and fro, each at a pace of its own."""
    rng = np.random.default_rng(0)
    wall = rng.uniform(60, 180, (9, 16, 3)).astype(np.float32)
    back = cv2.resize(wall, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    data: Any = skimage.data
    face = np.asarray(data.astronaut(), np.uint8)[30:230, 120:320]
    for index in range(_LOOP * _RATE):
        canvas = back + rng.normal(0, 2.5, (_HEIGHT, _WIDTH, 3)).astype(np.float32)
        pixels = np.clip(canvas, 0, 255).astype(np.uint8)
        for number in range(5):
            # Periods that divide the loop, so that its end meets its beginning.
            phase = 2 * np.pi * (index / (_LOOP * _RATE) * (2 + number) + number / 5)
            side = 120 + 16 * number
            copy = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
            way = _WIDTH - side + 2 * beyond
            left = int(way * (0.5 + 0.5 * np.sin(phase))) - beyond
            top, first = 20 + number * 130, max(0, left)
            part = pixels[top : top + side, first : max(first, left + side)]
            part[:] = copy[: part.shape[0], first - left : first - left + part.shape[1]]
        yield pixels


def config(path: Path, options: argparse.Namespace, count: int, **camera: Any) -> Config:
    """Return the configuration of some cameras that all show the film."""
    cameras = [{"name": f"c{i}", "source": str(path), **camera} for i in range(count)]
    return Config.model_validate({"cameras": cameras, "threads": options.threads})


def resident() -> float:
    """Return this process's memory in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def watched(path: Path, model: Model, options: argparse.Namespace, **camera: Any) -> Watched:
    """Watch a film at full speed."""
    sink = Nowhere()
    watch = Watch(config(path, options, 1, **camera), sink, model=model)
    known: list[tuple[int, float]] = []
    begun, spent = time.perf_counter(), time.process_time()
    thread = threading.Thread(target=watch.run)
    thread.start()
    while thread.is_alive():
        thread.join(0.5)
        known.append((watch.status()[0].health.frames, resident()))
    wall, spent = time.perf_counter() - begun, time.process_time() - spent
    return Watched(known[-1][0] / _RATE, wall, spent, sink.count, known)


def cost(path: Path, model: Model, options: argparse.Namespace) -> list[Row]:
    """Watch a film at full speed; tell what that costs."""
    found = watched(path, model, options)
    return [
        _row("film watched", "minutes", f"{found.seconds / 60:.1f}"),
        _row("processor time for a second of film", "s", f"{found.spent / found.seconds:.3f}"),
        _row("speed", "x real time", f"{found.seconds / found.wall:.1f}"),
        _row("visits", "visits", str(found.visits)),
    ]


def memory(path: Path, model: Model, options: argparse.Namespace) -> list[Row]:
    """Watch a long film; tell how the memory grows."""
    found = watched(path, model, options, detections=2)
    rows = [_row("long film: watched", "minutes", f"{found.seconds / 60:.1f}")]
    total = found.memory[-1][0]
    for share in (0.1, 0.25, 0.5, 0.75, 1.0):
        at = next(value for count, value in found.memory if count >= share * total)
        rows.append(_row(f"long film: memory after {share:.0%}", "MB", f"{at:.0f}"))
    return [*rows, _row("long film: visits", "visits", str(found.visits))]


def together(path: Path, model: Model, options: argparse.Namespace) -> list[Row]:
    """Watch some streams at once, each in real time; tell what each camera misses."""
    watch = Watch(config(path, options, options.streams, real_time=True), Nowhere(), model=model)
    spent = time.process_time()
    thread = threading.Thread(target=watch.run)
    thread.start()
    time.sleep(options.seconds)
    found = watch.status()
    watch.stop()
    thread.join()
    spent = time.process_time() - spent
    rows = [
        _row(
            f"{options.streams} streams: processor time for a second of all",
            "s",
            f"{spent / options.seconds:.3f}",
        )
    ]
    for status in found:
        share = status.health.dropped / max(1, status.health.frames)
        rows.append(_row(f"{status.name}: frames dropped", "%", f"{100 * share:.1f}"))
    return rows


def _row(measure: str, unit: str, value: str) -> Row:
    return {"measure": measure, "unit": unit, "value": value}


if __name__ == "__main__":
    main()
