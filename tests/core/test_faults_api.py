"""Every fault of an API server, for as long as it likes: nothing is lost, little is asked, said once."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import attrs
import pytest

from kube_log_watcher_core.kube import Timing
from kube_log_watcher_testing.fake_api import (
    Body,
    Drip,
    Drop,
    Endless,
    Expired,
    FakeApi,
    Fault,
    HalfLine,
    Redirect,
    Refuse,
    ShortWatch,
    Silent,
    Slow,
    Truncated,
    Unchunked,
    pod_object,
)
from kube_support import SkippingClock, names, synced
from support import wait_until

TIMING = attrs.evolve(Timing(), answer_seconds=1.0, silence_seconds=0.3, list_seconds=0.3)
"""The waits of production, which are skipped; what takes its time on a socket is cut short."""

REQUESTS_UNTIL_OVER = {
    # What is got over while it lasts.
    "slow": 2,
    "un-chunked": 2,
    # What takes its time on the socket, where none is skipped.
    "silence": 5,
    "endless": 5,
    "drip-in-head": 5,
    "drip-in-chunk": 5,
}
"""All others last ten minutes."""

FAULTS: dict[str, Fault] = {
    "slow": Slow(0.2),
    "400": Refuse(400),
    "401": Refuse(401),
    "403": Refuse(403),
    "404": Refuse(404),
    "410-status": Expired(as_status=True),
    "410-event": Expired(),
    "429": Refuse(429, text="Too many requests, please try again later.\n"),
    "429-retry-after": Refuse(429, retry_after=20),
    "500": Refuse(500),
    "503": Refuse(503),
    "504": Refuse(504),
    "redirect": Redirect("http://127.0.0.1:9/"),
    "half-a-line": HalfLine(),
    "silence": Silent(),
    "reset-in-mid-list": Truncated(),
    "no-answer": Drop(),
    "garbage": Body(b"\x00\xff{[\n" * 1000),
    "a-page": Body(),
    "nothing": Body(b""),
    "endless": Endless(),
    "drip-in-head": Drip(pause_seconds=0.01),
    "drip-in-chunk": Drip(in_head=False, pause_seconds=0.01),
    "ends-at-once": ShortWatch(),
    "un-chunked": Unchunked(),
}


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi(bookmark_seconds=0.1) as running:
        running.add(pod_object("shop-1"))
        yield running


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_takes_nothing_away_asks_little_is_said_once_and_is_got_over(
    api: FakeApi, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="kube_log_watcher_core")
    clock = SkippingClock()
    with synced(api, timing=TIMING, clock=clock) as watch:
        before, asked, began = watch.pods(), len(api.requests), clock()

        def is_over() -> bool:
            if name in REQUESTS_UNTIL_OVER:
                return len(api.requests) - asked >= REQUESTS_UNTIL_OVER[name]
            return clock() - began > 600.0

        api.fail(FAULTS[name], times=None)
        api.cut_watches()
        watch.ask_for_list()
        wait_until(is_over, what="the end of the fault")
        assert watch.pods() is before
        # Some at first, then one about every 20 s; in pairs, where both a list and a watch are refused.
        assert 1 <= len(api.requests) - asked <= 20 + 2 * (clock() - began) / 15
        api.heal()
        api.cut_watches()
        api.add(pod_object("shop-2"))
        wait_until(lambda: names(watch) == {"shop-1", "shop-2"}, what="the new pod")
        wait_until(lambda: watch.status().error is None, what="no error")
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == len(set(said))
    begun = [text for text in said if "can't be used" in text or "may not" in text]
    ended = [text for text in said if "can be used again" in text or "may list and watch" in text]
    assert len(begun) <= 2  # one for each verb, where a right is missing
    assert bool(begun) == bool(ended)


def test_a_watch_that_ends_every_second_is_neither_a_storm_nor_blindness(api: FakeApi) -> None:
    """With the real waits: some proxies end every stream after a second."""
    api.fail(ShortWatch(1.0), verb="watch", times=None)
    with synced(api, timing=Timing()) as watch:
        for number in range(2, 5):
            api.add(pod_object(f"shop-{number}"))
            wait_until(lambda number=number: len(watch.pods()) == number, what="the pod")  # type: ignore[misc]
        assert api.count("watch") <= 9
        assert api.count("list") == 1


def test_bookmarks_alone_keep_a_stream_and_move_its_version(api: FakeApi) -> None:
    with synced(api) as watch:
        for _ in range(3):
            api.history.put(pod_object("elsewhere", node="node-2"))
            version = str(api.history.version)
            api.bookmark()
            wait_until(lambda version=version: watch.status().resource_version == version)  # type: ignore[misc]
        assert len(api.requests) == 2
