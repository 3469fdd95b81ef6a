"""Ctrl-C in a training: it ends after the step at hand, and never in the middle of something."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl


class Stop(pl.Callback):
    """Ends a training once Ctrl-C was pressed.

    Attributes:
        pressed: Whether it was pressed.
    """

    def __init__(self) -> None:
        self.pressed = False

    def press(self, *_: Any) -> None:
        """Take the signal; pressed a second time, it does not wait for the step's end."""
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True

    def on_train_batch_end(self, *_: Any) -> None:
        """End the training if it was pressed."""
        if self.pressed:
            raise KeyboardInterrupt

    def on_validation_batch_end(self, *_: Any) -> None:
        """End the training if it was pressed."""
        if self.pressed:
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Stop]:
    """Turn Ctrl-C into a KeyboardInterrupt that cannot get lost.

    Raised wherever the program stands, it is lost where Python cannot pass an exception on, as
    in the end of a loading process. And Lightning, which ends the process upon it, would leave
    the process deaf to any further one.

    Yields:
        The callback of the training that is to be ended.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    stop = Stop()
    listens = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, stop.press) if listens else None
    try:
        yield stop
    except SystemExit as error:
        raise KeyboardInterrupt from error
    finally:
        if listens:
            signal.signal(signal.SIGINT, before)
    if stop.pressed:
        raise KeyboardInterrupt
