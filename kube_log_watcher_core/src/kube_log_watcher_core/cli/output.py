"""Text for terminals and pipes. What pod authors wrote is made harmless first."""

from __future__ import annotations

import logging

from kube_log_watcher_core.configuration import Configuration
from kube_log_watcher_core.observe.logs import set_up_logging

logger = logging.getLogger(__name__)


def one_line(text: str) -> str:
    """Make one line of printable characters: names of pods may hold anything."""
    return visible(" ".join(text.split()))


def visible(line: str) -> str:
    """Make everything in a line visible: a terminal obeys what it doesn't show."""
    return "".join(_visible(character) for character in line)


def _visible(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


def start_logging(configuration: Configuration) -> None:
    """Log to standard error as the settings say, the warnings about them first."""
    set_up_logging(configuration.log_level, json=configuration.watcher.log_format == "json")
    for warning in configuration.warnings:
        logger.warning("%s", warning)
