"""The errors that mien raises for bad input: one small family, each message complete by itself."""

from typing import Final

_LONGEST: Final = 300


class MienError(Exception):
    """Base of every error that a user can cause and mend.

    The message says what was received and what to do; it is shown as it stands,
    without a traceback, by the command line.
    """


class ImageError(MienError):
    """A picture that cannot be read: names the input and the reason.

    Args:
        name: What the caller called the picture: a path, or "<bytes>" and the like.
        reason: Why it was refused, and what to do.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class ModelError(MienError):
    """A model file that cannot be used, or that does not fit what was asked of it."""


class DataError(MienError):
    """A data source or a manifest that cannot be used."""


class RecipeError(MienError):
    """A recipe that cannot be carried out."""


class StoreError(MienError):
    """A database of visits that cannot be reached or used, or an outbox before it."""


class OutputError(MienError):
    """A file that could not be written; nothing half-written is left behind."""


def printable(text: str) -> str:
    r"""Escape what could forge or garble a message: line breaks, control characters, and the like.

    Args:
        text: Any text, such as a file's name.

    Returns:
        The text, in which `str.isprintable()` holds for every character.

    Example:
        >>> printable("a\nb.jpg")
        'a\\nb.jpg'
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def shortened(text: str) -> str:
    """Cut the middle out of a text of more than 300 characters, which would flood a message."""
    return text if len(text) <= _LONGEST else f"{text[:200]}…{text[-60:]}"
