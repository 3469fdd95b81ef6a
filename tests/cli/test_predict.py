import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.card import Task
from tests.cli.conftest import Mien
from tests.tiny import face_card, model_bytes

FIELDS = [
    *("path", "face", "x", "y", "width", "height", "detection_score"),
    *("age", "age_low", "age_high", "age_group", "gender", "gender_p", "race", "race_p"),
    *("expression", "expression_p", "error"),
]

Paths = Callable[..., list[str]]


def test_a_face_is_one_row_with_every_field(mien: Mien, face: Path, face_model: Path) -> None:
    outcome = mien("predict", face, "-m", face_model)

    assert outcome.code == 0
    [row] = outcome.rows
    assert list(row) == FIELDS
    assert (row["path"], row["face"], row["error"]) == (str(face), 1, None)
    assert row["x"] == pytest.approx(178, abs=5)
    assert row["height"] == pytest.approx(113, abs=5)
    assert row["gender"] == "male"
    assert row["gender_p"] == round(row["gender_p"], 4)
    assert row["age"] == round(row["age"], 1)
    assert row["age_low"] <= row["age"] <= row["age_high"]
    assert row["race"] is None
    assert outcome.err == "1 picture read, 1 face, 0 without a face, 0 failed\n"


def test_race_is_read_when_named(mien: Mien, face: Path, face_model: Path) -> None:
    [row] = mien("predict", face, "-m", face_model, "--tasks", "race, gender").rows

    assert row["race"] in ("white", "black", "asian", "indian", "other")
    assert row["gender"] is not None
    assert row["age"] is None


def test_tasks_may_be_repeated(mien: Mien, face: Path, face_model: Path) -> None:
    [row] = mien("predict", face, "-m", face_model, "--tasks", "race", "--tasks", "age").rows

    assert row["race"] is not None
    assert row["age"] is not None
    assert row["gender"] is None


def test_a_picture_without_a_face_is_a_row_and_no_failure(
    mien: Mien, red: Path, face_model: Path
) -> None:
    outcome = mien("predict", red, "-m", face_model)

    assert outcome.code == 0
    [row] = outcome.rows
    assert row == dict.fromkeys(FIELDS) | {"path": str(red)}
    assert outcome.err == "1 picture read, 0 faces, 1 without a face, 0 failed\n"


def test_whole_is_always_one_row(mien: Mien, face: Path, red: Path, face_model: Path) -> None:
    found, plain = mien("predict", face, red, "-m", face_model, "--faces", "whole").rows

    assert (found["face"], plain["face"]) == (1, 1)
    assert found["x"] is not None
    assert plain["x"] is None
    assert plain["gender"] == "male"


def test_one_bad_picture_fails_alone(mien: Mien, face: Path, face_model: Path) -> None:
    Path("empty.jpg").touch()
    Path("text.jpg").write_text("this is no picture")

    outcome = mien("predict", "empty.jpg", face, "text.jpg", "gone.jpg", "-m", face_model)

    assert outcome.code == 1
    empty, good, text, gone = outcome.rows
    assert good["face"] == 1
    assert empty["error"].startswith("empty file (0 bytes)")
    assert text["error"].startswith("not a picture (it starts with b'this is no p'")
    assert gone["error"] == "no such file or folder; check the path"
    assert {row["face"] for row in (empty, text, gone)} == {None}
    assert outcome.err.endswith("1 picture read, 1 face, 0 without a face, 3 failed\n")


def test_a_classifier_ranks_classes(mien: Mien, red: Path, colour_model: Path) -> None:
    outcome = mien("predict", red, "gone.png", "-m", colour_model, "--top", "2")

    assert outcome.code == 1
    first, second, failed = outcome.rows
    assert list(first) == ["path", "rank", "label", "probability", "error"]
    assert (first["rank"], first["label"], first["error"]) == (1, "red", None)
    assert second["rank"] == 2
    assert failed["rank"] is None
    assert failed["error"]
    assert outcome.err == "1 picture read, 1 failed\n"


