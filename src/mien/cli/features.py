"""`mien features`: a network's last layer for every picture of a manifest, in one file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.inputs import check_places
from mien.errors import OutputError


class Framing(StrEnum):
    """How pictures are cut for a backbone."""

    CENTRE = "centre"
    FACE = "face"


def features(
    network: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|BACKBONE", help="A packaged model, a model file, or a network of timm's."
        ),
    ],
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="The labelled pictures.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
    ],
    weights: Annotated[
        str,
        typer.Option(
            help="A backbone's weights: package, hub, none, or a safetensors file; by default a "
            "package that ships them, or else the hub."
        ),
    ] = "",
    feature_map: Annotated[
        bool,
        typer.Option("--map", help="Store the map before the pooling: 7 x 7 x 512 of VGG16."),
    ] = False,
    size: Annotated[
        int, typer.Option(min=0, help="Side of a backbone's input; 0 for that of its weights.")
    ] = 0,
    framing: Annotated[
        Framing | None,
        typer.Option(help="How pictures are cut for a backbone: centre (the default) or face."),
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="Processor cores; 0 for all.")] = 0,
    left_out: Annotated[
        Path | None, typer.Option("--left-out", help="Name all unreadable pictures in this file.")
    ] = None,
) -> None:
    """Store what a network makes of each picture before its heads, for `mien fit`.

    The file is in the safetensors format, can be mapped into memory, and keeps the manifest's
    labels and parts. Stop it at any time; the same command goes on.

    mien features tf_efficientnet_lite0 animals.csv -o animals.safetensors

    mien features vgg16 --map --weights vgg16.safetensors animals.csv -o vgg.safetensors
    """
    _check_installed()
    from mien.classic.extract import extract
    from mien.classic.extractor import open_extractor
    from mien.cli.data.reporting import report_skipped, say
    from mien.cli.progress import watch
    from mien.data import manifest as manifests
    from mien.data.sources.reading import Skipped

    check_places([network, manifest], output=output, left_out=left_out)
    whole = manifests.read(manifest)
    extractor = open_extractor(
        network,
        source=weights,
        layer="map" if feature_map else "pooled",
        size=size,
        framing=None if framing is None else framing.value,
        threads=threads,
    )
    skipped = Skipped()
    try:
        done = extract(
            extractor,
            whole,
            output,
            skipped,
            threads=threads,
            watch=watch("pictures"),
            tell=say,
        )
    except KeyboardInterrupt:
        say("stopped; the same command goes on")
        raise
    shape = " x ".join(f"{length:,}" for length in extractor.origin.shape)
    say(f"{output}: {shape} features of {done:,} pictures, {output.stat().st_size / 1e6:.1f} MB")
    report_skipped(skipped)
    if left_out is not None:
        skipped.write(left_out)


def _check_installed() -> None:
    try:
        import mien.classic.extract  # noqa: F401
    except ModuleNotFoundError as error:
        raise OutputError(
            f"features need packages that are not installed ({error.name}); "
            "install them by: pip install 'mien[train]'"
        ) from error
