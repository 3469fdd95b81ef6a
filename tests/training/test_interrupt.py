"""Ctrl-C: taken where it comes, raised where it can be passed on, and never lost."""

import signal
import sys
import threading

import pytest

from mien.training.interrupt import Stop, interruptible


def test_it_waits_for_the_end_of_a_step() -> None:
    with interruptible() as stop:
        stop.on_train_batch_end()
        signal.raise_signal(signal.SIGINT)
        assert stop.pressed
        for end in (stop.on_train_batch_end, stop.on_validation_batch_end):
            with pytest.raises(KeyboardInterrupt):
                end()
        stop.pressed = False


def test_it_is_raised_at_the_end_if_no_step_followed() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interruptible():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before


class Ends:
    """Something during whose end Ctrl-C is pressed."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_it_is_not_lost_where_python_ignores_exceptions() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        Ends()


def test_the_second_does_not_wait() -> None:
    passed = []

    def press_twice() -> None:
        for number in range(3):
            passed.append(number)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), interruptible():
        press_twice()
    assert passed == [0, 1]


def test_an_exit_upon_it_is_no_exit() -> None:
    """As Lightning does it: the process is made deaf to Ctrl-C, and ended."""
    before = signal.getsignal(signal.SIGINT)

    def end() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(1)

    with pytest.raises(KeyboardInterrupt), interruptible():
        end()
    assert signal.getsignal(signal.SIGINT) == before


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), interruptible():
        raise ZeroDivisionError


def test_outside_of_the_main_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    found: list[Stop] = []

    def work() -> None:
        with interruptible() as stop:
            assert signal.getsignal(signal.SIGINT) == before
            found.append(stop)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not found[0].pressed
