"""How fast pictures are read: each part alone, all of it end to end, one picture, and the start.

    python benchmarks/predict.py --model face --csv results/predict.csv

The photographs are made from NASA's portrait of Eileen Collins, which scikit-image ships: JPEGs of
640 x 480 with one face, and a few of 12 megapixels with six. Every round measures every part once,
so that whatever else the machine does slows all of them alike; the table holds medians of rounds.

"share of the parts" compares the end-to-end rate with the rate that the parts' times add up to.
Above 100 % the parts overlap better in the pipeline than each fills the threads alone.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from mien import Analyzer, Model, images
from mien.faces import Detector, view_of
from mien.images import Picture
from mien.pixels import Image, sample
from tables import Row, show, write

THREADS: Final = (1, 2)
PARTS: Final = ("decoding", "detection", "cropping", "network")
BATCH: Final = 16

# Where the portrait's face lies, with some room: left, top, right, bottom.
_FACE: Final = (150, 40, 300, 220)

Job = Callable[[], object]


def main() -> None:
    """Take the options, measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="face", help="a packaged model's name, or a file")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file")
    parser.add_argument("--rounds", type=int, default=11, help="how often all is measured")
    parser.add_argument("--small", type=int, default=62, help="photographs of 640 x 480")
    parser.add_argument("--large", type=int, default=2, help="photographs of 12 megapixels")
    parser.add_argument("--seed", type=int, default=0, help="of the photographs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photos = make_photos(Path(folder), options.small, options.large, options.seed)
        rows = [
            *measure_rates(photos, options.model, options.rounds),
            *measure_single(photos[0], options.model, 10 * options.rounds),
            *measure_start(options.rounds),
        ]
    show(rows, f"{options.small} photographs of 640 x 480, {options.large} of 12 megapixels")
    if options.csv:
        write(rows, options.csv, options.seed)


def make_photos(folder: Path, small: int, large: int, seed: int) -> list[Path]:
    """Write the photographs; the large ones lie in the middle of the list."""
    rng = np.random.default_rng(seed)
    paths = []
    for number in range(small + large):
        is_large = 0 <= number - small // 2 < large
        pixels = _group(rng) if is_large else _portrait(rng, 640, 480)
        noisy = pixels + rng.normal(0, 3, pixels.shape)
        path = folder / f"{number:03}.jpg"
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(85, 96))]
        cv2.imwrite(str(path), np.clip(noisy, 0, 255).astype(np.uint8)[..., ::-1], quality)
        paths.append(path)
    return paths