def test_a_model_with_other_tasks_adds_columns_before_the_error(
    mien: Mien, red: Path, tmp_path: Path
) -> None:
    mood = Task(name="mood", kind="classification", labels=("calm", "tense"))
    beard = Task(name="beard", kind="classification", labels=("yes", "no"), default=False)
    model = tmp_path / "other.onnx"
    model.write_bytes(model_bytes(face_card(tasks=(mood, beard))))

    [row] = mien("predict", red, "-m", model, "--faces", "whole").rows

    assert list(row) == [*FIELDS[:-1], "mood", "mood_p", "beard", "beard_p", "error"]
    assert row["mood"] == "calm"
    assert row["beard"] is None


def test_tasks_that_would_share_a_column_are_refused(mien: Mien, red: Path, tmp_path: Path) -> None:
    task = Task(name="width", kind="classification", labels=("narrow", "wide"))
    model = tmp_path / "other.onnx"
    model.write_bytes(model_bytes(face_card(tasks=(task,))))

    outcome = mien("predict", red, "-m", model)

    assert outcome.code == 2
    assert "two columns the name 'width'" in outcome.err


def test_age_groups_are_named_by_the_user(mien: Mien, red: Path, face_model: Path) -> None:
    options = ("-m", face_model, "--faces", "whole")

    [row] = mien("predict", red, *options, "--age-groups", "minor:0, grown up:18").rows
    [usual] = mien("predict", red, *options).rows

    assert row["age_group"] == "grown up"
    assert usual["age_group"] == "adult"


def test_faces_too_small_or_too_many_are_left_out(mien: Mien, face: Path, face_model: Path) -> None:
    two = Image.new("RGB", (1024, 512))
    portrait = Image.open(face)
    two.paste(portrait, (0, 0))
    two.paste(portrait.resize((256, 256)), (600, 100))
    two.save("two.png")

    def count(*options: str) -> int:
        return len(mien("predict", "two.png", "-m", face_model, *options).rows)

    assert count("--detect-size", "1024") == 2
    assert count("--detect-size", "1024", "--max-faces", "1") == 1
    assert count("--detect-size", "1024", "--min-face", "60") == 1


class TestPaths:
    @pytest.fixture
    def tree(self, red: Path, tmp_path: Path) -> Path:
        tree = tmp_path / "tree"
        for name in ("b.png", "a.PNG", "deep/er/c.png", "[1].png"):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(red, tree / name)
        (tree / "notes.txt").write_text("no picture")
        return tree

    @pytest.fixture
    def paths(self, mien: Mien, colour_model: Path) -> Paths:
        def read(*arguments: str | Path) -> list[str]:
            outcome = mien("predict", *arguments, "-m", colour_model, "--top", "1")
            assert outcome.code == 0
            return [row["path"] for row in outcome.rows]

        return read

    def test_a_folder_gives_its_pictures_sorted(self, paths: Paths, tree: Path) -> None:
        names = ["[1].png", "a.PNG", "b.png", "deep/er/c.png"]

        assert paths("tree") == [f"tree/{name}" for name in names]

    def test_a_pattern_is_expanded(self, paths: Paths, tree: Path) -> None:
        assert paths("tree/?.png") == ["tree/b.png"]
        assert paths(tree / "**" / "c.*") == [f"{tree}/deep/er/c.png"]

    def test_a_name_that_looks_like_a_pattern_is_a_name_first(
        self, paths: Paths, tree: Path
    ) -> None:
        assert paths("tree/[1].png") == ["tree/[1].png"]

    def test_a_picture_named_twice_is_read_once(self, paths: Paths, tree: Path) -> None:
        assert paths("tree/b.png", "tree/./b.png", tree / "b.png", "tree/[ab].png") == [
            "tree/b.png"
        ]

    def test_a_link_in_a_circle_ends(self, paths: Paths, tree: Path) -> None:
        (tree / "deep" / "up").symlink_to(tree, target_is_directory=True)

        assert len(paths("tree")) == 4

    def test_a_linked_folder_is_read(self, paths: Paths, tree: Path, tmp_path: Path) -> None:
        (tmp_path / "links").mkdir()
        (tmp_path / "links" / "to").symlink_to(tree / "deep", target_is_directory=True)

        assert paths("links") == ["links/to/er/c.png"]

    def test_a_name_that_is_not_utf_8_stays_readable(
        self, paths: Paths, red: Path, tmp_path: Path
    ) -> None:
        try:
            shutil.copy(red, tmp_path / os.fsdecode(b"\xff\n.png"))
        except OSError:
            pytest.skip("this file system takes no such names")

        assert paths(".") == ["\\xff\n.png"]

    def test_standard_input_is_one_picture(self, mien: Mien, red: Path, colour_model: Path) -> None:
        outcome = mien("predict", "-", red, "-m", colour_model, stdin=red.read_bytes())

        assert [row["path"] for row in outcome.rows if row["rank"] == 1] == ["-", str(red)]

    def test_empty_standard_input_fails_as_a_row(self, mien: Mien, colour_model: Path) -> None:
        outcome = mien("predict", "-", "-m", colour_model)

        assert outcome.code == 1
        assert outcome.rows[0]["error"].startswith("empty file")


