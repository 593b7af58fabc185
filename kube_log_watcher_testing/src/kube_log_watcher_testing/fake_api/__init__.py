"""A fake Kubernetes API server on loopback: real HTTP, made-up pods, and every fault that was seen in life.

    with FakeApi() as api:
        api.add(pod_object("shop-1", labels={"application": "shop"}))
        watch = PodWatch(ApiAccess(api.url), node_name="node-1", on_change=...)

It lists, watches (with bookmarks, in chunks) and gets pods, with field selectors for the node. Faults come
by `fail`, for the next requests of a verb, or at once for open watches (`cut_watches`, `silence_watches`).
"""

from __future__ import annotations

from kube_log_watcher_testing.fake_api.api import FakeApi
from kube_log_watcher_testing.fake_api.faults import (
    Body,
    Drip,
    Drop,
    Empty,
    Endless,
    Expired,
    Fault,
    HalfLine,
    Redirect,
    Refuse,
    ShortWatch,
    Silent,
    Slow,
    Truncated,
    Unchunked,
)
from kube_log_watcher_testing.fake_api.handler import Request
from kube_log_watcher_testing.fake_api.objects import (
    EPHEMERAL,
    INIT,
    ORDINARY,
    ContainerStatus,
    container_id,
    pod_object,
)
from kube_log_watcher_testing.fake_api.tls import Certificate, make_certificate, openssl_missing

__all__ = [
    "EPHEMERAL",
    "INIT",
    "ORDINARY",
    "Body",
    "Certificate",
    "ContainerStatus",
    "Drip",
    "Drop",
    "Empty",
    "Endless",
    "Expired",
    "FakeApi",
    "Fault",
    "HalfLine",
    "Redirect",
    "Refuse",
    "Request",
    "ShortWatch",
    "Silent",
    "Slow",
    "Truncated",
    "Unchunked",
    "container_id",
    "make_certificate",
    "openssl_missing",
    "pod_object",
]
