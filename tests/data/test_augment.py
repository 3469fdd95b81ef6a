"""Changes to training pictures: none when none is asked for, sane in size, repeatable by number."""

import io
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from mien.data.augment import NONE, Augmentation
from mien.faces import TEMPLATE, Detector, view_of_picture, view_of_whole
from mien.pixels import Image as Pixels
from mien.pixels import Matrix, sample
from tests.labelled import noise
from tests.photos import astronaut
from tests.pictures import encode

QUIET = NONE.model_dump()
CHANCES = ["colour", "grey", "tint", "dark", "shrink", "blur", "jpeg", "noise", "erase", "border"]


def only(**changes: Any) -> Augmentation:
    """An augmentation of nothing else."""
    return Augmentation.model_validate(QUIET | changes)


def crop(
    augmentation: Augmentation, picture: Pixels, seed: int = 0, size: int = 32, view: Any = None
) -> Pixels:
    whole = view_of_picture(picture.shape[1], picture.shape[0])
    view = whole if view is None else view
    return augmentation.cut(np.random.default_rng(seed), picture, view, whole, size)


def in_use(picture: Pixels, view: Matrix | None = None, size: int = 32) -> Pixels:
    """The crop without any change."""
    view = view_of_picture(picture.shape[1], picture.shape[0]) if view is None else view
    return np.broadcast_to(sample(picture, view, size), (size, size, 3))


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([1, 3]), st.integers(0, 99))
def test_no_change_is_the_crop_in_use(height: int, width: int, channels: int, seed: int) -> None:
    picture = noise(seed, height, width)[:, :, :channels]
    np.testing.assert_array_equal(crop(NONE, picture, seed), in_use(picture))


def test_no_change_of_an_aligned_face_is_the_crop_in_use() -> None:
    face = astronaut()[:230, 120:320]
    view, found = view_of_whole(Detector(), face, TEMPLATE)
    assert found is not None
    np.testing.assert_array_equal(crop(NONE, face, view=view, size=96), in_use(face, view, 96))


@pytest.mark.parametrize("name", [*CHANCES, "flip", "flip_vertical", "unaligned"])
@pytest.mark.parametrize("size", [24, 97])
@pytest.mark.parametrize("channels", [1, 3])
def test_each_change_gives_a_picture_of_the_same_kind(name: str, size: int, channels: int) -> None:
    picture = noise(0, 40, 50)[:, :, :channels]
    view = view_of_picture(30, 30)
    same = 0
    for seed in range(10):
        found = crop(only(**{name: 1, "shrink_side": (16, 32)}), picture, seed, size, view)
        assert (found.shape, str(found.dtype)) == ((size, size, 3), "uint8")
        assert found.flags.c_contiguous
        same += np.array_equal(found, in_use(picture, view, size))
    colourless = channels == 1 and name in ("colour", "grey")
    assert same == 10 if colourless else same < 8


@pytest.mark.parametrize(
    "name",
    ["rotation", "zoom", "shift", "shear", "crop", "light", *CHANCES, "flip", "unaligned"],
)
def test_the_picture_itself_is_left_alone(name: str) -> None:
    picture = noise(0, 40, 50)
    picture.flags.writeable = False
    before = picture.copy()
    crop(only(**{name: 0.9}, fill="constant"), picture, 1)
    np.testing.assert_array_equal(picture, before)


STRONG = Augmentation(
    rotation=20,
    zoom=0.3,
    shift=0.1,
    shear=0.1,
    crop=0.5,
    light=0.3,
    **dict.fromkeys([*CHANCES, "flip_vertical", "unaligned"], 0.5),
)

SHARES = ("shift", "shear", "crop", *CHANCES, "flip", "flip_vertical", "unaligned")


@st.composite
def augmentations(draw: st.DrawFn) -> Augmentation:
    """Any augmentation that may be asked for; many of its changes are left out."""
    limits = dict.fromkeys(SHARES, 1.0) | {"rotation": 180.0, "zoom": 0.999, "light": 0.999}
    values = {name: draw(st.just(0.0) | st.floats(0, most)) for name, most in limits.items()}
    sides = sorted(draw(st.tuples(st.integers(1, 10_000), st.integers(1, 10_000))))
    fill = draw(st.sampled_from(["nearest", "constant"]))
    return Augmentation.model_validate(values | {"shrink_side": sides, "fill": fill})