class TestWrongUse:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ([], "Missing argument 'PATH'"),
            (["nothere.jpg"], "mien: nothere.jpg: no such file or folder; check the path\n"),
            (["a", "b"], "a: no such file or folder; check the path\nb: no such file"),
            (["gone*.jpg"], "gone*.jpg: nothing matches this pattern"),
            (["https://example.org/a.jpg"], "a URL is not fetched"),
            ([""], "'': no such file or folder"),
            (["red.png", "--modle", "x"], "--model"),
            (["red.png", "--model", "nomodel"], "'nomodel': neither a model file nor"),
            (["red.png", "--model", "red.png"], "red.png"),
            (["red.png", "--tasks", "mood"], "no task 'mood'; it has age, gender, race"),
            (["red.png", "--tasks", " ,"], "no task is named"),
            (["red.png", "--min-face", "abc"], "--min-face"),
            (["red.png", "--min-face", "nan"], "--min-face"),
            (["red.png", "--max-faces", "0"], "--max-faces"),
            (["red.png", "--faces", "some"], "--faces"),
            (["red.png", "--format", "xml"], "--format"),
            (["red.png", "--age-groups", "old"], "'old' is not a list of different names"),
            (["red.png", "--age-groups", "a:0,a:9"], "is not a list of different names"),
            (["red.png", "--age-groups", "a:5,b:9"], "from 0 and rising"),
            (["red.png", "--age-groups", "a:0,b:nan"], "from 0 and rising"),
            (["red.png", "--top", "2"], "reads faces; it ranks no classes"),
            (["red.png", "--provider", "NoProvider"], "NoProvider is not installed"),
            (["red.png", "-o", "nowhere/x.csv"], "there is no folder nowhere"),
            (["red.png", "-o", "."], "a folder; give the name of a file"),
            (["red.png", "-o", "./red.png"], "--draw writes pictures"),
            (["red.png", "-o", "./red.png", "-f", "csv"], "red.png: this is a picture to be read"),
            (["red.png", "--faces", "whole", "--min-face", "9"], "each picture is one face"),
            (["red.png", "--draw", "."], "red.png: this is a picture to be read"),
            (["red.png", "--draw", "red.png"], "a file of this name is there"),
        ],
    )
    def test_a_message_says_what_and_the_status_is_2(
        self, mien: Mien, red: Path, face_model: Path, arguments: list[str], says: str
    ) -> None:
        shutil.copy(red, "red.png")
        before = Path("red.png").read_bytes()
        model = [] if "--model" in arguments else ["-m", str(face_model)]

        outcome = mien("predict", *arguments, *model)

        assert outcome.code == 2
        assert says in outcome.err
        assert "Traceback" not in outcome.err
        assert outcome.out == ""
        assert Path("red.png").read_bytes() == before

    def test_a_long_list_of_missing_paths_is_cut(self, mien: Mien) -> None:
        outcome = mien("predict", *map(str, range(100)))

        assert outcome.err.endswith("and 95 more\n")

    def test_a_folder_without_pictures(self, mien: Mien, red: Path, colour_model: Path) -> None:
        Path("empty").mkdir()

        alone = mien("predict", "empty", "-m", colour_model)
        with_others = mien("predict", "empty", red, "-m", colour_model)

        assert alone.code == 2
        assert alone.err.startswith("mien: empty: a folder without pictures; they end in .apng,")
        assert with_others.code == 1
        assert with_others.rows[0]["error"].startswith("a folder without pictures")

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is forbidden here")
    def test_an_unreadable_folder_is_named(self, mien: Mien) -> None:
        Path("closed").mkdir(mode=0)

        outcome = mien("predict", "closed")

        assert outcome.code == 2
        assert "closed: Permission denied" in outcome.err

    @pytest.mark.parametrize("option", ["faces", "tasks", "min-face", "detect-size"])
    def test_options_for_faces_are_refused_for_whole_pictures(
        self, mien: Mien, red: Path, colour_model: Path, option: str
    ) -> None:
        value = {"faces": "detect", "tasks": "age"}.get(option, "64")

        outcome = mien("predict", red, "-m", colour_model, f"--{option}", value)

        assert outcome.code == 2
        assert f"'--{option}'" in outcome.err
        assert "reads whole pictures" in outcome.err


