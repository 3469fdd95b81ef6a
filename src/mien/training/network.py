"""A recipe's network, built with or without its first weights."""

from mien.networks.multitask import Heads, MultiTaskNet
from mien.networks.registry import Settings
from mien.training.recipe import Recipe


def network_of(recipe: Recipe, *, weights: bool = True) -> MultiTaskNet:
    """Build the network that a recipe trains.

    Args:
        recipe: The recipe.
        weights: Whether to load its first weights.

    Raises:
        RecipeError: There is no such network, it cannot be built so, or the weights do not fit.
    """
    said = recipe.network
    settings = Settings(
        size=recipe.input.size,
        grey=recipe.input.colours == "grey",
        activation=said.activation or None,
        depth=said.depth,
        width=said.width,
        dropout=None if said.inner_dropout < 0 else said.inner_dropout,
        pooled=said.pooled,
    )
    head = Heads(
        dropout=said.dropout,
        units=said.head.units,
        activation=said.head.activation,
        single=frozenset(task.name for task in recipe.tasks if task.single),
    )
    return MultiTaskNet(
        said.backbone or said.branches,
        {task.name: task.outputs for task in recipe.tasks},
        said.weights if weights else "none",
        settings=settings,
        head=head,
    )
