"""The models of a service: opened once, with all that reads by them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.card import Card
from mien.classifier import Classifier
from mien.errors import ModelError, printable, shortened
from mien.faces import detector_file
from mien.images import Limits
from mien.model import RUN_FILE, Model, find
from mien.serve.problems import Problem
from mien.serve.settings import Settings, SettingsError

Kind = Literal["face", "picture"]
Tensors = dict[str, NDArray[np.float32]]

SMALL: Final = "-small"
"""What follows a model's name, and its file's, where it is the smaller one for browsers."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class File:
    """A file that clients may fetch.

    Attributes:
        data: Its bytes.
        digest: Their SHA-256, in hexadecimal.
    """

    data: bytes
    digest: str

    @classmethod
    def of(cls, data: bytes) -> "File":
        """Return the file of these bytes."""
        return cls(data, sha256(data).hexdigest())


class Crops:
    """Reads crops by a network alone, as the Open Inference Protocol asks for."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def prepare(self, source: NDArray[np.uint8], /) -> NDArray[np.uint8]:
        """Return N x size x size x 3 pixels as they came."""
        return source

    def finish(self, prepared: Sequence[NDArray[np.uint8]], /) -> list[Tensors]:
        """Run the network over all crops; return each request's outputs."""
        outputs = self._model.run(np.concatenate(prepared))
        ends = np.cumsum([len(crops) for crops in prepared])
        parts = {name: np.split(values, ends[:-1]) for name, values in outputs.items()}
        return [{name: parts[name][n] for name in parts} for n in range(len(prepared))]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A model of the service, and what reads by it.

    Attributes:
        name: What clients call it.
        file: The model file.
        model: The open model.
        crops: Reads crops.
        analyzer: Finds and reads faces; None for a model of whole pictures.
        whole: Reads pictures that are one face each; None likewise.
        classifier: Classifies pictures; None for a model of faces.
    """

    name: str
    file: File
    model: Model
    crops: Crops
    analyzer: Analyzer | None = None
    whole: Analyzer | None = None
    classifier: Classifier | None = None

    @property
    def card(self) -> Card:
        """The model's card."""
        return self.model.card

    @property
    def kind(self) -> Kind:
        """What the model reads."""
        return "picture" if self.analyzer is None else "face"


class Catalogue:
    """All models of a service.

    Beside a model of faces, NAME.onnx, may lie NAME-small.onnx, a smaller one that reads the same
    tasks. It is served too, last, and browsers that run a model themselves are told to take it.

    Args:
        settings: The service's settings.
        threads: Threads that one run of a network may use.

    Attributes:
        notes: Lines for whoever starts the service, about smaller models.

    Raises:
        ModelError: A model cannot be used.
        SettingsError: Two models bear one name, or a name cannot stand in an address.
    """

    def __init__(self, settings: Settings, threads: int) -> None:
        self.limits = Limits(settings.max_body, settings.max_pixels)
        self.detector = File.of(detector_file())
        self.entries: dict[str, Entry] = {}
        self.notes: list[str] = []
        self._asked: dict[str, Entry] = {}
        self._small: dict[str, str] = {}
        places: dict[str, Path] = {}
        for model in settings.models:
            path = find(model)
            entry = self._asked[model] = self._open(path, _name(path), settings, threads)
            if entry.name in self.entries:
                raise SettingsError(f"models: two are called {entry.name!r}; rename a file")
            self.entries[entry.name] = entry
            places[entry.name] = path
        for name, path in places.items():
            if self.entries[name].kind == "face":
                self._add_small(name, path, settings, threads)

    def opened(self, model: str) -> Model | None:
        """Return the model that the settings name so; None if they do not."""
        return self._asked[model].model if model in self._asked else None

    def small(self, name: str) -> str | None:
        """Return the name of the smaller model that browsers take instead; None for none."""
        return self._small.get(name)

    def find(self, name: str) -> Entry:
        """Return a model.

        Raises:
            Problem: There is none of that name.
        """
        if name not in self.entries:
            raise Problem(
                404,
                "no-such-model",
                f"There is no model {printable(shortened(name))!r}; "
                f"there are: {', '.join(self.entries)}.",
            )
        return self.entries[name]

    def choose(self, name: str | None, kind: Kind) -> Entry:
        """Return a model of a kind; the first where no name is given.

        Raises:
            Problem: There is none, or the one named is of the other kind.
        """
        named = self.find(name) if name else None
        if named and named.kind == kind:
            return named
        fitting = [entry for entry in self.entries.values() if entry.kind == kind]
        what = "faces" if kind == "face" else "whole pictures"
        if named:
            have = ", ".join(entry.name for entry in fitting) or "none"
            raise Problem(
                422,
                "wrong-model",
                f"The model {named.name!r} does not read {what}; these do: {have}.",
            )
        if not fitting:
            raise Problem(404, "no-such-model", f"This service has no model that reads {what}.")
        return fitting[0]

    def _add_small(self, name: str, path: Path, settings: Settings, threads: int) -> None:
        """Serve the smaller model that lies beside one, if there is one that can stand for it."""
        beside, called = path.with_name(f"{path.stem}{SMALL}{path.suffix}"), f"{name}{SMALL}"
        if called not in self.entries and not beside.is_file():
            return
        try:
            small = self.entries.get(called) or self._open(beside, called, settings, threads)
        except (ModelError, SettingsError) as error:
            self.notes.append(f"{called} is not offered to browsers: {error}")
            return
        whole = self.entries[name]
        if _read_by(small) != _read_by(whole):
            self.notes.append(f"{called} is not offered to browsers: it reads other than {name}")
        elif len(small.file.data) >= len(whole.file.data):
            self.notes.append(f"{called} is not offered to browsers: it is no smaller than {name}")
        else:
            self.notes.append(f"browsers that read by themselves take {called} instead of {name}")
            self.entries[called], self._small[name] = small, called

    def _open(self, path: Path, shown: str, settings: Settings, threads: int) -> Entry:
        if not _NAME.fullmatch(shown):
            raise SettingsError(
                f"models: {shown!r} cannot stand in an address; name the file with letters, "
                "digits, '.', '_' and '-'"
            )
        file = File.of(_read(path))
        model = Model(file.data, shown, threads=threads, providers=settings.providers)
        if model.card.input.framing != "face":
            classifier = Classifier(model, limits=self.limits)
            return Entry(shown, file, model, Crops(model), classifier=classifier)
        analyzer, whole = (
            Analyzer(
                model,
                tasks=[task.name for task in model.card.tasks],
                faces=faces,
                detect_size=settings.detect_size,
                max_faces=settings.max_faces,
                limits=self.limits,
            )
            for faces in ("detect", "whole")
        )
        return Entry(shown, file, model, Crops(model), analyzer, whole)

    def warm_up(self) -> None:
        """Read a grey picture by every model, so that the first request is as fast as others."""
        grey = np.full((64, 64, 3), 128, np.uint8)
        for entry in self.entries.values():
            for reader in (entry.analyzer, entry.whole, entry.classifier):
                if reader is not None:
                    reader(grey)


def _name(path: Path) -> str:
    # Every run calls its model file so; its folder says which it is.
    return path.absolute().parent.name if path.name == RUN_FILE else path.stem


def _read_by(entry: Entry) -> dict[str, tuple[object, ...]]:
    """Return the tasks that a model reads, by name, and what their outputs are."""
    return {
        task.name: (entry.kind, task.kind, task.labels, task.ages, task.default)
        for task in entry.card.tasks
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
