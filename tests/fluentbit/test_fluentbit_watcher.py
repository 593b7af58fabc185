"""The agent inside the watcher, and the real Fluent Bit beside it: a fake node and a fake API server."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from fluentbit_support import PROGRAM, FluentBit, needs_fluent_bit
from kube_log_watcher_core import Layout
from kube_log_watcher_testing import FakeApi, FakeContainer, FakeNode, WatcherProcess, hostile, pod_object

pytestmark = pytest.mark.timeout(180)


@attrs.frozen
class Stage:
    """A node with its watcher; Fluent Bit is started where a test needs it."""

    folder: Path
    node: FakeNode
    api: FakeApi
    watcher: WatcherProcess
    fluent_bit: FluentBit | None = None

    @property
    def spool(self) -> Path:
        return self.folder / "node" / "spool"

    @property
    def shipper(self) -> FluentBit:
        assert self.fluent_bit is not None
        return self.fluent_bit

    def pod(
        self,
        name: str = "shop-1",
        *,
        uid: str | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> FakeContainer:
        """Let a pod come, to the API and to the node."""
        container = self.node.add(pod=name, uid=uid)
        given = {"application": "shop", "version": "1", **(labels or {})}
        self.api.add(pod_object(name, uid=container.uid, labels=given, annotations=annotations or {}))
        return container

    def go(self, container: FakeContainer) -> None:
        """Let a pod go."""
        self.node.remove(container)
        self.api.delete("default", container.pod)

    def metadata(self, name: str = "shop-1") -> dict[str, Any]:
        file = self.folder / "metadata" / f"default_{name}.meta"
        found: dict[str, Any] = json.loads(file.read_text())["metadata"]
        return found

    def segments(self) -> list[Path]:
        return sorted(self.spool.glob("*/*.log"))

    def shipped(self) -> Sequence[tuple[str, str | None]]:
        """Give what was shipped: each line, with its pod's uid; None without metadata."""
        return [
            (record["log"].rstrip("\n"), record.get("kubernetes", {}).get("pod_id"))
            for record in self.shipper.records()
        ]

    def labels(self) -> Mapping[str, Mapping[str, str]]:
        return {
            record["log"].rstrip("\n"): record["kubernetes"]["labels"] for record in self.shipper.records()
        }

    def wait_for(self, test: Callable[[], object], what: str) -> None:
        self.watcher.wait_for(test, what=what, timeout=60)


