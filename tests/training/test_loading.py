"""Batches for Lightning: the same as those of the plan, and the choosing half in order."""

import signal
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import torch

from mien.errors import DataError
from mien.training.loading import Batches
from mien.training.parts import Parts
from tests.runs import toy_recipe

torch.set_num_threads(1)


def test_an_epoch_of_training_batches(parts: Parts) -> None:
    recipe = toy_recipe(parts.whole.samples[0].path)
    found = list(Batches(recipe, parts).train_dataloader())
    assert len(found) == recipe.optimiser.steps
    for pixels, targets in found:
        assert (tuple(pixels.shape), pixels.dtype) == ((10, 24, 24, 3), torch.uint8)
        assert {task: tuple(rows.shape) for task, rows in targets.items()} == {
            "age": (10, 1),
            "gender": (10, 2),
            "expression": (10, 2),
        }
        # Six of people and four of moods, as the shares say.
        assert [int(rows[:, 0].isnan().sum()) for rows in targets.values()] == [4, 4, 6]


def test_the_choosing_half_as_use_sees_it(parts: Parts) -> None:
    recipe = toy_recipe(parts.whole.samples[0].path, optimiser={"batch": 2})
    found = list(Batches(recipe, parts).val_dataloader())
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
    assert len(list(Batches(recipe, parts).train_dataloader())) == recipe.optimiser.steps


def test_a_run_goes_on_with_its_own_data_only(parts: Parts) -> None:
    batches = Batches(toy_recipe(parts.whole.samples[0].path), parts)
    batches.load_state_dict(batches.state_dict())
    with pytest.raises(DataError, match="the manifest has changed since the run began"):
        batches.load_state_dict({"manifest": "another"})
