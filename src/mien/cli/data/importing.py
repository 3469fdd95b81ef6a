"""`mien data import`: pictures and labels as they lie on disk -> a manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mien.cli.data.reporting import report, report_skipped
from mien.cli.inputs import check_places

if TYPE_CHECKING:
    from mien.data.sources import Importer


class Source(StrEnum):
    """The layouts that can be imported."""

    FOLDERS = "folders"
    CSV = "csv"
    UTKFACE = "utkface"
    FERPLUS = "ferplus"
    FAIRFACE = "fairface"
    CIFAR10 = "cifar10"


class Rule(StrEnum):
    """How FER+'s votes make a label."""

    MAJORITY = "majority"
    ARGMAX = "argmax"


class Races(StrEnum):
    """Whose terms FairFace's races are given in."""

    UTKFACE = "utkface"
    FAIRFACE = "fairface"


_TAKERS: Final = {
    "label": (Source.FOLDERS, Source.CSV),
    "path_column": (Source.CSV,),
    "rule": (Source.FERPLUS,),
    "races": (Source.FAIRFACE,),
    "pictures": (Source.CIFAR10,),
    "only": (Source.UTKFACE,),
}
"""Option -> the layouts that it means something for."""

_ONE_LAYOUT: Final = "Options of one layout"

_Label = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="NAME",
        rich_help_panel=_ONE_LAYOUT,
        help="folders: the label's name, by default label; for age the folders' names are ages. "
        "csv: a column of labels, as COLUMN or COLUMN=TASK; repeat it for several; by default all.",
    ),
]
_PathColumn = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        rich_help_panel=_ONE_LAYOUT,
        help="csv: the column of paths; by default the first of path, file, image, filename.",
    ),
]
_Rule = Annotated[
    Rule | None,
    typer.Option(
        rich_help_panel=_ONE_LAYOUT,
        help="ferplus: how votes make a label. majority (FER+'s own, the default): single votes "
        "are dropped, more than half must agree. argmax: most votes of the eight expressions.",
    ),
]
_Races = Annotated[
    Races | None,
    typer.Option(
        rich_help_panel=_ONE_LAYOUT,
        help="fairface: whose terms. utkface (the default): white, black, asian, indian; the two "
        "other groups get no race. fairface: its own seven.",
    ),
]
_Pictures = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=_ONE_LAYOUT,
        help="cifar10: a new folder for the pictures of the official batches, which have no files.",
    ),
]
_Only = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=_ONE_LAYOUT,
        help="utkface: a text file that names the pictures to take, one a line.",
    ),
]


