"""What a pod that may write to the node's log folders plants there harms nobody else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli_support import run_cli
from daemon_support import CART, Stage, staged
from kube_log_watcher_core import Layout
from kube_log_watcher_core.discovery.cri import MOST_LOGS
from kube_log_watcher_testing.fake_node import FakeContainer
from trace_support import traced


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


def link_of(made: FakeContainer) -> Path:
    assert made.link is not None
    return made.link


def explained(stage: Stage, name: str) -> dict[str, Mapping[str, Any]]:
    """Ask the watcher about a pod; give what it says of each thing by its key."""
    environ = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    done = run_cli("explain", "-o", "json", name, environ={**environ, "HOME": str(stage.root)})
    return {each["key"]: each for each in json.loads(done.stdout)["containers"]}


def times_shipped(stage: Stage, made: FakeContainer) -> int:
    """Count the entries of ``agent.json`` for a log."""
    return [log["path"] for log in stage.agent_json()["logs"]].count(str(made.log))


def test_links_take_nothing_from_their_victim_and_hold_up_nobody(tmp_path: Path, state: Path) -> None:
    """A log that leads to another's, a link that gives another's id: nothing doubled, lost or left."""
    with staged(tmp_path, Layout.CRI, environ={"WATCHER_STATE_DIR": state}) as stage:
        victim, thief, going = stage.run("victim"), stage.run("thief", labels=CART), stage.run("going")
        stage.wait_followed(victim, thief, going)
        before = stage.entry(victim), stage.job(victim), stage.link(victim)
        thief.log.with_name("1.log").symlink_to(victim.log)
        thief.log.with_name("2.log").touch()
        forged = f"{thief.pod}_{thief.namespace}_{thief.name}-{victim.id}.log"
        link_of(thief).with_name(forged).symlink_to(thief.log.with_name("2.log"))
        later = stage.run("later")
        stage.wait_followed(later)
        stage.end(going)
        stage.wait_ignored(going)
        assert (stage.entry(victim), stage.job(victim), stage.link(victim)) == before
        assert stage.follows(victim, thief, later)
        assert times_shipped(stage, victim) == 1
        fates = explained(stage, "thief")
        assert fates[f"default/thief/{thief.uid}/main/1"]["reason"] == "outside-its-folder"
        assert fates[f"default/thief/{thief.uid}/main/2"]["reason"] in ("container-id-unknown", None)
        assert "failed" not in stage.watcher.log


def test_a_forged_id_that_was_there_first_is_given_up_to_whose_it_is(tmp_path: Path) -> None:
    with staged(tmp_path, Layout.CRI) as stage:
        thief, victim = stage.run("thief", labels=CART), stage.node.add(pod="victim", started=False)
        stage.wait_followed(thief)
        thief.log.with_name("1.log").touch()
        forged = f"{thief.pod}_{thief.namespace}_{thief.name}-{victim.id}.log"
        link_of(thief).with_name(forged).symlink_to(thief.log.with_name("1.log"))
        stage.watcher.wait_for(lambda: bool(stage.entry(victim)), what="the forged id")
        stage.node.start(victim)
        stage.show(victim)
        stage.wait_followed(victim, thief)
        going = stage.run("going")
        stage.wait_followed(going)
        stage.end(going)
        stage.wait_ignored(going)
        assert stage.follows(victim, thief)
        assert "failed" not in stage.watcher.log


def test_a_folder_with_20_000_logs_holds_up_nobody(tmp_path: Path, state: Path) -> None:
    with staged(tmp_path, Layout.CRI, environ={"WATCHER_STATE_DIR": state}) as stage:
        full = stage.run("full", labels=CART)
        stage.wait_followed(full)
        for number in range(20_000):
            full.log.with_name(f"{number + 7}.log").touch()
        (full.log.parent.parent / "loop").symlink_to(stage.node.containers_path)
        (stage.node.containers_path / f"default_loop_{'0' * 32}").symlink_to(".")
        others = [stage.run(f"shop-{number}") for number in range(3)]
        stage.wait_followed(full, *others)
        assert explained(stage, "full")[f"default/full/{full.uid}"]["reason"] == "too-many-logs"
        assert [each["reason"] for each in explained(stage, "loop").values()] == ["outside-its-folder"]
        stage.watcher.wait_for(lambda: len(stage.agent_json()["logs"]) <= MOST_LOGS + 3, what="bounded logs")
        stage.end(others[0])
        stage.wait_ignored(others[0])


def _traced(path: Path, error: str) -> list[str]:
    """Give a command whose looks at a path fail."""
    return [
        *("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-P", str(path)),
        *("-e", "trace=readlink,readlinkat", "-e", f"inject=readlink,readlinkat:error={error}"),
    ]


@traced
@pytest.mark.parametrize("error", ["EACCES", "EIO", "ESTALE", "ELOOP"])
@pytest.mark.parametrize("where", ["log", "link"])
def test_a_link_that_can_not_be_read_does_not_end_the_watcher(
    tmp_path: Path, state: Path, error: str, where: str
) -> None:
    environ: dict[str, str | Path | None] = {"WATCHER_STATE_DIR": state}
    if where == "link":
        environ["WATCHER_CONTAINERS_PATH"] = tmp_path / "node" / "containers"
    with Stage(tmp_path, Layout.CRI, environ=environ) as stage:
        bad = stage.node.add(pod="bad", started=False)
        path = bad.log if where == "log" else link_of(bad)
        path.symlink_to(tmp_path / "anywhere.log")
        if where == "log":
            link_of(bad).symlink_to(bad.log)
        stage.show(bad)
        stage.watcher.command = [*_traced(path, error), *stage.watcher.command]
        stage.start()
        stage.wait_followed(stage.run("shop-1"))
        fates = explained(stage, "bad")
        expected = "no-log-file" if error == "ELOOP" else "unreadable"
        assert {each["reason"] for each in fates.values()} <= {expected, "unreadable"}
        assert stage.ignores(bad)
        stage.wait_followed(stage.run("shop-2"))
        assert "Traceback" not in stage.watcher.log
