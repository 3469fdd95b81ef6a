"""The page of a watch: totals as the service gives them, areas drawn, and who may see it."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.serve.conftest import KEY, Running
from tests.web.conftest import Visit, Visiting, Watched, api
from tests.web.test_page_parts import AXE, violations

DAY: Final = "2026-03-02"
"""The day of the visits that the shop's store begins with."""


def choose_day(
    here: Visit, *, period: str = "Period", ends: tuple[str, str] = ("From", "To")
) -> None:
    """Look at the day of the store's visits."""
    here.page.get_by_label(period, exact=True).select_option("custom")
    for end in ends:
        here.page.get_by_label(end, exact=True).fill(DAY)
    api.expect(here.page.locator(".totals[aria-busy=false] .bar-chart")).to_have_count(2)


def cells(here: Visit, chart: str) -> dict[str, list[str]]:
    """Return a chart's table: the row's name and its cells."""
    figure = here.page.get_by_role("figure", name=chart)
    if not figure.locator("details").get_attribute("open"):
        figure.locator("summary").click()
    rows = figure.locator("tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows}


def test_a_watch_begins_with_its_audience(visit: Visiting, shop: Running) -> None:
    here = visit(url=shop.url)
    here.page.goto(shop.url)
    api.expect(here.page.locator("h1")).to_have_text("Who came, when, and for how long")
    assert here.page.locator("nav a").first.get_attribute("href") == "#/audience"
    here.page.goto(f"{shop.url}/tally")
    api.expect(here.page.locator("h1")).to_have_text("Tally at the door")


def test_what_few_need_comes_when_it_is_looked_at(visit: Visiting, shop: Running) -> None:
    def loaded() -> set[str]:
        scripts = (re.search(r"/assets/(\w+)-[\w-]+\.js", url) for _, url in here.requests)
        return {script[1] for script in scripts if script}

    here = visit(url=shop.url)
    here.open("photo")
    assert not loaded() & {"AudiencePage", "TallyPage", "BarChart"}
    here.page.click("nav a[href='#/audience']")
    choose_day(here)
    assert {"AudiencePage", "BarChart"} <= loaded()
    assert "TallyPage" not in loaded()


@pytest.mark.parametrize("part", ["audience", "tally"])
def test_says_how_to_start_a_watch(visit: Visiting, service: Running, part: str) -> None:
    here = visit(url=service.url)
    here.open(part)
    api.expect(here.page.get_by_text("mien watch shop.toml --serve")).to_be_visible()


def test_shows_totals_as_the_service_gives_them(visit: Visiting, shop: Running) -> None:
    query = {"from": DAY, "to": DAY, "by": "age"}
    rows = shop.http.get("/v1/audience", params=query).json()["rows"]
    here = visit(url=shop.url)
    here.open("audience")
    choose_day(here)

    table = cells(here, "How old are they?")

    assert any(row["hidden"] for row in rows)
    assert any(not row["hidden"] for row in rows)
    for row in rows:
        visits, corrected = table[row["age"].capitalize()]
        if row["hidden"] and not row["visits"]:
            # What is small is hidden, and no zero.
            assert (visits, corrected) == ("hidden", "hidden")
            continue
        sign = "≥ " if row["hidden"] else ""
        ends = [round(row["corrected"][end]) for end in ("value", "low", "high")]
        assert visits == f"{sign}{row['visits']}"
        assert corrected == f"{sign}{ends[0]} ({ends[1]}–{ends[2]})"
    hours = cells(here, "When do they come?")
    assert list(hours) == ["12:00"]
    assert here.complaints == []


def test_draws_intervals_and_hatches_what_is_hidden(visit: Visiting, shop: Running) -> None:
    here = visit(url=shop.url)
    here.open("audience")
    choose_day(here)
    chart = here.page.get_by_role("figure", name="How old are they?")
    table = cells(here, "How old are they?")
    hidden = sum(cell == "hidden" for row in table.values() for cell in row)
    intervals = sum("(" in cell for row in table.values() for cell in row)
    assert hidden
    assert intervals
    assert chart.locator("svg rect.hatched").count() >= hidden
    assert chart.locator("svg .error-bar").count() == intervals
    # None of them is drawn as a bar without height.
    heights = chart.locator("svg .chart-bar").evaluate_all(
        "all => all.map(b => +b.getAttribute('height'))"
    )
    assert len(heights) == sum(cell != "hidden" for row in table.values() for cell in row)


def test_follows_live_totals_and_cameras(visit: Visiting, shop: Running) -> None:
    here = visit(url=shop.url)
    here.open("audience")
    api.expect(here.page.locator(".link")).to_have_text("live")
    door = here.page.locator(".camera", has_text="back door")
    api.expect(door).to_contain_text("ended since")
    api.expect(door).to_contain_text("no such file")
    tile = here.page.get_by_role("article", name="hall, door")
    api.expect(tile).to_contain_text("Visits today")
    # A live total below the first step is no zero.
    assert "0" not in tile.locator("dd").all_inner_texts()
    assert here.complaints == []


def test_compares_days(visit: Visiting, shop: Running) -> None:
    here = visit(url=shop.url)
    here.open("audience")
    choose_day(here)
    here.page.get_by_label("Compare with").select_option("custom")
    compared = here.page.get_by_role("region", name="What is different?").first
    for end in ("From", "To"):
        compared.get_by_label(end, exact=True).fill("2026-03-03")
    api.expect(compared.locator("tbody th").nth(1)).to_contain_text("Mar 3")
    api.expect(compared.get_by_role("figure", name="Age groups, corrected")).to_be_visible()
    rows = shop.http.get(
        "/v1/audience", params={"from": "2026-03-03", "to": "2026-03-03", "by": "area"}
    )
    (row,) = rows.json()["rows"]
    api.expect(compared.locator("tbody tr").nth(1).locator("td").first).to_have_text(
        str(row["visits"])
    )


def test_gives_the_totals_as_a_file(visit: Visiting, shop: Running) -> None:
    here = visit(url=shop.url)
    here.open("audience")
    choose_day(here)
    with here.page.expect_download() as download:
        here.page.get_by_role("button", name="CSV").click()
    query = {"from": DAY, "to": DAY, "by": "camera,area,age,hour", "format": "csv"}
    assert download.value.suggested_filename == f"audience-{DAY}-{DAY}-hour.csv"
    assert (
        Path(download.value.path()).read_bytes()
        == shop.http.get("/v1/audience", params=query).content
    )


def test_asks_for_the_key_and_sends_it_with_the_live_totals(
    visit: Visiting, watched: Watched
) -> None:
    found = watched(api_keys=(KEY,))
    here = visit(url=found.url)
    here.open("audience")
    api.expect(here.page.get_by_role("alert").first).to_contain_text("asks for an API key")
    here.page.get_by_role("button", name="Server").click()
    here.page.get_by_label("API key").fill(KEY)
    here.page.get_by_role("button", name="Use this server").click()
    api.expect(here.page.locator(".link")).to_have_text("live")
    assert all(KEY not in url for _, url in here.requests)


def polygon(found: Running, index: int) -> list[list[float]]:
    corners: list[list[float]] = found.http.get("/v1/cameras").json()[0]["areas"][index]["polygon"]
    return corners


def save(here: Visit) -> None:
    here.page.get_by_role("button", name="Save", exact=True).click()
    api.expect(here.page.get_by_text("it counts from now on")).to_be_visible()


def test_draws_areas_by_mouse_and_by_keyboard(
    visit: Visiting, watched: Watched, tmp_path: Path
) -> None:
    found = watched()
    here = visit(url=found.url)
    here.open("audience")
    here.page.get_by_role("button", name="Draw the areas of door").click()
    canvas = here.page.get_by_role("group", name="The view of door with its areas")
    api.expect(here.page.locator(".area-canvas img")).to_be_visible()

    def at(x: float, y: float) -> tuple[float, float]:
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    # A corner is dragged, and another moved by keys.
    here.page.mouse.move(*at(0.5, 0))
    here.page.mouse.down()
    here.page.mouse.move(*at(0.6, 0.2), steps=4)
    here.page.mouse.up()
    corner = here.page.get_by_role("button", name=re.compile("^Corner 3 of hall"))
    corner.focus()
    here.page.keyboard.press("ArrowLeft")
    here.page.keyboard.press("Shift+ArrowUp")
    save(here)
    moved = polygon(found, 0)
    assert moved[1] == pytest.approx([0.6, 0.2], abs=0.01)
    assert moved[2] == pytest.approx([0.49, 0.95])

    # Another is drawn, corner by corner, and is passed over.
    here.page.get_by_role("button", name="Draw an area").click()
    for x, y in ((0.7, 0.1), (0.9, 0.1), (0.9, 0.4), (0.7, 0.1)):
        here.page.mouse.click(*at(x, y))
    here.page.get_by_label("Name").nth(1).fill("poster")
    here.page.get_by_label("Ignore faces here").nth(1).check()
    save(here)
    told = found.http.get("/v1/cameras").json()[0]["areas"]
    assert [(area["name"], area["ignore"]) for area in told] == [("hall", False), ("poster", True)]
    assert polygon(found, 1) == [
        pytest.approx(p, abs=0.01) for p in ([0.7, 0.1], [0.9, 0.1], [0.9, 0.4])
    ]
    written = (tmp_path / "shop.toml").read_text()
    assert "poster" in written
    assert "# by the door" in written

    # Two of one name are not saved.
    here.page.get_by_label("Name").nth(1).fill("hall")
    api.expect(here.page.get_by_text("Another area has this name.")).to_be_visible()
    api.expect(here.page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    assert here.complaints == []


def test_draws_areas_by_finger(visit: Visiting, watched: Watched) -> None:
    found = watched()
    here = visit(url=found.url, viewport={"width": 390, "height": 800}, has_touch=True)
    here.open("audience")
    here.page.get_by_role("button", name="Draw the areas of door").tap()
    here.page.get_by_role("button", name="Draw an area").tap()
    canvas = here.page.get_by_role("group", name="The view of door with its areas")
    canvas.scroll_into_view_if_needed()
    for x, y in ((0.6, 0.2), (0.9, 0.2), (0.9, 0.8), (0.6, 0.2)):
        # Looked for anew each time, as a person does: lines about the view may move it.
        box = canvas.bounding_box()
        here.page.touchscreen.tap(box["x"] + x * box["width"], box["y"] + y * box["height"])
    save(here)
    drawn = [pytest.approx(p, abs=0.01) for p in ([0.6, 0.2], [0.9, 0.2], [0.9, 0.8])]
    assert polygon(found, 1) == drawn


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: run `npm ci` in web/")
@pytest.mark.parametrize(("theme", "locale"), [("light", "en"), ("dark", "vi")])
@pytest.mark.parametrize("part", ["audience", "areas", "tally"])
def test_everybody_can_use_it(
    visit: Visiting, shop: Running, part: str, theme: str, locale: str
) -> None:
    here = visit(url=shop.url, color_scheme=theme, locale=locale)
    settled(here, part, locale)
    assert violations(here) == []


@pytest.mark.parametrize("part", ["audience", "areas", "tally"])
@pytest.mark.parametrize("width", [390, 1024, 1440])
@pytest.mark.parametrize("locale", ["en", "vi"])
def test_nothing_lies_beyond_the_screen(
    visit: Visiting, shop: Running, part: str, width: int, locale: str
) -> None:
    here = visit(url=shop.url, viewport={"width": width, "height": 800}, locale=locale)
    settled(here, part, locale)
    assert here.page.evaluate("document.documentElement.scrollWidth") == width
    assert here.complaints == []


def settled(here: Visit, part: str, locale: str) -> None:
    """Open a part, and wait until all of it is there."""
    here.open("tally" if part == "tally" else "audience")
    if part == "tally":
        here.page.wait_for_selector(".tally-doors button")
        return
    here.page.wait_for_selector(".camera")
    if part == "areas":
        here.page.locator(".camera button").first.click()
        here.page.wait_for_selector(".handle")
        return
    if locale == "vi":
        choose_day(here, period="Thời gian", ends=("Từ", "Đến"))
    else:
        choose_day(here)
    here.page.wait_for_selector(".kept")
    for summary in here.page.locator("summary").all():
        summary.click()
