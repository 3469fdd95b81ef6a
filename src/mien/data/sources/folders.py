"""One folder a class; the whole set in one place, or parted into train, validation and test."""

from pathlib import Path

from mien.data.manifest import FIXED_COLUMNS, MAX_AGE, Manifest, Sample
from mien.data.progress import Watcher, unwatched
from mien.data.sources import parts
from mien.data.sources.labels import UNFIT, is_label, is_task
from mien.data.sources.reading import Skipped, fingerprints, manifest_of, pictures
from mien.errors import DataError


def import_folders(
    folder: Path,
    skipped: Skipped,
    *,
    label: str = "label",
    seed: int = 0,
    watch: Watcher = unwatched,
) -> Manifest:
    """Read one folder a class: `FOLDER/CLASS/**/picture`, or `FOLDER/train/CLASS/**/picture`.

    Where the folder's folders are all called as parts are (train; test; validation, val, valid or
    dev), the set is taken as parted already; a validation or test part that is missing is drawn
    from the training pictures. Otherwise 80 / 10 / 10 % are drawn.

    Args:
        folder: The folder of the classes' folders; its name becomes the data set's.
        skipped: Collects what is left out: pictures of no class, unreadable ones.
        label: Name of the label's column. For "age" the folders' names are ages: 001 to 110.
        seed: Seed of the parts that are drawn.
        watch: Progress over the pictures.

    Raises:
        DataError: No picture lies in a folder of the folder, the parts hold different classes, or
            `label` cannot name a task.
    """
    if not is_task(label):
        raise DataError(
            f"{label!r:.100}: a label's name has small letters, digits and _, starts with a letter "
            f"and is none of {', '.join(FIXED_COLUMNS)}"
        )
    return read_classes(
        folder, skipped, source=folder.resolve().name, label=label, seed=seed, watch=watch
    )


def read_classes(
    folder: Path,
    skipped: Skipped,
    *,
    source: str,
    label: str,
    seed: int,
    watch: Watcher,
    validation: float = parts.SHARE,
) -> Manifest:
    """Read folders of classes, as `import_folders` does.

    Args:
        folder: The folder of the classes' folders, or of the parts'.
        skipped: Collects what is left out.
        source: The data set's name.
        label: Name of the label's column.
        seed: Seed of the parts that are drawn.
        watch: Progress over the pictures.
        validation: Share of the training pictures that a drawn validation part takes.

    Raises:
        DataError: As of `import_folders`.
    """
    named = named_parts(folder) if folder.is_dir() else {}
    if named:
        skipped.notes.append(f"taken as parted already, by the folders {', '.join(sorted(named))}")
    labels, given = _label_all(folder, named, label, skipped)
    contents = dict(fingerprints(labels, skipped, watch))
    settled = parts.settle(contents, given, skipped, seed=seed, validation=validation)
    samples = [
        Sample(path, source, contents[path], split, {label: labels[path]})
        for path, split in settled.items()
    ]
    return manifest_of(samples, folder, "readable picture in one folder a class", skipped)


def named_parts(folder: Path) -> dict[str, str]:
    """Return folder -> part, where all folders of a folder are parts; nothing otherwise.

    There must be `train` and another, each with the same classes' folders and no picture beside
    them.

    Raises:
        DataError: They are parts, but of different classes, or one part stands there twice.
    """
    named = {name: parts.PART_NAMES.get(name.lower(), "") for name in _folders(folder)}
    if "train" not in named.values() or len(named) < 2 or "" in named.values():
        return {}
    classes = {name: _folders(folder / name) for name in named}
    if not all(classes.values()):
        return {}
    if len(set(named.values())) < len(named):
        raise DataError(f"{folder}: one part stands there twice: {', '.join(sorted(named))}")
    everywhere = set.intersection(*classes.values())
    for name, own in sorted(classes.items()):
        if own != everywhere:
            raise DataError(
                f"{folder}: the parts {', '.join(sorted(named))} hold different classes: not all "
                f"have {', '.join(sorted(own - everywhere)[:5])}, as {name} has. Make empty "
                "folders where pictures of a class are missing, or move the folders apart."
            )
    return named


def _folders(folder: Path) -> set[str]:
    """Return the names of the folders in a folder, without hidden ones."""
    return {
        path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    }


def _label_all(
    folder: Path, named: dict[str, str], label: str, skipped: Skipped
) -> tuple[dict[Path, str], dict[Path, str]]:
    """Return picture -> label, and picture -> the part that its folder names, or ""."""
    labels: dict[Path, str] = {}
    given: dict[Path, str] = {}
    for path in pictures(folder, skipped):
        inside = path.relative_to(folder)
        classes = list(inside.parts[:-1])
        part = named[classes.pop(0)] if named and classes else ""
        reason = _fault(classes, label)
        if reason is not None:
            skipped.add(reason, inside.as_posix())
            continue
        labels[path] = str(int(classes[0])) if label == "age" else classes[0]
        given[path] = part
    return labels, given


def _fault(classes: list[str], label: str) -> str | None:
    """Return why the folders that a picture lies in give it no label."""
    if not classes:
        return "picture outside of the classes' folders"
    if label == "age" and not _is_age(classes[0]):
        return f"picture in a folder whose name is no age from 0 to {MAX_AGE}"
    return None if is_label(classes[0]) else UNFIT


def _is_age(name: str) -> bool:
    return name.isascii() and name.isdigit() and int(name) <= MAX_AGE
