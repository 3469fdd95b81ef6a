"""Write NASA's public-domain portrait of Eileen Collins, which scikit-image ships, as a picture.

python scripts/portrait.py out/photos/astronaut.png
"""

import sys
from pathlib import Path

import skimage.data
from PIL import Image


def main() -> None:
    """Write the portrait to the file that the first argument names."""
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    Image.fromarray(pixels).save(path)


if __name__ == "__main__":
    main()
