"""Whatever becomes of a container on the node reaches all shippers, by events alone.

All tests of a layout share one watcher, whose next full pass is an hour away.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from daemon_support import SHOP, Stage, staged
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import EPHEMERAL, INIT, ContainerStatus, pod_object

_SPACES = itertools.count()


@pytest.fixture(scope="module", params=list(Layout), ids=lambda layout: str(layout.value))
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("containers"), request.param) as stage:
        yield stage


@pytest.fixture
def stage(shared: Stage) -> Stage:
    """Give the shared stage, and a namespace that no other test has."""
    shared.namespace = f"space-{next(_SPACES)}"
    return shared


docker_only = pytest.mark.parametrize("shared", [Layout.DOCKER], indirect=True, ids=["docker"])


class TestContainers:
    def test_a_restarted_container_is_followed_besides_its_last_run(self, stage: Stage) -> None:
        first = stage.run("shop-1")
        stage.wait_followed(first)
        second = stage.node.restart(first)
        stage.show(second)
        stage.wait_followed(first, second)
        assert first.id != second.id
        stage.node.remove(first)
        stage.wait_ignored(first)
        assert stage.follows(second)

    def test_init_sidecar_and_ephemeral_containers_are_followed(self, stage: Stage) -> None:
        names = {"setup": INIT, "sidecar": INIT, "debugger": EPHEMERAL, "main": "containerStatuses"}
        made = {
            name: stage.node.add(pod="shop-1", namespace=stage.namespace, container=name) for name in names
        }
        statuses = [ContainerStatus(name, id=made[name].id, kind=kind) for name, kind in names.items()]
        stage.api.add(
            pod_object(
                "shop-1",
                namespace=stage.namespace,
                uid=made["main"].uid,
                labels=SHOP,
                containers=statuses,
            )
        )
        stage.wait_followed(*made.values())

    def test_a_pod_with_the_longest_name_is_followed_by_its_containers_id(self, stage: Stage) -> None:
        """The kubelet cuts the link's name, and the id with it: the pod's status tells it."""
        one = stage.run("x" * 200, uid=f"{stage.namespace}-uid")
        stage.wait_followed(one)

    def test_a_container_that_has_exited_is_followed_while_its_log_is_there(self, stage: Stage) -> None:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        stage.node.stop(one)
        stage.settle()
        assert stage.follows(one)

    def test_a_rotated_log_changes_nothing(self, stage: Stage) -> None:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        before = stage.entry(one), stage.job(one)
        written = stage.job_file(one).stat()
        for _ in range(3):
            stage.node.write(one, "a line")
            stage.node.rotate(one)
        stage.settle()
        assert (stage.entry(one), stage.job(one)) == before
        now = stage.job_file(one).stat()
        assert (now.st_ino, now.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)

    def test_a_container_id_that_goes_and_comes_back_is_followed_again(self, stage: Stage) -> None:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        for _ in range(2):
            away = one.log.with_name("moved-away")
            one.log.rename(away)
            stage.wait_ignored(one)
            away.rename(one.log)
            stage.wait_followed(one)

    @pytest.mark.parametrize(
        "image",
        [
            "localhost:5000/team/app",
            "localhost:5000/team/app:2.0@sha256:" + "1a" * 32,
            "registry.example.org/tools/pause-service:3.1",
            "sha256:" + "0f" * 32,
            "app",
        ],
    )
    def test_whatever_the_image_is_called_the_container_is_followed(self, stage: Stage, image: str) -> None:
        stage.wait_followed(stage.run("shop-1", image=image))

    def test_a_log_that_leads_out_of_the_log_roots_is_not_followed(self, stage: Stage) -> None:
        """Whoever can write to a log folder could else have any file of the node shipped."""
        target = stage.root / "node" / f"secret-of-{stage.namespace}"
        target.write_text("secret")
        one = stage.node.add(pod="thief", namespace=stage.namespace, started=False)
        one.log.symlink_to(target)
        stage.show(one)
        stage.settle()
        assert stage.ignores(one)
        assert str(target) not in stage.config.read_text()

    def test_strange_files_beside_the_containers_harm_nobody(self, stage: Stage) -> None:
        folder = stage.node.containers_path
        (folder / f"{stage.namespace}.txt").write_text("stray")
        (folder / f"folder-of-{stage.namespace}").mkdir()
        (folder / f"loop-of-{stage.namespace}").symlink_to(folder)
        os.mkfifo(folder / f"{stage.namespace}.log")
        stage.wait_followed(stage.run("shop-1"))


@docker_only
class TestDocker:
    """What only Docker's folders have."""

    def test_a_pause_container_is_not_followed(self, stage: Stage) -> None:
        pause = stage.node.add_pause(pod="shop-1", namespace=stage.namespace)
        stage.wait_followed(stage.run("shop-1"))
        assert stage.ignores(pause)

    @pytest.mark.parametrize(
        "content", [b"", b"{", b"null", b"[1]", b'{"Config": null}', b"\xff\xfe", b"[" * 5000]
    )
    def test_a_broken_configuration_is_read_again_once_it_is_good(self, stage: Stage, content: bytes) -> None:
        one = stage.node.add(pod="shop-1", namespace=stage.namespace, started=False)
        config = one.log.with_name("config.v2.json")
        good = config.read_bytes()
        config.write_bytes(content)
        stage.show(one)
        one.log.touch()
        stage.settle()
        config.write_bytes(good)
        stage.wait_followed(one)

    def test_a_container_that_no_kubelet_started_is_not_followed(self, stage: Stage) -> None:
        labels = {"io.kubernetes.pod.name": "", "x.io.kubernetes.pod.name": "shop-1"}
        one = stage.node.add(pod="shop-1", namespace=stage.namespace, labels=labels)
        stage.show(one)
        stage.settle()
        assert stage.ignores(one)
