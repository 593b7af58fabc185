"""What one agent's shipper says of its reading, as the agent tells it."""

from __future__ import annotations

import logging
from typing import Any

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.models import LogFile, LogTarget, Progress

logger = logging.getLogger(__name__)


class Accounts:
    """Asks one agent, in the agent's own thread."""

    def __init__(self, name: str, agent: BaseAgent[Any]) -> None:
        self._name = name
        self._agent = agent
        self._is_blind = False

    def of(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return how far a file is read; an answer that fails is no evidence, and no reason to stop syncs."""
        try:
            progress = self._agent.read_up_to(target, file)
        except Exception as error:  # noqa: BLE001 - an agent may raise anything
            if not self._is_blind:
                logger.warning("agent %s can't tell how far its shipper has read: %r", self._name, error)
            self._is_blind = True
            return None
        self._is_blind = False
        return progress
