"""A small RTSP server on loopback that can be cut, frozen, and asked for a password.

It speaks as much of RFC 2326 as FFmpeg needs to take H.264 (RFC 6184) over the same connection.
"""

import base64
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

_FRAGMENT: Final = 1400
_REQUEST: Final = re.compile(r"(OPTIONS|DESCRIBE|SETUP|PLAY|TEARDOWN|GET_PARAMETER) rtsp:.*")


class RtspServer:
    """Serves H.264 in a loop.

    Args:
        units: The frames, each as bytes with start codes; the first is a key frame.
        rate: Frames a second.
        password: "user:password" that clients must send; empty for none.

    Attributes:
        frozen: Set, it sends nothing.
        served: How many clients asked for pictures.
        sent: How many frames each of them was sent.
    """

    def __init__(self, units: Sequence[bytes], rate: float = 10, password: str = "") -> None:
        self.units, self.rate, self.password = units, rate, password
        self.frozen = threading.Event()
        self.served = 0
        self.sent: list[int] = []
        self._clients: list[socket.socket] = []
        self._listening: socket.socket | None = None
        self.port = 0
        self.listen()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"rtsp://127.0.0.1:{self.port}/live"

    def listen(self) -> None:
        """Accept clients, on the same port as before."""
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def cut(self) -> None:
        """Drop all clients, and accept no more."""
        if self._listening is not None:
            # Else the thread that accepts would hold the port.
            with suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
        for client in self._clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            client.close()
        self._clients.clear()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                self._clients.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client.makefile("rb") as lines:
            for request in _requests(lines):
                client.sendall(self._answer(request))
                if request.startswith("PLAY"):
                    self.served += 1
                    threading.Thread(target=self._play, args=(client,), daemon=True).start()

    def _answer(self, request: str) -> bytes:
        number = re.search(r"(?im)^cseq: *(\d+)", request)
        head = [f"CSeq: {number[1] if number else 0}", "Session: 1"]
        body = ""
        given = re.search(r"(?im)^authorization: basic (\S+)", request)
        wanted = base64.b64encode(self.password.encode()).decode()
        if self.password and (given is None or given[1] != wanted):
            head.append('WWW-Authenticate: Basic realm="camera"')
            return _message("401 Unauthorized", head, body)
        if request.startswith("OPTIONS"):
            head.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif request.startswith("DESCRIBE"):
            body = self._description()
            head += ["Content-Type: application/sdp", f"Content-Base: {self.url}/"]
        elif request.startswith("SETUP"):
            head.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        return _message("200 OK", head, body)

    def _description(self) -> str:
        known = [unit for unit in _nals(self.units[0]) if unit[0] & 31 in (7, 8)]
        sets = ",".join(base64.b64encode(unit).decode() for unit in known)
        lines = (
            "v=0",
            "o=- 0 0 IN IP4 127.0.0.1",
            "s=camera",
            "t=0 0",
            "m=video 0 RTP/AVP 96",
            "c=IN IP4 0.0.0.0",
            "a=rtpmap:96 H264/90000",
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}",
            "a=control:track0",
        )
        return "".join(f"{line}\r\n" for line in lines)

    def _play(self, client: socket.socket) -> None:
        sequence, frame, begun, place = 0, 0, time.monotonic(), len(self.sent)
        self.sent.append(0)
        with suppress(OSError):
            while True:
                time.sleep(max(0.0, begun + frame / self.rate - time.monotonic()))
                if not self.frozen.is_set():
                    stamp = int(90_000 * frame / self.rate)
                    for last, payload in _payloads(self.units[frame % len(self.units)]):
                        packet = struct.pack(
                            ">BBHII", 128, 96 | last << 7, sequence & 0xFFFF, stamp, 7
                        )
                        packet += payload
                        client.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
                        sequence += 1
                frame += 1
                self.sent[place] = frame


def _requests(lines: "Iterator[bytes]") -> Iterator[str]:
    """Give the requests of a client; what it sends of RTCP in between is passed over."""
    request = ""
    for line in lines:
        text = line.decode("latin-1")
        # RTCP has no lines of its own: a request may begin behind it.
        if found := re.search(
            r"(OPTIONS|DESCRIBE|SETUP|PLAY|TEARDOWN|GET_PARAMETER) rtsp:.*", text
        ):
            request = found[0]
        elif request:
            request += text
        if request and not text.strip():
            yield request
            request = ""


def _message(status: str, head: Sequence[str], body: str) -> bytes:
    lines = [f"RTSP/1.0 {status}", *head, f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


def _nals(unit: bytes) -> list[bytes]:
    return [part for part in re.split(rb"\x00\x00\x00?\x01", unit) if part]


def _payloads(unit: bytes) -> Iterator[tuple[bool, bytes]]:
    """Give the payloads of a frame's packets, and whether each is the frame's last."""
    nals = _nals(unit)
    for index, nal in enumerate(nals):
        final = index == len(nals) - 1
        if len(nal) <= _FRAGMENT:
            yield final, nal
            continue
        parts = [nal[at : at + _FRAGMENT] for at in range(1, len(nal), _FRAGMENT)]
        for number, part in enumerate(parts):
            ends = number == len(parts) - 1
            head = (nal[0] & 31) | (number == 0) << 7 | ends << 6
            yield final and ends, bytes([nal[0] & 0xE0 | 28, head]) + part
