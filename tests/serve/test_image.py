"""The image's recipe: what it copies is there, and what it builds lands where the package looks."""

import json
import re
from pathlib import Path

import pytest

from mien.serve import pages, ready
from mien.serve.settings import Settings

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
COPIED = [line.split()[1:-1] for line in LINES if re.match(r"COPY (?!--from)", line)]


@pytest.mark.parametrize("name", [name for names in COPIED for name in names])
def test_what_it_copies_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_the_page_is_built_into_the_package() -> None:
    (line,) = (line for line in LINES if line.startswith("COPY --from=page"))
    _, _, made, wanted = line.split()
    package = Path(pages.__file__).parent.relative_to(ROOT)
    assert Path(wanted) == package / "static"
    assert made == f"/src/{wanted}"
    assert f'"../{wanted}"' in (ROOT / "web" / "vite.config.ts").read_text("utf-8")


def test_it_runs_as_nobody_special_and_tells_its_health() -> None:
    last = LINES[max(n for n, line in enumerate(LINES) if line.startswith("FROM")) :]
    # By its number, which alone tells an orchestrator that it is not root.
    assert "USER 10001" in last
    start = next(n for n, line in enumerate(last) if line.startswith("HEALTHCHECK"))
    command = json.loads(last[start + 1].strip().removeprefix("CMD "))
    assert command == ["python", "-m", ready.__name__]


def test_what_the_files_set_is_a_setting() -> None:
    text = "\n".join(LINES) + (ROOT / "compose.yaml").read_text("utf-8")
    named = {name.lower() for name in re.findall(r"MIEN_(\w+)(?==|:)", text)}
    assert {"host", "port", "api_keys"} <= named <= set(Settings.model_fields)
