"""A real PostgreSQL, started for the tests in a folder of its own."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_USER = "postgres"


def free_port() -> int:
    """Return a port of the loopback that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Postgres:
    """A database server that can be stopped and started again."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._data = programs, folder / "data"
        self._port = free_port()
        # PostgreSQL refuses to run as the superuser.
        self._owner = _USER if os.geteuid() == 0 else None
        if self._owner:
            entry = pwd.getpwnam(self._owner)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        sure = ("-A", "trust", "-U", "mien", "-E", "UTF8", "--no-sync", "--locale=C")
        self._run("initdb", "-D", str(self._data), *sure)

    def url(self, schema: str = "public") -> str:
        """Return the address of one schema, whose tables no other sees."""
        return (
            f"postgresql://mien:secret@127.0.0.1:{self._port}/postgres"
            f"?options=-csearch_path%3D{schema}"
        )

    def start(self) -> None:
        """Start, and wait until it answers."""
        # Durable enough against a killed process, which is what the tests do.
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c fsync=off -k ''"
        log = str(self._data / "log")
        self._run("pg_ctl", "-D", str(self._data), "-o", options, "-l", log, "-w", "start")

    def stop(self) -> None:
        """Break all connections and stop."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, cwd="/", user=self._owner, timeout=60
        )


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run a server while the block lasts; skip the test where there is none installed."""
    server = Postgres(_programs(), folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[4])
    on_path = shutil.which("initdb")
    if not found and not on_path:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    if os.geteuid() == 0 and _USER not in {entry.pw_name for entry in pwd.getpwall()}:
        pytest.skip(f"PostgreSQL does not run as the superuser, and there is no user {_USER!r}")
    return found[-1].parent if found else Path(str(on_path)).parent
