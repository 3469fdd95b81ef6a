"""One folder a class."""

from pathlib import Path

from mien.data.manifest import Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.sources.reading import Skipped, fingerprints, manifest_of, pictures
from mien.data.split import part_of


def import_folders(
    folder: Path, skipped: Skipped, *, seed: int = 0, watch: Watcher = unwatched
) -> Manifest:
    """Read one folder a class: `FOLDER/CLASS/**/picture`; the label's column is `label`.

    Args:
        folder: The folder of the classes' folders; its name becomes the data set's.
        skipped: Collects what is left out: pictures of no class, unreadable ones.
        seed: Seed of the split into 80 % train, 10 % validation, 10 % test.
        watch: Progress over the pictures.

    Raises:
        DataError: No picture lies in a folder of the folder.
    """
    labels: dict[Path, str] = {}
    for path in pictures(folder, skipped):
        steps = path.relative_to(folder).parts
        if len(steps) > 1:
            labels[path] = steps[0]
        else:
            skipped.add("picture outside of the classes' folders", path.name)
    source = folder.resolve().name
    samples = [
        Sample(path, source, content, part_of(content, seed=seed), {"label": labels[path]})
        for path, content in fingerprints(labels, skipped, watch)
    ]
    return manifest_of(samples, folder, "readable picture in one folder a class")
