"""Live totals to an MQTT broker, announced so that Home Assistant finds them by itself.

A camera's area becomes a device with three kinds of sensors: visits today, visits today of each age
group, and people there now. Topics: `mien/CAMERA/AREA/state` holds JSON, `mien/status` says
`online` or, by the broker's word when the connection breaks, `offline`.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterable
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from mien.errors import MienError
from mien.watch.live import LiveTotals, Place

_KEEPALIVE: Final = 30
_LEAST_ONCE: Final = 1


class Publisher:
    """Publishes live totals; reconnects by itself for as long as it is open.

    Args:
        host: The broker.
        port: Its port.
        user: Name to log in with; empty for none.
        password: Its password.
        tls: Whether the connection is encrypted, and the broker's certificate checked.
        topic: The first part of all topics.
        discovery: The first part of Home Assistant's topics; empty to announce nothing.
    """

    def __init__(
        self,
        host: str,
        port: int = 1883,
        *,
        user: str = "",
        password: str = "",
        tls: bool = False,
        topic: str = "mien",
        discovery: str = "homeassistant",
    ) -> None:
        self._topic, self._discovery = topic, discovery
        self._status = f"{topic}/status"
        self._announced: set[Place] = set()
        self._newest: dict[str, str] = {}
        self._lock, self._connected = threading.Lock(), threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(user, password)
        if tls:
            self._client.tls_set()
        self._client.will_set(self._status, "offline", qos=_LEAST_ONCE, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.reconnect_delay_set(1, 60)
        try:
            self._client.connect_async(host, port, _KEEPALIVE)
        except ValueError as error:
            raise MienError(f"MQTT: no broker {host!r}, port {port} ({error})") from error
        self._client.loop_start()

    @property
    def connected(self) -> bool:
        """Whether the broker is reached at the moment."""
        return self._connected.is_set()

    def wait(self, timeout: float) -> bool:
        """Wait until the broker is reached; return whether it is."""
        return self._connected.wait(timeout)

    def publish(self, totals: Iterable[LiveTotals]) -> None:
        """Publish totals that changed; without a connection the newest are sent when it is back."""
        with self._lock:
            for one in totals:
                place = one.camera, one.area
                if place not in self._announced:
                    self._announced.add(place)
                    self._announce(one)
                self._send(self._state(place), json.dumps(_state(one)))

    def close(self) -> None:
        """Say that it is offline, and leave."""
        if self.connected:
            self._client.publish(
                self._status, "offline", qos=_LEAST_ONCE, retain=True
            ).wait_for_publish(2)
        self._client.disconnect()
        self._client.loop_stop()

    def _send(self, topic: str, text: str) -> None:
        """Send a retained message, unless the broker has it."""
        if self._newest.get(topic) == text:
            return
        self._newest[topic] = text
        if self.connected:
            self._client.publish(topic, text, qos=_LEAST_ONCE, retain=True)

    def _announce(self, one: LiveTotals) -> None:
        if not self._discovery:
            return
        place = one.camera, one.area
        device = {"identifiers": [_id(*place)], "name": f"{one.camera}, {one.area}"} | {
            "manufacturer": "mien"
        }
        names = {"visits": "Visits today", "present": "There now"}
        names |= {f"age_{age}": f"Visits today, {age}" for age in one.ages}
        for key, name in names.items():
            sensor = f"{_id(*place)}_{_id(key)}"
            about = {
                "name": name,
                "unique_id": sensor,
                "state_topic": self._state(place),
                "value_template": f"{{{{ value_json[{json.dumps(key)}] }}}}",
                "state_class": "measurement" if key == "present" else "total_increasing",
                "availability_topic": self._status,
                "device": device,
            }
            self._send(f"{self._discovery}/sensor/{sensor}/config", json.dumps(about))

    def _state(self, place: Place) -> str:
        return "/".join([self._topic, *map(_level, place), "state"])

    def _on_connect(
        self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _more: Any
    ) -> None:
        if reason.is_failure:
            return
        with self._lock:
            # The broker may have forgotten, or never heard.
            for topic, text in self._newest.items():
                client.publish(topic, text, qos=_LEAST_ONCE, retain=True)
            client.publish(self._status, "online", qos=_LEAST_ONCE, retain=True)
            self._connected.set()

    def _on_disconnect(self, *_about: Any) -> None:
        self._connected.clear()


def _state(one: LiveTotals) -> dict[str, int]:
    ages = {f"age_{age}": count for age, count in one.ages.items()}
    return {"visits": one.visits, "present": one.present, **ages}


def _level(name: str) -> str:
    """Return a name as one level of a topic, without the characters that mean something there."""
    return re.sub(r"[/+#\x00]", "_", name)


def _id(*names: str) -> str:
    """Return a name that Home Assistant takes; other names, other results."""
    text = "_".join(names)
    plain = re.sub(r"[^A-Za-z0-9_]", "_", text)
    digest = hashlib.sha256("\0".join(names).encode()).hexdigest()[:8]
    return plain if plain == text and len(names) == 1 else f"mien_{plain}_{digest}"
