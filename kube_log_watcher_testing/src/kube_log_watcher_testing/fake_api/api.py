"""The server: its store, its faults, and what tests ask of it."""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

from kube_log_watcher_testing.fake_api.faults import (
    Fault,
    FaultPlan,
)
from kube_log_watcher_testing.fake_api.handler import Handler, Request
from kube_log_watcher_testing.fake_api.history import History
from kube_log_watcher_testing.fake_api.objects import (
    JsonObject,
)
from kube_log_watcher_testing.fake_api.server import Server
from kube_log_watcher_testing.fake_api.streams import Order, Streams
from kube_log_watcher_testing.fake_api.tls import Certificate


class FakeApi:
    """A fake API server. Runs inside a ``with``, or between `start` and `stop`; keeps its pods beyond."""

    def __init__(
        self, *, certificate: Certificate | None = None, bookmark_seconds: float = 60.0, prefix: str = ""
    ) -> None:
        """Make a server that does not listen yet.

        `certificate` turns TLS on. `prefix` is a path before all others, as a proxy may have it.
        """
        self.history = History()
        self.streams = Streams(self.history)
        self.plan = FaultPlan()
        self.requests: list[Request] = []
        """All requests, oldest first."""
        self.events: dict[tuple[str, str], JsonObject] = {}
        """Events on pods that were made, by namespace and name."""
        self.bookmark_seconds = bookmark_seconds
        self.page_items = 0
        """How many pods are in each page of a list; 0: all are in one."""
        self.prefix = prefix
        self._certificate = certificate
        self._context: ssl.SSLContext | None = certificate.server_context() if certificate else None
        self._tokens: set[str] | None = None
        self._forbidden: set[str] = set()
        self._server: Server | None = None
        self._port = 0

    # ------------------------------------------------------------------ running

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the server listens. The same after a restart."""
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self._port}{self.prefix}"

    def start(self) -> None:
        """Listen: on any port the first time, on the same one afterwards."""
        handler = type("BoundHandler", (Handler,), {"backend": self})
        self._server = Server(self._port, handler, self._context)
        self._port = self._server.server_address[1]
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.02,), name="fake-api", daemon=True).start()

    def stop(self) -> None:
        """Refuse connections and break those that are open, as a server that was killed."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.close_connections()
            self.streams.order(Order.CUT)
            self._server = None

    def use_certificate(self, certificate: Certificate) -> None:
        """Show another certificate from the next start on."""
        self._certificate, self._context = certificate, certificate.server_context()

    def service_account(self, folder: Path, *, token: str = "fake-token") -> Path:  # noqa: S107
        """Write what the kubelet mounts for a service account, and accept its token from now on."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "token").write_text(token)
        (folder / "namespace").write_text("kube-system")
        if self._certificate:
            (folder / "ca.crt").write_bytes(self._certificate.ca_file.read_bytes())
        self.accept(token)
        return folder

    # ------------------------------------------------------------------ pods

    def add(self, pod: JsonObject) -> JsonObject:
        """Create a pod (see `pod_object`); give it as it is stored."""
        return self.history.put(pod)

    def update(self, pod: JsonObject) -> JsonObject:
        """Replace a pod by its new state; give it as it is stored."""
        return self.history.put(pod)

    def relabel(self, namespace: str, name: str, **labels: str) -> JsonObject:
        """Set labels of a pod."""
        pod = self.get(namespace, name)
        pod["metadata"].setdefault("labels", {}).update(labels)
        return self.update(pod)

    def delete(self, namespace: str, name: str) -> None:
        """Delete a pod."""
        self.history.remove(namespace, name)

    def get(self, namespace: str, name: str) -> JsonObject:
        """Return a copy of a pod. Raises `KeyError` without it."""
        found = self.history.get(namespace, name)
        if found is None:
            raise KeyError((namespace, name))
        return found

    # ------------------------------------------------------------------ who may

    def accept(self, *tokens: str) -> None:
        """Accept these tokens, and no others. At first, all requests are accepted."""
        self._tokens = set(tokens)

    def forbid(self, *verbs: str) -> None:
        """Answer 403 to these verbs: ``list``, ``watch``, ``get``; ``create`` and ``patch`` of Events."""
        self._forbidden |= set(verbs)

    def allow(self, *verbs: str) -> None:
        """Take `forbid` back."""
        self._forbidden -= set(verbs)

    def admits(self, authorization: str) -> bool:
        """Whether a token is good."""
        return self._tokens is None or authorization.removeprefix("Bearer ") in self._tokens

    def allows(self, verb: str) -> bool:
        """Whether a verb is allowed."""
        return verb not in self._forbidden

    # ------------------------------------------------------------------ faults

    def fail(self, fault: Fault, *, verb: str = "*", times: int | None = 1) -> None:
        """Let the next requests of a verb meet a fault; with `times` None, until `heal`.

        Verbs are ``list``, ``watch``, ``get``, ``continue`` (the further pages of a list), and ``*`` for any.
        """
        self.plan.add(fault, verb=verb, times=times)

    def heal(self) -> None:
        """End all faults that were planned."""
        self.plan.clear()

    def end_watches(self) -> int:
        """End all open watches properly; give their number."""
        return self.streams.order(Order.END)

    def cut_watches(self, *, in_line: bool = False) -> int:
        """Break off all open watches, in the middle of a line if wanted; give their number."""
        return self.streams.order(Order.CUT_IN_LINE if in_line else Order.CUT)

    def silence_watches(self) -> int:
        """Let all open watches say nothing any more; give their number."""
        return self.streams.order(Order.FALL_SILENT)

    def bookmark(self) -> int:
        """Send a bookmark to all open watches; give their number."""
        return self.streams.order(Order.BOOKMARK)

    def compact(self) -> None:
        """Forget all changes so far: a watch from an older version gets 410. Open watches go on."""
        self.history.compact()

    def go_back(self, versions: int = 100) -> None:
        """Be as if restored from an older copy: clients hold a version from the future."""
        self.history.go_back(self.history.version - versions)

    # ------------------------------------------------------------------ what was asked

    @property
    def open_watches(self) -> int:
        """How many watches are open."""
        return len(self.streams)

    @property
    def connections(self) -> int:
        """How many connections there were since the start."""
        return self._server.accepted if self._server else 0

    def count(self, verb: str, status: int | None = None) -> int:
        """Count the requests of a verb, of all or with a status."""
        counts = Counter((each.verb, status and each.status) for each in list(self.requests))
        return counts[verb, status]