def _portrait(rng: np.random.Generator, width: int, height: int) -> Image:
    """Cut a window of random size and place about the face, perhaps mirrored, lit at random."""
    astronaut: Image = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    left, top, right, bottom = _FACE
    tallest = min(astronaut.shape[0], astronaut.shape[1] * height // width)
    rows = int(rng.integers(max(bottom - top, (right - left) * height // width) + 4, tallest + 1))
    columns = rows * width // height
    x = int(rng.integers(max(0, right - columns), min(left, astronaut.shape[1] - columns) + 1))
    y = int(rng.integers(max(0, bottom - rows), min(top, astronaut.shape[0] - rows) + 1))
    window = astronaut[y : y + rows, x : x + columns][:, :: int(rng.choice((-1, 1)))]
    resized = cv2.resize(window, (width, height), interpolation=cv2.INTER_CUBIC)
    lit: Image = np.clip(resized * rng.uniform(0.7, 1.1), 0, 255).astype(np.uint8)
    return lit


def _group(rng: np.random.Generator) -> Image:
    """Lay out six portraits in two rows of 4000 x 3000 pixels."""
    rows = [[_portrait(rng, 1334, 1500) for _ in range(3)] for _ in range(2)]
    return np.vstack([np.hstack(row)[:, :4000] for row in rows])


@dataclass(frozen=True)
class Workload:
    """What each part works on, just as the analyzer hands it on.

    Attributes:
        photos: The files.
        reductions: For each photo, the fractions at which it is decoded, one after the other.
        searched: For each photo, the pixels in which faces are looked for.
        cropped: For each photo, the picture that its faces are cut from.
        views: For each photo, the views that are cut out.
        crops: All crops.
    """

    photos: Sequence[Path]
    reductions: Sequence[Sequence[int]]
    searched: Sequence[Image]
    cropped: Sequence[Picture]
    views: Sequence[Sequence[NDArray[np.float64]]]
    crops: Image


def prepare(photos: Sequence[Path], analyzer: Analyzer) -> Workload:
    """Watch the analyzer read each photo, and keep what each part was given."""
    size, template = analyzer.model.card.input.size, analyzer.model.card.input.landmarks
    reductions, searched, cropped, views, crops = [], [], [], [], []
    for photo in photos:
        with patch.object(images, "load", wraps=images.load) as load:
            (reading,) = analyzer.read([photo], keep=True)
        if reading.picture is None or not load.called:
            raise SystemExit(f"{photo}: not read: {reading.error}")
        picture = reading.picture
        reductions.append([call.kwargs.get("reduce", 1) for call in load.call_args_list])
        searched.append(images.load(photo, reduce=reductions[-1][0]).pixels)
        found = [item.face.scaled(1 / picture.reduce) for item in reading.faces if item.face]
        cropped.append(picture)
        views.append([view_of(face, template) for face in found])
        crops += [sample(picture.pixels, view, size) for view in views[-1]]
    return Workload(photos, reductions, searched, cropped, views, np.stack(crops))


def jobs(work: Workload, analyzer: Analyzer, pool: ThreadPoolExecutor) -> dict[str, Job]:
    """Return each part of the work, and all of it, as something to call.

    Args:
        work: What to work on.
        analyzer: The one that is measured, with its model.
        pool: As many threads as the analyzer uses.
    """
    model, detector = analyzer.model, Detector()
    tasks, size = [task.name for task in analyzer.tasks], analyzer.model.card.input.size
    batches = [work.crops[start : start + BATCH] for start in range(0, len(work.crops), BATCH)]

    def decode(photo: Path, reductions: Sequence[int]) -> None:
        images.probe(photo)
        for reduce in reductions:
            images.load(photo, reduce=reduce)

    def crop(picture: Picture, views: Sequence[NDArray[np.float64]]) -> None:
        for view in views:
            sample(picture.pixels, view, size)

    return {
        "decoding": lambda: _drain(pool.map(decode, work.photos, work.reductions)),
        "detection": lambda: _drain(pool.map(detector.detect, work.searched)),
        "cropping": lambda: _drain(pool.map(crop, work.cropped, work.views)),
        "network": lambda: [model.run(batch, tasks) for batch in batches],
        "end to end": lambda: _drain(analyzer.read(work.photos)),
    }


def measure_rates(photos: Sequence[Path], model: str, rounds: int) -> list[Row]:
    """Return the rate of each part, and of all of it, by number of threads."""
    seconds: dict[tuple[str, int], list[float]] = {}
    analyzers = {threads: Analyzer(model, threads=threads) for threads in THREADS}
    work = prepare(photos, analyzers[THREADS[0]])
    for current in range(rounds + 1):
        for threads, analyzer in analyzers.items():
            with ThreadPoolExecutor(threads) as pool:
                for name, job in jobs(work, analyzer, pool).items():
                    spent = _seconds(job)
                    if current:  # the first round only warms up
                        seconds.setdefault((name, threads), []).append(spent)
    faces = len(work.crops)
    counts = dict(zip(PARTS, (len(photos), len(photos), faces, faces), strict=True))
    rows = []
    for name in (*PARTS, "end to end"):
        unit = "faces/s" if counts.get(name) == faces else "pictures/s"
        count = counts.get(name, len(photos))
        rates = [_number(count / _median(seconds[name, threads])) for threads in THREADS]
        rows.append(_row(name, unit, *rates))
    shares = [_share(seconds, threads) for threads in THREADS]
    return [*rows, _row("end to end, share of the parts", "", *shares)]


def _share(seconds: dict[tuple[str, int], list[float]], threads: int) -> str:
    """Return the parts' summed time over the time of all of it, as the median of the rounds."""
    parts = np.sum([seconds[name, threads] for name in PARTS], axis=0)
    return f"{_median(parts / seconds['end to end', threads]):.0%}".replace("%", " %")


def measure_single(photo: Path, model: str, repeats: int) -> list[Row]:
    """Return the time of one picture, and of the network for one face and for sixteen."""
    analyzer = Analyzer(model, threads=1)
    if len(analyzer(photo)) != 1:
        raise SystemExit(f"{photo}: exactly one face was to be found")
    opened = Model.open(model, threads=1)
    tasks, size = [task.name for task in analyzer.tasks], opened.card.input.size
    crops = np.random.default_rng(0).integers(0, 256, (BATCH, size, size, 3), np.uint8)
    timed: dict[str, list[float]] = {"picture": [], "one": [], "batch": []}
    for _ in range(repeats):
        timed["picture"].append(_seconds(lambda: analyzer(photo)))
        timed["one"].append(_seconds(lambda: opened.run(crops[:1], tasks)))
        timed["batch"].append(_seconds(lambda: opened.run(crops, tasks)) / BATCH)
    low, high = np.percentile(timed["picture"], (50, 95)) * 1000
    return [
        _row("one 640 x 480 JPEG, one face: median", "ms", _number(low)),
        _row("one 640 x 480 JPEG, one face: 95 %", "ms", _number(high)),
        _row("network, one at a time", "ms/face", _number(1000 * _median(timed["one"]))),
        _row(
            f"network, {BATCH} faces at a time", "ms/face", _number(1000 * _median(timed["batch"]))
        ),
    ]


def measure_start(repeats: int) -> list[Row]:
    """Return the times of whole processes that do nothing but start."""
    starts = {
        "python alone": ["-c", "pass"],
        "import mien": ["-c", "import mien"],
        "mien --help": ["-c", "from mien.cli import main; main()", "--help"],
    }
    timed: dict[str, list[float]] = {name: [] for name in starts}
    for _ in range(repeats):
        for name, arguments in starts.items():
            timed[name].append(_seconds(partial(_start, arguments)))
    return [
        _row(f"start: {name}", "ms", f"{1000 * _median(spent):.0f}")
        for name, spent in timed.items()
    ]


def _start(arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def _seconds(job: Job) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def _drain(results: Any) -> None:
    deque(results, maxlen=0)


def _median(values: Any) -> float:
    return float(np.median(values))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _row(measure: str, unit: str, *values: str) -> Row:
    columns = [_column(threads) for threads in THREADS]
    cells = dict(zip(columns, [*values, *[""] * len(columns)], strict=False))
    return {"measure": measure, **cells, "unit": unit}


def _column(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


if __name__ == "__main__":
    main()
