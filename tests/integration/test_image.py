"""The image, built and run by a real Docker engine under all the restrictions that the chart sets."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml

from deploy_support import EXAMPLES, container, pod_of, render, settings_of
from docker_engine import Engine, EngineError, missing
from documents import ROOT, code_blocks, readme_agent
from image_support import BASE, WHEELHOUSE, download_wheels, write_base
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import (
    ContainerStatus,
    FakeApi,
    make_certificate,
    openssl_missing,
    pod_object,
)
from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode
from packaging_support import AGENTS, build
from support import SOON_SECONDS, wait_until

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
            wait_until(lambda: path in self._paths(), what="following")
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
        wait_until(lambda: not self.state()["Running"], what="its end")
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


def test_it_works_without_capabilities_on_a_read_only_file_system_and_ends_at_once(pod: Pod) -> None:
    pod.start()
    pod.wait_followed(pod.add("shop-1"))
    pod.wait_followed(pod.add("shop-2"))
    assert (pod.config / "agent.json").stat().st_mode & 0o777 == 0o600
    assert pod.end() < SOON_SECONDS
    assert pod.state()["ExitCode"] == 0


def test_another_user_will_do_where_a_group_may_read_the_logs(pod: Pod) -> None:
    """What `setfacl` does on a real node."""
    made = pod.add("shop-1")
    for at, names, files in os.walk(pod.node.containers_path.parent):
        for path in (Path(at, name) for name in ("", *names, *files)):
            os.chown(path, 0, LOG_READERS, follow_symlinks=False)
            if not path.is_symlink():
                path.chmod(0o750 if path.is_dir() else 0o640)
    for folder in (pod.config, pod.links):
        os.chown(folder, USER, USER)
    pod.start(f"--user={USER}:{USER}", f"--group-add={LOG_READERS}")
    pod.wait_followed(made)
    assert (pod.config / "agent.json").stat().st_uid == USER


class Sidecar:
    """The chart's watcher, started as a kubelet would on a node that lies below a folder."""

    def __init__(self, engine: Engine, root: Path, values: Mapping[str, Any]) -> None:
        self._engine, self._root = engine, root
        documents = render(values)
        self.spec = container(pod_of(documents), "watcher")
        self._volumes = {volume["name"]: volume for volume in pod_of(documents)["volumes"]}
        self.node = FakeNode(root / "var" / "log", Layout.CRI)
        (settings := root / "settings").mkdir()
        (settings / "settings.yaml").write_text(settings_of(documents))
        (key := root / "scalyr-api-key").mkdir()
        (key / "api-key").write_text("key-0001\n")
        (key / "api-key").chmod(0o400)

    def start(self, api: FakeApi) -> str:
        """Start it with all of its mounts; give the container's id."""
        api.service_account(self._root / "service-account")
        mounts = [self._mount(mount) for mount in self.spec["volumeMounts"]]
        address = urlsplit(api.url)
        environ = {
            "CLUSTER_NODE_NAME": "node-1",
            "KUBERNETES_SERVICE_HOST": address.hostname,
            "KUBERNETES_SERVICE_PORT": address.port,
            **{each["name"]: each["value"] for each in self.spec["env"] if "value" in each},
        }
        variables = [f"--env={name}={value}" for name, value in environ.items()]
        return self._engine.docker("run", "--detach", *RESTRICTED, *variables, *mounts, IMAGE)

    def _mount(self, mount: Mapping[str, Any]) -> str:
        volume = self._volumes[mount["name"]]
        source = self._root / volume.get("hostPath", {}).get("path", mount["name"]).lstrip("/")
        source.mkdir(parents=True, exist_ok=True)
        return f"--volume={source}:{mount['mountPath']}{':ro' if mount.get('readOnly') else ''}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.skipif(openssl_missing(), reason="there is no openssl")
def test_the_charts_sidecar_works_as_it_is_rendered(engine: Engine, tmp_path: Path) -> None:
    """With its mounts, its settings file, its probes, and a service account for an API with TLS."""
    port = free_port()
    values = yaml.safe_load(EXAMPLES["scalyr-containerd"].read_text())
    sidecar = Sidecar(engine, tmp_path, {**values, "http": {"host": "127.0.0.1", "port": port}})
    with FakeApi(certificate=make_certificate(tmp_path / "tls")) as api:
        watcher = sidecar.start(api)
        try:
            probe = sidecar.spec["startupProbe"]["exec"]["command"]
            wait_until(
                lambda: succeeds(engine, "exec", watcher, *probe), timeout=30, what="the start-up probe"
            )
            made = sidecar.node.add(pod="shop-1")
            labels = {"application": "shop", "version": "v7"}
            status = ContainerStatus(made.name, image=made.image, id=made.id)
            api.add(pod_object(made.pod, uid=made.uid, labels=labels, containers=[status]))
            agent_json = tmp_path / "etc" / "scalyr-agent" / "agent.json"
            pod = f"{made.namespace}_{made.pod}_{made.uid}"
            pattern = f"/var/log/kube-log-watcher/spool/{pod}/{made.name}-{made.id}.*.log"
            wait_until(lambda: pattern in agent_json.read_text(), what="following in the spool")
            spool = sidecar.node.containers_path.parent / "kube-log-watcher" / "spool"
            wait_until(lambda: any(spool.glob(f"{pod}/*.log")), what="the log's first segment")
            for name in ("livenessProbe", "readinessProbe"):
                url = f"http://127.0.0.1:{port}{sidecar.spec[name]['httpGet']['path']}"
                wait_until(partial(answers, url), what=name)
        except AssertionError as error:
            pytest.fail(f"{error}: {engine.docker('logs', watcher)}")
        finally:
            engine.docker("rm", "--force", watcher)


def succeeds(engine: Engine, *arguments: str) -> bool:
    try:
        engine.docker(*arguments)
    except subprocess.CalledProcessError:
        return False
    return True


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
    assert {"list", *AGENTS} <= {each["name"] for each in json.loads(listed)}


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
