"""The folders of agents, for commands that run once: had, or given up after a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.agents.folder_lock import Claim, FolderLocks, FolderTaken
from kube_log_watcher_core.agents.locked_start import folders_of

LOCK_SECONDS = 3.0
"""How long to wait for a folder that a watcher has: one that was asked to stop is gone within a second."""


class Holding:
    """Has the folders of agents to itself, for commands that run once: until the process ends.

    All agents together wait for `LOCK_SECONDS`.
    """

    def __init__(
        self,
        state_dir: Path | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._state_dir = state_dir
        self._clock = clock
        self._sleep = sleep
        self._locks = FolderLocks()
        self._until = clock() + LOCK_SECONDS

    def hold(self, agent: BaseAgent[Any]) -> None:
        """Have the agent's folders.

        Raises
        ------
        FolderTaken
            when another watcher has one of them for too long.
        """
        claim = Claim(self._locks, folders_of(agent, self._state_dir))
        seconds = max(self._until - self._clock(), 0.0)
        claim.wait(seconds=seconds, clock=self._clock, sleep=self._sleep)
        if claim.obstacle is not None:
            raise FolderTaken(claim.obstacle)
