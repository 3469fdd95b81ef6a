"""Short videos, made on the spot."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def stripes(count: int, width: int = 160, height: int = 96) -> list[Image]:
    """Return frames in which a bright bar moves to the right."""
    frames = []
    for index in range(count):
        pixels = np.full((height, width, 3), 40, np.uint8)
        left = 4 * index % (width - 16)
        pixels[:, left : left + 16] = 200
        frames.append(pixels)
    return frames


def write(path: Path, frames: Iterable[Image], rate: int = 10, **metadata: str) -> Path:
    """Write frames as a video, MPEG-4 in the container that the path's suffix names."""
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata)
        stream = None
        for pixels in frames:
            if stream is None:
                stream = container.add_stream("mpeg4", rate=rate)
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        if stream is not None:
            container.mux(stream.encode())
    return path


def access_units(frames: Iterable[Image], rate: int = 10) -> list[bytes]:
    """Return frames as H.264, each as bytes with start codes, with a key frame each second."""
    context = av.CodecContext.create("libx264", "w")
    if not isinstance(context, av.VideoCodecContext):
        raise TypeError("libx264 encodes no video")
    context.framerate, context.pix_fmt = rate, "yuv420p"  # type: ignore[assignment]
    context.options = {"tune": "zerolatency", "preset": "ultrafast", "g": str(rate)}
    units: list[bytes] = []
    for pixels in frames:
        if not units:
            context.height, context.width = pixels.shape[:2]
        units += [bytes(p) for p in context.encode(av.VideoFrame.from_ndarray(pixels))]
    return units + [bytes(p) for p in context.encode(None)]
