"""What the tests of the watch's routes share: a watch that is served, with a store of visits."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mien.serve.settings import Settings
from mien.watch import config
from mien.watch.http.hub import Hub
from mien.watch.store.store import Store
from mien.watch.visit import Visit
from mien.watch.wiring import Served
from tests.serve.conftest import Running, running
from tests.tiny import face_card, model_bytes
from tests.watch import video
from tests.watch.test_run import passing
from tests.watch.visits import NOON, visit

AREA = {"name": "hall", "polygon": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]], "ignore": False}


def crowded() -> list[Visit]:
    """Return visits of one day: 30 youths, 9 adults and an old person; some of the next day."""
    people = [visit(30) for _ in range(30)] + [visit(50) for _ in range(9)] + [visit(70)]
    return people + [visit(20, NOON + timedelta(days=1)) for _ in range(7)]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a tiny model of faces that knows under which ages it was calibrated."""
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    path.write_bytes(model_bytes(face_card(priors={"age": [1 / 101] * 101})))
    return str(path)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film of a minute in which a face passes again and again."""
    return video.write(tmp_path_factory.mktemp("film") / "day.mp4", passing(40) * 15)


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path, film: Path, tiny: str) -> Iterator[Start]:
    """Serve a watch of the film, by a configuration `shop.toml`, with settings of the test's."""
    with ExitStack() as stack:

        def started(
            *,
            cameras: bool = True,
            more: str = "",
            url: str = "",
            source: str = "",
            **settings: Any,
        ) -> Running:
            file = write_configuration(tmp_path, source or str(film), tiny, more, url)
            found = config.read(file)
            known = {"models": (tiny,), "threads": 1} | settings
            served = Served(found, file, lambda _: None, cameras)
            return stack.enter_context(running(Settings.model_validate(known), served.extend))

        yield started


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, film: Path, tiny: str) -> Iterator[Running]:
    """Serve one watch for all tests of a module."""
    folder = tmp_path_factory.mktemp("shop")
    with watching(folder, film, tiny) as found:
        yield found


@contextmanager
def watching(folder: Path, film: Path, model: str, **settings: Any) -> Iterator[Running]:
    """Serve a watch with a store of visits."""
    file = write_configuration(folder, str(film), model)
    served = Served(config.read(file), file, lambda _: None)
    known = {"models": (model,), "threads": 1} | settings
    with running(Settings.model_validate(known), served.extend) as found:
        yield found


def write_configuration(
    folder: Path, source: str, model: str, more: str = "", url: str = ""
) -> Path:
    """Write `shop.toml` and a store beside it, with the visits of `crowded`."""
    base = folder / "visits.sqlite3"
    store = Store(str(base))
    store.add(crowded())
    store.close()
    file = folder / "shop.toml"
    file.write_text(
        f'''# The shop
model = "{model}"
threads = 1

[[cameras]]
name = "door"
source = "{source}"
real_time = true

[[cameras.areas]]
name = "hall"  # by the door
polygon = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]

[[cameras]]
name = "back door"
source = "{folder / "none.mp4"}"

[store]
url = "{url or f"sqlite:///{base}"}"
outbox = "{folder / "outbox"}"
{more}'''
    )
    return file


def hub_of(found: Running) -> Hub:
    """Return the hub of a watch that is served."""
    hub: Hub = found.app.state.hub
    return hub
