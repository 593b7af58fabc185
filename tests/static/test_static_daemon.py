"""The running watcher with agents of static configurations, and notes as their shippers keep them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from cli_support import run_cli
from daemon_support import Stage
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer
from support import wait_until


@attrs.frozen
class Notes:
    """How one shipper notes that it has read files."""

    agent: str
    setting: str
    file: str
    line: Callable[[Path, os.stat_result], str]
    head: str = ""
    tail: str = ""
    environ: tuple[tuple[str, str], ...] = ()


def _checkpoint(_path: Path, status: os.stat_result) -> str:
    return json.dumps(
        {
            "fingerprint": {"dev_inode": [status.st_dev, status.st_ino]},
            "position": status.st_size,
            "modified": datetime.now(UTC).isoformat(),
        }
    )


SHIPPERS = (
    Notes(
        "filesd", "POSITIONS", "positions.yml", lambda path, it: f'  {path}: "{it.st_size}"', "positions:\n"
    ),
    Notes(
        "fluentd", "POS_FILE", "klw.pos", lambda path, it: f"{path}\t{it.st_size:016x}\t{it.st_ino:016x}\n"
    ),
    Notes(
        "logstash",
        "SINCEDB",
        "klw.sincedb",
        lambda path, it: f"{it.st_ino} 0 39 {it.st_size} 1795578372.55 {path}\n",
        environ=(("WATCHER_LOGSTASH_REFRESH_INTERVAL", "0"),),
    ),
    Notes(
        "vector",
        "CHECKPOINTS",
        "checkpoints.json",
        _checkpoint,
        '{"version": "1", "checkpoints": [',
        "]}",
        environ=(("WATCHER_VECTOR_RELOAD_SECONDS", "1"),),
    ),
)


@attrs.frozen
class Scene:
    """A watcher at work for one shipper."""

    stage: Stage
    notes: Notes

    @property
    def folder(self) -> Path:
        return self.stage.root / "metadata"

    def segments(self) -> Sequence[Path]:
        return sorted((self.stage.root / "node" / "spool").glob("*/*.log"))

    def read_all(self) -> None:
        """Note, as the shipper does, that all segments are read."""
        lines = [self.notes.line(path, path.stat()) for path in self.segments()]
        between = "," if self.notes.agent == "vector" else "\n" if self.notes.agent == "filesd" else ""
        content = self.notes.head + between.join(lines) + self.notes.tail
        (self.stage.root / "positions" / self.notes.file).write_text(content)

    def knows(self, made: FakeContainer) -> bool:
        """Whether anything that the agent has written is about a container."""
        return any(made.id in path.name or made.id in path.read_text() for path in self.folder.iterdir())

    def explained(self) -> dict[str, Any]:
        """Give what ``explain`` says of the agent's part."""
        environ = {name: str(it) for name, it in self.stage.watcher.environ.items() if it is not None}
        command = ("explain", "shop-1", "--output=json")
        said = json.loads(run_cli(*command, environ={**environ, "HOME": str(self.stage.root)}).stdout)
        part: dict[str, Any] = said["containers"][0]["agents"][0]
        return part


@pytest.fixture(params=SHIPPERS, ids=lambda notes: notes.agent)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    notes: Notes = request.param
    for name in ("state", "metadata", "positions", "node/spool"):
        (tmp_path / name).mkdir(parents=True)
    prefix = f"WATCHER_{notes.agent.upper()}"
    environ: dict[str, str | Path | None] = {
        "WATCHER_SPOOL_DIR": tmp_path / "node" / "spool",
        "WATCHER_STATE_DIR": tmp_path / "state",
        "WATCHER_INTERVAL": "1",
        f"{prefix}_FOLDER": tmp_path / "metadata",
        f"{prefix}_{notes.setting}": tmp_path / "positions" / notes.file,
        **dict(notes.environ),
    }
    with Stage(tmp_path, Layout.CRI, agents=(notes.agent,), environ=environ) as stage:
        yield Scene(stage.start(), notes)


def test_metadata_come_before_the_first_segment_and_go_after_the_last(scene: Scene) -> None:
    made = scene.stage.run("shop-1", labels={"application": "shop", "version": "1"})
    scene.stage.node.write(made, "one")
    wait_until(lambda: len(scene.segments()) == 1, what="the first segment")
    if scene.notes.agent == "filesd":  # its shipper is told of each log, and finds none by itself
        wait_until(lambda: scene.knows(made), what="a target")
    assert scene.knows(made)
    scene.stage.node.rotate(made)
    scene.stage.node.write(made, "two")
    wait_until(lambda: len(scene.segments()) == 2, what="the second segment")
    scene.read_all()
    wait_until(lambda: len(scene.segments()) == 1, what="the end of what is closed and read")
    scene.stage.end(made)
    scene.read_all()
    wait_until(lambda: not scene.segments(), what="the end of the last segment")
    wait_until(lambda: not scene.knows(made), what="the end of the metadata")


def test_explain_shows_what_stands_on_the_disk_and_how_far_it_is_read(scene: Scene) -> None:
    made = scene.stage.run("shop-1", labels={"application": "shop", "version": "1"})
    scene.stage.node.write(made, "one")
    wait_until(lambda: len(scene.segments()) == 1, what="the first segment")
    scene.stage.node.rotate(made)
    wait_until(lambda: len(scene.segments()) == 2, what="the second segment")
    scene.read_all()
    told = scene.explained()
    (written,) = told["written"]
    assert written["path"].startswith(f"{scene.folder}/")
    assert made.id in written["path"] + written["content"]
    assert "shop-1" in written["content"]
    assert [segment["read_bytes"] > 0 for segment in told["segments"]] == [True, False]


def test_a_label_that_changes_is_written_and_nothing_is_shown_anew(scene: Scene) -> None:
    made = scene.stage.run("shop-1", labels={"application": "shop", "version": "1"})
    scene.stage.node.write(made, "one")
    wait_until(lambda: len(scene.segments()) == 1, what="the first segment")
    before = scene.segments()
    scene.stage.api.relabel("default", "shop-1", version="v-22")
    wait_until(
        lambda: any("v-22" in path.read_text() for path in scene.folder.iterdir()), what="the new label"
    )
    assert scene.segments() == before
