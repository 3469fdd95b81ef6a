"""From a stream to the database, in a process of its own that is killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mien.errors import StoreError
from mien.watch.config import Config, WatchError
from mien.watch.keeping import SharedStore, keeper, store_url
from mien.watch.store.store import Store
from tests.tiny import face_card, model_bytes
from tests.watch.rtsp import RtspServer
from tests.watch.visits import crowd
from tests.watch.watching import FRAMES, RATE, SHOWN, film

ALWAYS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
ROOT = Path(__file__).parents[2]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def named(url: str, folder: Path) -> Config:
    return Config.model_validate(
        {
            "cameras": [{"name": "door", "source": "0"}],
            "store": {"url": url, "outbox": str(folder / "outbox"), "keep_days": 3660},
        }
    )


def test_the_configured_store_takes_visits(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / '${NAME}'}.db"
    with keeper(named(url, tmp_path), {"NAME": "audience"}) as sink:
        sink.put(made := crowd(3))

    store = Store(f"sqlite:///{tmp_path / 'audience'}.db")
    assert {visit.id for visit in store.visits(*ALWAYS)} == {visit.id for visit in made}
    store.close()


def test_a_variable_may_be_the_whole_url_or_a_part_of_it(tmp_path: Path) -> None:
    whole = "postgresql://mien:s3%40cret@db.example/audience"
    assert store_url(named("${URL}", tmp_path), {"URL": whole}) == whole
    part = store_url(named("postgresql://mien:${WORD}@host/db", tmp_path), {"WORD": "s3@cret"})
    assert part == "postgresql://mien:s3%40cret@host/db"


def test_a_variable_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(WatchError, match="PASSWORD"):
        store_url(named("postgresql://me:${PASSWORD}@host/db", tmp_path), {})


def test_killed_while_a_stream_is_watched_no_finished_visit_is_lost(tmp_path: Path) -> None:
    server = RtspServer(film(), RATE)
    (tmp_path / "tiny.onnx").write_bytes(model_bytes(face_card()))
    config = tmp_path / "shop.toml"
    config.write_text(
        f'model = "{tmp_path / "tiny.onnx"}"\nthreads = 1\n'
        f'[[cameras]]\nname = "door"\nsource = "{server.url}"\n'
        "[tracking]\nhidden = 0.9\n"
        f'[store]\nurl = "sqlite:///{tmp_path / "a.db"}"\noutbox = "{tmp_path / "outbox"}"\n'
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    command = [sys.executable, "-m", "tests.watch.watching", str(config)]
    told: list[str] = []
    for client in range(2):
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        ) as child:
            # Somebody has passed, and the next one is before the camera.
            wanted = FRAMES + SHOWN[0] + 6
            until(lambda known=client: len(server.sent) > known)  # type: ignore[misc]
            until(lambda known=client, n=wanted: server.sent[known] >= n)  # type: ignore[misc]
            child.kill()
            assert child.stdout is not None
            lines = [line.split() for line in child.stdout]
            told += [line[1] for line in lines if line[0] == "visit"]
    server.cut()

    with keeper(named(f"sqlite:///{tmp_path / 'a.db'}", tmp_path)) as sink:
        assert sink.recorder.flush()
    store = Store(f"sqlite:///{tmp_path / 'a.db'}")
    stored = [visit.id for visit in store.visits(*ALWAYS)]
    counted = sum(hour.totals.count for hour in store.hours(*ALWAYS))
    store.close()
    assert len(told) == 2
    assert set(told) <= set(stored)
    assert len(set(stored)) == len(stored) == counted


def test_it_is_opened_when_it_can_be_and_once(tmp_path: Path) -> None:
    found = named("sqlite:///${FOLDER}/visits.db", tmp_path)
    environment = {"FOLDER": str(tmp_path / "later")}
    making = SharedStore(found, upgrade=True, environment=environment)
    reading = SharedStore(found, upgrade=False, environment=environment)
    with pytest.raises(StoreError):
        making()
    (tmp_path / "later").mkdir()
    # Whoever only reads makes no file.
    with pytest.raises(StoreError, match="no such file"):
        reading()

    store = making()

    assert making() is store
    assert reading() is reading()
    making.close()
    assert making() is not store
    making.close()
    reading.close()


def test_a_missing_variable_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(WatchError, match="NOWHERE is not set"):
        SharedStore(named("sqlite:///${NOWHERE}/a.db", tmp_path), upgrade=False, environment={})
