"""Log lines: one for each thing that happened, as text or as JSON."""

from __future__ import annotations

import logging
import sys
import time

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_FIELDS = "%(asctime)s %(levelname)s %(name)s %(message)s"
_TIME = "%Y-%m-%dT%H:%M:%S"


def set_up_logging(level: str, *, json: bool) -> None:
    """Write the watcher's log lines to standard error; called again, the new ways count."""
    handler = logging.StreamHandler(sys.stderr)
    text_formatter = _OneLine(_TEXT, datefmt=_TIME + "Z")
    text_formatter.converter = time.gmtime
    handler.setFormatter(json_formatter() if json else text_formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # They report each connection and each retry of their own; what matters of it is in our lines.
    for noisy in ("urllib3", "stevedore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class _OneLine(logging.Formatter):
    """Keeps what pod authors write from forging log lines of their own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return visible(super().formatMessage(record))


def visible(line: str) -> str:
    """Return a line with everything in it visible: a terminal obeys what it doesn't show."""
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)


def json_formatter() -> logging.Formatter:
    """Make each line a JSON object: time, level, logger, message, and the fields that the event has."""
    # Imported only here: half a MiB that text logs don't need.
    from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415

    formatter = JsonFormatter(
        _FIELDS,
        datefmt=_TIME + "Z",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
    )
    formatter.converter = time.gmtime
    return formatter
