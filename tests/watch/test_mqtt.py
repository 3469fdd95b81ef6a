"""Live totals to a real broker."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from mien.errors import MienError
from mien.watch.live import LiveTotals
from mien.watch.mqtt import Publisher
from tests.watch.servers import free_port

TOTALS = LiveTotals("door", "hall/1", 10, {"youth": 5, "adult": 5}, 5)


@contextmanager
def broker(port: int, folder: Path) -> Iterator[None]:
    """Run mosquitto; skip the test where there is none installed."""
    program = shutil.which(
        "mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/opt/homebrew/sbin"
    )
    if program is None:
        pytest.skip("no MQTT broker is installed (Debian: mosquitto)")
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
    running = subprocess.Popen([program, "-c", str(settings)], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        running.terminate()
        running.wait(10)


class Listener:
    """Hears all that a broker keeps and gets."""

    def __init__(self, port: int) -> None:
        self.heard: dict[str, str] = {}
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _hear(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.heard[message.topic] = message.payload.decode()

    def wait(self, topic: str, text: str | None = None) -> str:
        deadline = time.monotonic() + 10
        while topic not in self.heard or (text is not None and self.heard[topic] != text):
            assert time.monotonic() < deadline, self.heard
            time.sleep(0.01)
        return self.heard[topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def started(port: int, folder: Path) -> Iterator[Listener]:
    with broker(port, folder):
        for _ in range(200):
            try:
                listener = Listener(port)
            except ConnectionRefusedError:
                time.sleep(0.02)
            else:
                break
        try:
            yield listener
        finally:
            listener.close()


def test_totals_are_announced_and_published(tmp_path: Path) -> None:
    port = free_port()
    with started(port, tmp_path) as listener:
        publisher = Publisher("127.0.0.1", port)
        assert publisher.wait(10)
        publisher.publish([TOTALS])

        state = json.loads(listener.wait("mien/door/hall_1/state"))
        assert state == {"visits": 10, "present": 5, "age_youth": 5, "age_adult": 5}
        listener.wait("mien/status", "online")
        # In any order, as they are announced before the state they are all there.
        announced = {t: json.loads(m) for t, m in listener.heard.items() if t.startswith("homea")}
        assert len(announced) == 4
        for topic, about in announced.items():
            assert topic == f"homeassistant/sensor/{about['unique_id']}/config"
            assert about["state_topic"] == "mien/door/hall_1/state"
            assert about["availability_topic"] == "mien/status"
            key = about["value_template"].split('"')[1]
            assert key in state
        assert len({about["unique_id"] for about in announced.values()}) == 4
        publisher.close()
        listener.wait("mien/status", "offline")


def test_what_was_published_without_a_broker_comes_when_there_is_one(tmp_path: Path) -> None:
    port = free_port()
    publisher = Publisher("127.0.0.1", port, discovery="")
    publisher.publish([TOTALS])
    assert not publisher.connected
    with started(port, tmp_path) as listener:
        assert json.loads(listener.wait("mien/door/hall_1/state"))["visits"] == 10
        listener.wait("mien/status", "online")
        assert not any(topic.startswith("homeassistant") for topic in listener.heard)
        publisher.close()


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(MienError, match="no broker"):
        Publisher("127.0.0.1", 0)
