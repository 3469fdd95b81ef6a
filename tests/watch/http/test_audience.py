"""Totals, live totals and the statement on privacy, over HTTP."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from mien.errors import StoreError
from tests.cli.conftest import Mien, mien
from tests.serve.conftest import Running, problem, wait_until
from tests.watch.http.conftest import Start, hub_of
from tests.watch.servers import free_port
from tests.watch.visits import visit

__all__ = ["mien"]

DAY = {"from": "2026-03-02", "to": "2026-03-02"}


def ask(shop: Running, **query: str) -> Any:
    answer = shop.http.get("/v1/audience", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_totals_of_a_day(shop: Running) -> None:
    found = ask(shop, **DAY)

    rows = {row["age"]: row for row in found["rows"]}
    assert (found["from"], found["to"], found["by"]) == (
        "2026-03-02",
        "2026-03-02",
        ["area", "age"],
    )
    assert (found["zone"], found["k"]) == ("UTC", 5)
    assert found["groups"] == ["child", "teen", "youth", "adult", "senior"]
    assert (rows["youth"]["visits"], rows["youth"]["area"]) == (30, "hall")
    assert rows["youth"]["corrected"]["low"] <= rows["youth"]["corrected"]["value"]
    assert (rows["senior"]["hidden"], rows["senior"]["visits"]) == (True, None)
    assert found["apart"] == {"still": 0, "long": 0}
    assert any("not calibrated here" in note for note in found["notes"])
    # The tiny model has no held-out faces.
    assert not found["corrected"]
    assert any("by its card alone" in note for note in found["notes"])


def test_one_day_alone_and_several(shop: Running) -> None:
    assert [row["visits"] for row in ask(shop, to="2026-03-02", by="")["rows"]] == [40]
    days = ask(shop, **DAY | {"to": "2026-03-03", "by": "day"})["rows"]
    assert [(row["start"], row["visits"]) for row in days] == [
        ("2026-03-02T00:00:00Z", 40),
        ("2026-03-03T00:00:00Z", 7),
    ]
    assert days[0]["dwell"] == pytest.approx(4, rel=0.03)


def test_csv_is_that_of_the_command_line(shop: Running, mien: Mien) -> None:
    answer = shop.http.get("/v1/audience", params=DAY | {"format": "csv"})
    file = hub_of(shop)._file

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "audience-2026-03-02-2026-03-02.csv" in answer.headers["content-disposition"]
    told = mien("audience", "--from", "2026-03-02", "--config", file, "--format", "csv")
    assert answer.text == told.out


@pytest.mark.parametrize(
    "query",
    [
        {"by": "shoes"},
        {"by": "hour,day"},
        {"by": "x" * 101},
        {"form": "2026-03-02"},
        {"from": "yesterday"},
        {"from": "2026-13-01"},
        {"from": "2026-03-03", "to": "2026-03-02"},
        {"from": "0001-01-01", "to": "0001-01-01"},
        {"from": "9999-12-31", "to": "9999-12-31"},
        {"to": "9999-12-31"},
        {"format": "xml"},
    ],
)
def test_a_query_that_makes_no_sense(shop: Running, query: dict[str, str]) -> None:
    problem(shop.http.get("/v1/audience", params=query), 422, "invalid-request")


@pytest.mark.parametrize(("by", "days"), [("hour", 31), ("day,age", 400), ("area", 1100)])
def test_too_many_days_at_once(shop: Running, by: str, days: int) -> None:
    first = datetime(2026, 3, 1, tzinfo=UTC).date()
    last = first + timedelta(days=days - 1)
    assert ask(shop, **{"from": str(first), "to": str(last), "by": by})["rows"]
    more = {"from": str(first), "to": str(last + timedelta(days=1)), "by": by}
    problem(shop.http.get("/v1/audience", params=more), 422, "too-many-days")


def test_an_hour_counts_once_it_is_over(start: Start) -> None:
    found = start()
    now = datetime.now(UTC)
    store = hub_of(found)._store()
    before = now.replace(minute=0, second=0, microsecond=0) - timedelta(minutes=1)
    store.add([visit(30, before) for _ in range(10)])
    store.add([visit(30, now, 0) for _ in range(20)])
    query = {"from": str(before.date()), "to": str(now.date()), "by": "area"}

    told = ask(found, **query)

    assert [row["visits"] for row in told["rows"] if row["area"] == "hall"] == [10]
    assert any("not over" in note for note in told["notes"])


def test_with_nothing_to_hide_all_hours_count(start: Start) -> None:
    found = start(more="[privacy]\nk = 1\n")
    hub_of(found)._store().add([visit(30, datetime.now(UTC), 0) for _ in range(3)])

    assert sum(row["visits"] for row in ask(found, by="area")["rows"]) >= 3


def test_a_store_out_of_reach_is_told_without_its_address(start: Start) -> None:
    found = start()
    hub = hub_of(found)

    def fail() -> Any:
        raise StoreError("postgresql://me@10.0.0.7/secret: gone")

    hub._store = fail
    answer = found.http.get("/v1/audience", params=DAY)

    assert "10.0.0.7" not in str(problem(answer, 503, "no-store"))
    assert answer.headers["retry-after"] == "5"


def test_a_database_that_is_away_at_the_start_stops_nothing(start: Start) -> None:
    found = start(url=f"postgresql://me:secret@127.0.0.1:{free_port()}/visits")

    answer = found.http.get("/v1/audience", params=DAY)
    assert "secret" not in str(problem(answer, 503, "no-store"))
    live = found.http.get("/v1/audience/live").json()
    assert "cannot be read" in live["problem"]
    assert [one["name"] for one in live["cameras"]] == ["door", "back door"]
    assert found.http.get("/v1/cameras/door/still").status_code in (200, 503)


def test_live_totals_move_in_steps(start: Start) -> None:
    found = start()
    hub_of(found)._store().add([visit(30, datetime.now(UTC), 0) for _ in range(13)])
    number = hub_of(found).bulletin.newest.number
    wait_until(lambda: hub_of(found).bulletin.newest.number > number + 1)

    told = found.http.get("/v1/audience/live").json()
    [hall] = [t for t in told["totals"] if (t["camera"], t["area"]) == ("door", "hall")]

    assert (told["k"], told["problem"]) == (5, "")
    assert (hall["visits"], hall["ages"]["youth"]) == (10, 10)
    assert {one["name"] for one in told["cameras"]} == {"door", "back door"}
    numbers = [hall["visits"], hall["present"], *hall["ages"].values()]
    numbers += [told["recorder"][name] for name in ("waiting", "held", "stored")]
    numbers += [one["present"] for one in told["cameras"]]
    assert all(number % 5 == 0 for number in numbers)


def events(found: Running, count: int) -> list[Any]:
    """Return the data of so many events."""
    told: list[Any] = []
    with found.http.stream("GET", "/v1/audience/events") as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.iter_lines()
        while len(told) < count:
            assert next(lines) == "event: live"
            told.append(json.loads(next(lines).removeprefix("data: ")))
            assert next(lines) == ""
    return told


def test_events_come_at_once_and_again(shop: Running) -> None:
    first, second = events(shop, 2)

    assert first["time"] < second["time"]
    assert first.keys() == shop.http.get("/v1/audience/live").json().keys()


def test_listeners_are_limited_and_give_their_places_back(start: Start) -> None:
    found = start(max_streams=1)
    with found.http.stream("GET", "/v1/audience/events") as answer:
        assert answer.status_code == 200
        with httpx2.Client(base_url=found.url) as other:
            problem(other.get("/v1/audience/events"), 503, "streams")
            assert "mien_streams 1.0" in other.get("/metrics").text
    wait_until(lambda: hub_of(found).streams == 0)
    assert len(events(found, 1)) == 1


def test_events_end_when_the_service_does(start: Start) -> None:
    found = start()
    lines: list[str] = []

    def listen() -> None:
        with httpx2.stream("GET", found.url + "/v1/audience/events", timeout=30) as answer:
            lines.extend(answer.iter_lines())

    listener = threading.Thread(target=listen)
    listener.start()
    wait_until(lambda: hub_of(found).streams == 1)
    found.service.ending = True
    listener.join(10)

    assert not listener.is_alive()
    assert lines[0] == "event: live"


def test_what_is_stored_is_stated(shop: Running) -> None:
    told = shop.http.get("/v1/privacy").json()

    assert told["stored"]["never"][0] == "pictures"
    assert told["shown"]["k"] == 5
    assert {"name": "door", "areas": ["hall"]} in told["cameras"]
    assert told["schema"]["visits"]["columns"]["camera"]


def test_prometheus_gets_totals_and_cameras(shop: Running) -> None:
    text = shop.http.get("/metrics").text

    assert 'mien_visits_today{age="all",area="hall",camera="door"}' in text
    assert 'mien_camera_state{camera="back door",state="ended"} 1.0' in text
    assert 'mien_camera_frames_total{camera="door"}' in text


ROUTES = ["/v1/audience", "/v1/audience/live", "/v1/audience/events", "/v1/privacy"]
ROUTES += ["/v1/cameras", "/v1/cameras/door/still", "/v1/tallies", "/v1/tallies/x"]


def test_every_route_asks_for_the_key(start: Start) -> None:
    key = "a-key-of-twenty-four-chars"
    found = start(api_keys=key)
    for route in ROUTES:
        problem(found.http.get(route), 401, "unauthorized")
    problem(found.http.put("/v1/cameras/door/areas", json={"areas": []}), 401, "unauthorized")
    problem(found.http.post("/v1/tallies", json={}), 401, "unauthorized")
    right = {"Authorization": f"Bearer {key}"}
    assert found.http.get("/v1/cameras", headers=right).status_code == 200


def test_a_store_alone_is_shown_without_cameras(start: Start) -> None:
    found = start(cameras=False)

    assert ask(found, **DAY)["rows"]
    assert found.http.get("/v1/cameras").json() == []
    live = found.http.get("/v1/audience/live").json()
    assert (live["recorder"], live["cameras"], live["problem"]) == (None, [], "")
    problem(found.http.get("/v1/cameras/door/still"), 404, "no-such-camera")
    body = {"camera": "door", "area": "hall"}
    problem(found.http.post("/v1/tallies", json=body), 404, "no-such-camera")
    problem(found.http.put("/v1/cameras/door/areas", json={"areas": []}), 404, "no-such-camera")
