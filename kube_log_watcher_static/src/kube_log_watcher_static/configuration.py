"""The operator's static configuration: whether it names what it has to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from kube_log_watcher_core import AgentConfigError
from kube_log_watcher_static.positions import read_bounded

MOST_BYTES = 1024 * 1024
"""Of a configuration that is read at all."""


def check_configuration(config: Path, names: Iterable[Path]) -> None:
    """Look whether a shipper's configuration names all of these folders and files, outside of comments.

    No more is understood of it: it may be in whatever language, of whatever version.

    Raises
    ------
    AgentConfigError
        when it can't be read, or doesn't name one of them; with the remedy.
    """
    try:
        text = read_bounded(config, MOST_BYTES).decode(errors="replace")
    except (OSError, ValueError) as error:
        raise AgentConfigError(
            f"the shipper's configuration {config} can't be read: {error}: "
            "mount it, or leave the setting away"
        ) from error
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "//"))]
    lacking = [str(name) for name in names if not any(_names(line, name) for line in lines)]
    if lacking:
        raise AgentConfigError(
            f"the shipper's configuration {config} names no {', no '.join(lacking)}: "
            "put in the folders that the watcher writes, or have the watcher write those that stand there"
        )


def _names(line: str, name: Path) -> bool:
    """Whether a line has a path, and not one that only begins with it."""
    return re.search(rf"{re.escape(str(name))}(?![\w.-])", line) is not None
