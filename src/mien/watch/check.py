"""A look at what a camera can give, before anything is counted with it."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mien.card import Card
from mien.faces import Detector
from mien.watch.config import Camera, Config
from mien.watch.crops import frontality
from mien.watch.sources.feed import Feed
from mien.watch.sources.health import Health, Timing
from mien.watch.tracking import SURE

_DARK: Final = 60
_BRIGHT: Final = 200
_SLOW: Final = 5.0
_TURNED: Final = 0.4
_MOST: Final = 20_000


@dataclass(frozen=True)
class Found:
    """What was seen of a camera.

    Attributes:
        camera: The camera's name.
        health: How its source is at the end.
        looked_at: Frames in which faces were looked for.
        widths: Width of each face that was found, in pixels.
        lights: Mean brightness of each face, 0 to 255.
        fronts: How much each face looks at the camera, 0 to 1.
        light: Mean brightness of the whole picture, 0 to 255.
    """

    camera: str
    health: Health
    looked_at: int
    widths: Sequence[float]
    lights: Sequence[float]
    fronts: Sequence[float]
    light: float


def look(
    camera: Camera,
    config: Config,
    seconds: float,
    *,
    timing: Timing | None = None,
    tell: Callable[[float], None] = lambda _: None,
) -> Found:
    """Look at a camera for a while.

    Args:
        camera: The camera.
        config: Its watch; `min_face` does not apply, so that small faces show.
        seconds: How long; a file is looked at for so many seconds of its own time.
        timing: How patient to be.
        tell: Is told the seconds that have passed.
    """
    ready = threading.Event()
    feed = Feed(camera, config.schedule, ready.set, timing)
    detector = Detector(size=config.tracking.detect_size, min_score=SURE)
    widths: list[float] = []
    lights: list[float] = []
    fronts: list[float] = []
    light, looked_at, first = 0.0, 0, None
    deadline = time.monotonic() + seconds
    feed.start()
    try:
        while time.monotonic() < deadline or feed.recorded:
            ended = feed.ended
            frame = feed.take()
            if frame is None:
                if ended:
                    break
                ready.wait(0.2)
                ready.clear()
                continue
            first = frame.taken if first is None else first
            tell(frame.taken - first)
            if frame.taken - first > seconds:
                break
            pixels = frame.pixels()
            looked_at += 1
            light += float(pixels[::8, ::8].mean())
            for face in detector.detect(pixels)[: _MOST - len(widths)]:
                left, top = max(0, int(face.x)), max(0, int(face.y))
                inside = pixels[top : int(face.y + face.height), left : int(face.x + face.width)]
                widths.append(face.width)
                fronts.append(frontality(face))
                lights.append(float(inside.mean()) if inside.size else 0.0)
        health = feed.health()
    finally:
        feed.stop()
    return Found(camera.name, health, looked_at, widths, lights, fronts, light / max(looked_at, 1))


def expected_error(card: Card, width: float) -> tuple[float, float] | None:
    """Return the mean error of the age, in years, that a model's card tells for a face's width.

    Returns:
        The error, and the width in pixels at which it was measured: the nearest that is no wider,
        or the smallest. None where the card tells of none.
    """
    known = sorted(
        (float(metric.group), metric.value)
        for metric in card.metrics
        if (metric.task, metric.name, metric.by) == ("age", "mae", "face_width")
    )
    if not known:
        return None
    narrower = [item for item in known if item[0] <= width]
    at, error = narrower[-1] if narrower else known[0]
    return error, at


def report(found: Found, card: Card) -> list[tuple[str, str]]:
    """Return what was seen as lines: what it is about, and what is to be said."""
    health = found.health
    state = health.state + (f" ({health.reason})" if health.reason else "")
    lines = [("state", state)]
    if not found.looked_at:
        return lines
    lines.append(("picture", f"{health.width} x {health.height}, {_rate(health.rate)}"))
    lines.append(("light", _light(found)))
    if not found.widths:
        lines.append(
            ("faces", f"none in {found.looked_at} frames; is anybody there, and facing the camera?")
        )
        return lines
    low, middle, high = np.quantile(found.widths, [0.1, 0.5, 0.9]).tolist()
    each = len(found.widths) / found.looked_at
    lines += [
        ("faces", f"{each:.1f} a frame, in {found.looked_at} frames"),
        ("widths", f"{middle:.0f} pixels (8 of 10 from {low:.0f} to {high:.0f})"),
        ("turn", _turn(found.fronts)),
        ("age", _age(card, middle)),
    ]
    return lines


def _rate(rate: float) -> str:
    if not rate:
        return "frames a second unknown"
    hint = "; fewer than 5 make people who cross hard to tell apart" if rate < _SLOW else ""
    return f"{rate:.1f} frames a second{hint}"


def _light(found: Found) -> str:
    light = float(np.median(found.lights)) if found.lights else found.light
    what = "faces" if found.lights else "the picture"
    hint = ""
    if light < _DARK:
        hint = ": dark; more light from the camera's side helps most"
    elif light > _BRIGHT:
        hint = ": too bright; lower the exposure, or take the light out of the view"
    return f"{what} at {light:.0f} of 255{hint}"


def _turn(fronts: Sequence[float]) -> str:
    share = float(np.mean(np.asarray(fronts) > _TURNED))
    hint = "" if share > 0.5 else "; place the camera where people look"
    return f"{share:.0%} of the faces look towards the camera{hint}"


def _age(card: Card, width: float) -> str:
    known = expected_error(card, width)
    if known is not None:
        error, at = known
        return (
            f"errors of {error:.1f} years on average at a width of {at:.0f} pixels (model's card)"
        )
    whole = next(
        (m.value for m in card.metrics if (m.task, m.name, m.by) == ("age", "mae", "")), None
    )
    if whole is None:
        return "the model's card tells no error"
    return (
        f"errors of {whole:.1f} years on average on pictures that faces fill; the model's card "
        "tells none for small faces"
    )
