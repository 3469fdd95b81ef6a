"""Results to a picture: boxes and labels that stay readable on anything, and the file of it."""

import io
import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mien.ages import Age
from mien.analyzer import Attribute, FaceReading
from mien.card import Card, Task
from mien.errors import OutputError, printable
from mien.files import atomic_write

Pixels = NDArray[np.uint8]
Boxes = NDArray[np.int64]

# Wide coverage first. They are searched for by Pillow where the system keeps its fonts.
_FONTS: Final = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "segoeui.ttf",
    "Arial.ttf",
    "arial.ttf",
)
_STAND_INS: Final = str.maketrans("đĐ–—−…×", "dD---.x")

_LIGHT: Final = np.array((255, 255, 255), np.uint8)
_DARK: Final = np.array((20, 22, 26), np.uint8)
_PLATE_OPACITY: Final = 0.72

_SAVERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 92}),
    ".jpeg": ("JPEG", {"quality": 92}),
    ".webp": ("WEBP", {"quality": 92}),
}


@dataclass(frozen=True, slots=True)
class FaceLabel:
    """A box in a picture and the text that belongs to it.

    Args:
        x: Left edge in pixels; may lie outside the picture.
        y: Top edge in pixels.
        width: Width in pixels.
        height: Height in pixels.
        lines: Lines of text, from the top; none draws the box alone.
    """

    x: float
    y: float
    width: float
    height: float
    lines: Sequence[str] = ()


def draw_faces(pixels: Pixels, labels: Sequence[FaceLabel]) -> Pixels:
    """Draw boxes with labels.

    A label stands above its box, or below or inside where there is more room, clear of other
    labels and boxes as far as possible. Line width and letters follow the size of the picture
    and of the face. Text that is too long ends in an ellipsis; lines for which the picture is
    too low are left out; a picture too small for any letter gets boxes only.

    The system's DejaVu Sans, Noto Sans, Liberation Sans, Segoe UI or Arial is used, else the
    font inside Pillow, which knows little more than ASCII. A character that the font lacks is
    drawn as its plain letter ("ổ" as "o") or, where there is none, as "?".

    Args:
        pixels: uint8, H x W x 3 RGB; not changed.
        labels: The boxes. What lies outside the picture is moved to its border.

    Returns:
        A new array of the same shape.

    Raises:
        ValueError: The pixels are of another type or shape, or a coordinate is not finite.
    """
    canvas = _copy(pixels)
    height, width = canvas.shape[:2]
    boxes = _boxes(labels, width, height)
    # Large ones first: where labels must overlap, that of a small face lies on top.
    order = np.argsort(boxes[:, 0] - boxes[:, 2], kind="stable").tolist()
    room = _Room(width, height)
    for index in order:
        _draw_box(canvas, boxes[index])
        room.take(boxes[index], 1)
    for index in order:
        size = _letter_size(min(width, height), int(boxes[index, 2] - boxes[index, 0]))
        plate = make_plate(labels[index].lines, size, width, height)
        if plate is not None:
            _lay(canvas, plate, *room.find(boxes[index], plate.shape[1], plate.shape[0]))
    return canvas


def draw_reading(
    pixels: Pixels, faces: Sequence[FaceReading], lines: Sequence[Sequence[str]]
) -> Pixels:
    """Draw what was read from a picture into it: each face's box, and its lines beside it.

    Args:
        pixels: uint8, H x W x 3 RGB; not changed.
        faces: The faces that were read. The lines of one without a place, in a picture that was
            taken whole, go into the corner.
        lines: Each face's lines of text, such as `face_lines` gives.

    Returns:
        A new array of the same shape.
    """
    labels: list[FaceLabel] = []
    loose: list[str] = []
    for found, text in zip(faces, lines, strict=True):
        if (face := found.face) is None:
            loose += text
        else:
            labels.append(FaceLabel(face.x, face.y, face.width, face.height, text))
    drawn = draw_faces(pixels, labels)
    return draw_ranking(drawn, loose) if loose else drawn


