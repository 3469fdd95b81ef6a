"""How fast the service is: beside the same work in-process, and under more than it can take.

    python benchmarks/serve.py --csv results/serve.csv

The photographs are those of `predict.py`: JPEGs of 640 x 480 with one face. The service runs in a
process of its own, the clients in this one; each keeps one connection and sends its next picture
when it has the answer to the last. In each round every number of clients has its turn, and so has
the in-process rate, so that whatever else the machine does slows all alike; rates are medians of
rounds, latencies are taken over all rounds. "each waits for the others" is the number of clients
over the rate: what an answer takes when all are served alike.

The clients work on the same cores, so what they cost is taken from the service: the table tells the
processor time that a picture costs in-process, in the service and in its clients. The first over
the sum of the others is the share that would be reached if no core ever waited; unlike rates, it
can also be told on a machine that has other work.

The overload run sends requests at ten times the measured rate for a while, whatever becomes of
those before; accepted ones should keep their time, the rest get 503 at once, and the service's
memory should stay where it is.
"""

import argparse
import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import httpx2

from load import Turn, encode, flood, probe, run, take_turn
from mien import Analyzer
from predict import make_photos
from tables import Row, show, write

CLIENTS: Final = (1, 4, 16, 64)
_TIMEOUT: Final = 120


def main() -> None:
    """Take the options, measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="face", help="a packaged model's name, or a file")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table to this file")
    parser.add_argument("--rounds", type=int, default=5, help="how often all is measured")
    parser.add_argument("--pictures", type=int, default=512, help="pictures in each turn")
    parser.add_argument("--overload", type=float, default=60, help="seconds of it; 0 for none")
    parser.add_argument("--threads", type=int, default=0, help="cores to use; 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="of the photographs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, service(options.model, options.threads) as found:
        photos = [path.read_bytes() for path in make_photos(Path(folder), 32, 0, options.seed)]
        work = [photos[number % len(photos)] for number in range(options.pictures)]
        analyzer = Analyzer(options.model, threads=options.threads)
        rows, rate = measure(found, analyzer, work, options.rounds)
        if options.overload:
            rows += measure_overload(found, photos, rate, options.overload)
    show(rows, f"{options.pictures} pictures of 640 x 480 a turn, {options.rounds} rounds")
    if options.csv:
        write(rows, options.csv, options.seed)


@dataclass(frozen=True)
class Service:
    """A service in a process of its own."""

    port: int
    process: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def request(self, photo: bytes) -> bytes:
        """Return the request that asks for the faces of a JPEG."""
        return encode(photo, f"127.0.0.1:{self.port}")

    def cpu(self) -> float:
        """Return the processor time that it has taken so far, in seconds."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """Return its memory in megabytes."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def service(model: str, threads: int) -> Iterator[Service]:
    """Run a service until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = "from mien.cli import main; main()"
    flags = ["--port", str(port), "--models", model, "--threads", str(threads)]
    with subprocess.Popen(
        [sys.executable, "-c", program, "serve", *flags], stderr=subprocess.DEVNULL
    ) as running:
        found = Service(port, running.pid)
        try:
            _wait_until_ready(found, running)
            yield found
        finally:
            running.send_signal(signal.SIGTERM)


def _wait_until_ready(found: Service, running: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _TIMEOUT
    while time.monotonic() < deadline and running.poll() is None:
        try:
            if httpx2.get(f"{found.url}/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("the service did not start; try `mien serve`")


def measure(
    found: Service, analyzer: Analyzer, work: Sequence[bytes], rounds: int
) -> tuple[list[Row], float]:
    """Return the rows of all numbers of clients, and the service's rate at 16 clients."""
    inside: list[Seen] = []
    turns: dict[int, list[Seen]] = {number: [] for number in CLIENTS}
    for current in range(rounds + 1):
        part = work if current else work[:16]  # the first round only warms up
        start, before = time.perf_counter(), time.process_time()
        for _ in analyzer.read(part):
            pass
        took, cost = time.perf_counter() - start, time.process_time() - before
        requests = [found.request(photo) for photo in part]
        seen = {number: _turn(found, requests, number) for number in CLIENTS}
        if current:
            inside.append(Seen(len(part) / took, cost / len(part)))
            for number, turn in seen.items():
                turns[number].append(turn)
    rows = [
        _row("in-process", "pictures/s", f"{_middle(inside, 'rate'):.1f}"),
        _row("in-process, processor", "ms/picture", f"{1000 * _middle(inside, 'cpu'):.2f}"),
    ]
    for number in CLIENTS:
        rows += _rows_of(number, turns[number], inside)
    return rows, _middle(turns[16], "rate")


