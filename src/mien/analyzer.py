"""A picture in, its faces with their attributes out."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien import ages, cores, images
from mien.ages import Age
from mien.card import Task
from mien.errors import ImageError, ModelError
from mien.faces import Detector, Face, view_of, view_of_whole
from mien.images import Limits, Picture, Source
from mien.model import Model
from mien.pipeline import read
from mien.pixels import Image, Matrix, sample

_REDUCTIONS: Final = (8, 4, 2, 1)
_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True)
class Attribute:
    """A class and how sure the network is of it.

    Attributes:
        label: The most probable label.
        probability: Its probability, 0 to 1.
        probabilities: Every label's probability.
    """

    label: str
    probability: float
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class FaceReading:
    """A face and what the network read from it.

    Attributes:
        face: Where the face lies, in pixels of the upright picture; None for a picture taken
            whole in which no landmarks were found.
        attributes: Task -> `Attribute`, `Age`, or a number.
    """

    face: Face | None
    attributes: dict[str, Attribute | Age | float]

    @property
    def age(self) -> Age:
        """The age; an AttributeError if it was not read."""
        return self._get("age", Age)

    @property
    def gender(self) -> Attribute:
        """The gender; an AttributeError if it was not read."""
        return self._get("gender", Attribute)

    @property
    def race(self) -> Attribute:
        """The race; an AttributeError if it was not read: it must be asked for by name."""
        return self._get("race", Attribute)

    @property
    def expression(self) -> Attribute:
        """The expression; an AttributeError if it was not read."""
        return self._get("expression", Attribute)

    def _get(self, task: str, kind: type[_Kind]) -> _Kind:
        found = self.attributes.get(task)
        if found is not None and not isinstance(found, kind):
            raise AttributeError(
                f"this model's {task!r} is of another kind ({type(found).__name__}); take it from "
                f"attributes[{task!r}]"
            )
        if found is None:
            have = ", ".join(self.attributes) or "nothing"
            raise AttributeError(
                f"{task!r} was not read; read were: {have}. Name it in tasks=[...]"
            )
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A picture and its faces; or the reason why it could not be read.

    Attributes:
        name: What the picture is called.
        width: Width of the upright picture in pixels; 0 if it could not be read.
        height: Height, likewise.
        faces: Its faces, the largest first.
        error: None, or why the picture could not be read.
        picture: The decoded picture; only where `keep` asked for it.
    """

    name: str
    width: int = 0
    height: int = 0
    faces: list[FaceReading] = field(default_factory=list)
    error: ImageError | None = None
    picture: Picture | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture after everything but the network: its faces and their crops.

    Attributes:
        reading: The reading, still without faces; its error says if the picture is a bad one.
        faces: The faces that were found.
        crops: Each face's crop, as the network takes it.
    """

    reading: Reading
    faces: list[Face | None]
    crops: list[Image]


class Analyzer:
    """Reads the faces of pictures. One may be shared by threads.

    Args:
        model: A packaged model's name, a model file's path, or an open model; None for the
            default, which `MIEN_MODEL` may name.
        tasks: What to read; None for the model's default tasks. Race is read only when named.
        faces: "detect" looks for faces; "whole" takes each picture for one face that fills it,
            aligned where landmarks are found.
        threads: Processor cores to use; 0 for all.
        detect_size: Working size of the detector in pixels; larger finds smaller faces.
        min_face: Faces narrower than this many pixels are left out.
        max_faces: At most so many faces a picture, the largest; None for all.
        age_groups: Names of the age groups with the first age of each.
        providers: Names of onnxruntime's execution providers for the network, best first.
        limits: The largest pictures accepted.

    Raises:
        ModelError: The model cannot be used, is not for faces, or lacks a task.
        ValueError: Another argument makes no sense.

    Example:
        >>> from mien import Analyzer
        >>> Analyzer()("photo.jpg")[0].age.years
        31.4
    """

    def __init__(
        self,
        model: str | Path | Model | None = None,
        *,
        tasks: Sequence[str] | None = None,
        faces: Literal["detect", "whole"] = "detect",
        threads: int = 0,
        detect_size: int = 640,
        min_face: float = 0,
        max_faces: int | None = None,
        age_groups: ages.Groups = ages.GROUPS,
        providers: Sequence[str] = ("CPUExecutionProvider",),
        limits: Limits = images.DEFAULT_LIMITS,
    ) -> None:
        _check(faces, threads, min_face, max_faces)
        self._threads = threads or cores.usable()
        if not isinstance(model, Model):
            model = Model.open(model, threads=self._threads, providers=providers)
        if model.card.input.framing != "face":
            raise ModelError(f"{model.name}: reads whole pictures, not faces; use Classifier")
        self.model = model
        self.tasks = _choose(model, tasks)
        self._whole = faces == "whole"
        self._detector = Detector(size=detect_size)
        self._detect_size = detect_size
        self._min_face, self._max_faces = min_face, max_faces
        self._age_groups = ages.checked_groups(age_groups)
        self._limits = limits

    def __call__(self, picture: Source) -> list[FaceReading]:
        """Read the faces of one picture, the largest first.

        Args:
            picture: A path, encoded bytes, a binary stream, a Pillow image, or an array.

        Raises:
            ImageError: The picture cannot be read.
        """
        reading = self.finish([self.prepare(picture)])[0]
        if reading.error is not None:
            raise reading.error
        return reading.faces

    def read(self, pictures: Iterable[Source], *, keep: bool = False) -> Iterator[Reading]:
        """Read many pictures, in order; one that cannot be read fails alone.

        Pictures are decoded and searched side by side, and the faces of some of them go through
        the network as one batch. Memory stays bounded however many there are.

        Args:
            pictures: As for one picture.
            keep: Whether each reading holds its decoded picture; fewer are then read ahead.
        """
        yield from read(pictures, self.prepare, self.finish, threads=self._threads, keep=keep)

    def prepare(self, source: Source, *, keep: bool = False) -> Prepared:
        """Do all but the network's part for one picture: decode it, find its faces, crop them.

        With `finish` this is what `read` does, for callers that make batches of their own.

        Args:
            source: As for one picture.
            keep: Whether the reading is to hold the decoded picture.

        Returns:
            What `finish` takes; also for a picture that cannot be read, whose reading says why.
        """
        size = self.model.card.input.size
        try:
            picture, faces, views = self._take(source) if self._whole else self._search(source)
        except ImageError as error:
            return Prepared(Reading(error.name, error=error), [], [])
        crops = [sample(picture.pixels, _to_reduced(picture, view), size) for view in views]
        kept = picture if keep else None
        reading = Reading(picture.name, picture.width, picture.height, picture=kept)
        return Prepared(reading, faces, crops)

    def _take(self, source: Source) -> tuple[Picture, list[Face | None], list[Matrix]]:
        """Take a picture for one face; return it, its landmarks if there are any, and the view."""
        picture = images.load(source, limits=self._limits)
        template = self.model.card.input.landmarks
        view, face = view_of_whole(self._detector, picture.pixels, template)
        return picture, [face], [view]

    def _search(self, source: Source) -> tuple[Picture, list[Face | None], list[Matrix]]:
        """Return a picture, the faces in it, and their views, all in full coordinates."""
        picture, faces = self._detect(source)
        template = self.model.card.input.landmarks
        return picture, list(faces), [view_of(face, template) for face in faces]

    def _detect(self, source: Source) -> tuple[Picture, list[Face]]:
        """Find faces, and decode no finer than their crops need.

        A large JPEG is decoded at a fraction first. Where a face there is not twice as wide as
        the crop, the picture is decoded again, finer.
        """
        if not isinstance(source, str | os.PathLike | bytes | bytearray | memoryview):
            picture = images.load(source, limits=self._limits)
            return picture, self._find(picture)
        header = images.probe(source, limits=self._limits)
        reduce = 1
        if header.format == "JPEG":
            reduce = _reduction(max(header.width, header.height), 2 * self._detect_size)
        picture = images.load(source, reduce=reduce, limits=self._limits)
        faces = self._find(picture)
        if reduce > 1 and faces:
            narrowest = min(face.width for face in faces)
            finer = _reduction(narrowest, 2 * self.model.card.input.size)
            if finer < reduce:
                picture = images.load(source, reduce=finer, limits=self._limits)
        return picture, faces

    def _find(self, picture: Picture) -> list[Face]:
        found = self._detector.detect(picture.pixels, reduce=picture.reduce)
        faces = [_to_full(picture, face) for face in found]
        return [face for face in faces if face.width >= self._min_face][: self._max_faces]

    def finish(self, prepared: Sequence[Prepared]) -> list[Reading]:
        """Run the network over the crops of some pictures at once, and deal out the results.

        Args:
            prepared: What `prepare` gave; each may be finished once.

        Raises:
            ModelError: The network fails.
        """
        crops = [crop for item in prepared for crop in item.crops]
        side = self.model.card.input.size
        pixels = np.stack(crops) if crops else np.empty((0, side, side, 3), np.uint8)
        outputs = self.model.run(pixels, [task.name for task in self.tasks])
        columns = {task.name: self._meaning(task, outputs[task.name]) for task in self.tasks}
        row = 0
        for item in prepared:
            for face in item.faces:
                found = {name: values[row] for name, values in columns.items()}
                item.reading.faces.append(FaceReading(face, found))
                row += 1
        return [item.reading for item in prepared]

    def _meaning(
        self, task: Task, output: NDArray[np.float32]
    ) -> Sequence[Attribute | Age | float]:
        if task.kind == "age":
            return ages.read(output, task.intervals, self._age_groups)
        if task.kind == "regression":
            return [float(value) for value in output[:, 0]]
        return [attribute(task.labels, row) for row in output]


def attribute(labels: Sequence[str], probabilities: NDArray[np.float32]) -> Attribute:
    """Return the most probable label with all labels' probabilities."""
    best = int(probabilities.argmax())
    every = dict(zip(labels, map(float, probabilities), strict=True))
    return Attribute(labels[best], float(probabilities[best]), every)