def import_source(
    source: Annotated[
        Source, typer.Argument(metavar="LAYOUT", help="How the pictures lie: see above.")
    ],
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder that holds them; csv: the table.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest to write.")],
    seed: Annotated[int, typer.Option(help="Seed of the split into parts.")] = 0,
    left_out: Annotated[
        Path | None, typer.Option("--left-out", help="Name all that was left out in this CSV file.")
    ] = None,
    label: _Label = None,
    path_column: _PathColumn = None,
    rule: _Rule = None,
    races: _Races = None,
    pictures: _Pictures = None,
    only: _Only = None,
) -> None:
    """Import a data set: every picture is read once, its labels noted, its part drawn.

    Identical pictures always share one part. What is left out is counted and named.
    LAYOUT is one of these:

    \b[bold]folders[/]: one folder a class. Folders train, test and validation (or val,
    valid, dev) that hold the same classes' folders are taken as parts.
      animals/cats/1.jpg        mien data import folders animals -o animals.csv
      animals/train/cats/1.jpg  the same, the parts as they are
      ages/001/1.png            mien data import folders ages --label age
                                  -o ages.csv

    \b[bold]csv[/]: a table with a column of paths, relative to the table, and columns of
    labels. TASK/LABEL holds votes, TASK_low and TASK_high an interval, split the
    part, source the data set's name.
      path,age,mood             mien data import csv labels.csv -o faces.csv
      img,Mood,split            mien data import csv labels.csv --path-column img
                                  --label Mood=mood -o faces.csv

    \b[bold]utkface[/]: age, gender, race and date in the names.
      26_1_2_20170116.jpg       mien data import utkface UTKFace -o utkface.csv
      list.txt                  mien data import utkface UTKFace --only list.txt
                                  -o some.csv

    \b[bold]ferplus[/]: the table of votes beside its pictures. PublicTest is the test part.
      fer2013new.csv            mien data import ferplus FERPlus -o ferplus.csv
      FER2013Train/1.png        mien data import ferplus FERPlus --rule argmax
      FER2013Valid/1.png          -o ferplus.csv

    \b[bold]fairface[/]: the label files beside the pictures; ages are intervals.
    fairface_label_val.csv, where it is there, names the test part.
      fairface_label_train.csv  mien data import fairface FairFace -o fairface.csv
      train/1.jpg               mien data import fairface FairFace
                                  --races fairface -o fairface.csv

    \b[bold]cifar10[/]: folders of classes; or the official batches for Python
    (data_batch_1 to 5, test_batch, batches.meta), whose pictures are written to a
    folder as PNG.
      train/cat/1.png           mien data import cifar10 CIFAR-10 -o cifar10.csv
      data_batch_1              mien data import cifar10 cifar-10-batches-py
                                  --pictures CIFAR-10 -o cifar10.csv
    """
    own = _Own(label or None, path_column, rule, races, pictures, only)
    own.refuse_without_effect(source)
    check_places([folder], output=output, left_out=left_out)
    from mien.cli.progress import watch
    from mien.data.sources.reading import Skipped

    skipped = Skipped()
    found = own.reader(source)(folder, skipped, seed=seed, watch=watch("pictures"))
    found.write(output)
    report(found, output)
    report_skipped(skipped)
    if left_out is not None:
        skipped.write(left_out)


@dataclass(frozen=True)
class _Own:
    """The options that mean something for some layouts only; None where not given."""

    label: list[str] | None
    path_column: str | None
    rule: Rule | None
    races: Races | None
    pictures: Path | None
    only: Path | None

    def refuse_without_effect(self, source: Source) -> None:
        """Refuse an option that means nothing for the layout."""
        for name, takers in _TAKERS.items():
            if getattr(self, name) is not None and source not in takers:
                raise typer.BadParameter(
                    f"it is for the layout {' or '.join(takers)}; {source} does not take it",
                    param_hint=f"'--{name.replace('_', '-')}'",
                )

    def reader(self, source: Source) -> "Importer":
        """Return what reads the layout, with the options that were given."""
        from mien.data import sources

        read: Importer = sources.SOURCES[source]
        if source is Source.FOLDERS and self.label is not None:
            read = partial(sources.import_folders, label=_single(self.label))
        elif source is Source.CSV:
            labels = None if self.label is None else _tasks(self.label)
            read = partial(sources.import_csv, path_column=self.path_column, labels=labels)
        elif self.rule is not None:
            read = partial(sources.import_ferplus, rule=self.rule.value)
        elif self.races is not None:
            read = partial(sources.import_fairface, races=self.races.value)
        elif self.pictures is not None:
            read = partial(sources.import_cifar10, pictures=self.pictures)
        elif self.only is not None:
            read = partial(sources.import_utkface, only=self.only)
        return read


def _single(labels: Sequence[str]) -> str:
    if len(labels) > 1:
        raise typer.BadParameter("folders give one label; name it once", param_hint="'--label'")
    return labels[0]


def _tasks(labels: Sequence[str]) -> dict[str, str]:
    """Return column -> task, of COLUMN or COLUMN=TASK each."""
    tasks = {}
    for text in labels:
        column, equals, task = text.rpartition("=")
        column = column if equals else task
        if column in tasks:
            raise typer.BadParameter(f"{column!r} is named twice", param_hint="'--label'")
        tasks[column] = task
    return tasks
