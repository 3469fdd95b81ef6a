"""The program as it is started: exit status, streams and terminals."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mien import __version__
from tests.cli.conftest import Mien

PROGRAM = [sys.executable, "-m", "mien"]
HEAVY = ("numpy", "onnxruntime", "cv2", "PIL", "pydantic", "torch", "mien.analyzer")


def test_version(mien: Mien) -> None:
    assert mien("--version") == (0, f"mien {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "--help"], ["models", "-h"]])
def test_help(mien: Mien, arguments: list[str]) -> None:
    outcome = mien(*arguments)

    assert (outcome.code, outcome.err) == (0, "")
    assert "Usage: mien" in outcome.out.replace("root", "mien")


def test_help_shows_examples_and_says_what_a_face_less_picture_gives(mien: Mien) -> None:
    shown = mien("predict", "--help").out

    assert "mien predict photo.jpg" in shown
    assert "with an empty face number" in shown
    assert "senior:60" in shown


@pytest.mark.parametrize(("typed", "meant"), [("predcit", "predict"), ("modles", "models")])
def test_a_mistyped_command_gets_a_hint(mien: Mien, typed: str, meant: str) -> None:
    outcome = mien(typed)

    assert outcome.code == 2
    assert f"Did you mean '{meant}'?" in outcome.err


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys, mien.cli; print([name for name in {HEAVY} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert done.stdout == "[]\n"


def test_a_closed_pipe_ends_it_quietly(face: Path, face_model: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "predict", face, "-m", face_model],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None

    _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk here")
@pytest.mark.parametrize(
    "arguments", [["predict", "FACE", "-m", "MODEL"], ["models", "show", "MODEL"], ["--help"]]
)
def test_a_full_disk_behind_standard_output(
    face: Path, face_model: Path, arguments: list[str]
) -> None:
    paths = {"FACE": str(face), "MODEL": str(face_model)}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, *(paths.get(argument, argument) for argument in arguments)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr == b"mien: the output was not written: No space left on device\n"


def test_closed_streams_are_no_failure(face: Path, face_model: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.stdout = sys.stderr = sys.stdin = None; from mien.cli import main; main()"
    )
    output = tmp_path / "rows.csv"

    done = subprocess.run(
        [sys.executable, "-c", code, "predict", face, "-m", face_model, "-o", output],
        check=False,
    )

    assert done.returncode == 0
    assert len(output.read_text().splitlines()) == 2


def test_ctrl_c_leaves_no_file_and_tells_how_far_it_got(
    face: Path, face_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(5000):
        os.link(face, tmp_path / "photos" / f"{number}.png")
    process = subprocess.Popen(
        [*PROGRAM, "predict", "photos", "-m", face_model, "-o", "rows.csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    # Its output has begun, and there is far more to read than it can in that time.
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    told = rb"interrupted after \d+ of 5000 pictures; rows.csv was not written\n"
    assert re.fullmatch(told, errors), errors
    assert output == b""
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_a_terminal_gets_a_table(face: Path, face_model: Path) -> None:
    leader, follower = pty.openpty()
    environment = os.environ | {"COLUMNS": "80", "TERM": "xterm"}
    process = subprocess.Popen(
        [*PROGRAM, "predict", face.name, "-m", face_model],
        stdout=follower,
        stderr=follower,
        stdin=follower,
        cwd=face.parent,
        env=environment,
    )
    os.close(follower)
    process.wait(timeout=60)
    shown = os.read(leader, 65536).decode()
    os.close(leader)

    header, row, summary = re.sub("\x1b.*?m", "", shown).splitlines()
    assert header.split() == ["path", "face", "box", "score", "age", "age", "group", "gender"]
    assert re.match(r"astronaut.png +1  1\d\d,\d+ \d+×\d+ +9\d.\d %  \d+ \(\d+–\d+\)", row)
    assert summary == "1 picture read, 1 face, 0 without a face, 0 failed"


def test_standard_input_that_is_a_terminal_is_refused() -> None:
    leader, follower = pty.openpty()
    done = subprocess.run(
        [*PROGRAM, "predict", "-"], stdin=follower, capture_output=True, check=False
    )
    os.close(leader)
    os.close(follower)

    assert done.returncode == 2
    assert done.stderr == b"mien: -: standard input is a terminal; pipe a picture into it\n"


def test_messages_obey_no_control_characters(mien: Mien) -> None:
    outcome = mien("predict", "\x1b[31mred\x9b.jpg")

    assert outcome.err.startswith("mien: \\x1b[31mred\\x9b.jpg: ")
    assert outcome.err.strip().isprintable()


def test_brackets_stand_in_the_help(mien: Mien) -> None:
    """Rich takes words in brackets for markup, and leaves them out."""
    for arguments, shown in (
        (("data", "augment"), "One key of [augmentation]; repeatable."),
        (("watch", "run"), "as [serve] does."),
        (("watch", "run"), "Port to serve at. [8000]"),
        (("audience",), "Totals below it are hidden. [5]"),
        (("audience",), "The last day, included. [the first]"),
        (("store", "upgrade"), "The database of visits. [sqlite:///mien-watch.sqlite3]"),
    ):
        text = mien(*arguments, "--help").out.replace("\u2502", " ")
        assert shown in " ".join(text.split()), text
