"""The agent inside the watcher: the installed command, a fake node and a fake API server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core import Layout
from kube_log_watcher_testing import FakeApi, FakeNode, WatcherProcess, pod_object


@pytest.mark.parametrize("layout", Layout)
def test_a_pods_metadata_follow_the_pod(tmp_path: Path, layout: Layout) -> None:
    """They come with it, change with its labels, and go with it."""
    folder = tmp_path / "kube-meta"
    folder.mkdir()
    file = folder / "default_shop-1.meta"
    node = FakeNode(tmp_path / "node", layout)
    environ: dict[str, str | Path] = {"WATCHER_AGENTS": "fluentbit", "WATCHER_FLUENTBIT_FOLDER": folder}
    with FakeApi() as api, WatcherProcess(node, api, environ=environ) as watcher:
        container = node.add(pod="shop-1")
        api.add(pod_object("shop-1", uid=container.uid, labels={"application": "shop", "version": "1"}))
        watcher.wait_for(file.exists, what="a file for the pod")
        assert _metadata(file)["uid"] == container.uid
        api.relabel("default", "shop-1", version="2")
        watcher.wait_for(lambda: _metadata(file)["labels"]["version"] == "2", what="the new label")
        node.remove(container)
        api.delete("default", "shop-1")
        watcher.wait_for(lambda: not file.exists(), what="the file's end")
        assert watcher.stop() == 0


def test_in_the_spool_a_log_is_shown_once_its_pods_file_is_there(tmp_path: Path) -> None:
    """So nothing is shipped without labels."""
    (folder := tmp_path / "kube-meta").mkdir()
    node = FakeNode(tmp_path / "node", Layout.CRI)
    (spool := tmp_path / "node" / "spool").mkdir()
    environ: dict[str, str | Path] = {
        "WATCHER_AGENTS": "fluentbit",
        "WATCHER_FLUENTBIT_FOLDER": folder,
        "WATCHER_SPOOL_DIR": spool,
    }
    with FakeApi() as api, WatcherProcess(node, api, environ=environ) as watcher:
        container = node.add(pod="shop-1")
        waiting = spool / ".waiting"
        watcher.wait_for(lambda: waiting.is_dir() and any(waiting.iterdir()), what="a link that waits")
        assert list(spool.glob("*/*.log")) == []
        api.add(pod_object("shop-1", uid=container.uid, labels={"application": "shop", "version": "1"}))
        watcher.wait_for(lambda: list(spool.glob("*/*.log")), what="a segment")
        assert _metadata(folder / "default_shop-1.meta")["uid"] == container.uid
        assert watcher.stop() == 0


def _metadata(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())["metadata"]
    return found
