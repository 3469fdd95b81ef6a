"""The whole program: cameras and service in one process, its signals, its broker."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mien.errors import MienError
from mien.serve.settings import SettingsError
from mien.watch import config
from mien.watch.config import WatchError
from mien.watch.wiring import _beside, publishing, settings_of
from tests.serve.conftest import wait_until
from tests.tiny import face_card, model_bytes
from tests.watch import video
from tests.watch.servers import free_port
from tests.watch.test_mqtt import started
from tests.watch.test_run import passing

PROGRAM = [sys.executable, "-W", "error", "-c", "from mien.cli import main; main()", "watch"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a film of many short visits, a model and a configuration."""
    (tmp_path / "tiny.onnx").write_bytes(model_bytes(face_card(priors={"age": [1 / 101] * 101})))
    # Faces that jump back are somebody else; so a visit is open most of the time.
    video.write(tmp_path / "day.mp4", passing(40) * 30)
    (tmp_path / "shop.toml").write_text(
        """
model = "tiny.onnx"
threads = 1
cameras = [{ name = "door", source = "day.mp4", real_time = true }]

[privacy]
k = 1
"""
    )
    return tmp_path


@contextmanager
def program(folder: Path, *flags: str, **environment: str) -> Iterator["Program"]:
    """Run `mien watch` until the block ends."""
    port = free_port()
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(
            [*PROGRAM, "shop.toml", "--port", str(port), *flags],
            stdout=said,
            stderr=said,
            cwd=folder,
            env=os.environ | environment,
        )
    try:
        yield Program(folder, process, f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


class Program:
    """The program as it runs."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]", url: str) -> None:
        self._folder, self._process, self.url = folder, process, url

    @property
    def said(self) -> str:
        return (self._folder / "said.txt").read_text()

    def get(self, path: str) -> Any:
        return httpx2.get(self.url + path, timeout=30).json()

    def wait_ready(self) -> None:
        def is_ready() -> bool:
            assert self._process.poll() is None, self.said
            try:
                return httpx2.get(f"{self.url}/readyz").status_code == 200
            except httpx2.TransportError:
                return False

        wait_until(is_ready)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, number: signal.Signals) -> int:
        self.send(number)
        return self._process.wait(30)


def stored(folder: Path) -> int:
    with sqlite3.connect(folder / "mien-watch.sqlite3") as base:
        (count,) = base.execute("select count(*) from visits").fetchone()
    return int(count)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_cameras_and_service_and_loses_no_visit(
    shop: Path, number: signal.Signals
) -> None:
    with program(shop, "--serve") as running:
        running.wait_ready()
        wait_until(lambda: running.get("/v1/audience/live")["recorder"]["stored"] >= 2)
        wait_until(lambda: running.get("/v1/cameras")[0]["present"] == 1)
        events: list[str] = []

        def listen() -> None:
            with httpx2.stream("GET", running.url + "/v1/audience/events", timeout=30) as answer:
                events.extend(answer.iter_lines())

        listener = threading.Thread(target=listen)
        listener.start()
        time.sleep(0.5)
        begun = time.monotonic()
        assert running.end(number) == 0, running.said
        listener.join(10)
        # A listener holds nothing up: requests may take 30 seconds to finish.
        assert time.monotonic() - begun < 20
        assert not listener.is_alive()
        said = running.said.splitlines()

    assert events[0] == "event: live"
    summary = said[-1]
    counted = int(summary.removeprefix("door: visits: ").split()[0])
    # What was open when the signal came is among them.
    assert stored(shop) == counted >= 3
    assert said[0].startswith("mien serves at http://127.0.0.1:")
    assert said[1] == "model tiny-face 1: its weights may be used for tests"
    assert "Traceback" not in running.said


def test_without_a_service_the_terms_are_told_too(shop: Path) -> None:
    film = video.write(shop / "short.mp4", passing(30))
    text = (shop / "shop.toml").read_text().replace("day.mp4", film.name)
    (shop / "shop.toml").write_text(text.replace(", real_time = true", ""))
    done = subprocess.run(
        [*PROGRAM, "shop.toml"], cwd=shop, capture_output=True, text=True, timeout=60, check=True
    )

    assert "model tiny-face 1: its weights may be used for tests" in done.stderr
    assert stored(shop) == 1


def test_a_table_serves_and_no_cameras_shows_the_store(shop: Path) -> None:
    port = free_port()
    with (shop / "shop.toml").open("a") as file:
        file.write(f'\n[serve]\nport = {port}\nlog = "text"\n')
    with program(shop) as running:
        running.wait_ready()
        wait_until(lambda: running.get("/v1/audience/live")["recorder"]["stored"] >= 2)
        assert running.end(signal.SIGTERM) == 0
        # The flag wins over the table.
        assert str(port) not in running.said
        assert "camera camera=door state=live" in running.said
    count = stored(shop)
    with program(shop, "--serve", "--no-cameras") as running:
        running.wait_ready()
        assert running.get("/v1/cameras") == []
        # The film may have been made yesterday.
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        found = running.get(f"/v1/audience?by=area&from={yesterday}")
        assert sum(row["visits"] for row in found["rows"]) == count
        assert running.end(signal.SIGTERM) == 0
    assert stored(shop) == count


def test_a_broker_gets_live_totals(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    port, folder = free_port(), tmp_path_factory.mktemp("broker")
    with started(port, folder) as listener:
        with (shop / "shop.toml").open("a") as file:
            file.write(f'\n[mqtt]\nhost = "127.0.0.1"\nport = {port}\nprefix = "shops"\n')
        with program(shop, "--serve") as running:
            listener.wait("shops/status", "online")
            wait_until(lambda: json.loads(listener.wait(TOPIC))["visits"] >= 1)
            assert any(topic.startswith("homeassistant/sensor/") for topic in listener.heard)
            assert running.end(signal.SIGTERM) == 0
        listener.wait("shops/status", "offline")


TOPIC = "shops/door/whole view/state"


def test_a_broker_gets_them_without_a_service_too(
    shop: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    port, folder = free_port(), tmp_path_factory.mktemp("broker")
    with started(port, folder) as listener:
        with (shop / "shop.toml").open("a") as file:
            file.write(f'\n[mqtt]\nhost = "127.0.0.1"\nport = {port}\nprefix = "shops"\n')
        with subprocess.Popen([*PROGRAM, "shop.toml"], cwd=shop, stderr=subprocess.PIPE) as process:
            wait_until(lambda: json.loads(listener.wait(TOPIC))["present"] == 1)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
            assert process.returncode == 0
        listener.wait("shops/status", "offline")
    assert stored(shop) >= 1


class Broken:
    """A watch that fails at once."""

    stopped = False

    def run(self) -> None:
        raise MienError("the last visits could not be handed on")

    def stop(self) -> None:
        self.stopped = True


def test_cameras_that_fail_end_the_service_and_say_why() -> None:
    heard: list[int] = []
    old = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    watch: Any = Broken()
    try:
        with pytest.raises(MienError, match="last visits"), _beside(watch):
            wait_until(lambda: heard)
    finally:
        signal.signal(signal.SIGTERM, old)

    assert watch.stopped


def configured(**more: object) -> config.Config:
    return config.checked({"cameras": [{"name": "door", "source": "0"}], **more}, "shop.toml")


def test_the_service_s_settings_are_the_table_s_under_environment_and_flags() -> None:
    found = configured(model="my.onnx", serve={"port": 1, "queue": 99, "api_keys": ["k" * 16]})
    settings = settings_of(found, {"port": 3, "host": None}, {"MIEN_HOST": "::1", "MIEN_PORT": "2"})

    assert (settings.host, settings.port, settings.queue) == ("::1", 3, 99)
    assert settings.models == ("my.onnx",)
    assert settings.api_keys[0].get_secret_value() == "k" * 16
    assert settings_of(configured(), {}, {}).port == 8000


def test_several_workers_are_refused() -> None:
    with pytest.raises(WatchError, match="share one process"):
        configured(serve={"workers": 2})
    with pytest.raises(SettingsError, match="share one process"):
        settings_of(configured(), {}, {"MIEN_WORKERS": "2"})


def test_a_misspelt_setting_is_told() -> None:
    with pytest.raises(WatchError, match=r"unknown key 'serve\.prot'; did you mean 'port'"):
        configured(serve={"prot": 1})
    with pytest.raises(WatchError, match=r"mqtt\.host is missing"):
        configured(mqtt={})
    with pytest.raises(WatchError, match=r"mqtt\.prefix"):
        configured(mqtt={"host": "h", "prefix": "a/#"})


def test_a_broker_s_credentials_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    found = configured(mqtt={"host": "127.0.0.1", "port": 1, "credentials": "BROKER"})
    monkeypatch.delenv("BROKER", raising=False)
    with pytest.raises(MienError, match="BROKER is not set"), publishing(found):
        pass
    assert found.mqtt is not None
    assert found.mqtt.login({"BROKER": "me:a:b"}) == ("me", "a:b")
