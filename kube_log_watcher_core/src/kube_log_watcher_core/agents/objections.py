"""What an agent objects to: told once in the log, and kept for whoever asks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.models import LogTarget, Objection

logger = logging.getLogger(__name__)

_About = tuple[str, str]
"""A container's key and an annotation."""


class Objections:
    """Takes what one agent objects to after each sync, in the agent's thread; may be read from any.

    ``tell`` is called, with the agent's name, with all that it objects to then.
    """

    def __init__(
        self,
        name: str,
        agent: BaseAgent[Any],
        *,
        tell: Callable[[str, Sequence[Objection]], None] = lambda _name, _found: None,
    ) -> None:
        self._name = name
        self._agent = agent
        self._tell = tell
        self._told: dict[_About, tuple[Objection, str | None]] = {}
        """What was logged, with the annotation's value: another one is told anew."""
        self.by_key: Mapping[str, tuple[Objection, ...]] = {}
        """By the containers' keys."""
        self.held: frozenset[str] = frozenset()
        """Keys of the logs that are not shipped."""

    def look(self, targets: Collection[LogTarget]) -> None:
        """Ask the agent after a sync of these targets; log what is new, and what is mended."""
        try:
            found = tuple(self._agent.objections())
        except Exception:  # somebody's agent may raise anything: what it said before stands
            logger.exception("agent %s can't tell what it objects to", self._name)
            return
        if not found and not self._told:
            return
        by_key: dict[str, tuple[Objection, ...]] = {}
        told: dict[_About, tuple[Objection, str | None]] = {}
        for objection in found:
            key = objection.target.container.key
            by_key[key] = (*by_key.get(key, ()), objection)
            about = (key, objection.annotation)
            told[about] = objection, objection.target.annotations.get(objection.annotation)
            if self._is_news(*told[about], self._told.get(about)):
                logger.warning("%s", objection, extra=_fields(objection, self._name))
        present = {target.container.key for target in targets}
        for about in self._told.keys() - told.keys():
            if about[0] in present:
                objection, _ = self._told[about]
                logger.info("%s: mended", str(objection).partition(": ")[0])
        self._tell(self._name, found)
        self._told, self.by_key = told, by_key
        self.held = frozenset(key for key, each in by_key.items() if any(it.holds for it in each))

    @staticmethod
    def _is_news(
        objection: Objection, value: str | None, before: tuple[Objection, str | None] | None
    ) -> bool:
        """Whether it is not the one that was told: another reason alone is none, for the same value."""
        return before is None or before[1] != value or before[0].holds != objection.holds


def _fields(objection: Objection, agent: str) -> Mapping[str, str]:
    target = objection.target
    return {
        "event": "log-held" if objection.holds else "annotation-ignored",
        "agent": agent,
        "namespace": target.namespace,
        "pod": target.pod_name,
        "container": target.container_name,
    }
