"""The sample node, and what becomes of it: made up whole, so that it looks the same everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from kube_log_watcher_core.models import Container, Layout, Owner, Pod, PodContainer, Pods


@attrs.frozen
class Run:
    """A container's run, and the pod that it belongs to."""

    namespace: str
    pod: str
    container: str = "main"
    image: str = "registry.example.org/team/app:1.0"
    labels: Mapping[str, str] = attrs.field(factory=dict)
    layout: Layout = Layout.CRI
    restart: int = 0

    @property
    def id(self) -> str:
        """The container's id: another one for each run."""
        return _hash(f"{self.namespace}/{self.pod}/{self.container}/{self.restart}")

    @property
    def uid(self) -> str:
        """The pod's uid."""
        digits = _hash(f"{self.namespace}/{self.pod}")
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))

    def as_container(self) -> Container:
        """Give it as discovery shows it."""
        return Container(
            key=self.id,
            layout=self.layout,
            id=self.id,
            name=self.container,
            pod_name=self.pod,
            namespace=self.namespace,
            pod_uid=self.uid,
            restart_count=self.restart,
            log_path=self._log_path(),
            image=self.image,
        )

    def _log_path(self) -> Path:
        if self.layout is Layout.DOCKER:
            return Path("/var/lib/docker/containers", self.id, f"{self.id}-json.log")
        folder = f"{self.namespace}_{self.pod}_{self.uid}"
        return Path("/var/log/pods", folder, self.container, f"{self.restart}.log")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@attrs.frozen
class Scene:
    """The node at one moment."""

    title: str
    runs: tuple[Run, ...]

    def containers(self) -> list[Container]:
        """Return what is on disk."""
        return [run.as_container() for run in self.runs]

    def pods(self) -> Pods:
        """Return what the API says."""
        by_pod: dict[str, list[Run]] = {}
        for run in self.runs:
            by_pod.setdefault(run.uid, []).append(run)
        return Pods(_pod(runs) for runs in by_pod.values())


def _pod(runs: list[Run]) -> Pod:
    first = runs[0]
    return Pod(
        uid=first.uid,
        name=first.pod,
        namespace=first.namespace,
        labels=first.labels,
        annotations={"example.org/team": "sample"},
        owner=Owner("ReplicaSet", first.pod.rpartition("-")[0]),
        node="sample-node",
        containers=tuple(PodContainer(run.container, run.image, run.id, run.restart) for run in runs),
        created=1_700_000_000.0,
    )


_SHOP = {"application": "shop", "component": "web", "version": "1.4.2", "team": "orders"}
_SEARCH = {"application": "search", "version": "7.0.1", "release": "blue", "environment": "staging"}
_BILLING = {"application": "billing", "version": "2.10"}

_NODE = (
    Run("shop", "shop-6f7d8b-x2x4v", "web", "registry.example.org/shop/web:1.4.2", _SHOP),
    Run("shop", "shop-6f7d8b-x2x4v", "metrics", "quay.io/exporters/nginx@sha256:" + "5e" * 32, _SHOP),
    Run("search", "search-0", "index", "registry.example.org/search/index:7.0.1", _SEARCH),
    Run("billing", "billing-0", "main", "localhost:5000/billing:2.10", _BILLING, Layout.DOCKER),
    Run("default", "debug", labels={"run": "debug"}),
)


def scenes() -> Iterator[Scene]:
    """Yield the node as it is, then relabelled, then with a restarted, then without a removed container."""
    shop, metrics, search, billing, debug = _NODE
    yield Scene("the sample node", _NODE)
    relabelled = tuple(attrs.evolve(run, labels={**_SHOP, "version": "1.5.0"}) for run in (shop, metrics))
    yield Scene(f"{shop.pod} gets the label version=1.5.0", (*relabelled, search, billing, debug))
    restarted = attrs.evolve(search, restart=1)
    yield Scene(
        f"the container {search.container} of {search.pod} is restarted",
        (*relabelled, restarted, billing, debug),
    )
    yield Scene(f"{billing.pod} is removed, and its log is read", (*relabelled, restarted, debug))
