"""Where a run stands in its recipe: the stage, the learning rate, and when a stage has ended."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from mien.training.recipe import Recipe, Stage


@dataclass(frozen=True)
class _Watch:
    """The best value so far, and for how many epochs none was better; lower values are better."""

    best: float = math.inf
    waited: int = 0

    def after(self, value: float, min_delta: float) -> "_Watch":
        if value < self.best - min_delta:
            return _Watch(value, 0)
        return _Watch(self.best, self.waited + 1)


@dataclass(frozen=True)
class Course:
    """A run's place in its recipe, between two epochs.

    Attributes:
        recipe: The recipe.
        stage: Index of the stage; the number of stages once the run has ended.
        epochs: Epochs done in the stage.
        factor: What "plateau" has made of the stage's rate so far.
        cooldown: Epochs that "plateau" still leaves out of account.
        stopping: The watch of early stopping.
        lowering: The watch of "plateau".
    """

    recipe: Recipe
    stage: int = 0
    epochs: int = 0
    factor: float = 1.0
    cooldown: int = 0
    stopping: _Watch = _Watch()
    lowering: _Watch = _Watch()

    @property
    def ended(self) -> bool:
        """Whether the run has ended."""
        return self.stage >= len(self.recipe.stages)

    @property
    def current(self) -> Stage:
        """The stage, or the last one of a run that has ended."""
        return self.recipe.stages[min(self.stage, len(self.recipe.stages) - 1)]

    @property
    def size(self) -> int:
        """Input size of the stage in pixels."""
        return self.current.size or self.recipe.input.size

    @property
    def weights(self) -> dict[str, float]:
        """Task -> weight of its loss."""
        return {t.name: self.current.losses.get(t.name, t.weight) for t in self.recipe.tasks}

    def rate(self, done: float) -> float:
        """Return the learning rate.

        Args:
            done: Which share of the epoch is done, 0 to 1.
        """
        optimiser, stages = self.recipe.optimiser, self.recipe.stages
        index = min(self.stage, len(stages) - 1)
        first = max(i for i in range(index + 1) if i == 0 or stages[i].begins_course)
        after = (i for i in range(index + 1, len(stages)) if stages[i].begins_course)
        planned = [stage.epochs for stage in stages[first : next(after, len(stages))]]
        place = (sum(planned[: index - first]) + self.epochs + done) / sum(planned)
        stage = stages[first]
        warm_up = optimiser.warm_up if stage.warm_up < 0 else stage.warm_up
        shape = _SHAPES[stage.schedule or optimiser.schedule]
        return (stage.rate or optimiser.rate) * self.factor * shape(min(place, 1.0), warm_up)

    def after(self, value: float) -> "Course":
        """Return the course after one more epoch.

        Args:
            value: What is watched on the validation part; lower is better.
        """
        choice = self.recipe.choice
        course = replace(
            self._lowered(value),
            epochs=self.epochs + 1,
            stopping=self.stopping.after(value, choice.min_delta),
        )
        tired = choice.patience > 0 and course.stopping.waited >= choice.patience
        if course.epochs < self.current.epochs and not tired:
            return course
        course = replace(course, stage=self.stage + 1, epochs=0, stopping=_Watch())
        if course.ended or course.current.begins_course:
            course = replace(course, factor=1.0, cooldown=0, lowering=_Watch())
        return course

    def _lowered(self, value: float) -> "Course":
        """Return the course with the rate lowered if validation stands on a plateau."""
        plateau = self.recipe.plateau
        watch = self.lowering.after(value, plateau.min_delta)
        if self.cooldown:
            return replace(self, cooldown=self.cooldown - 1, lowering=_Watch(watch.best, 0))
        if watch.waited <= plateau.patience or self._schedule != "plateau":
            return replace(self, lowering=watch)
        return replace(
            self,
            factor=self.factor * plateau.factor,
            cooldown=plateau.cooldown,
            lowering=_Watch(watch.best, 0),
        )

    @property
    def _schedule(self) -> str:
        stages = self.recipe.stages[: self.stage + 1]
        begun = [stage for i, stage in enumerate(stages) if i == 0 or stage.begins_course]
        return begun[-1].schedule or self.recipe.optimiser.schedule

    def state(self) -> dict[str, Any]:
        """Return all but the recipe, as JSON holds it."""
        found = asdict(replace(self, recipe=None))  # type: ignore[arg-type]
        del found["recipe"]
        return found

    def restored(self, state: dict[str, Any]) -> "Course":
        """Return the course of a run that goes on."""
        watches = {name: _Watch(**state[name]) for name in ("stopping", "lowering")}
        return Course(self.recipe, **(state | watches))


def _warm(place: float, warm_up: float) -> float | None:
    """Return the rising part of a course: half a cosine from a 25th; None once it is over."""
    if place >= warm_up:
        return None
    return 1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * place / warm_up)) / 2


def _falling(place: float, warm_up: float) -> float:
    """Rise, then fall by half a cosine to a 1000th (one cycle: Smith and Topin 2018)."""
    rising = _warm(place, warm_up)
    if rising is not None:
        return rising
    share = (place - warm_up) / (1 - warm_up)
    return 1 / 1000 + (1 - 1 / 1000) * (1 + math.cos(math.pi * share)) / 2


def _triangle(place: float, warm_up: float) -> float:
    """Rise along a line from a fifth, then fall along one to 7 hundredths (Jordan 2024)."""
    if place < warm_up:
        return 0.2 + 0.8 * place / warm_up
    return 1 - 0.93 * (place - warm_up) / (1 - warm_up)


def _level(place: float, warm_up: float) -> float:
    """Rise, then stay."""
    rising = _warm(place, warm_up)
    return 1.0 if rising is None else rising


_SHAPES = {
    "one-cycle": _falling,
    "cosine": lambda place, _: _falling(place, 0.0),
    "triangle": _triangle,
    "constant": lambda place, _: 1.0,
    "plateau": _level,
}