@dataclass(frozen=True)
class Seen:
    """What a turn came to.

    Attributes:
        rate: Pictures a second.
        cpu: Seconds of processor time that a picture took where it was read.
        clients: The same, of the clients.
        turn: What the clients saw.
    """

    rate: float
    cpu: float
    clients: float = 0
    turn: Turn = field(default_factory=Turn)


def _turn(found: Service, requests: Sequence[bytes], number: int) -> Seen:
    cpu, clients = found.cpu(), time.process_time()
    turn = run(take_turn(found.port, requests, number))
    each = 1 / len(requests)
    return Seen(turn.rate, (found.cpu() - cpu) * each, (time.process_time() - clients) * each, turn)


def _middle(seen: Sequence[Seen], name: Literal["rate", "cpu", "clients"]) -> float:
    values: list[float] = [getattr(one, name) for one in seen]
    return statistics.median(values)


def _rows_of(number: int, seen: Sequence[Seen], inside: Sequence[Seen]) -> list[Row]:
    name = f"{number} client{'s' if number > 1 else ''}"
    turns = [one.turn for one in seen]
    rate, cpu, clients = (_middle(seen, part) for part in ("rate", "cpu", "clients"))
    taken = [seconds for turn in turns for seconds in turn.accepted]
    lost = sum(len(turn.refused) + turn.others for turn in turns)
    return [
        _row(name, "pictures/s", f"{rate:.1f}"),
        _row(f"{name}, share of in-process", "", _percent(rate / _middle(inside, "rate"))),
        _row(f"{name}, processor, service", "ms/picture", f"{1000 * cpu:.2f}"),
        _row(f"{name}, processor, clients", "ms/picture", f"{1000 * clients:.2f}"),
        _row(
            f"{name}, processor, in-process over both",
            "",
            _percent(_middle(inside, "cpu") / (cpu + clients)),
        ),
        *_latencies(name, taken),
        _row(f"{name}, each waits for the others", "ms", f"{1000 * number / rate:.0f}"),
        *([_row(f"{name}, not answered", "requests", str(lost))] if lost else []),
    ]


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _latencies(name: str, taken: Sequence[float]) -> list[Row]:
    if len(taken) < 2:
        return [_row(f"{name}, answers", "requests", str(len(taken)))]
    cuts = statistics.quantiles(taken, n=100, method="inclusive")
    return [_row(f"{name}, p{p}", "ms", f"{1000 * cuts[p - 1]:.0f}") for p in (50, 95, 99)]


def measure_overload(
    found: Service, photos: Sequence[bytes], rate: float, seconds: float
) -> list[Row]:
    """Send ten times what the service can take; return what became of it."""
    requests = [found.request(photo) for photo in photos]

    async def both(seconds: float) -> tuple[Turn, list[float]]:
        return await asyncio.gather(
            flood(found.port, requests, 10 * rate, seconds), probe(found.port, seconds)
        )

    before = found.resident()
    # What a service under such load needs at all is one thing, whether it grows another.
    run(both(seconds / 6))
    early = found.resident()
    turn, well = run(both(seconds))
    name = "overload"
    return [
        _row(f"{name}, sent", "requests/s", f"{turn.sent / turn.seconds:.1f}"),
        _row(f"{name}, accepted", "pictures/s", f"{turn.rate:.1f}"),
        *_latencies(f"{name}, accepted", turn.accepted),
        _row(f"{name}, refused by 503", "requests/s", f"{len(turn.refused) / turn.seconds:.1f}"),
        *_latencies(f"{name}, refused", turn.refused),
        _row(f"{name}, anything else", "requests", str(turn.others)),
        *_latencies(f"{name}, health", well),
        _row(f"{name}, memory before", "MB", f"{before:.0f}"),
        _row(f"{name}, memory after {seconds / 6:.0f} s", "MB", f"{early:.0f}"),
        _row(f"{name}, memory at the end", "MB", f"{found.resident():.0f}"),
    ]


def _row(measure: str, unit: str, value: str) -> Row:
    return {"measure": measure, "unit": unit, "value": value}


if __name__ == "__main__":
    main()
