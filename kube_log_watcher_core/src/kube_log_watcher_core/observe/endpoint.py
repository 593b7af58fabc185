"""Serves health and metrics where the settings ask for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from kube_log_watcher_core.errors import Problem, SettingsError
from kube_log_watcher_core.observe.snapshot import Snapshot
from kube_log_watcher_core.settings import Address

if TYPE_CHECKING:
    from kube_log_watcher_core.observe.http import HttpServer

logger = logging.getLogger(__name__)


class HttpEndpoint:
    """Health and metrics at one address, from the moment it is made until it is closed.

    It may be made beside the one that it is to follow: where that can't be, the other goes on.
    Raises `SettingsError` when nobody can listen there.
    """

    def __init__(
        self, address: Address, look: Callable[[], Snapshot], *, beside: HttpEndpoint | None = None
    ) -> None:
        # Imported only here: some 2 MiB that nobody needs who does not ask for it.
        from kube_log_watcher_core.observe import http  # noqa: PLC0415
        from kube_log_watcher_core.observe.pages import watcher_app  # noqa: PLC0415

        self.address = address
        other = None if beside is None else beside._server  # noqa: SLF001
        try:
            self._server: HttpServer = http.HttpServer(address.host, address.port, beside=other)
        except OSError as error:
            problem = Problem(
                name="WATCHER_HTTP_ADDRESS",
                source="tried to listen",
                value=str(address),
                expected=f"a free address of this host: {error.strerror}",
            )
            raise SettingsError([problem]) from error
        self._server.start(watcher_app(look))
        shown = Address(address.host, self._server.port)
        logger.info("http://%s serves /livez, /readyz and /metrics", shown)

    def close(self) -> None:
        """Serve no more."""
        self._server.close()
