"""Videos of people who pass, with known truth: errors of visits, dwell, and switched identities.

    python benchmarks/watch_video.py manifest.csv --csv results/watch-video.csv

Photographs of the manifest's test part (the packaged model's, which it never saw) walk before a
background: people come in, cross, cover each other, pass behind a pillar, stop, turn back, come
nearer and go away, through light and shade, some out of focus; noise lies over all. Each scene goes
through a real encoder (H.264) and is watched as any file is. Scenes are kept in a folder with what
was measured in them, so that a run that was stopped goes on where it was. The photographs do not
turn their heads: looks change less here than before a camera.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.data import manifest as manifests
from mien.draw import FaceLabel, draw_faces
from mien.faces import Detector, Face
from mien.files import atomic_write
from mien.model import Model
from mien.pixels import Image
from mien.watch.config import of_source
from mien.watch.lane import Lane
from mien.watch.run import Watch
from mien.watch.tracking import DOUBTFUL, Box, Track
from mien.watch.visit import Visit
from tables import Row, show, write
from watch_scene import HIDDEN, Maker, Scene, Seen

RATES: Final = (2.0, 5.0, 10.0, 15.0, 25.0)
"""Frames a second; faces are looked for in at most 10 of them, as by default."""

_HEIGHT, _WIDTH = 720, 1280
_START: Final = 1_750_000_000
_FACES: Final = 300


@dataclass
class Person:
    """A photograph: its pixels, where the face is in it, and how old it is."""

    pixels: Image
    mask: NDArray[np.float32]
    centre: tuple[float, float]
    width: float
    age: float


@dataclass
class Measured:
    """What came out of one scene."""

    rate: float
    seconds: float
    true: int = 0
    counted: int = 0
    switched: int = 0
    missed: int = 0
    split: int = 0
    dwell: list[float] = field(default_factory=list)
    age: list[float] = field(default_factory=list)
    inside: int = 0


def main() -> None:
    """Take the options, measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("manifest", type=Path, help="a manifest; its test part is taken")
    parser.add_argument("--minutes", type=float, default=30, help="of video, in all")
    parser.add_argument("--scene", type=float, default=120, help="seconds of each scene")
    parser.add_argument("--model", default="face", help="a packaged model's name, or a file")
    parser.add_argument("--folder", type=Path, help="what was measured is kept here, to go on with")
    parser.add_argument("--picture", type=Path, help="write an annotated frame into this folder")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file")
    options = parser.parse_args()
    people = photographs(options.manifest, options.seed)
    model = Model.open(options.model)
    folder = options.folder or Path("out") / "watch-video"
    folder.mkdir(parents=True, exist_ok=True)
    done = []
    for number in range(max(1, round(options.minutes * 60 / options.scene))):
        kept = folder / f"{options.seed}-{options.scene:g}-{number}.json"
        if kept.exists():
            done.append(Measured(**json.loads(kept.read_text())))
            continue
        rate = RATES[number % len(RATES)]
        one = measure(people, model, (options.seed + number, rate, options.scene), folder, options)
        with atomic_write(kept) as file:
            file.write(json.dumps(asdict(one)))
        done.append(one)
        print(f"{number + 1}: {rate:g}/s, {one.true} visits, {one.counted} counted", flush=True)
    rows = table(done)
    minutes = sum(one.seconds for one in done) / 60
    show(rows, f"{minutes:.1f} minutes of video, {len(done)} scenes")
    if options.csv:
        write(rows, options.csv, options.seed)


def photographs(manifest: Path, seed: int) -> list[Person]:
    """Return photographs of the test part whose age is known and in which a face is found."""
    samples = [
        sample
        for sample in manifests.read(manifest).samples
        if sample.split == "test" and "age" in sample.known.labels
    ]
    detector, found = Detector(), []
    for index in np.random.default_rng(seed).permutation(len(samples)).tolist():
        pixels = images.load(samples[index].path).pixels
        face = detector.find_main(pixels)
        if face is not None and face.score > 0.8:
            centre = (face.x + face.width / 2, face.y + face.height / 2)
            age = float(samples[index].labels["age"])
            found.append(Person(pixels, _mask(pixels), centre, face.width, age))
        if len(found) == _FACES:
            break
    return found


def _mask(pixels: Image) -> NDArray[np.float32]:
    """Return how opaque a photograph is: an oval that fades at its edge."""
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    distance = ((columns / width - 0.5) / 0.5) ** 2 + ((rows / height - 0.5) / 0.5) ** 2
    return np.asarray(np.clip((1 - distance) / 0.15, 0, 1), np.float32)


