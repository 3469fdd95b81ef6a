"""All parts of the page: what they show, that everybody can use them, on every screen."""

from pathlib import Path
from typing import Any, Final

import pytest

from mien.serve.settings import Settings
from tests.photos import HOPPER
from tests.serve.conftest import Running, running
from tests.web.conftest import Visit, Visiting, api

PARTS: Final = ("photo", "live", "classify", "models")
AXE: Final = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


def settled(here: Visit, part: str) -> None:
    here.open(part)
    if part == "photo":
        here.give(HOPPER)
    elif part == "models":
        here.page.wait_for_selector(".model")
    elif part == "classify":
        here.page.wait_for_selector(".choice")


def violations(here: Visit) -> list[tuple[str, str]]:
    """Return what keeps somebody from using the page as it stands: the rule, and the element."""
    here.page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = here.page.evaluate("axe.run()")
    return [
        (violation["id"], node["html"])
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: run `npm ci` in web/")
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("theme", "locale"), [("light", "en"), ("dark", "vi")])
def test_everybody_can_use_it(visit: Visiting, part: str, theme: str, locale: str) -> None:
    here = visit(color_scheme=theme, locale=locale)
    settled(here, part)
    assert violations(here) == []


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_nothing_lies_beyond_the_screen(visit: Visiting, part: str, width: int) -> None:
    here = visit(viewport={"width": width, "height": 800})
    settled(here, part)
    assert here.page.evaluate("document.documentElement.scrollWidth") == width
    assert here.complaints == []


def test_no_other_host_is_asked(visit: Visiting, service: Running) -> None:
    here = visit()
    for part in PARTS:
        settled(here, part)
    hosts = {url.split("/")[2] for _, url in here.requests if not url.startswith("blob:")}
    assert hosts == {service.url.split("/")[2]}


def test_choices_are_kept(visit: Visiting) -> None:
    here = visit(color_scheme="light")
    here.open()
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = here.page.evaluate(ground)
    here.page.get_by_label("Colours").select_option("dark")
    assert here.page.evaluate(ground) != light
    here.page.get_by_label("Language").select_option("vi")
    here.page.reload()
    api.expect(here.page.locator("h1")).to_have_text("Khuôn mặt trong ảnh")
    assert here.page.evaluate(ground) != light


def test_a_spoilt_storage_does_no_harm(visit: Visiting) -> None:
    here = visit()
    here.open()
    here.page.evaluate(
        """localStorage.setItem("mien.settings", '{"language": 7, "server": "::"}')"""
    )
    here.page.reload()
    api.expect(here.page.locator("h1")).to_have_text("Faces in a photo")


def test_classifies(visit: Visiting) -> None:
    here = visit()
    here.open("classify")
    here.give(HOPPER)
    classes = here.page.get_by_role("list", name="The most probable classes")
    api.expect(classes.get_by_role("listitem")).to_have_count(3)
    shares = [float(text.rstrip("%")) for text in classes.locator(".bar-value").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.2)


def test_offers_every_classifier_of_the_service(
    visit: Visiting, models: tuple[str, ...], tmp_path: Path
) -> None:
    others = [tmp_path / f"{name}.onnx" for name in ("flowers", "animals")]
    for path in others:
        path.write_bytes(Path(models[1]).read_bytes())
    with running(Settings(models=(*models, *map(str, others)), threads=1)) as several:
        here = visit(url=several.url)
        here.open("classify")
        choice = here.page.get_by_label("Model", exact=True)
        api.expect(choice.locator("option")).to_have_text(["colour", "flowers", "animals"])
        choice.select_option("animals")
        with here.page.expect_request("**/v1/classify*") as asked:
            here.give(HOPPER)
        assert "model=animals" in asked.value.url


def test_says_where_no_model_classifies(visit: Visiting) -> None:
    with running(Settings(models=("face",), threads=1)) as faces_only:
        here = visit(url=faces_only.url)
        here.open("classify")
        api.expect(here.page.get_by_text("no model that classifies")).to_be_visible()


def test_shows_the_cards(visit: Visiting, service: Running) -> None:
    model = service.http.get("/v1/models").json()["models"][0]
    here = visit()
    here.open("models")
    card = here.page.get_by_role("article", name=f"{model['name']} Reads faces", exact=True)
    api.expect(card).to_contain_text(model["card"]["limits"])
    for data in model["card"]["data"]:
        api.expect(
            card.get_by_role("row", name=f"{data['name']} {data['pictures']:,}")
        ).to_contain_text(data["terms"])
    (mae,) = (
        metric["value"]
        for metric in model["card"]["metrics"]
        if (metric["task"], metric["name"], metric["by"]) == ("age", "mae", "")
    )
    api.expect(
        card.get_by_role("region", name=f"{model['name']}: Age", exact=True)
    ).to_contain_text(f"{mae:.2f}")
    confusions = model["card"]["confusions"]
    api.expect(card.locator(".confusion")).to_have_count(len(confusions))
    row = confusions[0]["counts"][0]
    first = card.locator(".confusion").first.locator("tbody tr").first
    assert first.locator("td").first.inner_text() == f"{row[0] / sum(row):.0%}"
    card.get_by_role("button", name="Measure").click()
    api.expect(card).to_contain_text("ms a crop")


def test_an_unknown_part_is_named(visit: Visiting) -> None:
    here = visit()
    here.open("nothing")
    api.expect(here.page.locator("h1")).to_have_text("There is no such page here.")


def test_results_stay_while_another_part_is_shown(visit: Visiting) -> None:
    here = visit()
    here.open()
    here.give(HOPPER)
    told = here.text(".face .result")
    here.page.click("nav a[href='#/models']")
    here.page.wait_for_selector(".model")
    assert here.page.locator(".face .result").is_hidden()
    here.page.go_back()
    assert here.page.locator(".face .result").is_visible()
    assert here.text(".face .result") == told
    # What was read is not read again, and the picture is still drawn.
    assert sum("/v1/analyze" in url for _, url in here.requests) == 1
    assert here.complaints == []


def test_a_part_that_is_not_shown_takes_no_pictures(visit: Visiting) -> None:
    here = visit()
    here.open("photo")
    here.page.click("nav a[href='#/classify']")
    here.page.wait_for_selector(".choice")
    here.page.evaluate("""() => {
        const data = new DataTransfer();
        data.items.add(new File(["x"], "x.png", { type: "image/png" }));
        document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
    }""")
    here.page.wait_for_timeout(200)
    assert here.page.locator("main > div[hidden] article.picture").count() == 0


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_an_address_of_its_own(visit: Visiting, part: str) -> None:
    here = visit()
    here.open(part)
    here.page.reload()
    here.page.wait_for_selector("h1")
    current = here.page.locator("nav a[aria-current=page]")
    assert current.get_attribute("href") == f"#/{part}"
