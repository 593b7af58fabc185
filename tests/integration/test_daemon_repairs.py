"""Full passes put right what somebody damaged or deleted, and touch nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon_support import CART, Stage, staged
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer

INTERVAL = 0.2


@pytest.fixture(scope="module", params=list(Layout), ids=lambda layout: str(layout.value))
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stage, FakeContainer]]:
    """Give a stage, and a container that is followed on it."""
    with staged(tmp_path_factory.mktemp("repairs"), request.param, interval=INTERVAL) as stage:
        one = stage.run("shop-1")
        stage.wait_followed(one)
        yield stage, one


def let_a_full_pass_end(stage: Stage, container: FakeContainer) -> None:
    """Wait for the end of a full pass that began after this call: what is deleted now is back then."""
    for _ in range(2):
        stage.job_file(container).unlink()
        (stage.tree / stage.link(container)).unlink()
        stage.wait_followed(container)


def delete(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def damage(path: Path) -> None:
    path.write_bytes(b'{"half')


def lengthen(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x" * 100_000)


def replace_by_a_link(path: Path) -> None:
    bend(path, "/etc/hostname")


def replace_by_a_dangling_link(path: Path) -> None:
    bend(path, "/nonexistent/file")


def bend(path: Path, target: str) -> None:
    """Replace a file or link by a link, in one step: whatever is missing may be back at once."""
    new = path.with_name("new")
    new.symlink_to(target)
    new.rename(path)


@pytest.mark.parametrize(
    "harm", [delete, empty, damage, lengthen, replace_by_a_link, replace_by_a_dangling_link]
)
def test_whatever_befell_agent_json_it_is_put_right(
    scene: tuple[Stage, FakeContainer], harm: Callable[[Path], None]
) -> None:
    stage, one = scene
    good = stage.config.read_bytes()
    harm(stage.config)
    stage.watcher.wait_for(lambda: is_plain(stage.config, good), what="the agent.json of before")
    assert stage.config.stat().st_mode & 0o777 == 0o600
    assert stage.follows(one)


@pytest.mark.parametrize("harm", [delete, empty, damage, lengthen, replace_by_a_link])
def test_whatever_befell_a_job_file_it_is_put_right(
    scene: tuple[Stage, FakeContainer], harm: Callable[[Path], None]
) -> None:
    stage, one = scene
    job = stage.job_file(one)
    good = job.read_bytes()
    harm(job)
    stage.watcher.wait_for(lambda: is_plain(job, good), what="the job file of before")


def is_plain(path: Path, content: bytes) -> bool:
    return path.exists() and not path.is_symlink() and path.read_bytes() == content


def test_links_that_were_deleted_or_bent_are_put_right(scene: tuple[Stage, FakeContainer]) -> None:
    stage, one = scene
    friendly, link = stage.dest / stage.friendly(one), stage.tree / stage.link(one)
    friendly.unlink()
    stage.wait_followed(one)
    bend(link, "/etc/passwd")
    stage.wait_followed(one)


def test_whole_folders_of_ours_that_were_deleted_come_back(scene: tuple[Stage, FakeContainer]) -> None:
    stage, one = scene
    friendly = stage.dest / stage.friendly(one)
    friendly.parent.rename(stage.root / "away")
    stage.wait_followed(one)


def test_a_stale_file_of_ours_that_somebody_put_back_is_removed(scene: tuple[Stage, FakeContainer]) -> None:
    stage, one = scene
    stale = stage.jobs / f"container-{'0' * 64}-jobfile.job"
    stale.write_bytes(stage.job_file(one).read_bytes())
    stage.watcher.wait_for(lambda: not stale.exists(), what="the end of the stale job")


def test_foreign_files_outlive_every_full_pass(scene: tuple[Stage, FakeContainer]) -> None:
    stage, one = scene
    foreign = [folder / "of-somebody-else.job" for folder in stage.folders]
    for path in foreign:
        path.write_text("mine")
    let_a_full_pass_end(stage, one)
    assert [path.read_text() for path in foreign] == ["mine"] * len(foreign)


def test_a_full_pass_rewrites_nothing_that_is_right(scene: tuple[Stage, FakeContainer]) -> None:
    stage, one = scene
    two = stage.run("cart-1", labels=CART)
    stage.wait_followed(two)
    before = [stage.config.stat().st_mtime_ns, stage.job_file(two).stat().st_mtime_ns]
    let_a_full_pass_end(stage, one)
    assert [stage.config.stat().st_mtime_ns, stage.job_file(two).stat().st_mtime_ns] == before


def test_a_repaired_file_keeps_the_owner_and_mode_that_an_operator_gave_it(
    scene: tuple[Stage, FakeContainer],
) -> None:
    stage, _ = scene
    if os.geteuid() == 0:
        os.chown(stage.config, 12345, 23456)
    stage.config.chmod(0o640)
    good, before = stage.config.read_bytes(), stage.config.stat()
    damage(stage.config)
    stage.watcher.wait_for(lambda: stage.config.read_bytes() == good, what="the agent.json of before")
    after = stage.config.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    # As it was for the other tests.
    os.chown(stage.config, os.geteuid(), os.getegid())
    stage.config.chmod(0o600)