class Painter:
    """Paints the frames of a scene."""

    def __init__(self, scene: Scene, people: Sequence[Person], seed: int) -> None:
        self._scene, self._people = scene, people
        self._rng = np.random.default_rng([seed, 5])
        self._back = _background(self._rng)
        self._lamps = _lamps(self._rng)

    def frames(self, rate: float) -> Iterator[Image]:
        """Give the frames at a rate."""
        noise = self._rng.normal(0, 2.5, (4, _HEIGHT, _WIDTH, 3)).astype(np.float32)
        for index in range(int(self._scene.seconds * rate)):
            canvas = self._back.copy()
            for seen in self._scene.at(index / rate):
                self._paint(canvas, seen)
            for left, right in self._scene.pillars:
                canvas[:, int(left * _HEIGHT) : int(right * _HEIGHT)] = (96, 92, 88)
            canvas += noise[index % 4]
            yield np.clip(canvas, 0, 255).astype(np.uint8)

    def _paint(self, canvas: NDArray[np.float32], seen: Seen) -> None:
        photo = self._people[seen.person.face]
        scale = seen.width * _HEIGHT / photo.width
        x, y = seen.x * _HEIGHT, seen.y * _HEIGHT
        # The body below, as wide as one of that size is.
        half, top = 1.1 * seen.width * _HEIGHT, int(y + 0.9 * seen.width * _HEIGHT)
        colour = 40 + 37.0 * np.array([seen.person.id % 5, seen.person.id % 3, seen.person.id % 4])
        left, right = (int(np.clip(value, 0, _WIDTH)) for value in (x - half, x + half))
        row, column = int(np.clip(y, 0, _HEIGHT - 1)), int(np.clip(x, 0, _WIDTH - 1))
        light = seen.person.light * float(self._lamps[row, column])
        canvas[max(0, top) :, left:right] = colour * light
        move = np.array(
            [[scale, 0, x - scale * photo.centre[0]], [0, scale, y - scale * photo.centre[1]]]
        )
        _lay(canvas, photo, move, seen, light)


def _lay(
    canvas: NDArray[np.float32],
    photo: Person,
    move: NDArray[np.float64],
    seen: Seen,
    light: float,
) -> None:
    """Lay a photograph onto the canvas, with its light and its blur."""
    height, width = photo.pixels.shape[:2]
    ends = move @ np.array([[0, width], [0, height], [1, 1]])
    left, top = (max(0, int(np.floor(value))) for value in ends[:, 0])
    right, bottom = min(_WIDTH, int(np.ceil(ends[0, 1]))), min(_HEIGHT, int(np.ceil(ends[1, 1])))
    if right <= left or bottom <= top:
        return
    inner = move - np.array([[0, 0, left], [0, 0, top]])
    size = (right - left, bottom - top)
    pixels, mask = photo.pixels, photo.mask
    if move[0, 0] < 0.7:  # as a lens would, average before sampling
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.4 / move[0, 0]), np.uint8)
    warped = cv2.warpAffine(pixels, inner, size, borderMode=cv2.BORDER_REPLICATE)
    opaque = cv2.warpAffine(mask, inner, size)[..., None]
    blur = seen.person.blur * seen.width * _HEIGHT
    if blur > 0.3:
        warped = cv2.GaussianBlur(warped, (0, 0), blur)
    part = canvas[top:bottom, left:right]
    part += (warped * np.float32(light) - part) * opaque


def _background(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a wall with some structure, and nothing that a face could be seen in."""
    grey = rng.uniform(70, 190, (6, 10, 1))
    coarse = (grey + rng.uniform(-15, 15, (6, 10, 3))).astype(np.float32)
    smooth = np.asarray(
        cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32
    )
    for _ in range(25):
        x, y = int(rng.integers(_WIDTH)), int(rng.integers(_HEIGHT))
        w, h = (int(rng.integers(20, 200)) for _ in range(2))
        smooth[y : y + h, x : x + w] += np.float32(rng.uniform(-25, 25))
    return smooth


def _lamps(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw how light each place is: whoever walks goes through light and shade."""
    coarse = rng.uniform(0.7, 1.3, (3, 5)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC))