def face_lines(found: FaceReading, card: Card, tasks: Iterable[str] | None = None) -> list[str]:
    """Return what is written beside a face: age and gender, and below them all else.

    Args:
        found: The face.
        card: The card of the model that read it.
        tasks: The tasks to tell; None for all that were read.
    """
    named = found.attributes if tasks is None else tasks
    texts = {name: _text(found.attributes[name], card.task(name)) for name in named}
    first = [texts.pop(name) for name in ("age", "gender") if name in texts]
    return [" · ".join(part) for part in (first, list(texts.values())) if part]


def _text(value: Attribute | Age | float, task: Task) -> str:
    if isinstance(value, Age):
        return f"{value.years:.0f} ({value.low:.0f}–{value.high:.0f})"
    if isinstance(value, Attribute):
        return f"{value.label} {value.probability:.0%}".replace("%", " %")
    # A number alone would not say what it counts.
    return f"{task.name} {value:.4g} {task.unit}".rstrip()


def draw_ranking(pixels: Pixels, lines: Sequence[str]) -> Pixels:
    """Write lines of text, such as a classifier's best labels, into the top left corner.

    Args:
        pixels: uint8, H x W x 3 RGB; not changed.
        lines: Lines of text; fonts and shortening as in `draw_faces`.

    Returns:
        A new array of the same shape.

    Raises:
        ValueError: The pixels are of another type or shape.
    """
    canvas = _copy(pixels)
    height, width = canvas.shape[:2]
    plate = make_plate(lines, max(9, round(min(width, height) / 24)), width, height)
    if plate is not None:
        margin = min(plate.shape[0] // 8, width - plate.shape[1], height - plate.shape[0])
        _lay(canvas, plate, margin, margin)
    return canvas


def save(pixels: Pixels, path: str | os.PathLike[str]) -> None:
    """Write a picture to a file, which appears whole or not at all.

    Args:
        pixels: uint8, H x W x 3 RGB.
        path: Ends in .png, .jpg, .jpeg or .webp, which names the format; JPEG and lossy WebP
            are written in quality 92.

    Raises:
        OutputError: The suffix is another one, the format cannot hold a picture of this size,
            or the file could not be written.
    """
    shown = printable(os.fspath(path))
    try:
        data = encode(pixels, Path(path).suffix)
    except OutputError as error:
        raise OutputError(f"{shown}: {error}") from error.__cause__
    with atomic_write(path, "wb") as file:
        file.write(data)


def encode(pixels: Pixels, suffix: str) -> bytes:
    """Return a picture as the bytes of a file.

    Args:
        pixels: uint8, H x W x 3 RGB.
        suffix: .png, .jpg, .jpeg or .webp, which names the format, as for `save`.

    Raises:
        OutputError: The suffix is another one, or the format cannot hold a picture of this size.
    """
    if suffix.lower() not in _SAVERS:
        known = ", ".join(_SAVERS)
        raise OutputError(f"no picture format has the suffix {printable(suffix)!r}; use {known}")
    form, options = _SAVERS[suffix.lower()]
    stream = io.BytesIO()
    try:
        Image.fromarray(pixels).save(stream, form, **options)
    except (OSError, ValueError) as error:
        size = f"{pixels.shape[1]:,} x {pixels.shape[0]:,}"
        reason = f"{form} cannot hold {size} pixels ({error}); use .png"
        raise OutputError(f"not written: {reason}") from error
    return stream.getvalue()


def _copy(pixels: Pixels) -> Pixels:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"pixels must be uint8, H x W x 3, not {pixels.dtype} {pixels.shape}")
    return np.array(pixels, order="C")


def _boxes(labels: Sequence[FaceLabel], width: int, height: int) -> Boxes:
    """Left, top, right and bottom edges, one row a label, moved into the picture."""
    corners = [(b.x, b.y, b.x + b.width, b.y + b.height) for b in labels]
    boxes = np.array(corners, np.float64).reshape(-1, 4)
    if not np.isfinite(boxes).all():
        raise ValueError("a box has a coordinate that is not a finite number")
    inside = np.rint(np.clip(boxes, 0, (width, height, width, height)))
    return inside.astype(np.int64)


