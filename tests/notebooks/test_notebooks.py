"""Notebooks: each runs from its first cell to its last, and is kept without what it printed."""

import socket
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.labelled import noise, save

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
TINY = [
    "input.size=32",
    "network={backbone='test_resnet'}",
    "stages=[{epochs=2, rate=5e-3}]",
]


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def texts(notebook: Any) -> str:
    """Return all that the cells wrote."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs)


def with_settings(notebook: Any, text: str) -> Any:
    """Replace the cell that holds the settings."""
    (cell,) = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    cell.source = text
    return notebook


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_kept(path: Path) -> None:
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
def test_a_folder_becomes_a_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        pixels = noise(number, 40, 40) // 4
        pixels[:, :, 2 * (number % 2)] += 150
        save(tmp_path / "colours" / ("blue" if number % 2 else "red") / f"{number}.png", pixels)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (path,) = (path for path in NOTEBOOKS if path.stem == "pictures-to-service")
    settings = f"FOLDER, RUN, CHANGES, PORT = 'colours', 'run', {TINY!r}, {free_port()}"
    notebook = with_settings(nbformat.read(path, as_version=4), settings)  # type: ignore[no-untyped-call]
    client: Any = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}})
    client.execute()
    said = texts(notebook)
    assert "{'blue': 30, 'red': 30}" in said
    assert '"label": "blue"' in said
    assert (tmp_path / "run" / "report.html").exists()
    pictures = [o for c in notebook.cells for o in c.get("outputs", []) if "data" in o]
    assert sum("image/png" in output["data"] for output in pictures) == 3
