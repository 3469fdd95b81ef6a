"""The figures of several workers as one text."""

import asyncio
import socket
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mien.serve.metrics import Metrics
from mien.serve.peers import SUPPORTED, Peers, merged

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="needs Unix sockets")


def figures(requests: int) -> Metrics:
    found = Metrics()
    for _ in range(requests):
        found.request("GET", "/readyz", 200, 0.002)
    return found


def samples(text: bytes, name: str) -> dict[str, float]:
    return {
        sample.labels["worker"]: sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name == name
    }


async def scrape(folder: Path, *workers: Metrics) -> bytes:
    peers = [Peers(folder, found.text, str(n)) for n, found in enumerate(workers)]
    for peer in peers:
        await peer.open()
    try:
        return await peers[0].text()
    finally:
        for peer in peers:
            await peer.close()


def test_each_worker_tells_its_own(tmp_path: Path) -> None:
    text = asyncio.run(scrape(tmp_path, figures(2), figures(5)))
    assert samples(text, "mien_requests_total") == {"0": 2, "1": 5}
    assert samples(text, "mien_request_seconds_count") == {"0": 2, "1": 5}
    assert list(tmp_path.iterdir()) == []


def test_each_family_stands_once_and_whole(tmp_path: Path) -> None:
    lines = asyncio.run(scrape(tmp_path, figures(1), figures(1))).decode().splitlines()
    heads = [line for line in lines if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))
    assert "# TYPE mien_request_seconds histogram" in heads
    start = lines.index("# TYPE mien_requests_total counter")
    assert all(line.startswith("mien_requests_total{") for line in lines[start + 1 : start + 3])


def test_a_worker_that_was_killed_is_forgotten(tmp_path: Path) -> None:
    left = tmp_path / "7.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(left))
    text = asyncio.run(scrape(tmp_path, figures(3)))
    assert samples(text, "mien_requests_total") == {"0": 3}
    assert not left.exists()


def test_a_worker_that_hangs_keeps_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.serve.peers._TIMEOUT", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "8.sock"))
        silent.listen()
        text = asyncio.run(scrape(tmp_path, figures(3)))
    assert samples(text, "mien_requests_total") == {"0": 3}


def test_what_labels_hold_stays(tmp_path: Path) -> None:
    odd = Metrics()
    odd.request("GET", 'a"b\\c\nd', 404, 0.1)
    assert samples(merged({"1": odd.text()}), "mien_requests_total") == {"1": 1}


def test_a_folder_too_deep_leaves_a_worker_its_own(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    text = asyncio.run(scrape(deep, figures(3), figures(4)))
    assert samples(text, "mien_requests_total") == {"0": 3}
