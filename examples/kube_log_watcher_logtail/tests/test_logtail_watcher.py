"""The agent inside the watcher, and the real logtail beside it: a fake node and a fake API server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from kube_log_watcher_core import Layout
from kube_log_watcher_testing import FakeApi, FakeNode, WatcherProcess, pod_object

pytestmark = pytest.mark.skipif(
    shutil.which("logtail", path="/usr/sbin:/usr/bin") is None, reason="Debian's logtail is not installed"
)


@attrs.frozen
class Stage:
    """A node, and the folders of watcher and shipper."""

    folder: Path

    @property
    def spool(self) -> Path:
        """Where the segments are."""
        return self.folder / "node" / "spool"

    @property
    def environ(self) -> dict[str, str | Path]:
        """The watcher's variables."""
        return {
            "WATCHER_AGENTS": "logtail",
            "WATCHER_SPOOL_DIR": self.spool,
            "WATCHER_STATE_DIR": self.folder / "state",
            "WATCHER_LOGTAIL_FOLDER": self.folder / "metadata",
            "WATCHER_LOGTAIL_OFFSETS": self.folder / "offsets",
        }

    @contextmanager
    def shipping(self) -> Generator[None, None, None]:
        """Run the script that the package brings; what it ships is added to a file."""
        script = self.folder / "ship.sh"
        printed = [sys.executable, "-m", "kube_log_watcher_logtail"]
        script.write_bytes(subprocess.run(printed, check=True, capture_output=True, timeout=30).stdout)
        folders = [self.spool, self.folder / "metadata", self.folder / "offsets"]
        with (self.folder / "shipped").open("ab") as shipped:
            process = subprocess.Popen(["/bin/sh", script, *folders], stdout=shipped)
            try:
                yield
            finally:
                process.terminate()
                process.wait(30)

    def shipped(self) -> Sequence[tuple[str, str]]:
        """Read what was shipped: each line's text, with the label ``application``."""
        lines = (self.folder / "shipped").read_text().splitlines()
        found = [json.JSONDecoder().raw_decode(line) for line in lines]
        labels: list[Mapping[str, Any]] = [document["labels"] for document, _ in found]
        texts = [line[end:].split()[-1] for line, (_, end) in zip(lines, found, strict=True)]
        return [(text, each["application"]) for text, each in zip(texts, labels, strict=True)]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Make the folders that an operator makes."""
    for name in ("metadata", "offsets", "state", "node/spool"):
        (tmp_path / name).mkdir(parents=True)
    return Stage(tmp_path)


def test_what_was_rotated_and_deleted_while_the_shipper_was_away_is_shipped_once(stage: Stage) -> None:
    """With its pod's labels; and the spool is empty at the end, by logtail's own account."""
    node = FakeNode(stage.folder / "node", Layout.CRI)
    with FakeApi() as api, WatcherProcess(node, api, environ=stage.environ) as watcher:
        container = node.add(pod="shop-1")
        node.write(container, "first")
        api.add(
            pod_object("shop-1", uid=container.uid, labels={"application": "${HOME}", "version": "1"}),
        )
        with stage.shipping():
            watcher.wait_for(lambda: stage.shipped() == [("first", "${HOME}")], what="the first line")
        node.write(container, "second")
        node.rotate(container)
        watcher.wait_for(lambda: len(list(stage.spool.glob("*/*.log"))) == 2, what="the second segment")
        node.write(container, "third")
        node.remove(container)
        api.delete("default", "shop-1")
        with stage.shipping():
            watcher.wait_for(lambda: len(stage.shipped()) == 3, what="all lines")
            watcher.wait_for(lambda: not list(stage.spool.glob("*/*.log")), what="the spool's end")
            watcher.wait_for(lambda: not list((stage.folder / "metadata").iterdir()), what="no metadata")
        assert [text for text, _ in stage.shipped()] == ["first", "second", "third"]
        assert watcher.stop() == 0


def test_a_pod_that_asks_for_redaction_ships_nothing_from_then_on(stage: Stage) -> None:
    """The script ships lines as they are; so it leaves such a log alone, though it was shown before."""
    node = FakeNode(stage.folder / "node", Layout.CRI)
    labels = {"application": "shop", "version": "1"}
    rules = {"kubernetes-log-watcher/scalyr-redaction-rules": '[{"match_expression": "secret"}]'}
    with FakeApi() as api, WatcherProcess(node, api, environ=stage.environ) as watcher, stage.shipping():
        asking, other = node.add(pod="shop-1"), node.add(pod="shop-2")
        api.add(pod_object("shop-1", uid=asking.uid, labels=labels))
        node.write(asking, "before")
        watcher.wait_for(lambda: len(stage.shipped()) == 1, what="the first line")
        api.update(pod_object("shop-1", uid=asking.uid, labels=labels, annotations=rules))
        metadata = stage.folder / "metadata" / f"{asking.id}.json"
        watcher.wait_for(lambda: "held" in json.loads(metadata.read_text()), what="the hold")
        node.write(asking, "secret")
        api.add(pod_object("shop-2", uid=other.uid, labels=labels))
        node.write(other, "another")
        watcher.wait_for(lambda: len(stage.shipped()) == 2, what="a line of somebody else's")
        assert [text for text, _ in stage.shipped()] == ["before", "another"]
