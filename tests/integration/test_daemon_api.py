"""The API server fails in every way that was seen; what is configured stays, and what comes is followed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon_support import CART, SHOP, Stage, layouts, staged
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import (
    Body,
    Drop,
    Expired,
    FakeApi,
    Fault,
    HalfLine,
    Refuse,
    Silent,
    Slow,
    Truncated,
    make_certificate,
    pod_object,
)
from mount_support import in_a_mount_namespace

DOCKER, CRI = Layout.DOCKER, Layout.CRI


class TestOutages:
    @layouts
    def test_an_outage_takes_nothing_away_and_what_goes_meanwhile_is_taken_out(
        self, tmp_path: Path, layout: Layout
    ) -> None:
        with staged(tmp_path, layout) as stage:
            stays, goes = stage.run("stays"), stage.run("goes")
            stage.wait_followed(stays, goes)
            stage.api.stop()
            stage.node.remove(goes)
            stage.wait_ignored(goes)
            assert stage.follows(stays)
            new = stage.node.add(pod="new")
            stage.watcher.wait_for_log("refused")
            assert stage.ignores(new)
            stage.show(new)
            stage.api.start()
            stage.wait_followed(stays, new)

    def test_an_outage_is_told_once_when_it_begins_and_once_when_it_ends(self, tmp_path: Path) -> None:
        with staged(tmp_path, DOCKER) as stage:
            stage.api.stop()
            stage.watcher.wait_for_log("refused")
            stage.api.start()
            stage.wait_followed(stage.run("shop-1"))
            told = [line for line in stage.watcher.log.splitlines() if "refused" in line]
            assert len(told) == 1

    @pytest.mark.parametrize(
        "fault",
        [
            Refuse(500),
            Refuse(503, retry_after=1),
            Refuse(429, retry_after=1, text="Too many requests, please try again later.\n"),
            Drop(),
            Body(),
            Truncated(),
            Slow(0.4),
        ],
        ids=lambda fault: f"{type(fault).__name__}-{getattr(fault, 'status', '')}".strip("-"),
    )
    def test_whatever_the_first_lists_meet_all_comes_afterwards(self, tmp_path: Path, fault: Fault) -> None:
        with Stage(tmp_path, DOCKER) as stage:
            one = stage.run("shop-1")
            stage.api.fail(fault, verb="list")
            stage.start()
            stage.wait_followed(one)

    @pytest.mark.parametrize(
        "fault",
        [Refuse(500), Drop(), HalfLine(), Expired(), Expired(as_status=True)],
        ids=["500", "drop", "half-line", "410-event", "410-status"],
    )
    def test_whatever_a_watch_meets_later_pods_are_followed(self, tmp_path: Path, fault: Fault) -> None:
        with staged(tmp_path, CRI) as stage:
            one = stage.run("shop-1")
            stage.wait_followed(one)
            stage.api.fail(fault, verb="watch")
            stage.api.compact()
            stage.api.cut_watches(in_line=True)
            two = stage.run("cart-1", labels=CART)
            stage.wait_followed(one, two)

    def test_a_watch_that_falls_silent_does_not_hide_new_pods_for_long(self, tmp_path: Path) -> None:
        """A container on disk whose pod stays unknown for 5 s asks for one fresh list."""
        with Stage(tmp_path, DOCKER) as stage:
            stage.api.fail(Silent(), verb="watch", times=None)
            one = stage.run("shop-1")
            stage.start()
            stage.wait_followed(one)
            lists = stage.api.count("list")
            two = stage.run("cart-1", labels=CART)
            stage.wait_followed(one, two)
            assert stage.api.count("list") - lists <= 2

    def test_many_folders_of_unknown_pods_ask_for_no_more_lists_than_one(self, tmp_path: Path) -> None:
        """Four a second: each asked on its own account, which came to four lists and watches a second."""
        with staged(tmp_path, CRI) as stage:
            one = stage.run("shop-1")
            stage.wait_followed(one)
            requests = stage.api.count("list"), stage.api.count("watch")
            for number in range(48):
                stage.node.add(pod=f"unknown-{number}")
                time.sleep(0.25)
            assert 1 <= stage.api.count("list") - requests[0] <= 2, "after 5 s, and 10 s later"
            assert stage.api.count("watch") - requests[1] <= 2
            two = stage.run("cart-1", labels=CART)
            stage.wait_followed(one, two)


class TestRights:
    """A 403 counts as a missing right after 5 s only: some servers give it while they start."""

    def test_without_the_right_to_list_pods_are_asked_for_singly(self, tmp_path: Path) -> None:
        with Stage(tmp_path, CRI) as stage:
            stage.api.forbid("list", "watch")
            stage.run("bare", labels={"team": "x"})
            one = stage.run("shop-1")
            stage.watcher.start()
            stage.wait_followed(one)
            assert "list" in stage.watcher.log
            two = stage.run("cart-1", labels=CART)
            stage.wait_followed(one, two)
            stage.end(one)
            stage.wait_ignored(one)
            gets = [request.path for request in stage.api.requests if request.verb == "get"]
            assert sum("/pods/bare" in path for path in gets) <= 2

    def test_without_a_node_name_it_is_learnt_from_a_pod_that_is_on_the_disk(self, tmp_path: Path) -> None:
        with Stage(tmp_path, DOCKER, environ={"CLUSTER_NODE_NAME": None}) as stage:
            elsewhere = pod_object("far-1", labels=SHOP, node="node-2")
            stage.api.add(elsewhere)
            one = stage.run("shop-1")
            stage.start()
            stage.wait_followed(one)
            lists = [request.path for request in stage.api.requests if request.verb == "list"]
            assert lists
            assert all("spec.nodeName%3Dnode-1" in path for path in lists)
            stage.wait_followed(stage.run("cart-1", labels=CART))


class TestServiceAccount:
    """The real way in: TLS, the service account's folder at its fixed place, in a mount namespace."""

    @pytest.fixture
    def stage(self, tmp_path: Path) -> Iterator[Stage]:
        account = tmp_path / "account"
        account.mkdir()
        api = FakeApi(certificate=make_certificate(tmp_path / "pki"))
        mounts = (
            'mount -t tmpfs none "$(readlink -f /var/run)" && mkdir -p /var/run/secrets/kubernetes.io && '
            f"ln -s '{account}' /var/run/secrets/kubernetes.io/serviceaccount"
        )
        with Stage(tmp_path, CRI, api=api, prefix=in_a_mount_namespace(mounts)) as stage:
            port = api.url.rpartition(":")[2]
            stage.watcher.environ |= {
                "WATCHER_KUBE_URL": None,
                "KUBERNETES_SERVICE_HOST": "127.0.0.1",
                "KUBERNETES_SERVICE_PORT": port,
            }
            yield stage

    def test_a_token_that_rotates_is_followed(self, stage: Stage) -> None:
        account = stage.root / "account"
        stage.api.service_account(account, token="first")
        one = stage.run("shop-1")
        stage.start()
        stage.wait_followed(one)
        stage.api.accept("second")
        stage.api.cut_watches()
        stage.watcher.wait_for(lambda: stage.api.count("watch", 401) + stage.api.count("list", 401))
        stage.api.service_account(account, token="second")
        two = stage.run("cart-1", labels=CART)
        stage.wait_followed(one, two)
        assert "first" not in stage.watcher.log
        assert "second" not in stage.watcher.log

    def test_a_token_that_is_missing_at_the_start_is_awaited(self, stage: Stage) -> None:
        account = stage.root / "account"
        one = stage.run("shop-1")
        stage.watcher.start()
        stage.watcher.wait_for_log("the token can't be read")
        stage.api.service_account(account, token="late")
        stage.wait_followed(one)

    def test_a_server_with_another_authority_is_not_talked_to(self, stage: Stage) -> None:
        account = stage.root / "account"
        stage.api.service_account(account, token="precious")
        other = make_certificate(stage.root / "other-pki")
        (account / "ca.crt").write_bytes(other.ca_file.read_bytes())
        stage.run("shop-1")
        stage.watcher.start()
        stage.watcher.wait_for_log("certificate")
        assert stage.api.requests == []
