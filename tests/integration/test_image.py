"""The image, built and run by a real Docker engine under all the restrictions that the chart sets."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from docker_engine import Engine, EngineError, missing
from documents import ROOT, code_blocks, readme_agent
from image_support import BASE, WHEELHOUSE, download_wheels, write_base
from kube_log_watcher_core import Layout
from kube_log_watcher_core.testing.fake_api import ContainerStatus, FakeApi, pod_object
from kube_log_watcher_core.testing.fake_node import FakeContainer, FakeNode
from packaging_support import build
from support import wait_until

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.xdist_group("docker"),
    pytest.mark.timeout(400),
]

IMAGE = "local/kube-log-watcher:1"
BUILD_SECONDS = 300.0
RESTRICTED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=host")
USER, LOG_READERS = 10001, 10002


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give an engine with an image that was built from a base of this machine's own Python."""
    folder = tmp_path_factory.mktemp("image")
    core = tomllib.loads((ROOT / "kube_log_watcher_core" / "pyproject.toml").read_text())
    download_wheels(folder / "wheels", core["project"]["dependencies"])
    write_base(folder / "base.tar", folder / "wheels")
    environment = f"ENV PATH=/usr/bin:/bin PIP_NO_INDEX=1 PIP_FIND_LINKS={WHEELHOUSE}"
    try:
        with Engine(storage=None) as engine:
            engine.docker("import", f"--change={environment}", str(folder / "base.tar"), BASE)
            build_image(engine, ROOT, tag=IMAGE)
            yield engine
    except EngineError as error:
        pytest.skip(str(error))


def build_image(engine: Engine, context: Path, *, tag: str) -> None:
    try:
        command = ("build", "--network=none", f"--build-arg=BASE={BASE}", f"--tag={tag}", str(context))
        engine.docker(*command, timeout=BUILD_SECONDS)
    except subprocess.CalledProcessError as error:
        pytest.fail(f"{error.stdout[-3000:]}\n{error.stderr[-3000:]}")


class Pod:
    """A node, an API server, and the watcher's container beside them."""

    def __init__(self, engine: Engine, root: Path, api: FakeApi) -> None:
        self._engine, self._api = engine, api
        self.node = FakeNode(root / "node", Layout.CRI)
        self.config, self.links = root / "config", root / "links"
        self.container = ""
        for folder in (self.config, self.links):
            folder.mkdir()

    def start(self, *options: str) -> None:
        """Start the watcher under all restrictions."""
        environ = {
            "CLUSTER_NODE_NAME": "node-1",
            "WATCHER_AGENTS": "scalyr",
            "WATCHER_KUBE_URL": self._api.url,
            "WATCHER_CONTAINERS_PATH": self.node.containers_path,
            "WATCHER_SCALYR_API_KEY": "key-0001",
            "WATCHER_SCALYR_CONFIG_PATH": self.config / "agent.json",
            "WATCHER_SCALYR_DEST_PATH": self.links,
        }
        variables = [f"--env={name}={value}" for name, value in environ.items()]
        root = self.config.parent
        mounts = [f"--volume={root / 'node'}:{root / 'node'}:ro"]
        mounts += [f"--volume={folder}:{folder}" for folder in (self.config, self.links)]
        command = ("run", "--detach", *RESTRICTED, *variables, *mounts, *options, IMAGE)
        self.container = self._engine.docker(*command)

    def add(self, pod: str) -> FakeContainer:
        """Let a pod with one container start."""
        made = self.node.add(pod=pod)
        status = ContainerStatus(made.name, image=made.image, id=made.id)
        labels = {"application": "shop", "version": "v7"}
        self._api.add(pod_object(made.pod, uid=made.uid, labels=labels, containers=[status]))
        return made

    def wait_followed(self, container: FakeContainer) -> None:
        """Wait until the shipper is told of a log."""
        path = os.path.realpath(container.log)
        try:
            wait_until(lambda: path in self._paths(), timeout=20, what="following")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self._engine.docker('logs', self.container)}") from error

    def _paths(self) -> Sequence[str]:
        agent_json = self.config / "agent.json"
        if not agent_json.exists():
            return []
        return [log["path"] for log in json.loads(agent_json.read_bytes())["logs"]]

    def state(self) -> Mapping[str, Any]:
        """Give what the engine knows of the watcher's process."""
        state: Mapping[str, Any] = json.loads(
            self._engine.docker("inspect", "--format={{json .State}}", self.container)
        )
        return state

    def end(self) -> float:
        """Ask it to stop, as a kubelet does; give how many seconds that took."""
        asked = datetime.now(UTC)
        self._engine.docker("kill", "--signal=TERM", self.container)
        wait_until(lambda: not self.state()["Running"], timeout=15, what="its end")
        # Nine digits behind the second are more than `fromisoformat` of Python 3.11 reads.
        finished = datetime.fromisoformat(f"{self.state()['FinishedAt'][:23]}+00:00")
        return (finished - asked).total_seconds()