@settings(deadline=None, max_examples=50)
@given(
    augmentations(),
    st.tuples(st.integers(1, 300), st.integers(1, 300), st.sampled_from([1, 3])),
    st.integers(1, 70),
    st.integers(0, 2**32 - 1),
)
def test_any_augmentation_of_any_picture(
    augmentation: Augmentation, shape: tuple[int, int, int], size: int, seed: int
) -> None:
    picture = noise(0, *shape[:2])[:, :, : shape[2]]
    view = view_of_picture(shape[1], shape[0], inside=True)
    found = crop(augmentation, picture, seed, size, view)
    assert (found.shape, str(found.dtype)) == ((size, size, 3), "uint8")
    np.testing.assert_array_equal(found, crop(augmentation, picture, seed, size, view))


def test_a_generator_decides_all() -> None:
    picture = noise(0, 40, 50)
    crops = [crop(STRONG, picture, seed) for seed in (*range(20), *range(20))]
    for first, second in zip(crops[:20], crops[20:], strict=True):
        np.testing.assert_array_equal(first, second)
    assert len({found.tobytes() for found in crops}) == 20


def test_half_of_the_pictures_are_mirrored() -> None:
    picture = noise(0, 32, 32)
    mirrored = in_use(picture)[:, ::-1]
    flipped = 0
    for seed in range(200):
        found = crop(only(flip=0.5), picture, seed)
        if np.array_equal(found, mirrored):
            flipped += 1
        else:
            np.testing.assert_array_equal(found, in_use(picture))
    assert 75 <= flipped <= 125  # 3.5 standard deviations


def test_pictures_upside_down() -> None:
    picture = noise(0, 32, 32)
    found = [crop(only(flip_vertical=0.5), picture, seed) for seed in range(200)]
    upside_down = sum(np.array_equal(one, in_use(picture)[::-1]) for one in found)
    upright = sum(np.array_equal(one, in_use(picture)) for one in found)
    assert upside_down + upright == 200
    assert 75 <= upside_down <= 125
    both = crop(only(flip=1, flip_vertical=1), picture)
    np.testing.assert_array_equal(both, in_use(picture)[::-1, ::-1])


@pytest.mark.parametrize("smallest", [0.1, 0.6])
def test_random_crops_keep_their_share(smallest: float) -> None:
    """A ramp in each direction shows which part of the view was kept."""
    ramp = np.arange(256, dtype=np.uint8)
    picture = np.stack([*np.meshgrid(ramp, ramp), np.zeros((256, 256), np.uint8)], axis=2)
    areas, ratios, corners = [], [], []
    for seed in range(200):
        found = crop(only(crop=smallest), picture, seed, 64).astype(float) / 256
        width, height = ((found[-1, -1] - found[0, 0])[:2] * 64 / 63).tolist()
        areas.append(width * height)
        ratios.append(width / height)
        corners.append(found[0, 0, :2])
    assert smallest - 0.02 < min(areas) < smallest + 0.05
    assert 0.95 < max(areas) < 1.02
    assert np.mean(areas) == pytest.approx((1 + smallest) / 2, abs=0.07)
    # No side is longer than the whole, so large parts are nearly square.
    assert 0.72 < min(ratios) < 0.85 < 1.18 < max(ratios) < 1.38
    assert (np.ptp(corners, axis=0) > 0.8 * (1 - np.sqrt(smallest))).all()


