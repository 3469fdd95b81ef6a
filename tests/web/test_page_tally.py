"""The tally on a phone: several tap, a connection that goes, and what it says in the end."""

from typing import Any, Final

import pytest

from tests.serve.conftest import Running
from tests.web.conftest import Visit, Visiting, Watched, api
from tests.web.test_page_parts import AXE, violations

PHONE: Final[dict[str, Any]] = {"viewport": {"width": 390, "height": 700}, "has_touch": True}


def stand(here: Visit, word: str = "Start") -> None:
    """Go to the door, and begin or join."""
    here.open("tally")
    here.page.get_by_role("button", name=f"{word}: hall (door)").tap()
    here.page.wait_for_selector(".tally-buttons")


def tap(here: Visit, group: str, times: int = 1) -> None:
    for _ in range(times):
        here.page.locator(".tally-buttons button", has_text=group).tap()


def counts(found: Running) -> dict[str, int]:
    (tally,) = found.http.get("/v1/tallies").json()["running"]
    return {group: n for group, n in tally["counts"].items() if n}


def shown(here: Visit, group: str) -> Any:
    return here.page.locator(".tally-buttons button", has_text=group).locator("strong")


def sent(here: Visit) -> None:
    api.expect(here.page.get_by_text("All taps are with the service.")).to_be_visible()


def test_two_phones_tap_into_one_tally(visit: Visiting, watched: Watched) -> None:
    found = watched()
    left, right = (visit(url=found.url, **PHONE) for _ in range(2))
    stand(left)
    tap(left, "Adult", 3)
    tap(left, "Child")
    stand(right, "Join")
    tap(right, "Adult", 2)
    api.expect(shown(left, "Adult")).to_have_text("5")
    api.expect(shown(right, "Child")).to_have_text("1")

    # Each takes back his own.
    left.page.get_by_role("button", name="Undo").tap()
    api.expect(shown(right, "Child")).to_have_text("0")
    sent(left)
    assert counts(found) == {"adult": 5}
    left.page.get_by_role("button", name="Undo").tap()
    api.expect(shown(right, "Adult")).to_have_text("4")

    left.page.get_by_role("button", name="Finish").tap()
    api.expect(left.page.get_by_text("intervals will be wide")).to_be_visible()
    left.page.get_by_role("button", name="Yes").tap()
    api.expect(left.page.get_by_text("4 people tapped, 0 visits seen")).to_be_visible()
    (door,) = found.http.get("/v1/tallies").json()["doors"]
    capture = [f"{door['capture'][end]:.0%}" for end in ("value", "low", "high")]
    told = f"{capture[0]} of the people who pass are seen ({capture[1]} to {capture[2]})"
    api.expect(left.page.get_by_text(told)).to_be_visible()
    assert left.page.locator(".bias tbody tr").count() == 5
    api.expect(right.page.get_by_text("finished or thrown away by somebody else")).to_be_visible()
    assert left.complaints == []


def test_taps_without_a_connection_are_sent_later(visit: Visiting, watched: Watched) -> None:
    found = watched()
    here = visit(url=found.url, **PHONE)
    stand(here)
    tap(here, "Teen")
    sent(here)
    here.page.context.set_offline(True)
    tap(here, "Teen", 2)
    tap(here, "Senior")
    here.page.get_by_role("button", name="Undo").tap()
    api.expect(here.page.get_by_text("2 taps are kept on this phone")).to_be_visible()
    api.expect(shown(here, "Teen")).to_have_text("3")
    assert counts(found) == {"teen": 1}
    here.page.context.set_offline(False)
    sent(here)
    assert counts(found) == {"teen": 3}


def test_goes_on_where_the_phone_was_closed(visit: Visiting, watched: Watched) -> None:
    found = watched()
    here = visit(url=found.url, **PHONE)
    stand(here)
    tap(here, "Youth", 2)
    sent(here)
    here.page.reload()
    api.expect(shown(here, "Youth")).to_have_text("2")
    here.page.get_by_role("button", name="Undo").tap()
    api.expect(shown(here, "Youth")).to_have_text("1")
    here.page.get_by_role("button", name="Throw away").tap()
    here.page.get_by_role("button", name="Yes").tap()
    api.expect(here.page.get_by_role("button", name="Start: hall (door)")).to_be_visible()
    assert found.http.get("/v1/tallies").json()["running"] == []


def test_all_buttons_lie_on_a_small_phone(visit: Visiting, watched: Watched) -> None:
    found = watched()
    here = visit(url=found.url, viewport={"width": 360, "height": 640}, has_touch=True)
    stand(here)
    for button in here.page.locator(".tally-buttons button").all():
        box = button.bounding_box()
        assert box["y"] + box["height"] <= 640
        assert box["height"] >= 48
    undo = here.page.get_by_role("button", name="Undo").bounding_box()
    assert undo["y"] + undo["height"] <= 640


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: run `npm ci` in web/")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_tap_and_read_what_it_says(
    visit: Visiting, watched: Watched, theme: str
) -> None:
    here = visit(url=watched().url, color_scheme=theme, **PHONE)
    stand(here)
    tap(here, "Adult")
    sent(here)
    assert violations(here) == []
    here.page.get_by_role("button", name="Finish").tap()
    assert violations(here) == []
    here.page.get_by_role("button", name="Yes").tap()
    here.page.wait_for_selector(".bias")
    assert violations(here) == []
    assert here.page.evaluate("document.documentElement.scrollWidth") == 390


def test_says_what_is_kept(visit: Visiting, watched: Watched) -> None:
    found = watched()
    here = visit(url=found.url, **PHONE)
    here.open("tally")
    kept = here.page.get_by_text("Only counts are kept")
    api.expect(kept).to_be_visible()
    stand(here)
    api.expect(kept).to_be_visible()
