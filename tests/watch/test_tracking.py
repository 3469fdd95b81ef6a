"""Tracks: tables of faces, frame after frame, and how many tracks come of them."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from mien.watch.tracking import Box, Track, Tracker

ASPECT = 16 / 9


def box(
    x: float,
    y: float = 0.5,
    width: float = 0.1,
    score: float = 0.9,
    look: Sequence[float] | None = None,
) -> Box:
    return Box(x, y, width, 1.25 * width, score, None if look is None else np.array(look))


class Followed:
    """A tracker that is given frames at a rate."""

    def __init__(self, rate: float = 10, confirm: int = 3, hidden: float = 2) -> None:
        self.tracker = Tracker(confirm, hidden)
        self.rate, self.index = rate, 0
        self.done: list[Track] = []

    def see(self, *boxes: Box) -> list[int | None]:
        found = self.tracker.step(boxes, self.index / self.rate, ASPECT)
        self.index += 1
        self.done += self.tracker.ended()
        return [None if track is None else track.id for track in found]

    def see_nothing(self, seconds: float) -> None:
        for _ in range(round(seconds * self.rate)):
            self.see()

    def end(self) -> list[Track]:
        self.tracker.end()
        return self.done + self.tracker.ended()


def ways(rate: float, *starts: tuple[float, float]) -> list[list[int | None]]:
    """Let faces walk for 2 s from each start at each speed (in heights a second)."""
    followed = Followed(rate)
    return [
        followed.see(
            *(box(x + speed * i / rate, 0.3 + 0.25 * k) for k, (x, speed) in enumerate(starts))
        )
        for i in range(round(2 * rate))
    ]


@pytest.mark.parametrize("rate", [2, 5, 10, 25])
@pytest.mark.parametrize("speed", [0.0, 0.2, 0.4])
def test_a_walker_is_one_track_at_any_rate(rate: float, speed: float) -> None:
    ids = ways(rate, (0.3, speed))

    assert {one for frame in ids for one in frame} == {0}


@pytest.mark.parametrize("rate", [2, 5, 10, 25])
def test_two_who_pass_each_other_keep_their_tracks(rate: float) -> None:
    ids = ways(rate, (0.3, 0.4), (1.3, -0.4))

    assert ids == [[0, 1]] * len(ids)


@pytest.mark.parametrize("rate", [5, 10, 25])
def test_two_who_swap_places_on_one_line_keep_their_tracks(rate: float) -> None:
    followed = Followed(rate)
    for i in range(round(2 * rate)):
        move = 0.4 * i / rate
        seen = [box(0.3 + move, 0.5), box(1.1 - move, 0.52)]
        found = followed.see(*seen)
        assert found == [0, 1]


def test_the_order_of_detections_does_not_matter() -> None:
    followed = Followed()
    for i in range(20):
        left, right = box(0.3 + 0.01 * i), box(1.2)
        # The right one comes first in the first frame, and so has the first number.
        found = followed.see(left, right)[::-1] if i % 2 else followed.see(right, left)
        assert found == [0, 1]
    assert len(followed.end()) == 2


@pytest.mark.parametrize("rate", [5, 10, 25])
@pytest.mark.parametrize("after", [0.0, -0.5])
def test_whoever_stops_or_turns_at_once_is_one_track(rate: float, after: float) -> None:
    followed = Followed(rate)
    for i in range(round(2 * rate)):
        now = i / rate
        found = followed.see(box(0.4 + 0.5 * min(now, 1) + after * max(now - 1, 0)))
        assert found == [0]


def test_a_large_doubtful_patch_about_a_lost_face_is_not_that_face() -> None:
    followed = Followed()
    for i in range(10):
        followed.see(box(0.5 + 0.03 * i))
    for _ in range(40):
        found = followed.see(box(0.8, 0.5, 0.6, score=0.45))
        assert found == [None]


def test_a_change_of_size_is_followed() -> None:
    followed = Followed()
    for i in range(40):
        followed.see(box(0.8, 0.4, 0.05 * 1.05**i))

    assert [track.hits for track in followed.end()] == [40]


@pytest.mark.parametrize(
    ("hits", "rate", "tracks"),
    [(1, 10, 0), (2, 10, 0), (3, 10, 1), (1, 2, 0), (2, 2, 1)],
)
def test_a_track_is_confirmed_by_hits(hits: int, rate: float, tracks: int) -> None:
    followed = Followed(rate)
    followed.see_nothing(2)
    for _ in range(hits):
        followed.see(box(0.8))

    assert len(followed.end()) == tracks


@pytest.mark.parametrize(("gap", "tracks"), [(0.5, 1), (1.8, 1), (2.2, 2), (5, 2)])
def test_hidden_for_less_than_the_limit_is_one(gap: float, tracks: int) -> None:
    followed = Followed()
    for _ in range(10):
        followed.see(box(0.8))
    followed.see_nothing(gap)
    for _ in range(10):
        followed.see(box(0.82))

    assert len(followed.end()) == tracks


def test_whoever_walks_behind_a_pillar_comes_out_as_the_same() -> None:
    followed = Followed()
    for i in range(40):
        x = 0.2 + 0.03 * i
        followed.see(*([] if 0.7 < x < 1.0 else [box(x)]))

    assert len(followed.end()) == 1


def test_whoever_has_left_the_picture_is_not_somebody_who_comes_in_there() -> None:
    followed = Followed()
    for i in range(20):
        followed.see(box(1.0 + 0.04 * i))
    followed.see_nothing(0.6)
    for i in range(20):
        followed.see(box(1.75 - 0.04 * i))

    assert len(followed.end()) == 2


def test_missing_frames_do_not_end_a_track() -> None:
    followed = Followed()
    for i in range(60):
        followed.see(*([] if i % 3 == 2 or i in (20, 21, 22, 23) else [box(0.4 + 0.01 * i)]))

    assert len(followed.end()) == 1


def test_doubtful_faces_begin_nothing_but_go_on_with_a_track() -> None:
    followed = Followed()
    for _ in range(5):
        assert followed.see(box(0.5, score=0.5)) == [None]
    followed.see(box(0.5, score=0.8))
    for _ in range(5):
        assert followed.see(box(0.5, score=0.5)) == [0]
    assert followed.see(box(0.5, score=0.3)) == [None]

    assert len(followed.end()) == 1


def test_a_sure_face_is_given_before_a_doubtful_one() -> None:
    followed = Followed()
    for _ in range(5):
        followed.see(box(0.5))

    assert followed.see(box(0.505, score=0.5), box(0.51, score=0.9)) == [None, 0]


def test_ids_are_never_used_again() -> None:
    followed = Followed()
    seen = set()
    for _ in range(5):
        for _ in range(5):
            seen.update(followed.see(box(0.8)))
        followed.see_nothing(3)

    assert seen == {0, 1, 2, 3, 4}
    assert len({track.id for track in followed.end()}) == 5


def test_a_clock_that_is_set_back_ends_all() -> None:
    tracker = Tracker()
    for i in range(5):
        tracker.step([box(0.8)], 100 + i / 10, ASPECT)
    tracker.step([box(0.8)], 50, ASPECT)

    assert [track.last for track in tracker.ended()] == [100.4]


def test_time_without_frames_ends_tracks() -> None:
    followed = Followed()
    for _ in range(5):
        followed.see(box(0.8))
    followed.tracker.advance(1.0)
    assert not followed.tracker.ended()
    followed.tracker.advance(3.0)
    assert len(followed.tracker.ended()) == 1


def test_a_shaking_head_is_followed() -> None:
    followed = Followed(25)
    for i in range(100):
        followed.see(box(0.8 + 0.03 * math.sin(i), 0.5 + 0.02 * math.cos(i)))

    assert len(followed.end()) == 1


RED, BLUE = [0.0] * 8, [3.0] * 8


def test_two_who_turn_back_where_they_meet_are_told_apart_by_their_looks() -> None:
    # They meet between two frames, and each goes back to where he came from, or goes on.
    for look_of_left, ids in ((RED, [0, 1]), (BLUE, [1, 0])):
        followed = Followed(2)
        for i in range(4):
            followed.see(box(0.45 + 0.1 * i, look=RED), box(1.25 - 0.1 * i, look=BLUE, width=0.1))
        other = BLUE if look_of_left is RED else RED
        assert followed.see(box(0.8, look=look_of_left), box(0.9, look=other)) == ids


def test_somebody_who_comes_in_where_another_went_is_somebody_else_by_his_look() -> None:
    same, other = Followed(2), Followed(2)
    for followed, look in ((same, RED), (other, BLUE)):
        followed.see(box(0.3, look=RED))
        followed.see(box(0.6, look=RED))
        assert followed.see(box(1.05, look=look)) == [0 if look is RED else 1]


def test_whoever_comes_out_elsewhere_is_known_by_his_look() -> None:
    for look, track in ((RED, 0), (BLUE, 1), (None, 1)):
        followed = Followed(10)
        for i in range(10):
            followed.see(box(0.3 + 0.04 * i, look=RED))
        followed.see_nothing(1)
        # Behind a pillar he has turned back, and come nearer.
        assert followed.see(box(0.55, 0.55, 0.21, look=look)) == [track]


def test_a_look_alone_parts_nobody_who_stands_where_he_stood() -> None:
    followed = Followed(10)
    for i in range(20):
        look = BLUE if 8 <= i < 10 else RED  # an arm, a bag, a flash
        assert followed.see(box(0.8, look=look)) == [0]


def test_what_is_not_known_of_a_look_is_not_compared() -> None:
    unknown = [0.0] * 5 + [math.nan] * 3
    followed = Followed(10)
    followed.see(box(0.8, look=unknown))
    assert followed.see(box(0.81, look=RED)) == [0]
    [track] = followed.tracker.tracks
    assert track.look is not None
    assert not np.isnan(track.look).any()