class TestOutput:
    @pytest.mark.parametrize("name", ["rows.csv", "rows.json", "rows.jsonl", "rows"])
    def test_a_file_takes_the_format_of_its_ending(
        self, mien: Mien, red: Path, face_model: Path, name: str
    ) -> None:
        outcome = mien("predict", red, "-m", face_model, "-o", name)

        text = Path(name).read_text(encoding="utf-8")
        assert (outcome.code, outcome.out) == (0, "")
        if name == "rows.csv":
            assert text.splitlines()[0].split(",") == FIELDS
        elif name == "rows.json":
            assert [list(row) for row in json.loads(text)] == [FIELDS]
        else:
            assert list(json.loads(text)) == FIELDS

    def test_the_format_may_be_named(self, mien: Mien, red: Path, colour_model: Path) -> None:
        mien("predict", red, "-m", colour_model, "-o", "rows.txt", "--format", "table")

        assert Path("rows.txt").read_text().startswith("path ")

    def test_an_old_file_survives_a_failure(self, mien: Mien, red: Path) -> None:
        Path("rows.csv").write_text("old")

        assert mien("predict", red, "-m", "nomodel", "-o", "rows.csv").code == 2
        assert Path("rows.csv").read_text() == "old"
        assert [path.name for path in Path().iterdir()] == ["rows.csv"]


