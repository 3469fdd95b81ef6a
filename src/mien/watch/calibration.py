"""What a model makes of held-out faces of known age: numbers, one row a face, no picture.

`face-calibration.json` comes with the packaged model `face`; `scripts/face_calibration.py` writes
it. Each face stands for a visit of one crop.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.card import Card
from mien.errors import DataError, ModelError
from mien.files import atomic_write
from mien.model import Model, find
from mien.onnxfile import network_digest
from mien.watch.visit import BIN, BINS, binned

SCHEMA: Final = 1
PACKAGED: Final = "face-calibration.json"
_STEPS: Final = 1000

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Held-out faces: their true age, and what the model says.

    Attributes:
        truth: N true ages, in whole years.
        years: N expected ages, in years.
        ages: N x `BINS` probabilities.
        found: N, whether the detector finds the face.
        prior: `BINS` shares of ages under which the model was calibrated, from its card.
        about: Where the rows come from: the model's name, version and
            the hash of its network; the manifest's
            fingerprint, the split's hash, the part, and the data's terms.
    """

    truth: NDArray[np.int64]
    years: Numbers
    ages: Numbers
    found: NDArray[np.bool_]
    prior: Numbers
    about: dict[str, str]

    @property
    def bins(self) -> NDArray[np.int64]:
        """N: the bin of each true age."""
        return np.minimum(self.truth // BIN, BINS - 1)

    @property
    def measured_prior(self) -> Numbers:
        """`BINS`: the mean distribution of the faces; the card's prior where there are none.

        Distributions of these faces' mix are left as they are when they are corrected from it.
        """
        return self.ages.mean(axis=0) if len(self.ages) else self.prior

    def taken(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Calibration":
        """Return some of the rows, perhaps repeatedly."""
        return Calibration(
            self.truth[rows],
            self.years[rows],
            self.ages[rows],
            self.found[rows],
            self.prior,
            self.about,
        )

    def mismatch(self, model: str | Path) -> str | None:
        """Say that the rows are of another network than the one in use; None if they are not.

        Raises:
            ModelError: There is no such model.
        """
        known, used = self.about.get("network", "unknown"), fingerprint(model)
        if known == used:
            return None
        return (
            f"the calibration was measured with the network {known[:12]}, in use is {used[:12]}: "
            "totals are corrected by its card alone, and may be off"
        )

    def write(self, path: Path) -> None:
        """Write the file; probabilities are kept in thousandths.

        Raises:
            OutputError: It cannot be written.
        """
        rows = [
            [int(age), round(float(years), 1), int(found), *_sparse(ages)]
            for age, years, found, ages in zip(
                self.truth, self.years, self.found, self.ages, strict=True
            )
        ]
        head: dict[str, Any] = {
            "schema": SCHEMA,
            "about": self.about,
            "prior": [round(float(share), 6) for share in self.prior],
            "columns": "age, expected age, found, first bin, thousandths of the bins from there",
        }
        with atomic_write(path) as file:
            file.write(json.dumps(head)[:-1] + ', "rows": [\n')
            file.write(",\n".join(json.dumps(row, separators=(",", ":")) for row in rows))
            file.write("\n]}\n")


def read(path: Path) -> Calibration:
    """Read a calibration's file.

    Raises:
        DataError: It is not one, or one of a newer schema.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["schema"] > SCHEMA:
            raise DataError(f"{path}: its schema is {found['schema']}; update mien")
        rows = found["rows"]
        ages = np.array([_dense(row[3], row[4:]) for row in rows]).reshape(-1, BINS)
        return Calibration(
            truth=np.array([row[0] for row in rows], np.int64),
            years=np.array([row[1] for row in rows], np.float64),
            ages=ages / ages.sum(axis=1, keepdims=True),
            found=np.array([row[2] for row in rows], np.bool_),
            prior=np.array(found["prior"], np.float64),
            about={str(key): str(value) for key, value in found["about"].items()},
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: no calibration ({error}); write one with scripts/face_calibration.py"
        ) from error


def of_card(card: Card) -> Calibration:
    """Return a calibration without any face, for a model that none was measured with.

    Raises:
        ModelError: The card does not say under which ages the model was calibrated.
    """
    prior = card.priors.get("age")
    if prior is None:
        raise ModelError(
            f"{card.name}: its card has no prior of ages, so totals cannot be corrected; train "
            "the model again"
        )
    return Calibration(
        truth=np.zeros(0, np.int64),
        years=np.zeros(0),
        ages=np.zeros((0, BINS)),
        found=np.zeros(0, np.bool_),
        prior=binned(np.array(prior)),
        about={"model": card.name, "version": card.version},
    )


@cache
def packaged() -> Calibration:
    """Return the rows that come with the packaged model `face`."""
    return read(Path(str(files("mien.watch") / PACKAGED)))


def for_model(model: str | Path) -> tuple[Calibration, str]:
    """Return the calibration to correct a model's totals with, and what must be said about it.

    Args:
        model: Named as `mien.Model.open` takes it.

    Returns:
        The packaged rows where they are of this model's network; the card alone otherwise.

    Raises:
        ModelError: There is no such model, or neither knows its ages.
    """
    if problem := packaged().mismatch(model):
        return of_card(Model.open(model).card), problem
    return packaged(), ""


@cache
def fingerprint(model: str | Path) -> str:
    """Return the hash of a model file's network; the file is named as for `mien.Model.open`.

    The card may change without it.

    Raises:
        ModelError: There is no such model.
    """
    return network_digest(find(model).read_bytes())


def _sparse(ages: Numbers) -> list[int]:
    steps = np.rint(ages * _STEPS).astype(int)
    filled = np.flatnonzero(steps)
    first, last = int(filled[0]), int(filled[-1])
    return [first, *steps[first : last + 1].tolist()]


def _dense(first: int, steps: Sequence[int]) -> list[int]:
    row = [0] * first + list(steps)
    return row + [0] * (BINS - len(row))
