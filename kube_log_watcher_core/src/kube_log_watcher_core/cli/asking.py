"""Whom ``explain`` and ``status`` ask: the running watcher, by its socket."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kube_log_watcher_core.configuration import Given
from kube_log_watcher_core.explain import ask
from kube_log_watcher_core.settings import WatcherSettings, load, read_sources

UNAVAILABLE = os.EX_UNAVAILABLE
"""69: no watcher answers."""


def state_dir_of(given: Given) -> Path | None:
    """Find where a watcher with these settings keeps its state; other settings may be wrong or missing."""
    sources = read_sources(command_line=given.command_line, environ=given.environ, config=given.config)
    found = load(WatcherSettings, sources).values.get("state_dir")
    return found if isinstance(found, Path) else None


def ask_watcher(state_dir: Path | None, request: str) -> tuple[dict[str, Any] | None, str]:
    """Ask the running watcher: give its document, or None and why there is none."""
    if state_dir is None:
        return None, "WATCHER_STATE_DIR is not set: a running watcher can't be asked"
    try:
        document = ask(state_dir, request)
    except OSError as error:
        return None, f"the watcher that has {state_dir} does not answer: {error.strerror or error}"
    except ValueError as error:
        return None, f"the watcher that has {state_dir} does not understand: {error}"
    return document, "" if document is not None else f"no watcher runs that has {state_dir}"
