"""Lets something begin once its folders are free of other watchers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kube_log_watcher_core.agent import BaseAgent, FileAgent
from kube_log_watcher_core.agents.folder_lock import POLL_SECONDS, Claim

logger = logging.getLogger(__name__)


def folders_of(agent: BaseAgent[Any], state_dir: Path | None) -> Iterable[Path]:
    """Give the folders that an agent must have to itself.

    An agent that doesn't write files has none; then the folder of the watcher's own state stands for it.
    """
    folders = [owned.folder for owned in agent.owned()] if isinstance(agent, FileAgent) else []
    return folders or ([state_dir] if state_dir else [])


class LockedStart:
    """Calls ``start`` once, as soon as a claim is had: at once, or from a thread that waits for it.

    Parameters
    ----------
    title
        how the log calls what is to start.
    """

    def __init__(
        self,
        title: str,
        claim: Claim,
        start: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title = title
        self._start = start
        self._clock = clock
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None
        self.claim = claim
        self.started = False

    def begin(self) -> None:
        """Start now if the folders are free, else when they are."""
        if self.claim.take():
            self._go()
            return
        logger.warning(
            "%s waits: another watcher is at work on %s; this one observes until it ends",
            self._title,
            self.claim.obstacle,
        )
        self._thread = threading.Thread(target=self._wait, name=f"lock-{self._title}", daemon=True)
        self._thread.start()

    def cancel(self) -> bool:
        """Don't start any more; tell whether that was in time."""
        self._cancelled.set()
        if self._thread is not None:
            self._thread.join()
        return not self.started

    def _wait(self) -> None:
        since = self._clock()
        while not self._cancelled.wait(POLL_SECONDS):
            if self.claim.take():
                waited = self._clock() - since
                logger.info("%s takes over: the other watcher ended after %.1f s", self._title, waited)
                self._go()
                return

    def _go(self) -> None:
        self.started = True
        self._start()