def staged(folder: Path, layout: Layout, *, real: bool) -> Iterator[Stage]:
    node = FakeNode(folder / "node", layout)
    for name in ("metadata", "state", "node/spool"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    fluent_bit = None
    if real:
        fluent_bit = FluentBit(
            folder / "fluent-bit", spool=folder / "node" / "spool", metadata=folder / "metadata"
        )
    environ: dict[str, str | Path | None] = {
        "WATCHER_AGENTS": "fluentbit",
        "WATCHER_SPOOL_DIR": folder / "node" / "spool",
        "WATCHER_STATE_DIR": folder / "state",
        "WATCHER_FLUENTBIT_FOLDER": folder / "metadata",
        "WATCHER_FLUENTBIT_DATABASE": folder / "fluent-bit" / "state" / "tail.db" if real else None,
        "WATCHER_FLUENTBIT_CONFIG": folder / "fluent-bit" / "fluent-bit.yaml" if real else None,
    }
    given = {name: value for name, value in environ.items() if value is not None}
    with FakeApi() as api, WatcherProcess(node, api, environ=given) as watcher:
        try:
            yield Stage(folder, node, api, watcher, fluent_bit)
        finally:
            if fluent_bit is not None:
                fluent_bit.kill()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    yield from staged(tmp_path, Layout.CRI, real=False)


@pytest.fixture(params=Layout)
def real(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    yield from staged(tmp_path, request.param, real=True)


@pytest.fixture
def real_cri(tmp_path: Path) -> Iterator[Stage]:
    yield from staged(tmp_path, Layout.CRI, real=True)


def test_a_pods_metadata_come_before_its_log_is_shown_follow_it_and_go_with_it(stage: Stage) -> None:
    container = stage.node.add(pod="shop-1")
    waiting = stage.spool / ".waiting"
    stage.wait_for(lambda: waiting.is_dir() and any(waiting.iterdir()), "a link that waits")
    assert stage.segments() == []
    stage.api.add(
        pod_object("shop-1", uid=container.uid, labels={"application": "shop", "version": "1"}),
    )
    stage.wait_for(stage.segments, "a segment")
    assert stage.metadata()["uid"] == container.uid
    stage.api.relabel("default", "shop-1", version="2")
    stage.wait_for(lambda: stage.metadata()["labels"]["version"] == "2", "the new label")
    assert stage.watcher.stop() == 0


@needs_fluent_bit
def test_every_line_is_shipped_once_with_its_labels_and_the_spool_ends_empty(real: Stage) -> None:
    """Rotated twice while Fluent Bit is stopped, and the container gone with unread lines."""
    container = real.pod()
    real.node.write(container, "line 1")
    with real.shipper as fluent_bit:
        real.wait_for(lambda: len(real.shipped()) == 1, "the first line")
        fluent_bit.stop()
        for number in (2, 3, 4):
            real.node.write(container, f"line {number}")
            if number < 4:
                before = len(real.segments())
                real.node.rotate(container)
                real.wait_for(lambda before=before: len(real.segments()) > before, "a segment")  # type: ignore[misc]
        real.go(container)
        fluent_bit.start()
        real.wait_for(lambda: len(real.shipped()) >= 4, "all lines")
        real.wait_for(lambda: not real.segments(), "the end of all segments, by the database")
        real.wait_for(lambda: not any((real.folder / "metadata").iterdir()), "the metadata's end")
    assert real.shipped() == [(f"line {number}", container.uid) for number in (1, 2, 3, 4)]


@needs_fluent_bit
def test_a_name_taken_over_mislabels_nothing_though_the_watcher_is_killed_meanwhile(real_cri: Stage) -> None:
    real = real_cri
    old = real.pod(uid="uid-old", labels={"version": "old"})
    real.node.write(old, "old 1")
    with real.shipper as fluent_bit:
        real.wait_for(lambda: len(real.shipped()) == 1, "the first line")
        fluent_bit.stop()
        real.node.write(old, "old 2")
        real.node.remove(old)
        real.api.delete("default", "shop-1")
        new = real.pod(uid="uid-new", labels={"version": "new"})
        real.node.write(new, "new 1")
        waiting = real.spool / ".waiting"
        real.wait_for(lambda: any(waiting.iterdir()), "the new pod's link")
        assert real.metadata()["uid"] == "uid-old"
        real.watcher.kill()
        real.watcher.start()
        real.watcher.wait_for_log(" follows ")
        real.node.write(new, "new 2")
        assert real.metadata()["uid"] == "uid-old"
        fluent_bit.start()
        real.wait_for(lambda: len(real.shipped()) >= 4, "all lines")
        real.wait_for(lambda: real.metadata()["uid"] == "uid-new", "the new pod's metadata")
    assert sorted(real.shipped()) == [
        ("new 1", "uid-new"),
        ("new 2", "uid-new"),
        ("old 1", "uid-old"),
        ("old 2", "uid-old"),
    ]
    assert {text: labels["version"] for text, labels in real.labels().items()} == {
        "new 1": "new",
        "new 2": "new",
        "old 1": "old",
        "old 2": "old",
    }


@needs_fluent_bit
def test_a_name_taken_over_mislabels_nothing_though_the_watchers_state_is_lost(real_cri: Stage) -> None:
    """Segments of a pod that nobody knows any more go by time; until then they have their labels."""
    real = real_cri
    old = real.pod(uid="uid-old", labels={"version": "old"})
    real.node.write(old, "old 1")
    with real.shipper as fluent_bit:
        real.wait_for(lambda: len(real.shipped()) == 1, "the first line")
        fluent_bit.stop()
        real.node.write(old, "old 2")
        real.watcher.kill()
        shutil.rmtree(real.folder / "state")
        (real.folder / "state").mkdir()
        real.go(old)
        new = real.pod(uid="uid-new", labels={"version": "new"})
        real.node.write(new, "new 1")
        real.watcher.environ |= {"WATCHER_SPOOL_SECONDS": "10", "WATCHER_INTERVAL": "3"}
        real.watcher.start()
        real.watcher.wait_for_log(" follows ")
        fluent_bit.start()
        real.wait_for(lambda: len(real.shipped()) >= 3, "all lines")
    assert sorted(real.shipped()) == [("new 1", "uid-new"), ("old 1", "uid-old"), ("old 2", "uid-old")]


@needs_fluent_bit
def test_a_label_that_changes_is_seen_after_the_ttl_without_a_restart(real_cri: Stage) -> None:
    real = real_cri
    container = real.pod()
    real.node.write(container, "line 0")
    with real.shipper:
        real.wait_for(lambda: len(real.shipped()) == 1, "the first line")
        real.api.relabel("default", "shop-1", version="2")
        real.wait_for(lambda: real.metadata()["labels"]["version"] == "2", "the new label's file")
        numbers = iter(range(1, 1000))

        def has_come() -> bool:
            real.node.write(container, f"line {next(numbers)}")
            time.sleep(0.2)
            return any(labels["version"] == "2" for labels in real.labels().values())

        real.wait_for(has_come, "a line with the new label")
    counted = Counter(text for text, _ in real.shipped())
    assert set(counted.values()) == {1}


@needs_fluent_bit
def test_hostile_labels_and_annotations_stay_data(real_cri: Stage) -> None:
    """They come out as they were written, and nothing else comes out."""
    real = real_cri
    texts = [text for text in hostile.SHORT if text and text.lower() != "true"]
    containers = {}
    for number, text in enumerate(texts):
        name = f"shop-{number}"
        labels = {"application": text, "note": text}
        annotations = {"fluentbit.io/parser": text, "fluentbit.io/exclude-main": text}
        containers[name] = (real.pod(name, labels=labels, annotations=annotations), text)
    for container, _ in containers.values():
        real.node.write(container, f"line of {container.pod}")
    with real.shipper as fluent_bit:
        real.wait_for(lambda: len(real.shipped()) >= len(texts), "a line of each pod")
        assert fluent_bit.running
        found = {record["kubernetes"]["pod_name"]: record for record in real.shipper.records()}
    assert found.keys() == containers.keys()
    wrong = {
        name: (text, found[name]["kubernetes"]["labels"])
        for name, (_, text) in containers.items()
        if found[name]["kubernetes"]["labels"]["note"] != cut_as_shown(text)
    }
    assert wrong == {}


def cut_as_shown(text: str) -> str:
    return text if len(text) <= 1000 else text[:999] + "\N{HORIZONTAL ELLIPSIS}"


@needs_fluent_bit
def test_a_pods_own_parser_exclusion_and_stack_traces_are_heeded(real_cri: Stage) -> None:
    real = real_cri
    parsed = real.pod("parsed", annotations={"fluentbit.io/parser": "json"})
    silent = real.pod("silent", annotations={"fluentbit.io/exclude": "true"})
    traces = real.pod("traces", annotations={"kubernetes-log-watcher/fluentbit-multiline": "java"})
    real.node.write(parsed, '{"level": "info"}')
    real.node.write(silent, "nothing")
    real.node.write(traces, "Exception in thread main java.lang.Error: x", "    at a.B(C.java:1)", "after")
    with real.shipper:
        real.wait_for(lambda: len(real.shipped()) >= 3, "three records")
        real.wait_for(lambda: "after" in {text for text, _ in real.shipped()}, "the line after the trace")
    records = {record["kubernetes"]["pod_name"]: record for record in real.shipper.records()}
    assert records["parsed"]["parsed"] == {"level": "info"}
    assert {text for text, uid in real.shipped() if uid == traces.uid} == {
        "Exception in thread main java.lang.Error: x\n    at a.B(C.java:1)",
        "after",
    }
    assert "silent" not in records


@needs_fluent_bit
def test_a_pod_that_asks_for_redaction_after_it_was_shown_ships_no_further_line(real_cri: Stage) -> None:
    real = real_cri
    container = real.pod()
    real.node.write(container, "before")
    with real.shipper:
        real.wait_for(lambda: len(real.shipped()) == 1, "the first line")
        rules = {"kubernetes-log-watcher/scalyr-redaction-rules": '[{"match_expression": "secret"}]'}
        real.api.update(
            pod_object(
                "shop-1",
                uid=container.uid,
                labels={"application": "shop", "version": "1"},
                annotations=rules,
            )
        )
        real.watcher.wait_for_log("the log is not shipped until")
        real.wait_for(lambda: real.metadata()["annotations"], "the exclusion")
        time.sleep(2.5)  # the TTL, which is one second: nothing tells when it is over
        real.node.write(container, "secret")
        other = real.pod("shop-2")
        real.node.write(other, "another")
        real.wait_for(lambda: len(real.shipped()) >= 2, "a line of somebody else's")
    assert [text for text, _ in real.shipped()] == ["before", "another"]


@needs_fluent_bit
def test_a_pod_that_is_excluded_after_it_was_shown_ships_no_further_line(real_cri: Stage) -> None:
    """Not even after a restart of the watcher: Fluent Bit has the file open, and reads on."""
    real = real_cri
    container = real.pod()
    real.node.write(container, "before")
    with real.shipper:
        real.wait_for(lambda: len(real.shipped()) == 1, "the first line")
        real.api.update(
            pod_object(
                "shop-1",
                uid=container.uid,
                labels={"application": "shop", "version": "1"},
                annotations={"kubernetes-log-watcher/exclude": "true"},
            )
        )
        real.wait_for(lambda: real.metadata()["annotations"], "the exclusion")
        real.wait_for(lambda: not real.segments(), "the segment's end")
        real.watcher.kill()
        real.watcher.start()
        real.watcher.wait_for_log(" follows ")
        time.sleep(2.5)  # the TTL, which is one second: nothing tells when it is over
        real.node.write(container, "hidden")
        real.node.write(real.pod("shop-2"), "another")
        real.wait_for(lambda: len(real.shipped()) >= 2, "a line of somebody else's")
        assert [text for text, _ in real.shipped()] == ["before", "another"]
        real.go(container)
        real.watcher.kill()
        real.watcher.start()
        real.wait_for(lambda: not (real.folder / "metadata" / "default_shop-1.meta").exists(), "its end")


@needs_fluent_bit
@pytest.mark.parametrize("count", [110])
def test_a_full_node_is_shipped_with_labels(real_cri: Stage, count: int) -> None:
    real = real_cri
    containers = [real.pod(f"shop-{number}", labels={"number": str(number)}) for number in range(count)]
    for container in containers:
        real.node.write(container, f"line of {container.pod}")
    with real.shipper:
        real.wait_for(lambda: len(real.shipped()) >= count, "a line of each pod")
        labels = real.labels()
    assert labels == {
        f"line of shop-{number}": {"application": "shop", "version": "1", "number": str(number)}
        for number in range(count)
    }


@needs_fluent_bit
def test_fluent_bits_own_dry_run_finds_no_fault_with_the_configuration(tmp_path: Path) -> None:
    fluent_bit = FluentBit(tmp_path, spool=tmp_path / "spool", metadata=tmp_path / "metadata")
    command = [PROGRAM, "--dry-run", "-c", str(fluent_bit.configuration)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