def test_a_constant_fill_is_black_where_nothing_is_known() -> None:
    picture = np.full((50, 40, 3), 200, np.uint8)
    view = view_of_picture(40, 50, inside=True)
    moving = {"shift": 0.3, "rotation": 40}
    for seed in range(20):
        filled = crop(only(**moving, fill="constant"), picture, seed, 64, view)
        black = (filled == 0).all(axis=2)
        assert (filled[~black] == 200).all()
        assert black.any()
        assert not black[32, 32]
        # The picture is higher than the view: rows beyond the view, but inside it, are shown.
        assert (crop(only(**moving), picture, seed, 64, view) == 200).all()
    shifted = crop(only(shift=1.0, fill="constant"), picture, 7, 40, view)
    expected = np.zeros((40, 40), bool)
    rows, columns = np.nonzero((shifted == 200).all(axis=2))
    expected[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    np.testing.assert_array_equal((shifted == 200).all(axis=2), expected)


def test_a_constant_fill_leaves_what_use_would_show() -> None:
    """A view that reaches beyond its picture shows repeated pixels in use: so it does here."""
    picture = noise(0, 50, 20)
    view = view_of_picture(20, 50)
    np.testing.assert_array_equal(
        crop(only(fill="constant"), picture, view=view), in_use(picture, view)
    )
    zoomed_in = only(crop=0.5, fill="constant")
    np.testing.assert_array_equal(
        crop(zoomed_in, picture, 3, view=view), crop(only(crop=0.5), picture, 3, view=view)
    )


def measured(augmentation: Augmentation, seed: int) -> tuple[float, float, float, float]:
    """Return turn in degrees, scale, and shift of a disc of two colours, as the crop shows it."""
    picture = np.zeros((200, 200, 3), np.uint8)
    cv2.circle(picture, (100, 100), 50, (255, 0, 0), -1)
    cv2.ellipse(picture, (100, 100), (50, 50), 0, -90, 90, (255, 255, 0), -1)
    found = crop(augmentation, picture, seed, 200).astype(float) / 255
    rows, columns = np.mgrid[:200, :200]
    disc, half = found[:, :, 0], found[:, :, 1]
    centre, right = (
        np.array([(w * columns).sum(), (w * rows).sum()]) / w.sum() for w in (disc, half)
    )
    x, y = right - centre
    scale = np.sqrt(disc.sum() / (np.pi * 50**2))
    return float(np.degrees(np.arctan2(y, x))), float(scale), *((centre - 99.5) / 200)


def test_turns() -> None:
    found = [measured(only(rotation=30), seed) for seed in range(100)]
    turns = np.array([turn for turn, *_ in found])
    assert np.abs(turns).max() < 31
    assert turns.min() < -25 < 25 < turns.max()
    assert abs(turns.mean()) < 6  # 3.5 standard errors of an even draw
    np.testing.assert_allclose([rest for _, *rest in found], [(1, 0, 0)] * 100, atol=0.02)


def test_zooms_and_shifts() -> None:
    found = np.array([measured(only(zoom=0.25, shift=0.1), seed) for seed in range(100)])
    turns, scales, *shifts = found.T
    assert np.abs(turns).max() < 1
    assert 0.79 < scales.min() < 0.85 < 1.2 < scales.max() < 1.26
    for shift in shifts:
        assert -0.13 < shift.min() < -0.08 < 0.08 < shift.max() < 0.13


def test_unaligned_faces_are_cut_as_the_picture_itself() -> None:
    picture = noise(0, 64, 64)
    view = view_of_picture(20, 20)
    np.testing.assert_array_equal(crop(only(unaligned=1), picture, view=view), in_use(picture))


def test_a_border_that_was_cut_repeats_the_last_pixels() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:2] = picture[-2:] = picture[:, :2] = picture[:, -2:] = 255
    framed = crop(NONE, picture, size=100)
    assert (framed[0] == 255).all()
    cut = [crop(only(border=1), picture, seed, 100) for seed in range(20)]
    assert sum((found[0, 10:-10] == 0).all() for found in cut) >= 15
    assert all((found[50, 50] == 0).all() for found in cut)


def test_a_grey_picture_has_one_tone() -> None:
    found = crop(only(grey=1), noise(0, 32, 32))
    assert (found == found[:, :, :1]).all()
    assert found.std() > 20


def test_a_tint_colours_grey_pictures_evenly() -> None:
    picture = noise(0, 32, 32)[:, :, :1] // 2
    found = crop(only(tint=1), picture).astype(float)
    means = found.mean(axis=(0, 1)) / picture.mean()
    assert np.ptp(means) > 0.02
    assert means.mean() == pytest.approx(1, abs=0.02)


