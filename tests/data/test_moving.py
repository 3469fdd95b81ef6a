"""Whole batches moved by whole pixels."""

import numpy as np

from mien.data.moving import mirror, mirrored_now, translate

PIXELS = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)


def test_each_picture_is_mirrored_in_every_other_round() -> None:
    indices = np.arange(200)
    rounds = [mirrored_now(indices, np.full(200, turn), seed=3) for turn in range(4)]
    assert 70 < rounds[0].sum() < 130
    np.testing.assert_array_equal(rounds[1], ~rounds[0])
    np.testing.assert_array_equal(rounds[2], rounds[0])
    chosen = np.array([7, 199, 7])
    turns = np.array([0, 1, 3])
    wanted = [rounds[0][7], rounds[1][199], rounds[1][7]]
    assert mirrored_now(chosen, turns, seed=3).tolist() == wanted


def test_mirror() -> None:
    found = mirror(PIXELS, np.array([True, False]))
    np.testing.assert_array_equal(found[0], PIXELS[0][:, ::-1])
    np.testing.assert_array_equal(found[1], PIXELS[1])


def test_shifts_reflect_the_border() -> None:
    padded = np.pad(PIXELS, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="reflect")
    parts = {padded[0, y : y + 4, x : x + 4].tobytes(): (y, x) for y in range(3) for x in range(3)}
    seen = set()
    for seed in range(60):
        found = translate(np.random.default_rng(seed), PIXELS, 1)
        assert found.shape == PIXELS.shape
        seen.add(parts[found[0].tobytes()])
    assert len(seen) == 9
