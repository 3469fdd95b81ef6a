"""`mien models imagenet`: a ready-made classifier of 1,000 classes -> a model file."""

from pathlib import Path
from typing import Annotated

import typer


def imagenet(
    network: Annotated[
        str, typer.Argument(metavar="NAME", help="A network of timm's, as resnet50 or vgg16.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The model file to write.")
    ],
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Its weights, a safetensors file of timm's names; else those that a package "
            "ships, or the hub's.",
        ),
    ] = None,
) -> None:
    """Write the model file of a network that tells ImageNet's 1,000 classes apart.

    The file is used as any other, also as the first weights of a training (network.weights).

    mien models imagenet resnet50 --weights resnet50.safetensors -o resnet50.onnx
    """
    from mien.files import atomic_write
    from mien.training.imagenet import model_file

    data = model_file(network, weights)
    with atomic_write(output, "wb") as file:
        file.write(data)
    typer.echo(f"{output}: {len(data) / 1e6:.1f} MB", err=True)
