"""Batches for Lightning: the same as those of the plan, and the choosing half in order."""

import signal
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import torch

from mien.errors import DataError
from mien.training.loading import Batches, steps_of
from mien.training.parts import Parts
from mien.training.recipe import Machine
from tests.runs import toy_recipe

torch.set_num_threads(1)


def test_an_epoch_of_training_batches(parts: Parts) -> None:
    recipe = toy_recipe(parts.whole.samples[0].path)
    found = list(Batches(recipe, parts, lambda: 24).train_dataloader())
    assert len(found) == recipe.optimiser.steps
    for pixels, targets, partners, kept in found:
        assert (tuple(pixels.shape), pixels.dtype) == ((10, 24, 24, 3), torch.uint8)
        assert {task: tuple(rows.shape) for task, rows in targets.items()} == {
            "age": (10, 2),
            "gender": (10, 2),
            "expression": (10, 2),
        }
        # Six of people and four of moods, as the shares say.
        assert [int(rows[:, 0].isnan().sum()) for rows in targets.values()] == [4, 4, 6]
        assert partners.tolist() == list(range(10))
        assert kept.tolist() == [1] * 10


def test_the_choosing_half_as_use_sees_it(parts: Parts) -> None:
    recipe = toy_recipe(parts.whole.samples[0].path, optimiser={"batch": 2})
    found = list(Batches(recipe, parts, lambda: 24).val_dataloader())
    pixels = torch.cat([batch for batch, _ in found]).numpy()
    ages = torch.cat([targets["age"] for _, targets in found]).numpy()[:, 0]
    samples = parts.choice.manifest.samples
    assert len(found) == -(-len(samples) // 4)
    wanted = [parts.choice.store.crop(index, 32) for index in range(len(samples))]
    np.testing.assert_array_equal(pixels, wanted)
    np.testing.assert_array_equal(ages, [sample.number("age") for sample in samples])


@pytest.fixture
def busy_opencv() -> Iterator[None]:
    """Let OpenCV start threads of its own, and end a test that hangs."""

    def end(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, end)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(4)
    cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.uint8), (0, 0), 3)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    cv2.setNumThreads(threads)


def test_loading_processes_do_not_wait_for_the_threads_of_opencv(
    parts: Parts, busy_opencv: None
) -> None:
    recipe = toy_recipe(parts.whole.samples[0].path)
    assert (
        len(list(Batches(recipe, parts, lambda: 24).train_dataloader())) == recipe.optimiser.steps
    )


def test_a_run_goes_on_with_its_own_data_only(parts: Parts) -> None:
    batches = Batches(toy_recipe(parts.whole.samples[0].path), parts, lambda: 24)
    batches.load_state_dict(batches.state_dict())
    with pytest.raises(DataError, match="the manifest has changed since the run began"):
        batches.load_state_dict({"manifest": "another"})


def test_an_epoch_is_one_pass_unless_the_recipe_says_otherwise(parts: Parts) -> None:
    recipe = toy_recipe(parts.whole.samples[0].path, optimiser={"batch": 10})
    assert len(parts.train.manifest.samples) == 48
    assert steps_of(recipe, parts) == 5
    assert steps_of(recipe.model_copy(update={"machine": Machine(devices=2)}), parts) == 3


class Process:
    """One of several processes that train together."""

    current_epoch = 2

    def __init__(self, rank: int, world: int) -> None:
        self.global_rank, self.world_size = rank, world


def test_processes_part_an_epoch_among_them(parts: Parts) -> None:
    """Three processes of one step each draw what one process of three steps does, and no more."""
    recipe = toy_recipe(parts.whole.samples[0].path, optimiser={"batch": 10, "steps": 1})
    alone = recipe.model_copy(
        update={"optimiser": recipe.optimiser.model_copy(update={"steps": 3})}
    )
    one = Batches(alone, parts, lambda: 24)
    one.trainer = Process(0, 1)  # type: ignore[assignment]
    wanted = [pixels for pixels, *_ in one.train_dataloader()]
    for rank in range(3):
        mine = Batches(recipe, parts, lambda: 24)
        mine.trainer = Process(rank, 3)  # type: ignore[assignment]
        ((pixels, *_),) = mine.train_dataloader()
        assert torch.equal(pixels, wanted[rank])
        judged = sum(len(pixels) for pixels, _ in mine.val_dataloader())
        assert judged == len(parts.choice.manifest.samples)
