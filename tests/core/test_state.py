"""What survives a restart."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from kube_log_watcher_core.errors import WatcherError
from kube_log_watcher_core.models import (
    Container,
    Departed,
    FrozenMap,
    Layout,
    LogTarget,
    Owner,
    Pod,
    PodContainer,
    Work,
)
from kube_log_watcher_core.state import NAME, StateFile


def target() -> LogTarget:
    return LogTarget(
        id="a" * 64,
        log_path=Path("/host/0.log"),
        container=Container(
            key="default/shop-1/u/main/0",
            layout=Layout.CRI,
            name="main",
            pod_name="shop-1",
            namespace="default",
            pod_uid="u",
            log_path=Path("/logs/0.log"),
            created=12.5,
        ),
        pod=Pod(
            uid="u",
            name="shop-1",
            namespace="default",
            labels=FrozenMap({"application": 'sh"öp\n'}),
            annotations=FrozenMap({"a/b": "{}"}),
            owner=Owner("ReplicaSet", "shop"),
            containers=(PodContainer("main", image="team/app:1", id="a" * 64, restart_count=3),),
        ),
        application="shop",
        component=None,
        version="v7",
        release=None,
        environment="production",
        image="app",
        image_version="1",
        cluster_id="c",
        node="n",
        attributes=FrozenMap({"team": "x"}),
    )


WORK = Work((target(),), (Departed(target(), since=1234.5, size=77), Departed(target(), since=1.0)))


def test_targets_and_drains_come_back_as_they_were(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    assert StateFile(tmp_path).load() == WORK


def test_an_image_that_only_the_pods_status_tells_outlives_the_pod(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    assert StateFile(tmp_path).load().targets[0].pod.containers[0].image == "team/app:1"


def test_what_a_killed_process_left_in_the_making_is_removed_and_nothing_else(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    for name in (f".{NAME}.0123abcd.klw-tmp", ".other.0123abcd.klw-tmp", "notes"):
        (tmp_path / name).write_text("half")
    StateFile(tmp_path).tidy()
    assert set(os.listdir(tmp_path)) == {NAME, ".other.0123abcd.klw-tmp", "notes"}


def test_a_state_that_can_t_be_written_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(WatcherError, match=r"none/state\.json can't be written: No such file"):
        StateFile(tmp_path / "none").save(WORK)


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_an_empty_folder_is_an_empty_state(tmp_path: Path) -> None:
    assert StateFile(tmp_path).load() == Work()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"version": 2, "targets": []}',
        b'{"version": 1}',
        b'{"version": 1, "targets": []}',
        b"[" * 100_000,
        b"\xff\x00",
    ],
)
def test_a_damaged_file_is_told_and_started_anew(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert StateFile(tmp_path).load() == Work()
    assert NAME in caplog.text


def test_a_target_with_a_field_missing_makes_no_half_state(tmp_path: Path) -> None:
    StateFile(tmp_path).save(Work((target(), target())))
    document = json.loads((tmp_path / NAME).read_text())
    del document["targets"][1]["pod"]["uid"]
    (tmp_path / NAME).write_text(json.dumps(document))
    assert StateFile(tmp_path).load() == Work()


def test_a_link_in_the_files_place_is_not_read(tmp_path: Path) -> None:
    StateFile(tmp_path).save(WORK)
    os.rename(tmp_path / NAME, tmp_path / "elsewhere")
    (tmp_path / NAME).symlink_to("elsewhere")
    assert StateFile(tmp_path).load() == Work()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        StateFile(tmp_path / "none").load()
