"""Areas written into a configuration's file."""

import os
import threading
from pathlib import Path

import pytest

from mien.errors import OutputError
from mien.watch import config
from mien.watch.config import Area, WatchError
from mien.watch.editing import rounded, write_areas

LEFT = Area(name="left", polygon=((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
RIGHT = Area(name='the "right"', polygon=((0.5, 0), (1, 0), (1, 1)), ignore=True)

TABLES = """\
# ours
threads = 1

[[cameras]]
name = "door"  # at the front
source = "rtsp://u:p@h/live"

# what we sell
[[cameras.areas]]
name = "left"  # of the door
polygon = [[0, 0], [0.25, 0], [0.25, 1]]

[[cameras.areas]]
name = "gone"
polygon = [[0, 0], [0.25, 0], [0.25, 1]]

[[cameras]]
name = "hall"
source = "0"
[[cameras.areas]]
name = "left"
polygon = [[0, 0], [1, 0], [1, 1]]

[privacy]
k = 7  # of us
"""

BARE = '# ours\n[[cameras]]\nname = "door"\nsource = "0"\n\n[privacy]\nk = 7  # of us\n'

INLINE = """\
# ours
cameras = [
  { name = "hall", source = "1" },
  { name = "door", source = "0", areas = [{ name = "gone", polygon = [[0, 0], [1, 0], [1, 1]] }] },
]
privacy = { k = 7 }  # of us
"""

HALF = """\
# ours
[[cameras]]
name = "door"
source = "0"
areas = [{ name = "left", polygon = [[0, 0], [1, 0], [1, 1]] }]
[privacy]
k = 7  # of us
"""


@pytest.mark.parametrize("text", [TABLES, BARE, INLINE, HALF])
@pytest.mark.parametrize("areas", [[LEFT, RIGHT], [RIGHT, LEFT], [RIGHT], []])
def test_areas_change_and_nothing_else(tmp_path: Path, text: str, areas: list[Area]) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(text)
    before = config.read(file)

    write_areas(file, "door", areas)

    after = config.read(file)
    by_name = {camera.name: camera for camera in after.cameras}
    assert by_name["door"].areas == tuple(areas)
    others = [camera for camera in before.cameras if camera.name != "door"]
    assert [camera for camera in after.cameras if camera.name != "door"] == others
    assert after.privacy.k == 7
    assert file.read_text().startswith("# ours\n")
    assert "# of us" in file.read_text()


def test_comments_of_what_stays_stay(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(TABLES)

    write_areas(file, "door", [LEFT, RIGHT])

    text = file.read_text()
    for comment in ("# at the front", "# what we sell", "# of the door", "# of us"):
        assert comment in text
    assert "\n\n[privacy]" in text
    assert "\n\n\n" not in text


def test_drawing_again_and_again_adds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(TABLES)
    found = []
    for _ in range(3):
        for areas in ([RIGHT], [], [LEFT], [LEFT, RIGHT]):
            write_areas(file, "door", areas)
        found.append(file.read_text())

    assert found[0] == found[1] == found[2]


def test_corners_are_rounded_and_what_is_left_must_be_an_area() -> None:
    [found] = rounded([Area(name="a", polygon=((0.12345678, 0), (1, 0), (1, 1)))])
    assert found.polygon[0] == (0.1235, 0)
    thin = Area(name="a", polygon=((0, 0), (1, 0.00002), (1, 0)))
    with pytest.raises(ValueError, match="one line"):
        rounded([thin])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read"),
        ("[[cameras", "not a TOML file"),
        (TABLES.replace('"door"', '"back"'), "no camera 'door'"),
        (TABLES.replace("k = 7", "k = 0"), "privacy.k"),
        ("cameras = 5", "cameras: "),
        ("cameras = [5]", "cameras.0: "),
    ],
)
def test_a_file_that_has_changed_is_refused_and_left(
    tmp_path: Path, text: str | None, told: str
) -> None:
    file = tmp_path / "shop.toml"
    if text is not None:
        file.write_text(text)

    with pytest.raises(WatchError, match=told):
        write_areas(file, "door", [LEFT])

    assert (file.read_text() if file.exists() else None) == text


@pytest.mark.skipif(os.name == "nt", reason="links need leave there")
def test_a_link_stays_one_and_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text(TABLES)
    link = tmp_path / "link.toml"
    link.symlink_to("real.toml")
    write_areas(link, "door", [LEFT])

    assert link.is_symlink()
    assert config.read(tmp_path / "real.toml").cameras[0].areas == (LEFT,)
    named_too_long = tmp_path / ("x" * 300)
    with pytest.raises((WatchError, OutputError)):
        write_areas(named_too_long, "door", [LEFT])


def test_readers_see_the_old_file_or_the_new(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(TABLES)
    over = threading.Event()
    seen: list[int] = []

    def look() -> None:
        while not over.is_set():
            seen.append(len(config.read(file).cameras[0].areas))

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(20):
        write_areas(file, "door", [LEFT, RIGHT][: 1 + number % 2])
    over.set()
    reader.join()

    assert set(seen) <= {1, 2}
