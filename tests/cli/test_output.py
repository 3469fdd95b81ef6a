import csv
import io
import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from mien.ages import Age
from mien.analyzer import Attribute, FaceReading, Reading
from mien.card import Task
from mien.classifier import Guess, Ranking
from mien.cli.output import (
    CLASSES,
    Format,
    Row,
    cells,
    class_rows,
    face_columns,
    face_rows,
    json_text,
    open_writer,
    path_text,
)
from mien.cli.table import print_table
from mien.errors import ImageError, ModelError, OutputError, printable
from mien.faces import Face
from tests.tiny import face_card

AGE = Age(31.26, 23.94, 39.0, 0.9, np.zeros(101, np.float32), "youth")
FEMALE = Attribute("female", 0.98347, {"male": 0.01653, "female": 0.98347})
FACE = Face(-0.04, 62.84, 90.1, 113.25, 0.93456, np.zeros((5, 2)))


ROW: Row = {
    "path": "a.jpg",
    "face": 1,
    "x": 178.2,
    "y": 62.8,
    "width": 90.1,
    "height": 113.2,
    "detection_score": 0.93,
    "age": 31.3,
    "age_low": 23.9,
    "age_high": 39.0,
    "age_group": "youth",
    "gender": "female",
    "gender_p": 0.98,
    "expression": "happiness",
    "expression_p": 0.87,
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(form: Format, rows: list[dict[str, str]], folder: Path) -> str:
    with open_writer(form, folder / "rows", CLASSES) as writer:
        writer.write(rows)
    with (folder / "rows").open(encoding="utf-8", newline="") as file:
        return file.read()


def interrupted(form: Format, output: Path | None) -> None:
    with open_writer(form, output, CLASSES) as writer:
        writer.write([{"path": "a.jpg", "rank": 1}])
        raise KeyboardInterrupt


class TestRows:
    def test_figures_are_rounded(self) -> None:
        reading = Reading("a", faces=[FaceReading(FACE, {"age": AGE, "gender": FEMALE})])

        [row] = face_rows("a.jpg", reading)

        assert row == {
            "path": "a.jpg",
            "face": 1,
            "x": 0.0,
            "y": 62.8,
            "width": 90.1,
            "height": 113.2,
            "detection_score": 0.9346,
            "age": 31.3,
            "age_low": 23.9,
            "age_high": 39.0,
            "age_group": "youth",
            "gender": "female",
            "gender_p": 0.9835,
        }
        assert math.copysign(1, float(str(row["x"]))) == 1

    def test_faces_are_numbered(self) -> None:
        reading = Reading("a", faces=[FaceReading(FACE, {}), FaceReading(None, {})])

        assert [row["face"] for row in face_rows("a", reading)] == [1, 2]

    def test_what_is_no_number_is_left_empty(self) -> None:
        reading = Reading("a", faces=[FaceReading(None, {"weight": math.nan})])

        assert face_rows("a", reading) == [{"path": "a", "face": 1, "weight": None}]

    def test_an_error_is_told_without_the_path(self) -> None:
        error = ImageError("a.jpg", "empty file")

        assert face_rows("a.jpg", Reading("a.jpg", error=error)) == [
            {"path": "a.jpg", "error": "empty file"}
        ]
        assert class_rows("a.jpg", Ranking("a.jpg", error=error), 3) == [
            {"path": "a.jpg", "error": "empty file"}
        ]

    def test_the_best_classes_are_ranked(self) -> None:
        ranking = Ranking("a", [Guess("cat", 0.71234), Guess("dog", 0.2), Guess("cow", 0.1)])

        assert class_rows("a", ranking, 2) == [
            {"path": "a", "rank": 1, "label": "cat", "probability": 0.7123},
            {"path": "a", "rank": 2, "label": "dog", "probability": 0.2},
        ]


class TestColumns:
    def test_each_kind_of_task_adds_its_own(self) -> None:
        tasks = (
            Task(name="age", kind="classification", labels=("0-9", "10-99")),
            Task(name="real_age", kind="age", ages=101),
            Task(name="weight", kind="regression", unit="kg"),
        )

        columns = face_columns(face_card(tasks=tasks))

        assert columns[:8] == face_columns(face_card())[:8]
        assert columns[-7:] == [
            *("age_p", "real_age", "real_age_low", "real_age_high", "real_age_group"),
            *("weight", "error"),
        ]

    @pytest.mark.parametrize("name", ["path", "error", "face", "age_low"])
    def test_a_name_that_is_taken_is_refused(self, name: str) -> None:
        taken = Task(name=name, kind="regression")

        with pytest.raises(ModelError, match=f"two columns the name '{name}'"):
            face_columns(face_card(tasks=(*face_card().tasks, taken)))


class TestText:
    @given(st.text())
    def test_printable_text_obeys_nothing(self, text: str) -> None:
        shown = printable(text)

        assert shown.isprintable()
        assert text != shown or text.isprintable()

    @given(st.binary(min_size=1))
    def test_any_path_becomes_unicode(self, name: bytes) -> None:
        text = path_text(os.fsdecode(name))

        text.encode("utf-8")
        try:
            assert text == name.decode("utf-8")
        except UnicodeDecodeError:
            assert "\\x" in text

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_json_keeps_any_text_on_one_safe_line(self, text: str) -> None:
        line = json_text(text)

        assert json.loads(line) == text
        assert len(line.splitlines()) == 1
        assert not any("\x7f" <= c <= "\x9f" or c < " " for c in line)

    def test_direction_marks_are_escaped_in_json(self) -> None:
        assert json_text("a\u202egnp") == '"a\\u202egnp"'
        assert json_text("日本") == '"日本"'


class TestFormats:
    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=3))
    def test_any_path_survives(
        self, tmp_path_factory: pytest.TempPathFactory, paths: list[str]
    ) -> None:
        rows = [{"path": path, "label": "=1+1"} for path in paths]
        folder = tmp_path_factory.getbasetemp()

        table = list(csv.DictReader(io.StringIO(written(Format.CSV, rows, folder), newline="")))
        lines = written(Format.JSONL, rows, folder).split("\n")
        whole = json.loads(written(Format.JSON, rows, folder))

        assert [(row["path"], row["label"], row["rank"]) for row in table] == [
            (path, "=1+1", "") for path in paths
        ]
        assert [json.loads(line)["path"] for line in lines[:-1]] == paths
        assert [list(row) for row in whole] == [list(CLASSES)] * len(paths)
        assert [row["path"] for row in whole] == paths

    @pytest.mark.parametrize("form", list(Format))
    def test_no_rows_are_still_whole(self, form: Format, tmp_path: Path) -> None:
        expected = {Format.CSV: ",".join(CLASSES) + "\n", Format.JSON: "[]\n"}

        assert written(form, [], tmp_path) == expected.get(form, "")

    @pytest.mark.parametrize("form", list(Format))
    def test_standard_output_holds_what_came_before_an_error(
        self, form: Format, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(KeyboardInterrupt):
            interrupted(form, None)

        text = capsys.readouterr().out
        assert "a.jpg" in text
        if form is Format.JSON:
            assert len(json.loads(text)) == 1

    def test_a_file_holds_nothing_after_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(KeyboardInterrupt):
            interrupted(Format.CSV, tmp_path / "rows.csv")

        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_is_missing_is_named(self, tmp_path: Path) -> None:
        with (
            pytest.raises(OutputError, match="there is no folder"),
            open_writer(Format.CSV, tmp_path / "none" / "rows.csv", CLASSES),
        ):
            pytest.fail("opened")

    @pytest.mark.parametrize("form", list(Format))
    def test_a_terminal_gets_no_escape_sequences(
        self, form: Format, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terminal = Terminal()
        monkeypatch.setattr("sys.stdout", terminal)
        monkeypatch.setenv("TERM", "dumb")

        with open_writer(form, None, CLASSES) as writer:
            writer.write([{"path": "\x1b[31m\x9b2J\n", "label": "\u202e", "rank": 1}])

        shown = terminal.getvalue()
        assert not set("\x1b\x9b\u202e") & set(shown)
        assert "[31m" in shown


class TestTable:
    def test_cells_are_told_as_a_reader_wants_them(self) -> None:
        shown = cells(ROW, face_columns(face_card()))

        assert shown == {
            "path": "a.jpg",
            "face": "1",
            "x": "178,63 90×113",
            "detection_score": "93.0 %",
            "age": "31 (24–39)",
            "age_group": "youth",
            "gender": "female 98 %",
            "race": "",
            "expression": "happiness 87 %",
        }

    def test_columns_without_content_are_left_out(self, tmp_path: Path) -> None:
        with open_writer(Format.TABLE, tmp_path / "rows", face_columns(face_card())) as writer:
            writer.write([ROW, {"path": "none.jpg"}, {"path": "x", "error": "empty\nfile"}])

        assert (tmp_path / "rows").read_text(encoding="utf-8").splitlines() == [
            "path      face  box             score  age         age group  gender       expression",
            "a.jpg        1  178,63 90×113  93.0 %  31 (24–39)  youth      female 98 %  "
            "happiness 87 %",
            "none.jpg  no face",
            "x         empty\\nfile",
        ]

    @pytest.mark.parametrize("columns", [20, 40, 80])
    def test_lines_fit_a_terminal(self, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm")
        terminal = Terminal()
        rows = [
            {"path": f"long/{'日本' * 30}/a.jpg", "box": "178,63 90×113", "age": "31 (24–39)"},
            {"path": "b.jpg"},
        ]

        print_table(rows, ["", "a note of many words, too many for one line"], terminal)

        header, row, *note = re.sub("\x1b.*?m", "", terminal.getvalue()).splitlines()
        assert max(map(cell_len, [header, row])) <= columns
        assert row.startswith("…")
        assert "/a.jpg" in row
        assert ("box" in header) == (columns >= 80)
        assert max(map(cell_len, note)) <= columns
        assert (
            " ".join(" ".join(note).split()) == "b.jpg a note of many words, too many for one line"
        )
