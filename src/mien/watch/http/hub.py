"""What the routes of one watch share: its store, its cameras, its tallies."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Annotated, Final, TypeVar

from fastapi import Depends
from pydantic import ValidationError
from starlette.requests import HTTPConnection

from mien.errors import OutputError, StoreError, printable, shortened
from mien.pixels import Image
from mien.serve.logs import failure, log
from mien.serve.problems import Problem, overloaded
from mien.watch import audience, editing, tally
from mien.watch.areas import WHOLE
from mien.watch.audience import Audience, Dimension, Doors
from mien.watch.bulletin import Bulletin
from mien.watch.calibration import for_model
from mien.watch.config import Area, Config, WatchError
from mien.watch.correction import Corrector
from mien.watch.run import Status, Watch
from mien.watch.store.recorder import Recorder
from mien.watch.store.store import Store
from mien.watch.tallying import Running, Tallies

Value = TypeVar("Value")

_QUEUE: Final = 8
_DOORS_KEPT: Final = 30.0
_FLUSH: Final = 2.0
_DAY: Final = timedelta(days=1)
_DAYS: Final = {"hour": 31, "day": 400, "week": 1100, None: 1100}
"""So many days may be asked for at once, by the period that they are parted by."""


class Hub:
    """One watch, as its routes see it.

    Args:
        config: The watch's configuration.
        bulletin: Gives live totals.
        store: Gives the store of visits; may raise.
        file: The configuration's file, into which areas are written.
        watch: The cameras; None where none are watched.
        recorder: Brings visits to the store; None likewise.

    Raises:
        ModelError: The configuration's model cannot be used.
    """

    def __init__(
        self,
        config: Config,
        bulletin: Bulletin,
        store: Callable[[], Store],
        *,
        file: Path,
        watch: Watch | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.config, self.bulletin = config, bulletin
        self.watch = watch
        self._store, self._file, self._recorder = store, file, recorder
        calibration, self.problem = for_model(config.model)
        self._corrector = Corrector(calibration, config.age_groups)
        self.groups = [name for name, _ in config.age_groups]
        self.tallies = Tallies(config.age_groups)
        self.streams = 0
        self._doors: tuple[float, Doors] | None = None
        self._editing = threading.Lock()
        # One: what is asked of the store is work for the processor, which cameras need more.
        self._pool = ThreadPoolExecutor(1, "mien-audience")
        self._waiting = 0

    def close(self) -> None:
        """End the thread that answers."""
        self._pool.shutdown(cancel_futures=True)

    async def run(self, work: Callable[[], Value], timeout: float) -> Value:
        """Have work done off the event loop, one at a time.

        Raises:
            Problem: Too many wait, it took too long, or the store cannot be reached.
        """
        if self._waiting >= _QUEUE:
            raise overloaded("busy", "Too many ask for the audience; try again in a moment.")
        self._waiting += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._pool, work)
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise overloaded(
                "too-slow", f"Not done within {timeout:g} s; ask for fewer days."
            ) from None
        except StoreError as error:
            log("store", **failure(error))
            raise overloaded(
                "no-store", "The store of visits cannot be read at the moment; try again.", 5
            ) from None
        finally:
            self._waiting -= 1

    def ask(self, first: date | None, last: date | None, by: Sequence[Dimension]) -> "Answer":
        """Return totals; in a thread of its own.

        Args:
            first: The first local day; None for the last one.
            last: The last; None for today.
            by: What to part them by.

        Raises:
            MienError: The words or the days make no sense.
            Problem: There are too many days.
            StoreError: The store cannot be reached.
        """
        step = audience.checked(by)
        store, now = self._store(), datetime.now(UTC)
        last = last or max(first or date.min, now.astimezone(store.zone).date())
        first = first or last
        if (last - first).days >= _DAYS[step]:
            raise Problem(
                422,
                "too-many-days",
                f"{(last - first).days + 1} days; ask for at most {_DAYS[step]} at once"
                + (f" by {step}." if step else "."),
            )
        found = audience.ask(
            store,
            first,
            last,
            by,
            self._corrector,
            k=self.config.privacy.k,
            now=None if self.config.privacy.k == 1 else now,
            settles=self._settles,
        )
        return Answer(first, last, store.zone.key, found)

    @property
    def _settles(self) -> timedelta:
        """So long after midnight a visit of the day before may still come to its totals."""
        limits = self.config.limits
        longest = timedelta(seconds=limits.long_after)
        # Longer stays are counted apart, unless they are to count.
        return max(longest, _DAY) if limits.long == "count" else longest

    def configuration(self) -> Config:
        """Return the configuration, with the areas that the cameras have by now."""
        drawn = {status.name: tuple(status.areas) for status in self.cameras()}
        cameras = tuple(
            one.model_copy(update={"areas": drawn.get(one.name, one.areas)})
            for one in self.config.cameras
        )
        return self.config.model_copy(update={"cameras": cameras})

    @property
    def known_doors(self) -> Doors | None:
        """What tallies say of each place; None if that has to be computed anew."""
        known = self._doors
        return known[1] if known and monotonic() - known[0] < _DOORS_KEPT else None

    def doors(self) -> Doors:
        """Return what tallies say of each place.

        Raises:
            StoreError: The store cannot be reached.
        """
        found = self.known_doors
        if found is None:
            found = tally.doors(self._store(), self._corrector)
            self._doors = monotonic(), found
        return found

    def finish(self, running: Running) -> tuple[tally.Tally, tally.Door]:
        """Finish a tally.

        Raises:
            MienError: Nobody was tapped.
            Problem: Somebody else has just finished it, or visits of its time are still on their
                way to the store, where they would be missed for good; then the tally goes on.
            StoreError: The store cannot be reached; the tally goes on.
        """
        if self._recorder is not None and not self._recorder.flush(_FLUSH):
            raise overloaded(
                "visits-wait",
                "Visits of this tally's time are still on their way to the store. The tally goes "
                "on; finish it in a moment.",
                5,
            )
        made = running.finish(datetime.now(UTC), self._store())
        if made is None:
            raise no_such_tally()
        self.tallies.drop(running.id)
        self._doors = None
        return made, self.doors()[made.camera, made.area]

    def camera(self, name: str) -> Status:
        """Return how a camera is.

        Raises:
            Problem: There is none of that name.
        """
        cameras = self.cameras()
        for status in cameras:
            if status.name == name:
                return status
        if self.watch is None:
            raise Problem(404, "no-such-camera", "This service watches no cameras.")
        raise Problem(
            404,
            "no-such-camera",
            f"There is no camera {printable(shortened(name))!r}; "
            f"there are: {', '.join(status.name for status in cameras)}.",
        )

    def cameras(self) -> list[Status]:
        """Return how all cameras are."""
        return [] if self.watch is None else self.watch.status()

    def check_area(self, camera: str, area: str) -> None:
        """Make sure that a camera has an area that counts.

        Raises:
            Problem: It has not.
        """
        areas = [one.name for one in self.camera(camera).areas if not one.ignore] or [WHOLE]
        if area not in areas:
            raise Problem(
                422,
                "no-such-area",
                f"The camera {camera!r} has no area {printable(shortened(area))!r} that counts; "
                f"it has: {', '.join(areas)}.",
            )

    def still(self, camera: str) -> Image:
        """Return a camera's newest picture.

        Raises:
            Problem: It gives none at the moment.
        """
        status = self.camera(camera)
        pixels = None if self.watch is None else self.watch.still(camera)
        if pixels is None:
            raise overloaded(
                "no-picture-now",
                f"The camera {camera!r} gives no picture: it is {status.health.state}.",
                5,
            )
        return pixels

    def redraw(self, camera: str, areas: Sequence[Area]) -> Status:
        """Give a camera other areas: first in the file, then before the camera.

        Raises:
            Problem: The file cannot be written, or says something else by now; nothing changed.
        """
        if self.watch is None:
            raise Problem(404, "no-such-camera", "This service watches no cameras.")
        with self._editing:
            try:
                kept = editing.rounded(areas)
                editing.write_areas(self._file, camera, kept)
            except ValidationError:
                raise Problem(
                    422, "invalid-request", "areas: one is too small; its corners lie on one line."
                ) from None
            except WatchError as error:
                log("areas not kept", **failure(error))
                raise Problem(
                    409,
                    "configuration-changed",
                    "The configuration file is no longer what this watch was started with; look "
                    "at it, and start the watch anew. Nothing was changed.",
                ) from None
            except OutputError as error:
                log("areas not kept", **failure(error))
                raise overloaded(
                    "not-kept",
                    "The configuration file cannot be written; give this user leave to, or free "
                    "some space. Nothing was changed.",
                    30,
                ) from None
            self.watch.redraw(camera, kept)
        return self.camera(camera)


class Answer:
    """Totals, and the days that they are of."""

    def __init__(self, first: date, last: date, zone: str, audience: Audience) -> None:
        self.first, self.last, self.zone, self.audience = first, last, zone, audience


def no_such_tally() -> Problem:
    """Return the problem of a tally that does not go on."""
    return Problem(
        404, "no-such-tally", "No such tally goes on: it was finished or dropped, or forgotten."
    )


def hub_of(connection: HTTPConnection) -> Hub:
    """Return the hub of the application that a request came to."""
    hub: Hub = connection.app.state.hub
    return hub


async def _hub(connection: HTTPConnection) -> Hub:
    return hub_of(connection)


HubDep = Annotated[Hub, Depends(_hub)]
