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
    """At most one server, on the address that counts now."""

    def __init__(self, look: Callable[[], Snapshot]) -> None:
        self._look = look
        self._address: Address | None = None
        self._server: HttpServer | None = None

    def move(self, address: Address | None) -> None:
        """Serve on this address from now on, and on no other; None: on none.

        Raises
        ------
        SettingsError
            when nobody can listen there; the address so far still counts.
        """
        before = self._address
        if address == before:
            return
        # First, for the new one may be the same port of all addresses.
        self.close()
        try:
            self._open(address)
        except SettingsError:
            self._open(before)
            raise

    def close(self) -> None:
        """Serve nowhere."""
        if self._server is not None:
            self._server.close()
        self._server = self._address = None

    def _open(self, address: Address | None) -> None:
        if address is None:
            return
        # Imported only here: some 2 MiB that nobody needs who does not ask for it.
        from kube_log_watcher_core.observe.http import HttpServer  # noqa: PLC0415
        from kube_log_watcher_core.observe.pages import watcher_app  # noqa: PLC0415

        try:
            server = HttpServer(address.host, address.port)
        except OSError as error:
            problem = Problem(
                name="WATCHER_HTTP_ADDRESS",
                source="tried to listen",
                value=str(address),
                expected=f"a free address of this host: {error.strerror}",
            )
            raise SettingsError([problem]) from error
        server.start(watcher_app(self._look))
        self._server, self._address = server, address
        shown = Address(address.host, server.port)
        logger.info("http://%s serves /livez, /readyz and /metrics", shown)