class TestDraw:
    def test_folders_are_kept_and_names_do_not_collide(
        self, mien: Mien, red: Path, colour_model: Path
    ) -> None:
        for name in ("day1/x.png", "day2/x.png", "day2/y.gif", "day2/y.gif.png"):
            Path(name).parent.mkdir(exist_ok=True)
            Image.open(red).save(name)

        outcome = mien(
            "predict", "day1", "day2", "-", "-m", colour_model, "--draw", "new/drawn",
            stdin=red.read_bytes(),
        )  # fmt: skip

        assert outcome.code == 0
        drawn = sorted(p.relative_to("new/drawn").as_posix() for p in Path("new").rglob("*.*"))
        assert drawn == [
            "day1/x.png",
            "day2/x.png",
            "day2/y.gif-2.png",
            "day2/y.gif.png",
            "stdin.png",
        ]

    def test_a_missing_path_takes_no_name(self, mien: Mien, red: Path, colour_model: Path) -> None:
        mien("predict", "gone", "-", "-m", colour_model, "--draw", "out", stdin=red.read_bytes())

        assert [path.name for path in Path("out").iterdir()] == ["stdin.png"]

    def test_paths_with_dots_stay_inside(self, mien: Mien, red: Path, colour_model: Path) -> None:
        for name in ("a/x.png", "a/b/x.png"):
            Path(name).parent.mkdir(exist_ok=True)
            shutil.copy(red, name)

        mien("predict", "a/b/../x.png", "a/b", "-m", colour_model, "--draw", "out/drawn")

        assert sorted(path.as_posix() for path in Path("out").rglob("*.png")) == [
            "out/drawn/b/x.png",
            "out/drawn/x.png",
        ]

    def test_a_second_run_does_not_read_its_own_drawings(
        self, mien: Mien, red: Path, colour_model: Path
    ) -> None:
        Path("photos").mkdir()
        shutil.copy(red, "photos/x.png")

        for _ in range(2):
            outcome = mien("predict", "photos", "-m", colour_model, "--draw", "photos/drawn")

        assert {row["path"] for row in outcome.rows} == {"photos/x.png"}
        assert [path.name for path in Path("photos").rglob("*.png")].count("x.png") == 2

    @pytest.mark.parametrize("arguments", [["photos/x.png", "photos/drawn"], ["photos/*"]])
    def test_a_pattern_may_name_the_drawings_folder(
        self, mien: Mien, red: Path, colour_model: Path, arguments: list[str]
    ) -> None:
        """As the shell's `photos/*` does from the second run on."""
        Path("photos").mkdir()
        shutil.copy(red, "photos/x.png")
        draw = ("-m", colour_model, "--top", "1", "--draw", "photos/drawn")
        first = mien("predict", "photos/x.png", *draw)
        second = mien("predict", *arguments, *draw)
        assert (first.code, second.code) == (0, 0), second.err
        assert [row["path"] for row in second.rows] == ["photos/x.png"]

    def test_a_picture_is_read_once_however_it_is_named(
        self, mien: Mien, red: Path, colour_model: Path
    ) -> None:
        Path("photos").mkdir()
        shutil.copy(red, "photos/x.png")
        Path("photos/y.png").hardlink_to("photos/x.png")
        names = ("photos/x.png", "./photos/../photos/x.png", "photos/y.png")
        rows = mien("predict", *names, "-m", colour_model, "--top", "1").rows
        assert [row["path"] for row in rows] == ["photos/x.png", "photos/y.png"]

    def test_a_copy_is_a_png_where_its_format_cannot_hold_it(
        self, mien: Mien, red: Path, colour_model: Path
    ) -> None:
        """WebP ends at 16,383 pixels; one such picture must not cost the others their rows."""
        Path("photos").mkdir()
        Image.new("RGB", (17000, 20)).save("wide.png")
        Path("wide.png").rename("photos/wide.webp")
        shutil.copy(red, "photos/x.png")
        found = mien(
            *("predict", "photos", "-m", colour_model, "--top", "1", "--draw", "out"),
            *("-o", "rows.csv", "-f", "csv"),
        )
        assert found.code == 0
        assert len(Path("rows.csv").read_text().splitlines()) == 3
        assert {path.name for path in Path("out").iterdir()} == {"wide.webp.png", "x.png"}

    def test_the_box_lies_on_the_face(self, mien: Mien, face: Path, face_model: Path) -> None:
        before = Image.open(face)
        before.resize((2048, 2048)).save("large.jpg", quality=95)

        outcome = mien("predict", "large.jpg", face, "-m", face_model, "--draw", "drawn")

        assert outcome.code == 0
        with Image.open(next(Path("drawn").rglob("large.jpg"))) as copy:
            assert copy.size == (2048, 2048)
        box = (slice(63, 176), slice(178, 268))
        for drawn in (Path("drawn").rglob("large.jpg"), Path("drawn").rglob(face.name)):
            after = np.asarray(Image.open(next(drawn)).resize((512, 512)), int)
            changed = np.abs(after - np.asarray(before)).max(axis=2) > 60
            rows, columns = np.nonzero(changed)
            assert abs(columns.min() - box[1].start) < 6
            assert abs(rows.max() - box[0].stop) < 6
            inner = changed[box][8:-8, 8:-8]
            assert inner.mean() < 0.02

    def test_a_face_without_landmarks_gets_its_text(
        self, mien: Mien, red: Path, face_model: Path
    ) -> None:
        Image.open(red).resize((320, 240)).save("plain.png")

        outcome = mien(
            "predict", "plain.png", "-m", face_model, "--faces", "whole", "--draw", "drawn"
        )

        assert outcome.code == 0
        drawn = np.asarray(Image.open("drawn/plain.png"))
        assert (drawn[:40, :40] != (200, 30, 30)).any()
        assert (drawn[-100:] == (200, 30, 30)).all()

    def test_a_picture_that_failed_is_not_drawn(self, mien: Mien, colour_model: Path) -> None:
        Path("text.png").write_text("no picture")

        assert mien("predict", "text.png", "-m", colour_model, "--draw", "drawn").code == 1
        assert list(Path("drawn").iterdir()) == []
