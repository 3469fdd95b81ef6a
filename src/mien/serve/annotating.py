"""A picture and what was read from it, to an annotated picture."""

from collections.abc import Sequence

from mien import draw, images
from mien.analyzer import Reading
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
    drawn = draw.draw_reading(pixels, reading.faces, lines)
    if form == "JPEG":
        return draw.encode(drawn, ".jpg"), "image/jpeg"
    return draw.encode(drawn, ".png"), "image/png"
