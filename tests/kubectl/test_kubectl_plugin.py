"""The kubectl plugin, against a cluster of which a program called kubectl tells, and a real watcher in it."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from daemon_support import Stage
from kube_log_watcher_core import Layout

KUBECTL = f'''#!{sys.executable}
"""Answers as kubectl does, from a list of objects; `exec` runs the command of a pod here."""

import json, os, subprocess, sys

cluster = json.load(open(os.environ["CLUSTER"]))
arguments = [each for each in sys.argv[1:] if not each.startswith("--context=")]
verb, rest = arguments[0], arguments[1:]

def option(*names):
    return next((rest[i + 1] for i, each in enumerate(rest) if each in names), None)

if verb == "get":
    kind = rest[0]
    if kind in cluster.get("forbidden", []):
        sys.exit(f"Error from server (Forbidden): {{kind}} is forbidden")
    found = cluster[kind]
    namespace, selector = option("--namespace"), option("--field-selector")
    if "--all-namespaces" not in rest and kind == "pods":
        found = [each for each in found if each["metadata"]["namespace"] == (namespace or "default")]
    if option("--selector"):
        name, value = option("--selector").split("=")
        found = [each for each in found if each["metadata"].get("labels", {{}}).get(name) == value]
    if selector:
        path, value = selector.split("=")
        where, name = path.split(".")
        found = [each for each in found if each[where].get(name) == value]
    print(json.dumps({{"items": found}}))
elif verb == "exec":
    pod = next(each for each in cluster["pods"] if each["metadata"]["name"] == rest[2])
    command = pod["command"] + rest[rest.index("--") + 2:]
    sys.exit(subprocess.run(command, env={{**os.environ, **pod["environ"]}}).returncode)
else:
    sys.exit(f"error: unknown command {{verb}}")
'''


class FakeCluster:
    """What kubectl is told of: pods and nodes, and what is run in a pod."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "cluster.json"
        self.folder = folder
        self.content: dict[str, Any] = {"pods": [], "nodes": []}
        (folder / "bin").mkdir()
        program = folder / "bin" / "kubectl"
        program.write_text(KUBECTL)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def node(self, name: str) -> None:
        self.content["nodes"].append({"metadata": {"name": name}})

    def pod(
        self,
        name: str,
        *,
        node: str,
        namespace: str = "default",
        command: tuple[str, ...] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        labels = {"app.kubernetes.io/name": "kube-log-watcher"} if command else {}
        self.content["pods"].append(
            {
                "metadata": {"name": name, "namespace": namespace, "labels": labels},
                "spec": {"nodeName": node},
                "status": {"phase": "Running"},
                "command": list(command),
                "environ": dict(environ or {}),
            }
        )

    def watcher(self, node: str, *command: str, environ: Mapping[str, str] | None = None) -> None:
        self.pod(f"klw-{node}", node=node, namespace="kube-system", command=command, environ=environ)

    def plugin(self, *arguments: str, program: str = "command") -> subprocess.CompletedProcess[str]:
        self._file.write_text(json.dumps(self.content))
        return subprocess.run(
            [sys.executable, "-m", f"kube_log_watcher_kubectl.{program}", *arguments],
            env={"PATH": str(self.folder / "bin"), "CLUSTER": str(self._file), "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def cluster(tmp_path: Path) -> FakeCluster:
    folder = tmp_path / "cluster"
    folder.mkdir()
    return FakeCluster(folder)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    state = tmp_path / "state"
    state.mkdir()
    with Stage(tmp_path, Layout.CRI, agents=["symlinker"], environ={"WATCHER_STATE_DIR": state}) as stage:
        yield stage.start()


SAYS = (sys.executable, "-c", "import sys; print(sys.argv[1:]); sys.exit(0)")


def test_a_pods_node_is_found_and_its_watcher_explains(stage: Stage, cluster: FakeCluster) -> None:
    stage.run("shop-1")
    stage.watcher.wait_for(lambda: "symlinker follows 1 logs" in stage.watcher.log, what="following")
    cluster.pod("shop-1", node="node-1")
    watcher = (sys.executable, "-m", "kube_log_watcher_core")
    cluster.watcher("node-1", *watcher, environ={"WATCHER_STATE_DIR": str(stage.root / "state")})
    cluster.watcher("node-2", sys.executable, "-c", "raise SystemExit('the wrong one')")
    done = cluster.plugin("explain", "shop-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "default/shop-1/main: followed" in done.stdout


def test_status_of_all_nodes_names_those_without_an_answer(stage: Stage, cluster: FakeCluster) -> None:
    for node in ("node-1", "node-2", "node-3"):
        cluster.node(node)
    watcher = (sys.executable, "-m", "kube_log_watcher_core")
    cluster.watcher("node-1", *watcher, environ={"WATCHER_STATE_DIR": str(stage.root / "state")})
    cluster.watcher("node-2", sys.executable, "-c", "raise SystemExit('not\\ntoday')")
    done = cluster.plugin("status", "--all-nodes")
    assert done.returncode == 1
    states = {line.split("  ")[0]: line.split("  ")[1].strip() for line in done.stdout.splitlines()[1:4]}
    assert states == {"node-1": "healthy", "node-2": "no answer", "node-3": "no watcher"}
    assert "node-2: not\\ntoday" in done.stdout


def test_without_the_right_to_list_nodes_those_with_a_watcher_are_told(cluster: FakeCluster) -> None:
    cluster.content["forbidden"] = ["nodes"]
    cluster.watcher("node-2", *SAYS)
    done = cluster.plugin("status", "-A")
    assert "node-2  no answer" in done.stdout
    assert "nodes without a watcher are not known: Error from server (Forbidden)" in done.stdout


def test_of_a_pod_that_is_gone_every_watcher_is_asked(cluster: FakeCluster) -> None:
    knows = "print('web/job-1/main: gone')"
    cluster.watcher("node-1", sys.executable, "-c", "raise SystemExit(3)")
    cluster.watcher("node-2", sys.executable, "-c", knows)
    done = cluster.plugin("explain", "web/job-1")
    assert done.returncode == 0
    assert done.stdout == "node node-2:\nweb/job-1/main: gone\n"
    assert "the API has no pod web/job-1" in done.stderr


def test_a_pod_that_nobody_remembers_is_said_to_be_unknown(cluster: FakeCluster) -> None:
    cluster.watcher("node-1", sys.executable, "-c", "raise SystemExit(3)")
    done = cluster.plugin("explain", "web/job-1")
    assert (done.returncode, done.stdout) == (3, "no watcher remembers web/job-1\n")


def test_what_is_asked_reaches_the_watcher_as_one_argument(cluster: FakeCluster) -> None:
    cluster.pod("shop-1", node="node-1", namespace="web")
    cluster.watcher("node-1", *SAYS)
    done = cluster.plugin("explain", "shop-1", "-n", "web", "-o", "wide", "--context=test")
    assert done.stdout == "['explain', '--output', 'wide', '--', 'web/shop-1']\n"


@pytest.mark.parametrize("name", ["a,metadata.name=b", "a b", "$(id)", "A"])
def test_what_is_no_name_of_a_pod_is_not_asked_for(cluster: FakeCluster, name: str) -> None:
    done = cluster.plugin("explain", name)
    assert done.returncode == 69
    assert "is no name of a pod" in done.stderr


def test_where_no_watcher_runs_that_is_said_with_what_was_looked_for(cluster: FakeCluster) -> None:
    cluster.pod("shop-1", node="node-1")
    done = cluster.plugin("explain", "shop-1", "--watcher-namespace", "logging")
    assert done.returncode == 69
    assert "no watcher runs on node node-1 in logging with the labels app.kubernetes.io/name=" in done.stderr


def test_without_kubectl_that_is_said(cluster: FakeCluster) -> None:
    (cluster.folder / "bin" / "kubectl").unlink()
    done = cluster.plugin("agents")
    assert (done.returncode, done.stderr) == (69, "kubectl log-watcher: there is no kubectl on the PATH\n")


def test_a_watcher_that_does_not_answer_in_time_keeps_nobody_waiting(cluster: FakeCluster) -> None:
    cluster.watcher("node-1", sys.executable, "-c", "import time; time.sleep(60)")
    done = cluster.plugin("status", "--all-nodes", "--timeout", "2")
    assert "no answer within 2 s" in done.stdout


@pytest.mark.parametrize(
    ("words", "candidates"),
    [
        (("",), ["agents", "explain", "status"]),
        (("ex",), ["explain"]),
        (("explain", "s"), ["shop-1"]),
        (("explain", "-n", "web", ""), ["cart-1"]),
        (("status", ""), []),
    ],
)
def test_commands_and_names_of_pods_are_completed(
    cluster: FakeCluster, words: tuple[str, ...], candidates: list[str]
) -> None:
    cluster.pod("shop-1", node="node-1")
    cluster.pod("cart-1", node="node-1", namespace="web")
    done = cluster.plugin(*words, program="completion")
    assert done.stdout.splitlines() == [*candidates, ":4"]
