"""The log: one line an event, as JSON or text, without pictures, labels, addresses or keys."""

import json
import logging
import time
import traceback
from typing import Any, Final, Literal

LOGGER: Final = "mien.serve"
_ALL: Final = "mien"
_MUTE: Final = ("uvicorn.access", "python_multipart")
"""Loggers that would tell of each request, or of each odd byte in one."""

# One for all lines: `json.dumps` would make it anew each time.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, default=str)


class JsonFormatter(logging.Formatter):
    """Writes an event as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return _ENCODER.encode(_fields(record))


class TextFormatter(logging.Formatter):
    """Writes an event as one line of text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = _fields(record)
        head = [fields.pop(name) for name in ("time", "level", "event")]
        return " ".join([*head, *(f"{name}={value}" for name, value in fields.items())])


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    fields: dict[str, Any] = {
        "time": f"{when}.{int(record.msecs):03}Z",
        "level": record.levelname.lower(),
        "event": record.getMessage(),
        **getattr(record, "fields", {}),
    }
    if record.exc_info and record.exc_info[1]:
        fields |= failure(record.exc_info[1])
    return fields


def failure(error: BaseException) -> dict[str, Any]:
    """Return what the log tells of an exception: its type and place.

    Its message stays out, as it may quote what a client sent.
    """
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": places}


def log(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Write an event.

    Args:
        event: What happened, in a word or a few.
        level: Its level.
        **fields: What is known of it; nothing private.
    """
    logging.getLogger(LOGGER).log(level, event, extra={"fields": fields})


def configuration(form: Literal["json", "text"]) -> dict[str, Any]:
    """Return the configuration of Python's logging for the service and its web server."""
    kind = JsonFormatter if form == "json" else TextFormatter
    loggers: dict[str, Any] = {
        name: {"handlers": ["out"], "level": "INFO", "propagate": False}
        for name in (_ALL, "uvicorn")
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": kind}},
        "handlers": {
            "out": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.stderr",
            }
        },
        # Requests are logged by the service itself, by route, without query or address.
        "loggers": loggers
        | {
            "uvicorn.error": {"level": "WARNING", "propagate": True},
            **{name: {"handlers": [], "level": "CRITICAL", "propagate": False} for name in _MUTE},
        },
    }
