"""The page reads photographs: boxes, results, downloads, and words where something fails."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from mien.model import find
from mien.serve.settings import Settings
from tests.photos import HOPPER, astronaut
from tests.serve.conftest import Running, running, wait_until
from tests.web.conftest import Visiting, api, upload

BLANK = upload("blank.png", Image.new("RGB", (320, 200), (90, 120, 90)))
BROKEN = {"name": "broken.png", "mimeType": "image/png", "buffer": BLANK["buffer"][:60]}


def group() -> dict[str, Any]:
    """Return a picture of two faces."""
    wide = Image.new("RGB", (1040, 620))
    wide.paste(Image.fromarray(astronaut()), (0, 0))
    with Image.open(HOPPER) as portrait:
        wide.paste(portrait, (520, 0))
    return upload("group.png", wide)


def told_age(service: Running) -> tuple[int, str]:
    """Return what the service tells of the portrait, over HTTP."""
    answer = service.http.post("/v1/analyze", files={"file": HOPPER.read_bytes()})
    age = answer.json()["pictures"][0]["faces"][0]["attributes"]["age"]
    return round(age["years"]), age["group"].capitalize()


def test_shows_what_the_service_read(visit: Visiting, service: Running) -> None:
    here = visit()
    here.open()
    here.give(HOPPER)
    years, name = told_age(service)
    assert here.text(".face .result") == f"Age: {years} Group: {name}"
    assert "holds the true age in 90 %" in here.text(".age-words")
    assert here.page.locator(".box-line").count() == 1
    assert here.page.get_by_role("list", name="Expression").get_by_role("listitem").count() == 8
    assert here.page.get_by_role("list", name="Gender").get_by_role("listitem").count() == 2
    assert here.complaints == []


def test_speaks_vietnamese(visit: Visiting, service: Running) -> None:
    here = visit(locale="vi-VN")
    here.open()
    here.give(HOPPER, BLANK)
    years, _ = told_age(service)
    assert here.page.locator("html").get_attribute("lang") == "vi"
    texts = here.page.locator(".result").all_inner_texts()
    assert any(text.startswith(f"Độ tuổi: {years} Nhóm: ") for text in texts)
    assert "Xin lỗi! Không tìm thấy khuôn mặt nào trong ảnh này" in texts


def test_race_is_told_only_when_switched_on(visit: Visiting) -> None:
    here = visit()
    here.open()
    here.give(HOPPER)
    races = here.page.get_by_role("list", name="Race")
    assert races.count() == 0
    here.page.get_by_label("Also guess race").check()
    api.expect(races).to_have_count(1)
    here.page.get_by_label("Also guess race").uncheck()
    api.expect(races).to_have_count(0)


def test_each_of_several_pictures_stands_for_itself(visit: Visiting) -> None:
    here = visit()
    here.open()
    here.give(group(), BLANK, BROKEN)
    parts = {
        name: here.page.get_by_role("article", name=name)
        for name in ("group.png", "blank.png", "broken.png")
    }
    api.expect(parts["group.png"].locator(".face .result")).to_have_count(2)
    red = parts["blank.png"].get_by_role("alert")
    api.expect(red).to_have_text("Sorry! Can not find any face in this image")
    assert red.evaluate("element => element.classList.contains('wrong')")
    api.expect(parts["broken.png"].get_by_role("alert")).to_contain_text("cannot be read")
    here.page.get_by_role("button", name="Remove broken.png").click()
    api.expect(parts["broken.png"]).to_have_count(0)
    here.page.get_by_role("button", name="Remove all").click()
    api.expect(here.page.locator("article.picture")).to_have_count(0)


def test_results_can_be_downloaded(visit: Visiting, tmp_path: Path) -> None:
    here = visit()
    here.open()
    here.give(HOPPER)

    def fetch(button: str) -> tuple[str, bytes]:
        with here.page.expect_download() as waiting:
            here.page.get_by_role("button", name=button, exact=True).click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path.name, path.read_bytes()

    name, data = fetch("CSV")
    (row,) = csv.DictReader(io.StringIO(data.decode()))
    assert (name, row["picture"], row["face"]) == ("grace_hopper-faces.csv", HOPPER.name, "1")
    name, data = fetch("JSON")
    (found,) = json.loads(data)["pictures"]
    assert (name, found["width"], len(found["faces"])) == ("grace_hopper-faces.json", 512, 1)
    assert float(row["age"]) == found["faces"][0]["attributes"]["age"]["years"]
    name, data = fetch("Picture with boxes")
    with Image.open(io.BytesIO(data)) as drawn, Image.open(HOPPER) as plain:
        assert (name, drawn.size) == ("grace_hopper-faces.png", plain.size)
        box = found["faces"][0]["box"]
        edge = (round(box["x"]), round(box["y"] + box["height"] / 2))
        assert drawn.convert("RGB").getpixel(edge) != plain.getpixel(edge)


def test_a_picture_can_be_taken(visit: Visiting) -> None:
    here = visit()
    here.open()
    here.page.get_by_role("button", name="Take a picture").click()
    # A camera's first frames may be black.
    seconds = "() => document.querySelector('dialog video')?.currentTime ?? 0"
    wait_until(lambda: here.page.evaluate(seconds) > 0.3)
    here.page.get_by_role("button", name="Take it").click()
    api.expect(here.page.locator(".face .result")).to_have_count(2)
    assert here.page.get_by_role("dialog").count() == 0


def test_pictures_can_be_pasted_and_dropped(visit: Visiting) -> None:
    here = visit()
    here.open()
    hand_over = """([type, bytes]) => {
        const carried = new DataTransfer();
        const content = new Uint8Array(bytes);
        carried.items.add(new File([content], `${type}.jpg`, { type: "image/jpeg" }));
        const options = { bubbles: true, cancelable: true };
        document.body.dispatchEvent(
            type === "paste"
                ? new ClipboardEvent(type, { ...options, clipboardData: carried })
                : new DragEvent(type, { ...options, dataTransfer: carried }),
        );
    }"""
    for kind in ("paste", "drop"):
        here.page.evaluate(hand_over, [kind, list(HOPPER.read_bytes())])
        part = here.page.get_by_role("article", name=f"{kind}.jpg")
        api.expect(part.locator(".face .result")).to_have_count(1)


def test_the_keyboard_suffices(visit: Visiting) -> None:
    here = visit()
    # The driver begins to catch choosers some time after somebody first listens for them.
    here.page.on("filechooser", lambda _: None)
    here.open()
    here.page.keyboard.press("Tab")
    assert here.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    here.page.keyboard.press("Enter")
    here.page.keyboard.press("Tab")
    with here.page.expect_file_chooser() as waiting:
        here.page.keyboard.press("Enter")
    waiting.value.set_files(HOPPER)
    api.expect(here.page.locator(".face .result")).to_have_count(1)


def test_a_dead_server_is_named_and_can_be_tried_again(
    visit: Visiting, models: tuple[str, ...]
) -> None:
    with running(Settings(models=models, threads=1)) as other:
        here = visit(url=other.url)
        here.open()
    here.give(HOPPER)
    alert = here.page.get_by_role("alert")
    api.expect(alert).to_contain_text(f"The server at {other.url} cannot be reached")
    alert.get_by_role("button", name="Try again").click()
    api.expect(alert).to_contain_text("cannot be reached")


def test_another_server_can_be_used(
    visit: Visiting, models: tuple[str, ...], service: Running
) -> None:
    with running(Settings(models=models, threads=1, origins=("*",))) as other:
        first = Settings(models=models, threads=1, servers=(other.url,))
        with running(first) as own:
            here = visit(url=own.url)
            here.open()
            here.page.get_by_role("button", name="Server").click()
            here.page.get_by_label("Address").fill("not an address")
            here.page.get_by_role("button", name="Use this server").click()
            api.expect(here.page.get_by_text("This is no address")).to_be_visible()
            here.page.get_by_label("Address").fill(other.url.removeprefix("http://"))
            here.page.get_by_role("button", name="Use this server").click()
            here.give(HOPPER)
            assert here.page.locator(".face .result").count() == 1
            asked = [url for method, url in here.requests if method == "POST"]
            assert asked
            assert all(url.startswith(other.url) for url in asked)


def test_a_key_is_asked_for_and_used(visit: Visiting, models: tuple[str, ...]) -> None:
    key = "a-key-of-twenty-four-chars"
    settings = Settings.model_validate({"models": models, "threads": 1, "api_keys": key})
    with running(settings) as guarded:
        here = visit(url=guarded.url)
        here.open()
        here.give(HOPPER)
        api.expect(here.page.get_by_role("alert")).to_contain_text("asks for an API key")
        here.page.get_by_role("button", name="Server").click()
        here.page.get_by_label("API key").fill(key)
        here.page.get_by_role("button", name="Use this server").click()
        api.expect(here.page.locator(".face .result")).to_have_count(1)
        assert here.page.evaluate("JSON.stringify(localStorage)").count(key) == 0
        # A plain link would go to a model's file without it.
        here.page.get_by_role("link", name="Models").click()
        with here.page.expect_download() as waiting:
            here.page.locator(".model a[download='face.onnx']").click()
        assert Path(waiting.value.path()).read_bytes() == find("face").read_bytes()


def test_a_picture_that_browsers_do_not_show_is_read_and_not_drawn(
    visit: Visiting, tmp_path: Path
) -> None:
    with Image.open(HOPPER) as picture:
        picture.save(tmp_path / "hopper.tif")
    here = visit()
    here.open()
    here.give(tmp_path / "hopper.tif")
    api.expect(here.page.locator(".face .result")).to_have_count(1)
    button = here.page.get_by_role("button", name="Picture with boxes")
    button.click()
    api.expect(button).to_have_count(0)
    api.expect(here.page.get_by_role("button", name="CSV", exact=True)).to_be_enabled()
