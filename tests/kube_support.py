"""What the tests of the pod watch share."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator

import pytest

from kube_log_watcher_core.errors import ApiError
from kube_log_watcher_core.kube import ApiAccess, Timing
from kube_log_watcher_core.kube.listing import PodList, read_list
from kube_log_watcher_core.kube.session import ApiSession
from kube_log_watcher_core.kube.watch import PodWatch
from kube_log_watcher_core.models import Pod
from kube_log_watcher_testing.fake_api import FakeApi
from support import wait_until

PODS = "/api/v1/pods"

QUICK = Timing(
    connect_seconds=10.0,
    answer_seconds=10.0,
    list_seconds=10.0,
    empty_seconds=(0.05, 0.1, 0.2),
    silence_seconds=60.0,
    stable_seconds=0.3,
    backoff_seconds=0.05,
    backoff_limit_seconds=0.2,
    unsynced_limit_seconds=0.2,
    token_poll_seconds=0.02,
    forbidden_seconds=0.2,
    relist_seconds=(0.2, 0.3),
    missing_seconds=(0.05, 0.4),
    found_seconds=(0.2, 0.8),
    hurry_seconds=0.05,
)
"""All that is waited for, cut short; not what a busy machine may take for an answer."""


class SkippingClock:
    """A clock on which waits take no time: it goes on by them at once. Sockets take the time that they take.

    So retries are tried with the real waits, for minutes, in moments.
    """

    def __init__(self) -> None:
        self.skipped = 0.0
        """The sum of all waits."""

    def __call__(self) -> float:
        return time.monotonic() + self.skipped

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Go on by so many seconds, and let others have the condition for a moment."""
        self.skipped += seconds
        condition.wait(0.0)


class Changes:
    """Counts the calls of a watch's `on_change`."""

    def __init__(self) -> None:
        self.count = 0
        self.threads: set[str] = set()

    def __call__(self) -> None:
        self.count += 1
        self.threads.add(threading.current_thread().name)


@contextlib.contextmanager
def watching(
    api: FakeApi | ApiAccess,
    *,
    node_name: str | None = "node-1",
    timing: Timing = QUICK,
    changes: Changes | None = None,
    on_disk: Collection[tuple[str, str]] | None = None,
    clock: SkippingClock | None = None,
) -> Iterator[PodWatch]:
    """Run a watch on an API server, and see to it that its thread ends.

    An empty list counts only when somebody has said what is on the disk.
    """
    access = api if isinstance(api, ApiAccess) else ApiAccess(api.url)
    watch = PodWatch(
        access,
        node_name=node_name,
        on_change=changes or Changes(),
        clock=clock or time.monotonic,
        wait=clock.wait if clock else threading.Condition.wait,
        timing=timing,
    )
    if on_disk is not None:
        watch.want(on_disk)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
        assert watch.join(30), "the watch's thread did not end"


@contextlib.contextmanager
def synced(
    api: FakeApi,
    *,
    timing: Timing = QUICK,
    changes: Changes | None = None,
    on_disk: Collection[tuple[str, str]] | None = None,
    clock: SkippingClock | None = None,
) -> Iterator[PodWatch]:
    """Run a watch that has listed and watches now."""
    with watching(api, timing=timing, changes=changes, on_disk=on_disk, clock=clock) as watch:
        wait_until(lambda: watch.synced and api.open_watches == 1, what="a watch")
        yield watch


def decode_list(body: bytes) -> PodList:
    """Parse a list that is there as a whole."""
    return read_list([body])


def names(watch: PodWatch) -> set[str]:
    """Give the names of the pods that a watch knows."""
    return {pod.name for pod in watch.pods()}


def pod(name: str = "shop-1", *, uid: str = "u-1", namespace: str = "shop", **labels: str) -> Pod:
    """Make a pod of the model."""
    return Pod(uid=uid, name=name, namespace=namespace, labels=labels, node="node-1")


class SessionClient:
    """A session, and what it counted."""

    def __init__(self, access: ApiAccess, timing: Timing = QUICK) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.session = ApiSession(access, timing=timing, clock=time.monotonic, count=self._count)

    def _count(self, verb: str, code: str) -> None:
        self.counts[verb, code] += 1

    def body(self, *, verb: str = "list", limit_bytes: int = 10**7, seconds: float = 1.0) -> bytes:
        """Give the body of an answer."""
        params = {"watch": "true", "timeoutSeconds": "9"} if verb == "watch" else {}
        with self.session.get(verb, PODS, params=params, answer_seconds=seconds) as answer:
            return answer.whole(limit_bytes=limit_bytes)


def refusal(client: SessionClient, kind: type[ApiError]) -> ApiError:
    """Ask for a list that is refused with this error, and give the error."""
    with pytest.raises(kind) as caught:
        client.body()
    return caught.value
