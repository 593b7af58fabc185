"""Says what goes wrong between us and the API, once when it begins and once when it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable

from kube_log_watcher_core.errors import ApiError, Forbidden
from kube_log_watcher_core.kube.session import Silence
from kube_log_watcher_core.kube.status import Ledger

logger = logging.getLogger(__name__)

HTTP_OK = 200

Kind = tuple[type[ApiError], int | None]
"""What tells one fault from another: its class, and the HTTP status if there was one."""


class Reporter:
    """Tells the log and the status of faults. A fault that goes on is not repeated."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._since: float | None = None
        self._kind: Kind | None = None
        self._told: set[Kind] = set()
        self._missing: dict[str, str] = {}

    def failed(self, error: ApiError) -> None:
        """Take in a fault; a kind that is new is logged."""
        self._ledger.fault(str(error))
        if isinstance(error, Forbidden):  # that is said when it lasts
            return
        kind = type(error), error.status
        self._kind = kind
        if kind in self._told:
            return
        self._told.add(kind)
        self._since = self._clock() if self._since is None else self._since
        logger.warning(
            "The Kubernetes API can't be used for now, trying again: %s", error, extra={"event": "api-lost"}
        )

    def answers(self) -> None:
        """Take in that a stream was opened. That is no end of a fault which shows inside of streams."""
        if self._kind is None or not (self._kind[0] is Silence or self._kind[1] == HTTP_OK):
            self.works()

    def works(self) -> None:
        """Take in that something useful came; the end of a fault is logged."""
        self._ledger.fault(next(iter(self._missing.values()), None))
        if self._since is not None:
            seconds = self._clock() - self._since
            logger.info(
                "The Kubernetes API can be used again after %.1f s", seconds, extra={"event": "api-back"}
            )
        self._since = self._kind = None
        self._told.clear()

    def rights_lacking(self, verb: str, error: ApiError | None) -> None:
        """Say, once for each verb, which right is missing and what that means."""
        if verb not in self._missing:
            logger.error(
                "The service account may not %s pods at cluster scope; it needs list and watch.%s "
                "The API says: %s",
                verb,
                "" if verb == "get" else " Until then the pods found on disk are asked for one by one.",
                error,
                extra={"event": "api-right-missing"},
            )
        self._missing[verb] = f"may not {verb} pods at cluster scope"
        self._ledger.fault(self._missing[verb])

    def right_used(self, verb: str) -> None:
        """Take in that a verb is allowed."""
        self._missing.pop(verb, None)

    def rights_granted(self) -> None:
        """Say that nothing is missing any more."""
        if self._missing:
            logger.info("The service account may list and watch pods now")
            self._missing.clear()