def _check(faces: str, threads: int, min_face: float, max_faces: int | None) -> None:
    if faces not in ("detect", "whole"):
        raise ValueError(f"faces is 'detect' or 'whole', not {faces!r}")
    if threads < 0:
        raise ValueError(f"threads is 0 for all cores, or more; not {threads}")
    if not min_face >= 0:
        raise ValueError(f"min_face is a width in pixels, not {min_face}")
    if max_faces is not None and max_faces < 1:
        raise ValueError(f"max_faces is at least 1, or None for all; not {max_faces}")


def _choose(model: Model, names: Sequence[str] | None) -> list[Task]:
    if names is None:
        return [task for task in model.card.tasks if task.default]
    names = [names] if isinstance(names, str) else names
    return [model.card.task(name) for name in dict.fromkeys(names)]


def _reduction(length: float, wanted: float) -> int:
    """Return the largest reduction that leaves at least `wanted` of a length; 1 if none does."""
    return next((factor for factor in _REDUCTIONS if length / factor >= wanted), 1)


def _to_full(picture: Picture, face: Face) -> Face:
    if picture.reduce == 1:
        return face
    scaled = face.scaled(picture.reduce)
    left, top = picture.origin
    return Face(
        scaled.x + left,
        scaled.y + top,
        scaled.width,
        scaled.height,
        scaled.score,
        picture.to_full(face.landmarks),
    )


def _to_reduced(picture: Picture, view: Matrix) -> Matrix:
    if picture.reduce == 1:
        return view
    left, top = picture.origin
    reduced: Matrix = (view - np.array([[0, 0, left], [0, 0, top]])) / picture.reduce
    return reduced
