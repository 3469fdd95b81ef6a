"""`mien predict`: pictures in, one row a face out, or one a class."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

import mien.cli.output as out
from mien.cli.inputs import Input, collect, drawings_of, protect
from mien.cli.interrupt import interruptible
from mien.cli.output import Format, Row
from mien.cli.progress import Counts, progress
from mien.errors import ModelError, OutputError

if TYPE_CHECKING:
    from mien.analyzer import Reading
    from mien.card import Card
    from mien.classifier import Ranking
    from mien.draw import Pixels
    from mien.model import Model

HELP: Final = """Read the faces of pictures; or, with a model for whole pictures, classify them.

A PATH is a picture, a folder (all pictures in it and below), a pattern such as '*.jpg', or - for \
a picture on standard input. A picture that is named twice is read once.

Each face is one row, the largest of a picture first. A picture without a face has one row too, \
with an empty face number, and so has a picture that could not be read: there the error says why.

Exit status: 0 when all was read (also without a face), 1 when a picture failed, 2 for wrong use, \
130 after Ctrl-C.

\bExamples:
  mien predict photo.jpg
  mien predict photos more/*.png --format csv > faces.csv
  mien predict photos -o faces.jsonl --draw annotated
  mien predict crops --faces whole --tasks age,gender,race
  mien predict photos --model animals.onnx --top 3
  mien predict photos --model imagenet/tf_efficientnet_lite0
  cat photo.jpg | mien predict -
"""

_SEARCH_OPTIONS: Final = ("min_face", "max_faces", "detect_size")
_FACE_OPTIONS: Final = ("faces", "tasks", "age_groups", *_SEARCH_OPTIONS)


class Faces(StrEnum):
    """Where the faces of a picture are."""

    DETECT = "detect"
    WHOLE = "whole"


_AGE_GROUPS: Final = "child:0, teen:13, youth:18, adult:36, senior:60"
_OUTPUT, _FACES, _RUN = "Output", "Face models", "Running"

_Paths = Annotated[
    list[str], typer.Argument(metavar="PATH", help="Pictures, folders, patterns, or -.")
]
_Format = Annotated[
    Format | None,
    typer.Option(
        "--format",
        "-f",
        rich_help_panel=_OUTPUT,
        help="How to write rows. By default a table on a terminal; else by the ending of the "
        "output file, or jsonl.",
    ),
]
_Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="Write rows to this file; it appears when all is done.",
    ),
]
_Draw = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=_OUTPUT,
        help="Write copies of the pictures with the results drawn in. Pictures that lie in this "
        "folder are not read.",
    ),
]
_IMAGENET: Final = "imagenet/"
_Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|FILE",
        help="See `mien models list`; or imagenet/ and a network's name, as in "
        "imagenet/tf_efficientnet_lite0. By default what MIEN_MODEL names, or face.",
    ),
]
_Top = Annotated[
    int, typer.Option(min=1, help="Classes to give for each picture (models for whole pictures).")
]
_WhichFaces = Annotated[
    Faces,
    typer.Option(
        rich_help_panel=_FACES,
        help="detect: look for faces. whole: each picture is one face that fills it.",
    ),
]
_Tasks = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TASK,...",
        rich_help_panel=_FACES,
        help="What to read, such as age,gender. By default what the model reads unasked; race "
        "only when named.",
    ),
]
_MinFace = Annotated[
    float,
    typer.Option(min=0, rich_help_panel=_FACES, help="Leave out faces narrower, in pixels."),
]
_MaxFaces = Annotated[
    int | None,
    typer.Option(min=1, rich_help_panel=_FACES, help="At most so many a picture, largest first."),
]
_DetectSize = Annotated[
    int,
    typer.Option(
        min=32,
        rich_help_panel=_FACES,
        help="Larger pictures are shrunk to this many pixels to look for faces; a larger size "
        "finds smaller faces in them, more slowly.",
    ),
]
_AgeGroups = Annotated[
    str,
    typer.Option(
        metavar="NAME:AGE,...",
        show_default=False,
        rich_help_panel=_FACES,
        help=f"Age groups, each with its first age. By default {_AGE_GROUPS}.",
    ),
]
_Threads = Annotated[
    int, typer.Option(min=0, max=512, rich_help_panel=_RUN, help="Processor cores; 0 for all.")
]
_Provider = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=_RUN,
        help="Execution provider of onnxruntime, such as CUDAExecutionProvider. Repeatable.",
    ),
]


def predict(
    ctx: typer.Context,
    paths: _Paths,
    model: _Model = None,
    top: _Top = 5,
    form: _Format = None,
    output: _Output = None,
    draw: _Draw = None,
    faces: _WhichFaces = Faces.DETECT,
    tasks: _Tasks = None,
    min_face: _MinFace = 0,
    max_faces: _MaxFaces = None,
    detect_size: _DetectSize = 640,
    age_groups: _AgeGroups = _AGE_GROUPS,
    threads: _Threads = 0,
    provider: _Provider = None,
) -> None:
    """Take the options, read the pictures and write what was found."""
    groups, names, form = _groups(age_groups), _names(tasks), form or _format(output)
    inputs = collect(paths, draw)

    opened = _open(model, threads, provider or ["CPUExecutionProvider"])
    if opened.card.input.framing == "face":
        _refuse(ctx, ["top"], f"{opened.name} reads faces; it ranks no classes")
        if faces is Faces.WHOLE:
            _refuse(ctx, _SEARCH_OPTIONS, "with --faces whole each picture is one face")
        reader = _face_reader(
            opened,
            faces=faces,
            tasks=names,
            min_face=min_face,
            max_faces=max_faces,
            detect_size=detect_size,
            age_groups=groups,
            threads=threads,
        )
    else:
        _refuse(ctx, _FACE_OPTIONS, f"{opened.name} reads whole pictures; it looks for no faces")
        reader = _class_reader(opened, top=top, threads=threads)
    drawings = drawings_of(inputs, draw) if draw else {}
    protect(inputs, [*drawings.values(), *([output] if output else [])])
    failed = _run(reader, inputs, drawings, form, output)
    raise typer.Exit(1 if failed else 0)


def _open(model: str | None, threads: int, providers: Sequence[str]) -> "Model":
    """Open a model file, or make that of a ready-made classifier."""
    from mien.model import Model

    if model is None or not model.startswith(_IMAGENET):
        return Model.open(model, threads=threads, providers=providers)
    try:
        from mien.training import imagenet
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{model}: needs packages that are not installed ({error.name}); install them by: "
            "pip install 'mien[train]'"
        ) from error
    return imagenet.open_model(model, threads=threads, providers=tuple(providers))


def _format(output: Path | None) -> Format:
    if output is None:
        return Format.TABLE if sys.stdout.isatty() else Format.JSONL
    from mien.images import SUFFIXES

    ending = output.suffix.lower()
    if ending in SUFFIXES:
        raise typer.BadParameter(
            f"{str(output)!r} would be a picture, and rows are no picture; --draw writes pictures",
            param_hint="'--output'",
        )
    return {".csv": Format.CSV, ".json": Format.JSON}.get(ending, Format.JSONL)


def _names(tasks: Sequence[str] | None) -> list[str] | None:
    if tasks is None:
        return None
    names = [name.strip() for part in tasks for name in part.split(",") if name.strip()]
    if not names:
        raise typer.BadParameter("no task is named", param_hint="'--tasks'")
    return names


def _groups(text: str) -> list[tuple[str, float]]:
    """Read "child:0,teen:13" into names and first ages."""
    from mien.ages import checked_groups

    parts = [part.rpartition(":") for part in text.split(",")]
    names = [name.strip() for name, _, _ in parts]
    try:
        groups = [(name, float(part[2])) for name, part in zip(names, parts, strict=True)]
        checked_groups(groups)
    except ValueError:
        groups = []
    if not groups or not all(names) or len(set(names)) < len(names):
        raise typer.BadParameter(
            f"{text!r} is not a list of different names, each with its first age, from 0 and "
            "rising; write for example minor:0,adult:18",
            param_hint="'--age-groups'",
        )
    return groups


def _refuse(ctx: typer.Context, options: Iterable[str], reason: str) -> None:
    """Refuse options that would have no effect."""
    for name in options:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(reason, param_hint=f"'--{name.replace('_', '-')}'")


@dataclass(frozen=True)
class _Reader:
    """What reads pictures: the same for faces and for whole pictures."""

    columns: Sequence[str]
    read: Callable[..., Iterator[Any]]
    rows: Callable[[str, Any], list[Row]]
    draw: Callable[["Pixels", Any, Sequence[Row]], "Pixels"]


def _face_reader(model: "Model", *, faces: Faces, **options: Any) -> _Reader:
    from mien.analyzer import Analyzer

    whole = faces is Faces.WHOLE
    analyzer = Analyzer(model, faces="whole" if whole else "detect", **options)
    drawn = partial(_draw_faces, card=model.card)
    return _Reader(out.face_columns(model.card), analyzer.read, out.face_rows, drawn)


def _class_reader(model: "Model", *, top: int, threads: int) -> _Reader:
    from mien.classifier import Classifier

    classifier = Classifier(model, threads=threads)
    rows = partial(out.class_rows, top=top)
    return _Reader(out.CLASSES, classifier.read, rows, _draw_classes)


def _draw_faces(
    pixels: "Pixels", reading: "Reading", _: Sequence[Row], *, card: "Card"
) -> "Pixels":
    from mien.draw import draw_reading, face_lines

    return draw_reading(pixels, reading.faces, [face_lines(f, card) for f in reading.faces])


def _draw_classes(pixels: "Pixels", _: "Ranking", rows: Sequence[Row]) -> "Pixels":
    from mien.draw import draw_ranking

    lines = [f"{row['label']} {out.percent(row['probability'])}" for row in rows]
    return draw_ranking(pixels, lines)


def _run(
    reader: _Reader,
    inputs: Sequence[Input],
    drawings: Mapping[str, Path],
    form: Format,
    output: Path | None,
) -> int:
    """Read the pictures, write and draw what was found, and return how many failed."""
    from mien.images import load

    counts = Counts(len(inputs), faces=0 if "face" in reader.columns else None)
    # Rows that appear on the same terminal show the progress by themselves.
    quiet = output is None and form is not Format.TABLE and sys.stdout.isatty()
    try:
        with (
            out.open_writer(form, output, reader.columns) as writer,
            progress(len(inputs), "pictures", quiet=quiet) as advance,
            interruptible() as check,
        ):
            for item, rows, result in _results(reader, inputs):
                check()
                writer.write(rows)
                if drawings and result is not None and result.error is None:
                    target = drawings[item.path]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    # Read again, in full: faces are looked for in less of a large picture.
                    pixels = load(item.source).pixels
                    _save(reader.draw(pixels, result, rows), target, set(drawings.values()))
                counts.add(rows)
                advance()
    except KeyboardInterrupt:
        lost = f"; {output} was not written" if output else ""
        typer.echo(f"interrupted after {counts.done} of {len(inputs)} pictures{lost}", err=True)
        raise typer.Exit(130) from None
    typer.echo(counts.summary(), err=True)
    return counts.failed


def _save(drawn: "Pixels", target: Path, taken: Collection[Path]) -> None:
    """Write a copy; as PNG, which holds any size, where the format of its name does not."""
    from mien.draw import encode
    from mien.files import atomic_write

    try:
        data = encode(drawn, target.suffix)
    except OutputError:
        data = encode(drawn, ".png")
        target = target.with_name(f"{target.name}.png")
        while target in taken:
            target = target.with_stem(f"{target.stem}-2")
    with atomic_write(target, "wb") as file:
        file.write(data)


def _results(reader: _Reader, inputs: Sequence[Input]) -> Iterator[tuple[Input, list[Row], Any]]:
    """Yield every input with its rows and, where there was anything to read, what was found."""
    results = reader.read(item.source for item in inputs if not item.error)
    for item in inputs:
        path = out.path_text(item.path)
        if item.error:
            yield item, [{"path": path, "error": item.error}], None
        else:
            result = next(results)
            yield item, reader.rows(path, result), result
