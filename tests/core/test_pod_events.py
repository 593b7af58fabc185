"""Events on pods: one for each complaint, a series for what goes on, and nothing that is in anybody's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from kube_log_watcher_core.kube import ApiAccess, Complaint, PodEvents
from kube_log_watcher_core.kube.pod_events import (
    MOST_STANDING,
    POD_EVENTS,
    POD_SECONDS,
    REPEAT_SECONDS,
    Standing,
    event_object,
)
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.fake_api import FakeApi, faults
from kube_log_watcher_testing.fake_api.objects import faults_of_event
from support import wait_until

HELD = Complaint(
    namespace="web", pod="shop-1", uid="uid-1", container="main", reason="LogHeld", note="scalyr: no JSON"
)


class Clock:
    """A clock that is set by the test; a sleeper wakes when something is told, or looks at it again soon."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        condition.wait(None if seconds is None else min(seconds, 0.01))


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        yield api


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def events(api: FakeApi, clock: Clock) -> Iterator[PodEvents]:
    events = PodEvents(clock=clock, wall=lambda: 1.7e9 + clock(), wait=clock.wait)
    events.use(ApiAccess(api.url), node="node-1")
    yield events
    events.stop()


def until(test: Callable[[], object], clock: Clock, *, step: float = 1.0) -> None:
    """Let time go on until something holds."""

    def look() -> object:
        clock.now += step
        return test()

    wait_until(look, what="the condition")


def only(api: FakeApi) -> dict[str, Any]:
    (event,) = api.events.values()
    return event


# ------------------------------------------------------------------ what is sent


def test_an_event_is_on_the_pod_and_says_what_is_wrong(api: FakeApi, events: PodEvents, clock: Clock) -> None:
    events.stand("scalyr", [HELD])
    until(lambda: api.events, clock)
    event = only(api)
    assert event["regarding"] == {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": "web",
        "name": "shop-1",
        "uid": "uid-1",
        "fieldPath": "spec.containers{main}",
    }
    assert (event["type"], event["reason"], event["note"]) == ("Warning", "LogHeld", "scalyr: no JSON")
    assert event["reportingInstance"] == "kube-log-watcher-node-1"


@pytest.mark.parametrize("text", hostile.TEXTS, ids=hostile.shown)
def test_whatever_the_note_holds_the_server_takes_it(text: str) -> None:
    event = event_object(attrs.evolve(HELD, note=text), node="node-1", now=1.7e9)
    assert list(faults_of_event(dict(event), "web")) == []


def test_what_goes_on_is_told_again_as_a_series_of_the_same_event(
    api: FakeApi, events: PodEvents, clock: Clock
) -> None:
    events.stand("scalyr", [HELD])
    until(lambda: api.events, clock)
    until(lambda: "series" in only(api), clock, step=REPEAT_SECONDS / 4)
    assert only(api)["series"]["count"] == 2


def test_the_next_life_of_the_watcher_goes_on_with_the_event_that_is_there(
    api: FakeApi, clock: Clock, events: PodEvents
) -> None:
    events.stand("scalyr", [HELD])
    until(lambda: api.events, clock)
    events.stop()
    successor = PodEvents(clock=clock, wall=lambda: 1.7e9 + clock(), wait=clock.wait)
    successor.use(ApiAccess(api.url), node="node-1")
    successor.stand("scalyr", [HELD])
    until(lambda: "series" in only(api), clock)
    assert api.count("create", 409) == 1
    successor.stop()


def test_an_event_that_has_expired_is_made_again(api: FakeApi, events: PodEvents, clock: Clock) -> None:
    events.stand("scalyr", [HELD])
    until(lambda: events.counts["sent"], clock)
    api.events.clear()
    until(lambda: api.events, clock, step=REPEAT_SECONDS / 4)
    assert api.count("patch", 404) == 1
    assert api.count("create", 201) == 2