def test_colour_keeps_brightness_and_leaves_grey_alone() -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis, np.newaxis], 3, axis=2)
    mild = (noise(0, 32, 32) // 4 + 96).astype(np.uint8)
    weights = np.array([0.299, 0.587, 0.114])
    for seed in range(50):
        changed = crop(only(colour=0.5), grey, seed, 256, np.array([[1, 0, 0], [0, 256.0, 0]]))
        assert np.ptp(changed.astype(int), axis=2).max() <= 1
        found = crop(only(colour=0.5), mild, seed)
        np.testing.assert_allclose(found @ weights, mild @ weights, atol=1)


def test_colour_turns_the_hue_and_changes_saturation() -> None:
    red = np.full((8, 8, 3), (160, 100, 100), np.uint8)
    found = np.array([crop(only(colour=0.2), red, seed)[0, 0] for seed in range(200)])
    hues = cv2.cvtColor(found[np.newaxis].astype(np.float32), cv2.COLOR_RGB2HSV)[0, :, 0]
    hues = (hues + 180) % 360 - 180
    assert -30 < hues.min() < -10 < 10 < hues.max() < 30
    spreads = np.ptp(found.astype(int), axis=1)
    assert 45 < spreads.min() < 54 < 70 < spreads.max() < 95


def test_light_keeps_the_order_of_tones() -> None:
    ramp = np.repeat(np.arange(0, 256, 8, dtype=np.uint8)[np.newaxis], 32, axis=0)[:, :, np.newaxis]
    means = []
    for seed in range(100):
        found = crop(only(light=0.3), ramp, seed)
        assert (np.diff(found.astype(int), axis=1) >= 0).all()
        means.append(found.mean() - ramp.mean())
    assert min(means) < -20 < 20 < max(means)
    assert abs(np.mean(means)) < 12


def test_low_light_is_dark() -> None:
    bright = np.full((32, 32, 3), 200, np.uint8)
    means = [crop(only(dark=1), bright, seed).mean() for seed in range(50)]
    assert 35 < min(means) < 60 < 100 < max(means) < 125


@pytest.mark.parametrize("name", ["shrink", "blur"])
def test_lost_detail_keeps_the_mean(name: str) -> None:
    picture = noise(0, 96, 96)
    found = crop(only(**{name: 1, "shrink_side": (24, 48)}), picture, size=96)
    assert found.std() < 0.8 * picture.std()
    np.testing.assert_allclose(found.mean(axis=(0, 1)), picture.mean(axis=(0, 1)), atol=2)


def test_a_blur_is_as_wide_as_asked_whatever_the_size() -> None:
    dot = np.zeros((96, 96, 3), np.uint8)
    dot[40:56, 40:56] = 255
    for size in (96, 192):
        widths = []
        for blur in (0, 1):
            changed = only(blur=blur, blur_width=(0.05, 0.05))
            row = crop(changed, dot, size=size)[:, :, 0].astype(float).sum(axis=0)
            places = np.arange(size) / size
            middle = np.average(places, weights=row)
            widths.append(np.average((places - middle) ** 2, weights=row))
        np.testing.assert_allclose(np.sqrt(widths[1] - widths[0]), 0.05, rtol=0.1)


def test_damage_by_jpeg_is_that_of_a_jpeg_file() -> None:
    picture = np.ascontiguousarray(astronaut()[60:180, 160:280])
    for seed in range(5):
        found = crop(only(jpeg=1), picture, seed, 120)
        others = [
            np.asarray(Image.open(io.BytesIO(encode(Image.fromarray(picture), "JPEG", quality=q))))
            for q in range(20, 90)
        ]
        differences = [np.abs(found.astype(int) - other).mean() for other in others]
        assert min(differences) < 0.2
        assert np.abs(found.astype(int) - picture).mean() > 1


def test_erasing_covers_one_rectangle() -> None:
    picture = noise(0, 64, 64)
    shares = []
    for seed in range(50):
        changed = (crop(only(erase=1), picture, seed, 64) != in_use(picture, size=64)).any(axis=2)
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        box = changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert box.mean() > 0.9
        shares.append(changed.mean())
    assert 0.005 < min(shares) < max(shares) < 0.16


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("flip", 1.1),
        ("rotation", -1),
        ("rotation", float("inf")),
        ("shift", float("nan")),
        ("zoom", 1),
        ("rotation", 181),
        ("shift", 1.1),
        ("crop", -0.1),
        ("colour", 1.1),
        ("fill", "reflect"),
        ("mixup", -1),
        ("cutmix", 101),
        ("mix_chance", 1.1),
        ("shrink_side", (0, 10)),
        ("shrink_side", (20, 10)),
        ("shrink_side", (20,)),
        ("blur_width", (0, 0.1)),
        ("blur_width", (0.2, 0.1)),
        ("blur_width", (0.1, 0.3)),
        ("flipp", 0.5),
    ],
)
def test_values_that_cannot_be(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        Augmentation.model_validate({key: value})


@pytest.mark.parametrize(
    ("changes", "leaves"),
    [
        ({}, True),
        ({"flip": "alternate", "translate": 2, "mixup": 0.2, "cutmix": 1.0}, True),
        ({"flip": 0.5}, False),
        ({"noise": 0.1}, False),
        ({"crop": 0.5}, False),
        ({"unaligned": 0.1}, False),
    ],
)
def test_whether_each_picture_is_left_as_it_is(changes: dict[str, Any], leaves: bool) -> None:
    assert Augmentation.model_validate(NONE.model_dump() | changes).leaves_each == leaves
