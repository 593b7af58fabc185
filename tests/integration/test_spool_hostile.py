"""Whatever somebody puts into the spool, nothing outside is written or removed, and other logs are kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daemon_support import Stage, with_spool
from hostile_support import Print, prints
from kube_log_watcher_core import Layout
from kube_log_watcher_core.segments import WAITING
from kube_log_watcher_core.spool.spooled import waiting_stem
from kube_log_watcher_testing.fake_node import FakeContainer, pod_uid

pytestmark = pytest.mark.timeout(120)
POD = f"default_web_{pod_uid(namespace='default', pod='web')}"
KEY = f"default/web/{pod_uid(namespace='default', pod='web')}/main/0"
NEWLINE = "evil\nWARNING kube_log_watcher: forged"


@contextlib.contextmanager
def staged(root: Path) -> Iterator[Stage]:
    """Give a stage with a spool, and a folder beside it to which links lead; nothing runs yet."""
    (root / "outside" / "folder").mkdir(parents=True)
    for name in ("victim", "folder/victim", f"folder/{waiting_stem(KEY)}.1700000000.kept"):
        (root / "outside" / name).write_text("of somebody else")
    with with_spool(root, Layout.CRI, environ={"WATCHER_SPOOL_SECONDS": "1"}) as stage:
        yield stage


@contextlib.contextmanager
def untouched(folder: Path) -> Iterator[None]:
    """Expect that nobody writes to a folder, or removes from it."""
    before = prints(folder)
    yield
    assert prints(folder) == before


def wait_kept(stage: Stage, made: FakeContainer) -> None:
    stage.watcher.wait_for(lambda: stage.keeps(made), what=f"a segment of {made.pod}")


def put_link(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "folder")


def put_link_to_file(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "victim")


def put_fifo(path: Path, _: Path) -> None:
    os.mkfifo(path)


def put_file(path: Path, _: Path) -> None:
    path.write_text("of somebody else")


def put_folder(path: Path, _: Path) -> None:
    (path / "inside").mkdir(parents=True)


Put = Callable[[Path, Path], None]


@pytest.mark.parametrize("put", [put_link, put_link_to_file, put_fifo, put_file])
def test_what_stands_in_place_of_a_pods_folder_is_that_pods_trouble_until_it_goes(
    tmp_path: Path, put: Put
) -> None:
    with staged(tmp_path) as stage:
        place = tmp_path / "node" / "spool" / POD
        put(place, tmp_path / "outside")
        with untouched(tmp_path / "outside"):
            stage.start()
            made, other = stage.run("web"), stage.run("other")
            stage.watcher.wait_for_log("the newest file of default/web, container main, can't be kept")
            stage.watcher.wait_for_log("a file or a link stands where a folder belongs: move it away")
            wait_kept(stage, other)
            stage.node.rotate(made)
            stage.node.rotate(other)
            wait_kept(stage, other)
            assert not stage.keeps(made)
        place.unlink()
        wait_kept(stage, made)
        assert len(stage.segments(made)) == 2
        assert "Traceback" not in stage.watcher.log


@pytest.mark.parametrize("put", [put_link, put_link_to_file, put_fifo, put_file])
def test_what_stands_in_place_of_the_folder_of_what_waits_has_new_logs_go_by_their_paths(
    tmp_path: Path, put: Put
) -> None:
    with staged(tmp_path) as stage:
        put(tmp_path / "node" / "spool" / WAITING, tmp_path / "outside")
        with untouched(tmp_path / "outside"):
            stage.start()
            made = stage.run("web")
            stage.watcher.wait_for(lambda: stage.entry(made).get("path") == str(made.log), what="the path")
            stage.watcher.wait_for_log("a file or a link stands where a folder belongs: move it away")
        assert "Traceback" not in stage.watcher.log


@pytest.mark.parametrize("put", [put_link, put_link_to_file, put_fifo, put_file, put_folder])
@pytest.mark.parametrize("which", ["closed", "live"])
def test_what_stands_in_place_of_a_segment_is_told_and_stays(tmp_path: Path, put: Put, which: str) -> None:
    with staged(tmp_path) as stage, untouched(tmp_path / "outside"):
        stage.watcher.environ["WATCHER_SPOOL_SECONDS"] = "900"
        stage.start()
        made, other = stage.run("web"), stage.run("other")
        wait_kept(stage, made)
        stage.node.rotate(made)
        stage.watcher.wait_for(lambda: len(stage.segments(made)) == 2, what="two segments")
        segment = stage.segments(made)[0 if which == "closed" else -1]
        segment.unlink()
        put(segment, tmp_path / "outside")
        if which == "closed":
            stage.watcher.wait_for_log("somebody else has removed 1 segments")
        else:
            stage.watcher.wait_for_log(f"{segment} is a file of somebody else: move it away")
        stage.show(made, annotations={"kubernetes-log-watcher/exclude": "true"})
        stage.watcher.wait_for(lambda: not stage.entry(made), what="the end of what nobody wants")
        stage.watcher.wait_for(lambda: stage.segments(made) == [segment], what="the end of the others")
        stage.node.rotate(other)
        wait_kept(stage, other)
        assert "Traceback" not in stage.watcher.log


def crowd(spool: Path, outside: Path) -> dict[str, Print]:
    """Put into a spool what a watcher never makes; give how that looks."""
    places = [spool, spool / WAITING, spool / "default_a_b"]
    for place in places:
        place.mkdir(exist_ok=True)
        for number, put in enumerate((put_link, put_link_to_file, put_fifo, put_file, put_folder)):
            identity = f"{number:064x}"
            for name in (
                f"main-{identity}.1700000000.log",
                f"{identity}.1700000000.kept",
                f"{identity}.json",
                f"default_pod-{number}_uid",
                f"{NEWLINE} {number}",
            ):
                put(place / name, outside)
    return prints(spool)


def test_a_spool_full_of_all_that_can_be_is_read_by_a_start_and_harms_nobody(tmp_path: Path) -> None:
    with staged(tmp_path) as stage, untouched(tmp_path / "outside"):
        spool = tmp_path / "node" / "spool"
        made = stage.run("web")
        stage.start()
        wait_kept(stage, made)
        waits = stage.run("waits", labels=None)
        stage.api.delete("default", "waits")
        before = crowd(spool, tmp_path / "outside")
        stage.restart()
        other = stage.run("other")
        stage.node.rotate(made)
        wait_kept(stage, made)
        wait_kept(stage, other)
        assert waits.log.exists()
        left = prints(spool)
        kinds = {name: seen for name, seen in before.items() if "forged" in name}
        assert {name: left.get(name) for name in kinds} == kinds, "what has no name of ours stays"
        assert "Traceback" not in stage.watcher.log
        assert not [line for line in stage.watcher.log.splitlines() if line.startswith("WARNING kube_log")]


def test_notes_that_are_none_do_not_hide_those_that_are(tmp_path: Path) -> None:
    """A log waits for its pod while the watcher is down, and its container goes; other notes are hostile."""
    with staged(tmp_path) as stage, untouched(tmp_path / "outside"):
        stage.watcher.environ["WATCHER_SPOOL_SECONDS"] = "900"
        stage.start()
        made = stage.node.add(pod="web")
        waiting = tmp_path / "node" / "spool" / WAITING
        stage.watcher.wait_for(lambda: list(waiting.glob("*.kept")), what="a file that waits")
        stage.watcher.kill()
        for number, put in enumerate((put_link, put_link_to_file, put_fifo, put_folder)):
            stem = f"{number + 1:064x}"  # sorted before and after
            for name in (stem, stem[::-1]):
                (waiting / f"{name}.1700000000.kept").write_text("of somebody else")
                put(waiting / f"{name}.json", tmp_path / "outside")
        stage.show(made)
        stage.node.remove(made)
        stage.start()
        stage.watcher.wait_for(lambda: stage.segments(made), what="what has waited")
        assert "Traceback" not in stage.watcher.log
