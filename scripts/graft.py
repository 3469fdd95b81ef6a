"""First weights for a network: the first stages of one run, and the rest of a second.

    python scripts/graft.py runs/face-small runs/face face-third-start.safetensors

Networks whose first stages are alike, and stay so (`frozen` in their recipes), can be averaged by
`mien models ensemble` for less than each of them costs alone.
"""

import argparse
from pathlib import Path
from typing import Final

from safetensors.torch import save_file

from mien.networks.freezing import frozen_layers
from mien.training import checkpoint
from mien.training.module import Trainee
from mien.training.run import BEST, recipe_of

STAGES: Final = "3 stages"


def main() -> None:
    """Write the weights by the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("first", type=Path, help="the run whose first stages are taken")
    parser.add_argument("second", type=Path, help="the run whose other stages are taken")
    parser.add_argument("output", type=Path, help="the safetensors file to write")
    arguments = parser.parse_args()
    first, second = (trained(run) for run in (arguments.first, arguments.second))
    own = first.net.backbone.state_dict()
    kept = {id(layer) for layer in frozen_layers(first.net.backbone, STAGES)}
    stages = [name for name, layer in first.net.backbone.named_modules() if id(layer) in kept]
    others = second.net.backbone.state_dict()
    weights = {
        name: tensor if name.rpartition(".")[0] in stages else others[name]
        for name, tensor in own.items()
    }
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, arguments.output)
    print(f"{arguments.output}: {len(stages)} layers of {arguments.first}, the rest of the other")


def trained(run: Path) -> Trainee:
    """Return a run's best network."""
    trainee = Trainee(recipe_of(run), weights=False)
    trainee.load_state_dict(checkpoint.load(run / BEST)["state_dict"])
    return trainee


if __name__ == "__main__":
    main()
