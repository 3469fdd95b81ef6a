"""Tallies over HTTP: two who tap at once, and whoever would rather do harm."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from mien.errors import StoreError
from mien.watch import tally as tallies
from tests.serve.conftest import Running, problem
from tests.watch.http.conftest import Start, hub_of
from tests.watch.visits import visit

PLACE = {"camera": "door", "area": "hall"}


def begun(found: Running) -> str:
    answer = found.http.post("/v1/tallies", json=PLACE)
    assert answer.status_code == 201, answer.text
    return f"/v1/tallies/{answer.json()['id']}"


def tap(found: Running, tally: str, group: Any = "adult", who: Any = "a") -> httpx2.Response:
    return found.http.post(f"{tally}/taps", json={"group": group, "who": who})


def test_two_browsers_tap_at_once(start: Start) -> None:
    found = start()
    tally = begun(found)

    def browser(who: str) -> None:
        with httpx2.Client(base_url=found.url) as http:
            for number in range(60):
                group = ("adult", "child")[number % 2]
                answer = http.post(f"{tally}/taps", json={"group": group, "who": who})
                assert answer.status_code == 200
                if number % 10 == 9:
                    assert http.delete(f"{tally}/taps", params={"who": who}).status_code == 200

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(browser, ["left", "right"]))

    counts = found.http.get(tally).json()["counts"]
    assert counts == {"child": 48, "teen": 0, "youth": 0, "adult": 60, "senior": 0}


def test_a_tally_from_its_beginning_to_what_it_says(start: Start) -> None:
    found = start()
    store = hub_of(found)._store()
    tally = begun(found)
    for _ in range(8):
        tap(found, tally)
    now = datetime.now(UTC)
    # The time of the film lies before it.
    store.add([visit(50, now, 0) for _ in range(6)])

    told = found.http.post(f"{tally}/finish").json()

    assert (told["people"], told["visits"], told["taps"]["adult"]) == (8, 6, 8)
    assert told["door"]["capture"]["value"] == pytest.approx(0.75)
    assert told["door"]["drift"] is None
    # All ages are the same here, so nothing is known of the slope.
    assert told["door"]["slope"]["low"] < 1 < told["door"]["slope"]["high"]
    problem(found.http.get(tally), 404, "no-such-tally")
    listed = found.http.get("/v1/tallies").json()
    assert listed["running"] == []
    assert listed["doors"] == [told["door"]]
    [kept] = tallies.stored(store)
    assert kept.people == 8


def test_at_a_place_one_goes_on_and_others_join(start: Start) -> None:
    found = start()
    tally = begun(found)
    tap(found, tally)
    answer = found.http.post("/v1/tallies", json=PLACE)

    told = problem(answer, 409, "tally-runs")
    assert answer.headers["location"] == tally
    assert told["running"] == found.http.get(tally).json()
    [running] = found.http.get("/v1/tallies").json()["running"]
    assert running["counts"]["adult"] == 1


def test_a_tap_whose_answer_was_lost_comes_again_and_counts_once(start: Start) -> None:
    found = start()
    tally = begun(found)
    body = {"group": "adult", "who": "a", "id": "1"}
    for _ in range(2):
        assert found.http.post(f"{tally}/taps", json=body).json()["counts"]["adult"] == 1
    tap(found, tally)
    for _ in range(2):
        answer = found.http.delete(f"{tally}/taps", params={"who": "a", "id": "2"})
        assert answer.json()["counts"]["adult"] == 1
    too_long = found.http.post(f"{tally}/taps", json=body | {"id": "x" * 65})
    problem(too_long, 422, "invalid-request")


def test_two_who_finish_at_once_make_one_tally(start: Start) -> None:
    found = start()
    tally = begun(found)
    tap(found, tally)

    def finish(_: int) -> int:
        return httpx2.post(found.url + f"{tally}/finish", timeout=30).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(finish, range(4))) == [200, 404, 404, 404]
    assert len(tallies.stored(hub_of(found)._store())) == 1


def test_a_store_out_of_reach_loses_no_tap(start: Start) -> None:
    found = start()
    hub = hub_of(found)
    tally = begun(found)
    tap(found, tally)
    right = hub._store

    def fail() -> Any:
        raise StoreError("gone")

    hub._store = fail
    problem(found.http.post(f"{tally}/finish"), 503, "no-store")
    hub._store = right

    assert found.http.post(f"{tally}/finish").json()["people"] == 1


def test_it_goes_on_while_visits_of_its_time_wait(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = start()
    recorder = hub_of(found)._recorder
    assert recorder is not None
    tally = begun(found)
    tap(found, tally)

    with monkeypatch.context() as patch:
        patch.setattr(recorder, "flush", lambda _: False)
        problem(found.http.post(f"{tally}/finish"), 503, "visits-wait")
    assert found.http.post(f"{tally}/finish").json()["people"] == 1


def test_without_a_tap_it_cannot_be_finished_but_dropped(start: Start) -> None:
    found = start()
    tally = begun(found)
    tap(found, tally)
    found.http.delete(f"{tally}/taps", params={"who": "a"})

    problem(found.http.post(f"{tally}/finish"), 422, "invalid-request")
    assert found.http.delete(tally).status_code == 204
    problem(found.http.delete(tally), 404, "no-such-tally")
    assert begun(found) != tally


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"camera": "cellar", "area": "hall"}, 404, "no-such-camera"),
        ({"camera": "door", "area": "roof"}, 422, "no-such-area"),
        ({"camera": "door", "area": "whole view"}, 422, "no-such-area"),
        ({"camera": "../door", "area": "hall"}, 404, "no-such-camera"),
        ({"camera": "door"}, 422, "invalid-request"),
        ({"camera": "door", "area": "x" * 101}, 422, "invalid-request"),
        ({"camera": ["door"], "area": "hall"}, 422, "invalid-request"),
        (PLACE | {"more": 1}, 422, "invalid-request"),
    ],
)
def test_places_that_are_none(shop: Running, body: Any, status: int, kind: str) -> None:
    problem(shop.http.post("/v1/tallies", json=body), status, kind)
    assert shop.http.get("/v1/tallies").json()["running"] == []


def test_taps_that_are_none(start: Start) -> None:
    found = start()
    tally = begun(found)
    for group, who in [("baby", "a"), ("", "a"), (5, "a"), ("adult", "x" * 101), ("adult", 5)]:
        problem(tap(found, tally, group, who), 422, "invalid-request")
    problem(tap(found, "/v1/tallies/unknown"), 404, "no-such-tally")
    long = found.http.delete(f"{tally}/taps", params={"who": "x" * 101})
    problem(long, 422, "invalid-request")

    assert sum(found.http.get(tally).json()["counts"].values()) == 0


def test_who_taps_is_told_nowhere_and_limited(start: Start) -> None:
    found = start()
    tally = begun(found)
    for number in range(100):
        assert tap(found, tally, who=f"tapper-{number}").status_code == 200

    assert "100 people" in problem(tap(found, tally, who="more"), 422, "invalid-request")["detail"]
    assert tap(found, tally, who="tapper-7").status_code == 200
    assert "tapper" not in found.http.get("/v1/tallies").text + found.http.get(tally).text