@pytest.fixture
def pod(engine: Engine, tmp_path: Path) -> Iterator[Pod]:
    with FakeApi() as api:
        pod = Pod(engine, tmp_path, api)
        yield pod
        if pod.container:
            engine.docker("rm", "--force", pod.container)


def test_it_works_without_capabilities_on_a_read_only_file_system_and_ends_within_a_second(pod: Pod) -> None:
    pod.start()
    pod.wait_followed(pod.add("shop-1"))
    pod.wait_followed(pod.add("shop-2"))
    assert (pod.config / "agent.json").stat().st_mode & 0o777 == 0o600
    assert pod.end() < 1
    assert pod.state()["ExitCode"] == 0


def test_another_user_will_do_where_a_group_may_read_the_logs(pod: Pod) -> None:
    """What `setfacl` does on a real node."""
    made = pod.add("shop-1")
    for folder, names, files in os.walk(pod.node.containers_path.parent):
        for path in (Path(folder, name) for name in ("", *names, *files)):
            os.chown(path, 0, LOG_READERS, follow_symlinks=False)
            if not path.is_symlink():
                path.chmod(0o750 if path.is_dir() else 0o640)
    for folder in (pod.config, pod.links):
        os.chown(folder, USER, USER)
    pod.start(f"--user={USER}:{USER}", f"--group-add={LOG_READERS}")
    pod.wait_followed(made)
    assert (pod.config / "agent.json").stat().st_uid == USER


def test_an_agent_is_added_by_one_line(engine: Engine, tmp_path: Path) -> None:
    distribution, context = tmp_path / "source", tmp_path / "context"
    distribution.mkdir()
    context.mkdir()
    (distribution / "list_agent.py").write_text(readme_agent())
    (pyproject,) = code_blocks(ROOT / "README.rst", "toml")
    (distribution / "pyproject.toml").write_text(pyproject)
    build(distribution, context)
    lines = [f"FROM {IMAGE}", "COPY *.whl /tmp/", "RUN pip install --no-cache-dir /tmp/*.whl"]
    (context / "Dockerfile").write_text("\n".join(lines))
    build_image(engine, context, tag="local/with-list:1")
    listed = engine.docker("run", "--rm", *RESTRICTED, "local/with-list:1", "agents", "--output=json")
    assert {"list", "scalyr", "appdynamics", "symlinker"} <= {each["name"] for each in json.loads(listed)}


def test_it_says_what_it_is_and_as_whom_it_runs(engine: Engine) -> None:
    config = json.loads(engine.docker("inspect", "--format={{json .Config}}", IMAGE))
    assert config["User"] == "0:0"
    assert config["Entrypoint"] + config["Cmd"] == ["kube-log-watcher", "run"]
    prefix = "org.opencontainers.image."
    assert {name.removeprefix(prefix) for name in config["Labels"] if name.startswith(prefix)} >= {
        "title",
        "description",
        "licenses",
        "version",
        "revision",
    }