def _draw_box(canvas: Pixels, box: Boxes) -> None:
    """Draw a light line between two dark ones, so that one of them shows on any ground."""
    left, top, right, bottom = map(int, box)
    short = min(canvas.shape[:2])
    line = max(1, min(round(short / 350), (right - left) // 16))
    edge = max(1, line // 2)
    for inset, thickness, colour in ((0, line + 2 * edge, _DARK), (edge, line, _LIGHT)):
        x0, y0, x1, y1 = left + inset, top + inset, right - inset, bottom - inset
        if x1 <= x0 or y1 <= y0:
            continue
        canvas[y0 : min(y0 + thickness, y1), x0:x1] = colour
        canvas[max(y1 - thickness, y0) : y1, x0:x1] = colour
        canvas[y0:y1, x0 : min(x0 + thickness, x1)] = colour
        canvas[y0:y1, max(x1 - thickness, x0) : x1] = colour


def _letter_size(short: int, face: int) -> int:
    """Height of letters for a face of this width in a picture whose shorter side is `short`."""
    wanted = max(9.0, face / 7, min(short / 60, face / 2.5))
    return round(min(wanted, max(10, short / 20)))


class _Room:
    """Finds room for labels on a coarse grid that says how much each place is worth keeping."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._cell = max(1, round(min(width, height) / 500))
        self._worth = np.zeros((height // self._cell + 1, width // self._cell + 1), np.int64)

    def take(self, box: Boxes, worth: int) -> None:
        self._cells(*box.tolist())[:] += worth

    def find(self, box: Boxes, width: int, height: int) -> tuple[int, int]:
        """Return the left and top edge for a label of this size beside its box, and take it."""
        left, top, right, bottom = box.tolist()
        spots = [
            (left, top - height),
            (right - width, top - height),
            (left, bottom),
            (right - width, bottom),
            (right, top),
            (left - width, top),
            (left, top),
            (left, bottom - height),
        ]
        limit = (self._width - width, self._height - height)
        rooms = [(x, y, x + width, y + height) for x, y in np.clip(spots, 0, limit).tolist()]
        best = min(rooms, key=lambda room: int(self._cells(*room).sum()))
        self._cells(*best)[:] += 3  # covering a label hides more than covering a part of a face
        return best[0], best[1]

    def _cells(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.int64]:
        low, high, start, end = (round(edge / self._cell) for edge in (top, bottom, left, right))
        return self._worth[low:high, start:end]


def make_plate(lines: Sequence[str], size: int, width: int, height: int) -> Pixels | None:
    """Return a label's letters, white on black, at most `width` x `height`; None without room."""
    font = _font(size)
    ascent, descent = font.getmetrics()
    pad = max(2, size // 4)
    pitch = ascent + descent
    fitting = max(0, height - 2 * pad) // pitch
    texts = [_shorten(_drawable(line, size), font, width - 2 * pad) for line in lines[:fitting]]
    if not any(texts):
        return None
    inner = max(int(np.ceil(font.getlength(text))) for text in texts)
    plate = Image.new("L", (inner + 2 * pad, len(texts) * pitch + 2 * pad))
    pen = ImageDraw.Draw(plate)
    for row, text in enumerate(texts):
        pen.text((pad, pad + row * pitch), text, fill=255, font=font)
    return np.asarray(plate)


def _lay(canvas: Pixels, plate: Pixels, left: int, top: int) -> None:
    height, width = plate.shape
    ground = canvas[top : top + height, left : left + width]
    dark = ground * (1 - _PLATE_OPACITY) + _DARK * _PLATE_OPACITY
    ink = plate[..., None] / 255
    ground[:] = np.rint(dark * (1 - ink) + _LIGHT * ink)


def _shorten(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    end = _drawable("…", int(font.size))
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle] + end) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip(" .,(") + end if low else ""


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


def _drawable(text: str, size: int) -> str:
    """Replace what the font cannot draw, and what is no visible character."""
    plain = unicodedata.normalize("NFC", text)
    return "".join(_stand_in(c, size) for c in plain).strip()


@lru_cache(maxsize=4096)
def _stand_in(character: str, size: int) -> str:
    if character.isspace() or not character.isprintable():
        return " "
    base = unicodedata.normalize("NFKD", character)[0]
    for candidate in (character, character.translate(_STAND_INS), base):
        if _has(candidate, size):
            return candidate
    return "?"


def _has(character: str, size: int) -> bool:
    """Whether the font has a glyph of its own, not the box that stands for all it lacks."""
    font = _font(size)
    missing, found = font.getmask("\U0010fffe"), font.getmask(character)
    return found.size != missing.size or bytes(found) != bytes(missing)
