"""The spool of the running watcher: emptied, full, unwanted, left behind and set up anew."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon_support import CART, Stage, with_spool
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(params=list(Layout), ids=lambda layout: str(layout.value))
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    with with_spool(tmp_path, request.param) as made:
        yield made.start()


def kept(stage: Stage, *, files: int = 1) -> FakeContainer:
    """Let a pod run, and wait until all files that its log has had are shown."""
    made = stage.run("web")
    stage.node.write(made, "a line of file 1")
    stage.watcher.wait_for(lambda: stage.keeps(made), what="the first segment")
    for number in range(2, files + 1):
        stage.node.rotate(made)
        stage.node.write(made, f"a line of file {number}")
        stage.watcher.wait_for(lambda: stage.keeps(made), what="a further segment")
    return made


def test_an_emptied_spool_gets_the_present_files_again_under_the_same_names(stage: Stage) -> None:
    made = kept(stage, files=2)
    before = stage.segments(made)[-1]
    for folder in (stage.root / "node" / "spool").iterdir():
        shutil.rmtree(folder)
    stage.watcher.wait_for(lambda: stage.keeps(made), what="the link again")
    assert stage.segments(made) == [before]
    stage.watcher.wait_for_log("it is linked again")
    stage.watcher.wait_for_log("somebody else has removed 1 segments")
    stage.node.rotate(made)
    stage.watcher.wait_for(lambda: len(stage.segments(made)) == 2, what="the next segment")
    assert stage.segments(made)[0] == before


def test_a_spool_folder_that_is_removed_is_told_and_new_logs_go_by_their_paths(stage: Stage) -> None:
    made = kept(stage)
    stage.watcher.wait_for(lambda: "path" in stage.entry(made), what="the entry")
    before, pattern = stage.segments(made), stage.entry(made)["path"]
    spool = stage.root / "node" / "spool"
    shutil.rmtree(spool)
    stage.watcher.wait_for_log("can't be made again: No such file or directory: create the folder")
    other = stage.run("other", labels=CART)
    stage.watcher.wait_for(
        lambda: stage.entry(other).get("path") == os.path.realpath(other.log), what="the real path"
    )
    stage.watcher.wait_for_log("is followed by its path")
    spool.mkdir()
    stage.watcher.wait_for(lambda: stage.segments(made) == before, what="the link again")
    assert stage.keeps(made)
    assert stage.entry(made)["path"] == pattern
    assert stage.entry(other)["path"] == os.path.realpath(other.log)
    later = stage.run("later")
    stage.watcher.wait_for(lambda: stage.keeps(later), what="a segment of a new log")


def test_beyond_its_bytes_the_oldest_go_and_what_was_unread_is_told(stage: Stage) -> None:
    stage.watcher.stop()
    stage.watcher.environ["WATCHER_SPOOL_MAX_BYTES"] = "1500"
    stage.start()
    made = kept(stage)
    for _ in range(5):
        stage.node.write(made, "x" * 1000)
        stage.node.rotate(made)
        stage.watcher.wait_for(lambda: stage.keeps(made), what="a further segment")
    live = stage.segments(made)[-1]
    for path in made.log.parent.glob(f"{made.log.name}.*"):
        path.unlink()
    stage.watcher.wait_for_log("the spool is full: segment")
    stage.watcher.wait_for(
        lambda: sum(path.stat().st_size for path in stage.segments(made) if path != live) <= 1500,
        what="what is within the bound",
    )
    assert stage.keeps(made)
    assert live in stage.segments(made)


def test_killed_and_started_again_it_links_what_was_rotated_meanwhile_once_and_in_order(stage: Stage) -> None:
    made = kept(stage)
    first = stage.segments(made)[0]
    stage.watcher.kill()
    stage.node.rotate(made)
    stage.node.write(made, "a line of file 2")
    stage.start()
    stage.watcher.wait_for(lambda: stage.keeps(made), what="the live file")
    found = stage.segments(made)
    assert found[0] == first
    assert ["file 1" in found[0].read_text(), "file 2" in found[1].read_text()] == [True, True]
    assert len({path.stat().st_ino for path in found}) == len(found) == 2


def test_without_a_state_file_shown_segments_are_found_again_by_their_files(stage: Stage) -> None:
    made = kept(stage, files=2)
    before = stage.segments(made)
    stage.watcher.kill()
    for path in (stage.root / "state").iterdir():
        path.unlink()
    stage.node.rotate(made)
    stage.start()
    stage.watcher.wait_for(lambda: stage.keeps(made), what="the live file")
    assert stage.segments(made)[: len(before)] == before
    assert len(stage.segments(made)) == 3


def test_what_nobody_knows_of_after_a_start_goes_after_its_time(stage: Stage) -> None:
    made = kept(stage)
    stage.watcher.kill()
    for path in (stage.root / "state").iterdir():
        path.unlink()
    stage.end(made)
    stage.watcher.environ["WATCHER_SPOOL_SECONDS"] = "1"
    stage.start()
    stage.watcher.wait_for(lambda: stage.segments(made) == [], what="no segment")
    stage.watcher.wait_for_log("nobody knows of its container any more")


def test_what_nobody_knows_of_after_a_start_counts_against_the_bounds(stage: Stage) -> None:
    made = kept(stage)
    stage.node.write(made, "x" * 2000)
    stage.watcher.kill()
    for path in (stage.root / "state").iterdir():
        path.unlink()
    size = stage.segments(made)[0].stat().st_size
    stage.end(made)
    stage.run("other", labels=CART)
    stage.watcher.environ["WATCHER_SPOOL_MAX_BYTES"] = "1500"
    stage.start()
    stage.watcher.wait_for(lambda: stage.segments(made) == [], what="no segment")
    stage.watcher.wait_for_log("the spool is full: segment")
    stage.watcher.wait_for_log(f"had to go with {size} bytes unread")


@pytest.mark.parametrize("unwanted", ["label", "annotation"])
def test_what_somebody_takes_the_label_from_or_excludes_goes_at_once_and_comes_back_under_new_names(
    stage: Stage, unwanted: str
) -> None:
    made = kept(stage, files=2)
    before = {path.name for path in stage.segments(made)}
    if unwanted == "label":
        stage.show(made, labels={"application": "shop"})
    else:
        stage.show(made, annotations={"kubernetes-log-watcher/exclude": "true"})
    stage.watcher.wait_for(lambda: stage.segments(made) == [], what="the segments' end")
    stage.show(made)
    stage.watcher.wait_for(lambda: stage.keeps(made), what="the log again")
    assert before.isdisjoint(path.name for path in stage.segments(made))


def test_a_spool_that_moves_keeps_what_is_followed_where_it_is(stage: Stage) -> None:
    """The settings file is read again; `load` must not take what is known for left behind."""
    made = kept(stage, files=2)
    held = stage.segments(made)
    new = stage.root / "node" / "spool-2"
    new.mkdir()
    config = stage.root / "settings.yaml"
    environ = stage.watcher.environ
    old = environ.pop("WATCHER_SPOOL_DIR")
    environ |= {"WATCHER_CONFIG": config, "WATCHER_SPOOL_SECONDS": "1"}
    config.write_text(f"spool_dir: {old}\n")
    stage.restart()
    config.write_text(f"spool_dir: [{new}, {old}]\n")
    stage.watcher.wait_for_log("new settings are in use")
    other = stage.run("other")
    stage.watcher.wait_for(lambda: list(new.glob(f"*/*-{other.id}.*.log")), what="a log in the new folder")
    first = next(new.glob(f"*/*-{other.id}.*.log"))
    stage.node.rotate(other)
    stage.watcher.wait_for(lambda: not first.exists(), what="the end of the time without an account")
    assert held[-1].exists()
    stage.node.rotate(made)
    stage.watcher.wait_for(lambda: stage.keeps(made), what="the next segment")
    assert stage.segments(made)[-1].parent == held[-1].parent


def path_told(stage: Stage, made: FakeContainer) -> str | None:
    logs = json.loads(stage.config.read_bytes())["logs"] if stage.config.exists() else []
    return next((log["path"] for log in logs if log["attributes"]["container_id"] == made.id), None)


def test_logs_that_were_followed_by_their_path_stay_so_when_the_spool_is_switched_on(stage: Stage) -> None:
    spool = stage.watcher.environ.pop("WATCHER_SPOOL_DIR")
    stage.restart()
    old = stage.run("old")
    stage.watcher.wait_for(lambda: path_told(stage, old) == str(old.log), what="the old log by its path")
    stage.watcher.environ["WATCHER_SPOOL_DIR"] = spool
    stage.restart()
    new = stage.run("new")
    stage.watcher.wait_for(lambda: stage.keeps(new), what="the new log in the spool")
    pattern = f"{stage.segments(new)[0].parent}/main-{new.id}.*.log"
    stage.watcher.wait_for(lambda: path_told(stage, new) == pattern, what="the new log by its pattern")
    assert path_told(stage, old) == str(old.log)
    assert stage.segments(old) == []


def test_a_spool_on_another_mount_is_told_with_the_remedy_and_logs_go_by_their_paths(stage: Stage) -> None:
    mounts = [Path("/dev/shm"), Path("/var/tmp")]  # noqa: S108 - made and removed here
    elsewhere = next(each for each in mounts if each.stat().st_dev != stage.root.stat().st_dev)
    spool = elsewhere / f"spool-{os.getpid()}-{stage.node.layout.value}"
    spool.mkdir()
    try:
        stage.watcher.environ["WATCHER_SPOOL_DIR"] = spool
        stage.restart()
        made = stage.run("web")
        stage.watcher.wait_for(lambda: path_told(stage, made) == str(made.log), what="the log by its path")
        stage.watcher.wait_for_log("a hard link works within one mount only")
    finally:
        shutil.rmtree(spool)


def test_where_the_file_system_must_stay_freer_than_it_is_what_only_the_spool_holds_goes(
    stage: Stage,
) -> None:
    stage.watcher.environ["WATCHER_SPOOL_MIN_FREE_PERCENT"] = "100"
    stage.restart()
    made = kept(stage, files=2)
    first = stage.segments(made)[0]
    assert first.stat().st_nlink == 2  # the pod has it as well: to remove it gives nothing back
    for rotated in made.log.parent.glob(f"{made.log.name}.*"):
        rotated.unlink()
    stage.watcher.wait_for_log("the spool is full")
    assert not first.exists()
    assert stage.keeps(made)
