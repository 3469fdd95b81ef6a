"""A picture and what was read from it, to an annotated picture."""

from collections.abc import Sequence

from mien import draw, images
from mien.ages import Age
from mien.analyzer import Attribute, FaceReading, Reading
from mien.card import Card
from mien.draw import FaceLabel
from mien.images import Limits
from mien.serve.bodies import Upload


def annotated(
    upload: Upload, limits: Limits, reading: Reading, lines: Sequence[Sequence[str]]
) -> tuple[bytes, str]:
    """Draw what was read into a picture.

    The picture is decoded again, in full: faces are looked for in less of a large one.

    Args:
        upload: The picture, as it came.
        limits: The largest pictures accepted.
        reading: What was read from it.
        lines: Each face's lines of text.

    Returns:
        The annotated picture's bytes, of the same size in pixels, and their media type.

    Raises:
        ImageError: The picture cannot be read.
    """
    data = upload.decoded(limits)
    form = images.probe(data, limits=limits).format
    pixels = images.load(data, limits=limits).pixels
    labels: list[FaceLabel] = []
    loose: list[str] = []
    for found, text in zip(reading.faces, lines, strict=True):
        if found.face is None:
            loose += text
        else:
            face = found.face
            labels.append(FaceLabel(face.x, face.y, face.width, face.height, text))
    drawn = draw.draw_faces(pixels, labels)
    if loose:
        drawn = draw.draw_ranking(drawn, loose)
    if form == "JPEG":
        return draw.encode(drawn, ".jpg"), "image/jpeg"
    return draw.encode(drawn, ".png"), "image/png"


def face_lines(found: FaceReading, card: Card, tasks: Sequence[str]) -> list[str]:
    """Return what is written beside a face: age and gender, and below them all else."""
    texts = {name: _text(found.attributes[name], name, card) for name in tasks}
    first = [texts.pop(name) for name in ("age", "gender") if name in texts]
    return [" · ".join(part) for part in (first, list(texts.values())) if part]


def _text(value: Attribute | Age | float, task: str, card: Card) -> str:
    if isinstance(value, Age):
        return f"{value.years:.0f} ({value.low:.0f}–{value.high:.0f})"
    if isinstance(value, Attribute):
        return f"{value.label} {value.probability:.0%}".replace("%", " %")
    # A number alone would not say what it counts.
    return f"{task} {value:.4g} {card.task(task).unit}".rstrip()
