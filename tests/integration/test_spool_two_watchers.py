"""Two watchers on one spool, as a rolling update brings them: one at work, one waiting, and nothing twice."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon_support import EVENTS_ALONE, Stage, with_spool
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer
from kube_log_watcher_testing.watcher_process import WatcherProcess
from support import soon

pytestmark = pytest.mark.timeout(120)


@contextlib.contextmanager
def staged(root: Path, **environ: str | Path) -> Iterator[Stage]:
    (root / "node" / "other").mkdir(parents=True)
    given = {"WATCHER_INTERVAL": str(EVENTS_ALONE), **environ}
    with with_spool(root, Layout.CRI, environ=given) as stage:
        yield stage.start()


def segments(stage: Stage, made: FakeContainer, spool: str = "spool") -> dict[str, int]:
    """Give the names of a log's segments, with their inodes."""
    found = sorted((stage.root / "node" / spool).glob(f"*/*-{made.id}.*.log"))
    return {path.name: path.stat().st_ino for path in found}


def is_kept(stage: Stage, made: FakeContainer, spool: str = "spool") -> bool:
    """Tell whether the file to which is written now is a segment."""
    return made.log.stat().st_ino in segments(stage, made, spool).values()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["sigterm", "sigkill"])
def test_the_second_waits_and_takes_over_what_the_first_knew_at_its_end(
    tmp_path: Path, number: signal.Signals
) -> None:
    with staged(tmp_path) as stage, contextlib.ExitStack() as at_the_end:
        first = stage.watcher
        early = stage.run("early")
        first.wait_for(lambda: is_kept(stage, early), what="the first segment")
        second = WatcherProcess(stage.node, stage.api, environ=first.environ)
        at_the_end.callback(second.close)
        second.start()
        second.wait_for_log(f"the spool waits: another watcher is at work on {tmp_path}/node/spool")
        gone = stage.run("gone")  # after the second has read what there was to know
        stage.node.write(gone, "the last words")
        first.wait_for(lambda: is_kept(stage, gone) and stage.entry(gone), what="a log that came later")
        stage.end(gone)
        stage.node.rotate(early)
        first.wait_for(lambda: is_kept(stage, early), what="the next segment")
        held = {**segments(stage, early), **segments(stage, gone)}
        assert len(set(held.values())) == len(held) == 3

        first.signal(number)
        first.wait_for_exit()
        with soon("taking over"):
            second.wait_for_log("the spool takes over: the other watcher ended")
            stage.node.rotate(early)
            second.wait_for(lambda: is_kept(stage, early), what="a segment by the second")
        after = {**segments(stage, early), **segments(stage, gone)}
        assert after.items() >= held.items()
        assert len(set(after.values())) == len(after) == 4
        settled = stage.run("settled")
        second.wait_for(lambda: stage.entry(settled), what="a log that the second has found")
        assert stage.entry(gone)["path"].endswith(f"/main-{gone.id}.*.log"), "nobody has read it yet"
        assert second.log.count("the spool waits") == 1
        assert "Traceback" not in second.log


def test_a_spool_that_is_moved_to_where_another_watcher_is_at_work_waits_for_its_end(tmp_path: Path) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text(f"spool_dir: {tmp_path}/node/spool\n")
    with staged(tmp_path, WATCHER_CONFIG=config) as stage, contextlib.ExitStack() as at_the_end:
        first = stage.watcher
        first.environ.pop("WATCHER_SPOOL_DIR")
        stage.restart()
        state, agent = tmp_path / "other-state", tmp_path / "other-scalyr"
        for folder in (state, agent):
            folder.mkdir()
        own = {
            "WATCHER_CONFIG": None,
            "WATCHER_SPOOL_DIR": tmp_path / "node" / "other",
            "WATCHER_STATE_DIR": state,
            "WATCHER_SCALYR_CONFIG_PATH": agent / "agent.json",
            "WATCHER_SCALYR_DEST_PATH": agent,
        }
        second = WatcherProcess(stage.node, stage.api, environ={**first.environ, **own})
        at_the_end.callback(second.close)
        second.start()
        early = stage.run("early")
        second.wait_for(lambda: is_kept(stage, early, "other"), what="a segment of the second")
        first.wait_for(lambda: is_kept(stage, early), what="a segment of the first")
        config.write_text(f"spool_dir: {tmp_path}/node/other\n")
        first.wait_for_log(f"the spool waits: another watcher is at work on {tmp_path}/node/other")
        held = stage.run("held")
        first.wait_for(lambda: is_kept(stage, held), what="a segment where the first has kept them")
        second.wait_for(lambda: is_kept(stage, held, "other"), what="the second's")
        assert second.stop() == 0
        first.wait_for_log("the spool takes over")
        late = stage.run("late")
        first.wait_for(lambda: is_kept(stage, late, "other"), what="a segment in the new folder")
        stage.node.rotate(early)
        first.wait_for(lambda: is_kept(stage, early), what="the next segment, in the old folder")