def test_what_no_longer_stands_is_not_told_again(api: FakeApi, events: PodEvents, clock: Clock) -> None:
    events.stand("scalyr", [HELD])
    until(lambda: api.events, clock)
    events.stand("scalyr", [])
    events.stand("other", [attrs.evolve(HELD, uid="uid-2", pod="shop-2")])
    until(lambda: len(api.events) == 2, clock, step=REPEAT_SECONDS)
    assert api.count("patch") == 0


# ------------------------------------------------------------------ what goes wrong


def test_without_the_right_it_is_said_once_and_tried_again_much_later(
    api: FakeApi, events: PodEvents, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    api.forbid("create")
    events.stand("scalyr", [HELD])
    until(lambda: api.count("create", 403) >= 3, clock, step=100)
    assert len([it for it in caplog.messages if "needs create and patch on events" in it]) == 1
    api.allow("create")
    until(lambda: api.events, clock, step=100)


def test_a_server_that_asks_to_wait_is_left_alone_for_so_long(
    api: FakeApi, events: PodEvents, clock: Clock
) -> None:
    api.fail(faults.Refuse(429, retry_after=60), verb="create")
    events.stand("scalyr", [HELD])
    until(lambda: api.count("create", 429), clock, step=0)
    refused_at = clock()
    until(lambda: api.events, clock)
    assert clock() - refused_at >= 60


def test_one_that_is_not_taken_keeps_no_other_back(
    api: FakeApi, events: PodEvents, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    nameless = attrs.evolve(HELD, pod="No Name")
    events.stand("scalyr", [nameless, HELD])
    until(lambda: api.events, clock)
    assert only(api)["regarding"]["name"] == "shop-1"
    assert "is not taken" in caplog.text


def test_a_server_that_is_away_is_asked_again_and_keeps_nobody_waiting(
    api: FakeApi, events: PodEvents, clock: Clock
) -> None:
    api.fail(faults.Drop(), verb="create", times=3)
    began = time.monotonic()
    events.stand("scalyr", [HELD])
    assert time.monotonic() - began < 1
    until(lambda: events.counts["sent"], clock)
    assert events.counts == {"failed": 3, "sent": 1}


def test_switched_off_nothing_is_sent(api: FakeApi, clock: Clock) -> None:
    events = PodEvents(clock=clock, wall=clock, wait=clock.wait)
    events.use(None)
    events.stand("scalyr", [HELD])
    assert not events.is_on
    assert api.requests == []


# ------------------------------------------------------------------ how many


def test_a_pod_causes_only_so_many_events_in_a_time() -> None:
    standing = Standing()
    many = [attrs.evolve(HELD, note=str(number)) for number in range(POD_EVENTS + 1)]
    standing.stand("scalyr", many)
    for number in range(POD_EVENTS):
        found = standing.next(float(number))
        assert found is not None
        assert found[0] <= number
        standing.note(found[1], 1, float(number))
    found = standing.next(float(POD_EVENTS))
    assert found is not None
    assert found[0] == POD_SECONDS


def test_another_pod_does_not_wait_for_one_that_complains_much() -> None:
    standing = Standing()
    other = attrs.evolve(HELD, uid="uid-2")
    many = [attrs.evolve(HELD, note=str(number)) for number in range(POD_EVENTS + 1)]
    standing.stand("scalyr", [*many, other])
    for each in many[:POD_EVENTS]:
        standing.note(each, 1, 0.0)
    found = standing.next(1.0)
    assert found == (1.0, other)


def test_of_one_source_only_so_many_are_told() -> None:
    standing = Standing()
    standing.stand("scalyr", [attrs.evolve(HELD, uid=str(number)) for number in range(MOST_STANDING + 5)])
    sent = 0
    while (found := standing.next(0.0)) is not None and found[0] <= 0.0:
        standing.note(found[1], 1, 0.0)
        sent += 1
    assert sent == MOST_STANDING


def test_what_two_sources_say_alike_is_one_event() -> None:
    standing = Standing()
    standing.stand("one", [HELD])
    standing.stand("other", [HELD])
    standing.note(HELD, 1, 0.0)
    found = standing.next(0.0)
    assert found is not None
    assert found[0] == REPEAT_SECONDS
