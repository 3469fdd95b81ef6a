"""Event streams: who goes away, who takes nothing, and what fails."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mien.watch.http import events
from mien.watch.http.events import EventStream, comment, event

SCOPE = {"type": "http"}


def test_texts() -> None:
    assert event("live", '{"a":1}') == 'event: live\ndata: {"a":1}\n\n'
    assert comment() == ":\n\n"


class Client:
    """The other end of an answer."""

    def __init__(self, *, leaves: bool = False, stuck: bool = False) -> None:
        self.got: list[Any] = []
        self.ends = 0
        self._leaves, self._stuck = leaves, stuck

    async def receive(self) -> Any:
        if not self._leaves:
            await asyncio.Event().wait()
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.got.append(message)
        if self._stuck and message["type"] == "http.response.body":
            await asyncio.Event().wait()

    def take(self, texts: AsyncIterator[str]) -> None:
        def done() -> None:
            self.ends += 1

        async def run() -> None:
            await asyncio.wait_for(EventStream(texts, done)(SCOPE, self.receive, self.send), 10)

        asyncio.run(run())


async def some() -> AsyncIterator[str]:
    yield event("live", "1")
    yield event("live", "2")


async def endless() -> AsyncIterator[str]:
    while True:
        yield comment()
        await asyncio.sleep(0.01)


async def broken() -> AsyncIterator[str]:
    yield comment()
    raise ValueError("broken")


def test_all_events_come_and_then_the_end() -> None:
    client = Client()
    client.take(some())

    head, *bodies = client.got
    assert head["status"] == 200
    assert (b"content-type", b"text/event-stream; charset=utf-8") in head["headers"]
    assert not any(name == b"content-length" for name, _ in head["headers"])
    assert [body["body"] for body in bodies][-1] == b""
    assert [body["more_body"] for body in bodies] == [True, True, False]
    assert client.ends == 1


def test_who_goes_away_gives_the_place_back() -> None:
    client = Client(leaves=True)
    client.take(endless())

    assert len(client.got) > 1
    assert client.ends == 1


def test_who_takes_nothing_gives_the_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_SLOW", 0.05)
    client = Client(stuck=True)
    client.take(endless())

    assert len(client.got) == 2
    assert client.ends == 1


def test_what_fails_is_told_and_gives_the_place_back() -> None:
    client = Client()
    with pytest.raises(ValueError, match="broken"):
        client.take(broken())
    assert client.ends == 1
