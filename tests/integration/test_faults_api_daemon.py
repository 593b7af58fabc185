"""The whole watcher while the API fails: nothing on the disk changes, little is asked, said once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli_support import run_cli
from daemon_support import CART, SHOP, Stage, layouts, staged
from kube_log_watcher_core import Layout
from kube_log_watcher_core.kube.decode import MOST_CHARACTERS
from kube_log_watcher_testing.fake_api import (
    Body,
    Drop,
    Empty,
    Expired,
    Fault,
    HalfLine,
    Refuse,
    Unchunked,
    pod_object,
)

FAULTS: dict[str, Fault] = {
    "401": Refuse(401),
    "410": Expired(),
    "500": Refuse(500),
    "no-answer": Drop(),
    "garbage": Body(b"\x00\xff{[\n"),
    "half-a-line": HalfLine(),
}
MOST_REQUESTS = 10


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_while_the_api_fails_the_configuration_stays_little_is_asked_and_it_is_got_over(
    tmp_path: Path, fault: Fault
) -> None:
    with staged(tmp_path, Layout.DOCKER) as stage:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        before, asked = stage.identities(), len(stage.api.requests)
        stage.api.fail(fault, times=None)
        stage.api.cut_watches()
        stage.watcher.wait_for(lambda: len(stage.api.requests) >= asked + 2, what="two requests")
        assert stage.identities() == before
        stage.api.heal()
        stage.api.cut_watches()
        stage.wait_followed(one, stage.run("cart-1", labels=CART))
        assert len(stage.api.requests) - asked <= MOST_REQUESTS
        assert stage.watcher.log.count("can't be used for now") <= 1
        assert "Traceback" not in stage.watcher.log


def test_behind_a_proxy_that_sends_streams_without_chunks_changes_arrive_in_moments(tmp_path: Path) -> None:
    with Stage(tmp_path, Layout.CRI) as stage:
        stage.api.fail(Unchunked(), verb="watch", times=None)
        stage.start()
        one = stage.run("shop-1")
        stage.wait_followed(one)
        stage.api.relabel("default", "shop-1", application="store")
        stage.wait_application(one, "store")
        assert stage.api.count("list") == 1


HUGE = {"note": "x" * (MOST_CHARACTERS + 1)}
"""More annotations than any API server takes."""


def explained(stage: Stage, pod: str) -> dict[str, Any]:
    environ = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    done = run_cli("explain", "-o", "json", pod, environ={**environ, "HOME": str(stage.root)})
    (report,) = (
        each for each in json.loads(done.stdout)["containers"] if each["reason"] != "pause-container"
    )
    found: dict[str, Any] = report
    return found


@layouts
def test_a_pod_that_is_too_large_says_so_and_loses_nothing_and_harms_nobody(
    tmp_path: Path, layout: Layout
) -> None:
    (tmp_path / "state").mkdir()
    with Stage(tmp_path, layout, environ={"WATCHER_STATE_DIR": tmp_path / "state"}) as stage:
        huge = stage.run("huge-1", annotations=HUGE)
        one = stage.run("shop-1")
        stage.start()
        stage.wait_followed(one)
        told = explained(stage, "huge-1")
        assert (told["state"], told["reason"]) == ("skipped", "pod-unreadable")
        assert "labels and annotations" in told["detail"]
        assert "smaller" in told["remedy"]
        # What was followed before stays, although an event and then a list can't be read.
        lists = stage.api.count("list")
        for _ in range(3):
            stage.show(one, annotations=HUGE)
        stage.settle()
        assert stage.follows(one)
        assert stage.api.count("list") == lists
        stage.restart()
        stage.settle()
        assert stage.follows(one)
        # And what shrinks is followed.
        stage.show(huge)
        stage.wait_followed(huge)
        assert stage.watcher.log.count("Pod default/huge-1 can't be read") == 1


def test_pods_that_are_as_large_as_etcd_takes_them_stop_no_other(tmp_path: Path) -> None:
    """Eight of 8.4 MB each: their list is 67 MB long."""
    with Stage(tmp_path, Layout.CRI) as stage:
        heavy = pod_object("heavy", labels=SHOP)
        heavy["spec"]["containers"][0]["args"] = ["\x01" * 1_400_000]
        for number in range(7):
            heavy["metadata"] |= {"name": f"heavy-{number}", "uid": f"uid-{number}"}
            stage.api.add(heavy)
        last = stage.node.add(pod="heavy-7")
        heavy["metadata"] |= {"name": last.pod, "uid": last.uid}
        stage.api.add(heavy)
        stage.start()
        stage.wait_followed(last, stage.run("shop-1"))
        assert stage.api.count("list") == 1


def test_an_empty_list_at_a_start_without_a_state_takes_nothing_away(tmp_path: Path) -> None:
    with staged(tmp_path, Layout.CRI) as stage:
        one, two = stage.run("shop-1"), stage.run("cart-1", labels=CART)
        stage.wait_followed(one, two)
        before = stage.identities()
        stage.watcher.stop()
        stage.api.fail(Empty(), verb="list")
        stage.watcher.start()
        stage.watcher.wait_for_log("it is asked again before that is believed")
        assert stage.identities() == before
        stage.settle()
        assert stage.follows(one, two)
