"""A stage for the whole watcher: a node, an API server, three shippers' folders, and the command itself."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

from kube_log_watcher_core import Layout
from kube_log_watcher_core.explain import ask
from kube_log_watcher_testing.fake_api import ContainerStatus, FakeApi, pod_object
from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode
from kube_log_watcher_testing.watcher_process import WatcherProcess
from support import LOADER

AGENTS = ("scalyr", "appdynamics", "symlinker")
SHOP = {"application": "shop", "version": "v7"}
CART = {"application": "cart", "version": "v2"}
API_KEY = "key-0001"
EVENTS_ALONE = 3600.0
"""An interval between full passes that no test lives to see."""


class Stage:
    """All that a daemon needs, and what comes of it."""

    def __init__(
        self,
        root: Path,
        layout: Layout,
        *,
        agents: Sequence[str] = AGENTS,
        interval: float = EVENTS_ALONE,
        environ: Mapping[str, str | Path | None] | None = None,
        prefix: Sequence[str] = (),
        api: FakeApi | None = None,
    ) -> None:
        self.root = root
        self.node = FakeNode(root / "node", layout)
        self.api = api or FakeApi()
        self.namespace = "default"
        self.config, self.jobs, self.tree, self.dest = (
            root / "scalyr" / "agent.json",
            root / "jobs",
            root / "tree",
            root / "dest",
        )
        for folder in self.folders:
            folder.mkdir(exist_ok=True)
        self._settled = itertools.count()
        self.api.start()
        self.watcher = WatcherProcess(
            self.node,
            self.api,
            prefix=prefix,
            environ={
                "WATCHER_AGENTS": ",".join(agents),
                "WATCHER_INTERVAL": str(interval),
                "WATCHER_CLUSTER_ID": "cluster-1",
                # What goes is to be seen going: drains and pauses have tests of their own.
                "WATCHER_DRAIN_SECONDS": "0",
                "WATCHER_SCALYR_WRITE_INTERVAL": "0",
                "WATCHER_SCALYR_API_KEY": API_KEY,
                "WATCHER_SCALYR_CONFIG_PATH": self.config,
                "WATCHER_SCALYR_DEST_PATH": self.dest,
                "WATCHER_APPDYNAMICS_DEST_PATH": self.jobs,
                "WATCHER_SYMLINK_DIR": self.tree,
                **(environ or {}),
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.watcher.close()
        self.api.stop()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the shippers' files are."""
        return self.config.parent, self.jobs, self.tree, self.dest

    # ------------------------------------------------------------------ what happens

    def start(self) -> Self:
        """Start the watcher, and wait until it watches the API."""
        watches = self.api.count("watch")
        self.watcher.start()
        self.watcher.wait_for(lambda: self.api.count("watch") > watches, what="a watch")
        return self

    def restart(self, *, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Stop the watcher and start it again; wait until it watches the API."""
        assert self.watcher.stop() == 0
        meanwhile()
        self.start()

    def run(
        self,
        pod: str,
        *,
        namespace: str | None = None,
        labels: Mapping[str, str] | None = SHOP,
        annotations: Mapping[str, str] | None = None,
        container: str = "main",
        image: str = "registry.example.org/team/app:1.0",
        uid: str | None = None,
    ) -> FakeContainer:
        """Let a pod with one container start: the log comes first, then what the API shows of it."""
        made = self.node.add(
            pod=pod, namespace=namespace or self.namespace, container=container, image=image, uid=uid
        )
        self.show(made, labels=labels, annotations=annotations)
        return made

    def show(
        self,
        *containers: FakeContainer,
        labels: Mapping[str, str] | None = SHOP,
        annotations: Mapping[str, str] | None = None,
        uid: str | None = None,
        owner: tuple[str, str] | None = None,
    ) -> None:
        """Let the API show the pod of these containers, with their ids."""
        first = containers[0]
        statuses = [
            ContainerStatus(each.name, image=each.image, id=each.id, restart_count=each.restart)
            for each in containers
        ]
        self.api.add(
            pod_object(
                first.pod,
                namespace=first.namespace,
                uid=uid or first.uid,
                labels=labels,
                annotations=annotations,
                containers=statuses,
                owner=owner,
            )
        )

    def end(self, container: FakeContainer) -> None:
        """Let a pod go with its only container: from the API, and from the node."""
        self.api.delete(container.namespace, container.pod)
        self.node.remove(container)

    # ------------------------------------------------------------------ what comes of it

    def status(self) -> dict[str, Any]:
        """Ask the watcher how it is, as ``status`` does; empty where it does not say."""
        return self._told("status")

    def report(self, pod: str) -> dict[str, Any]:
        """Ask the watcher about a pod's only log, as ``explain`` does; empty where it knows of none."""
        question = json.dumps({"name": pod, "namespace": "", "selector": ""})
        reports = self._told(f"explain {question}").get("containers", [])
        return next((each for each in reports if each["reason"] != "pause-container"), {})

    def _told(self, request: str) -> dict[str, Any]:
        state = self.watcher.environ["WATCHER_STATE_DIR"]
        assert state is not None, "the watcher has no state folder, and thus no socket"
        return ask(Path(state), request) or {}

    def agent_json(self) -> dict[str, Any]:
        """Read ``agent.json``, as the Scalyr agent would: it is never half-written."""
        document: dict[str, Any] = json.loads(self.config.read_bytes())
        return document

    def entry(self, container: FakeContainer) -> dict[str, Any]:
        """Give a container's log in ``agent.json``; empty without one."""
        return self._entries().get(container.id, {})

    def _entries(self) -> dict[str, dict[str, Any]]:
        """Give all logs in ``agent.json`` by their containers' ids."""
        logs = self.agent_json()["logs"] if self.config.exists() else []
        return {log["attributes"]["container_id"]: log for log in logs}

    def job_file(self, container: FakeContainer) -> Path:
        """Name a container's job file."""
        return self.jobs / f"container-{container.id}-jobfile.job"

    def job(self, container: FakeContainer) -> dict[str, Any]:
        """Give what a container's job file says; empty without one."""
        try:
            text = self.job_file(container).read_bytes()
        except FileNotFoundError:
            return {}
        document: dict[str, Any] = yaml.load(text, LOADER)  # noqa: S506 - a safe one
        return document

    def link(self, container: FakeContainer) -> Path:
        """Give the symlinker's link for a container, below its folder; an empty path without one."""
        return _link_below(self.tree, container.id)

    def friendly(self, container: FakeContainer) -> Path:
        """Give the friendly link for a container, below its folder; an empty path without one."""
        return _link_below(self.dest, container.id)

    def follows(self, *containers: FakeContainer) -> bool:
        """Tell whether every shipper follows these containers, and reads their logs."""
        entries = self._entries()
        return all(self._sources(each, entries) == [os.path.realpath(each.log)] * 4 for each in containers)

    def ignores(self, *containers: FakeContainer) -> bool:
        """Tell whether nobody follows any of these containers."""
        entries = self._entries()
        return all(self._sources(each, entries) == [None] * 4 for each in containers)

    def _sources(
        self, container: FakeContainer, entries: Mapping[str, Mapping[str, Any]]
    ) -> list[str | None]:
        """Give where each shipper reads a container's log."""
        source = self.job(container).get("source")
        return [
            entries.get(container.id, {}).get("path"),
            f"{source['path']}/{source['nameGlob']}" if source else None,
            _end_of(self.tree / self.link(container)),
            _end_of(self.dest / self.friendly(container)),
        ]

    def applications(self, container: FakeContainer) -> set[str | None]:
        """Give the names by which the shippers know a container's application, None for "not at all"."""
        link = self.link(container)
        return {
            self.entry(container).get("attributes", {}).get("application"),
            self.job(container).get("fields", {}).get("application_id"),
            link.parts[1] if link.parts else None,
            self.friendly(container).name.partition("-")[0] or None,
        }

    def wait_followed(self, *containers: FakeContainer) -> None:
        """Wait until every shipper follows these containers."""
        self.watcher.wait_for(lambda: self.follows(*containers), what="following")

    def wait_ignored(self, *containers: FakeContainer) -> None:
        """Wait until nobody follows these containers any more."""
        self.watcher.wait_for(lambda: self.ignores(*containers), what="no longer following")

    def wait_application(self, container: FakeContainer, application: str) -> None:
        """Wait until every shipper knows a container by this application."""
        self.watcher.wait_for(
            lambda: self.follows(container) and self.applications(container) == {application},
            what=f"the application {application}",
        )

    def settle(self) -> None:
        """Wait until whatever happened so far has had its effect: a later pod is followed."""
        number = next(self._settled)
        self.wait_followed(self.run(f"settled-{number}", namespace="settled", labels=CART))

    def identities(self) -> dict[str, tuple[int, int]]:
        """Give inode and last change of all that the shippers read: an untouched file keeps both."""
        found = {}
        for path in (path for folder in self.folders for path in _files_below(folder)):
            with contextlib.suppress(FileNotFoundError):  # the watcher is at work
                if path.is_symlink() or not path.is_dir():
                    status = path.lstat()
                    found[str(path.relative_to(self.root))] = (status.st_ino, status.st_mtime_ns)
        return found

    def leftovers(self) -> set[str]:
        """Give the names of files in the making that somebody left behind."""
        return {name for name in self.identities() if name.endswith(".klw-tmp")}

    # ------------------------------------------------------------------ what is in the spool

    def segments(self, container: FakeContainer) -> list[Path]:
        """Give a container's segments that shippers see, oldest first."""
        return sorted((self.root / "node" / "spool").glob(f"*/*-{container.id}.*.log"))

    def keeps(self, container: FakeContainer) -> bool:
        """Tell whether the file to which a container writes now is a segment that shippers see."""
        inode = container.log.stat().st_ino
        return any(path.lstat().st_ino == inode for path in self.segments(container))

    def kept(self) -> list[Path]:
        """Give all files that wait out of shippers' sight."""
        return sorted((self.root / "node" / "spool" / ".waiting").glob("*.kept"))


def with_spool(
    root: Path, layout: Layout, *, environ: Mapping[str, str | Path | None] | None = None, **options: Any
) -> Stage:
    """Give a stage with a state folder, and a spool that no full disk of this machine empties."""
    for folder in (root / "node" / "spool", root / "state"):
        folder.mkdir(parents=True)
    own: dict[str, str | Path | None] = {
        "WATCHER_SPOOL_DIR": root / "node" / "spool",
        "WATCHER_SPOOL_MIN_FREE_PERCENT": "0",
        "WATCHER_STATE_DIR": root / "state",
        "WATCHER_INTERVAL": "1",
    }
    return Stage(root, layout, agents=("scalyr",), environ={**own, **(environ or {})}, **options)


layouts = pytest.mark.parametrize("layout", list(Layout), ids=lambda layout: str(layout.value))
"""Runs a test on both kinds of nodes."""


@contextmanager
def staged(root: Path, layout: Layout, **options: Any) -> Iterator[Stage]:
    """Give a stage with a watcher at work."""
    with Stage(root, layout, **options) as stage:
        yield stage.start()


def _link_below(folder: Path, first: str) -> Path:
    # A link in the making may be there while the watcher is at work.
    links = (path for path in _files_below(folder / first) if path.is_symlink())
    found = (path for path in links if path.suffix != ".klw-tmp")
    return next((path.relative_to(folder) for path in found), Path())


def _end_of(path: Path) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _files_below(folder: Path) -> Iterator[Path]:
    """Give all files and links; what goes meanwhile is left out, which `Path.rglob` can't do."""
    for at, folders, names in os.walk(folder):
        yield from (Path(at, name) for name in [*names, *folders])
