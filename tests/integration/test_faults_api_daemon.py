"""The whole watcher while the API fails: nothing on the disk changes, little is asked, said once."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon_support import CART, Stage, staged
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import (
    Body,
    Drop,
    Expired,
    Fault,
    HalfLine,
    Refuse,
    Unchunked,
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