def encode(frames: Iterator[Image], rate: float, path: Path) -> None:
    """Write frames as H.264, at about the bit rate of a good surveillance camera."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=round(rate))
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        stream.options = {"crf": "26", "preset": "veryfast"}
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


class Log(list[Visit]):
    """A sink that keeps the visits."""

    def put(self, visits: Sequence[Visit]) -> None:
        """Take visits."""
        self.extend(visits)


@dataclass
class Trace:
    """Which track was given to which face, frame after frame."""

    scene: Scene
    switched: int = 0
    tracks: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    spans: dict[int, tuple[float, float]] = field(default_factory=dict)
    _last: dict[int, tuple[int, float]] = field(default_factory=dict)

    def note(self, boxes: Sequence[Box], found: Sequence[Track | None], now: float) -> None:
        """Take what was found in a frame."""
        faces = [seen for seen in self.scene.at(now) if seen.visible > 0.3]
        for box, track in zip(boxes, found, strict=True):
            near = [f for f in faces if np.hypot(f.x - box.x, f.y - box.y) < 0.5 * f.width]
            if track is None:
                continue
            self.spans[track.id] = (self.spans.get(track.id, (now, now))[0], now)
            if not near:
                continue
            person = min(near, key=lambda f: float(np.hypot(f.x - box.x, f.y - box.y))).person.id
            known, when = self._last.get(person, (track.id, now))
            self.switched += known != track.id and now - when <= HIDDEN
            self._last[person] = (track.id, now)
            self.tracks[person][track.id] += 1


def measure(
    people: Sequence[Person],
    model: Model,
    drawn: tuple[int, float, float],
    folder: Path,
    options: Any,
) -> Measured:
    """Make a scene, watch it, and compare."""
    seed, rate, seconds = drawn
    scene = Maker(seed, len(people)).scene(seconds)
    path = folder / "scene.mp4"
    encode(Painter(scene, people, seed).frames(rate), rate, path)
    config = of_source(str(path), starts=_START)
    log, trace = Log(), Trace(scene)
    watch = Watch(config, log, model=model)
    spy(watch, trace)
    watch.run()
    if options.picture:
        options.picture.mkdir(parents=True, exist_ok=True)
        picture(path, seconds / 2, options.picture / f"{seed}-{rate:g}.png")
    path.unlink()
    return compare(scene, rate, log, trace, people)


def spy(watch: Watch, trace: Trace) -> None:
    """Have a watch's only lane tell what it finds."""
    lane: Lane = watch._channels[0].lane
    follow = lane.follow

    def told(boxes: Sequence[Box], now: float) -> list[Track | None]:
        found = follow(boxes, now)
        trace.note(boxes, found, now - _START)
        return found

    lane.follow = told  # type: ignore[method-assign]


def compare(
    scene: Scene, rate: float, visits: Sequence[Visit], trace: Trace, people: Sequence[Person]
) -> Measured:
    """Return what a watch made of a scene."""
    true = scene.visits(rate)
    # Who is seen in fewer frames than a track needs cannot be counted by anybody.
    true = [visit for visit in true if (visit[2] - visit[1]) * rate >= 2]
    out = Measured(rate, scene.seconds, len(true), len(visits), trace.switched)
    spans = {(v.entered.timestamp() - _START, v.left.timestamp() - _START): v for v in visits}
    faces = {person.id: person.face for person in scene.people}
    for person, first, last in true:
        overlapping = []
        for track, hits in trace.tracks[person].items():
            begin, end = trace.spans[track]
            found = next(
                (v for (b, e), v in spans.items() if abs(b - begin) + abs(e - end) < 0.01), None
            )
            if found is not None and begin <= last and end >= first:
                overlapping.append((hits, track, found))
        if not overlapping:
            out.missed += 1
            continue
        out.split += len(overlapping) > 1
        best = max(overlapping, key=lambda item: item[0])[2]
        out.dwell.append(abs(best.dwell - (last - first)))
        age = people[faces[person]].age
        out.age.append(abs(best.years - age))
        out.inside += best.low <= age <= best.high
    return out


def picture(video: Path, at: float, path: Path) -> None:
    """Write a frame with what the detector finds in it."""
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if (frame.time or 0) >= at:
                pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                faces: list[Face] = Detector(size=_WIDTH, min_score=DOUBTFUL).detect(pixels)
                labels = [
                    FaceLabel(f.x, f.y, f.width, f.height, (f"{f.score:.2f}",)) for f in faces
                ]
                cv2.imwrite(str(path), draw_faces(pixels, labels)[..., ::-1])
                return


def table(done: Sequence[Measured]) -> list[Row]:
    """Return the rows of all scenes, and of those of each rate."""
    rows = []
    for rate in (None, *RATES):
        some = [one for one in done if rate in (None, one.rate)]
        if some:
            rows += _rows("all" if rate is None else f"{rate:g} frames/s", some)
    return rows


def _rows(name: str, some: Sequence[Measured]) -> list[Row]:
    true, counted = sum(one.true for one in some), sum(one.counted for one in some)
    dwell = np.concatenate([one.dwell for one in some])
    age = np.concatenate([one.age for one in some])
    each = sum(abs(one.counted - one.true) for one in some)
    figures = (
        ("minutes", "minutes", f"{sum(one.seconds for one in some) / 60:.1f}"),
        ("true visits", "visits", str(true)),
        ("error of visits in all", "%", f"{100 * (counted - true) / true:+.1f}"),
        ("error of visits, mean of scenes, absolute", "%", f"{100 * each / true:.1f}"),
        ("visits missed", "visits", str(sum(one.missed for one in some))),
        ("visits split", "visits", str(sum(one.split for one in some))),
        ("identities switched", "switches", str(sum(one.switched for one in some))),
        ("error of dwell, median", "s", f"{np.median(dwell):.2f}"),
        ("error of dwell, p90", "s", f"{np.quantile(dwell, 0.9):.2f}"),
        ("error of age, mean", "years", f"{age.mean():.2f}"),
        ("90 % intervals hold", "%", f"{100 * sum(one.inside for one in some) / len(age):.1f}"),
    )
    return [{"measure": f"{name}: {m}", "unit": u, "value": v} for m, u, v in figures]


if __name__ == "__main__":
    main()
