"""The one decision: which containers are followed, as what, and why the others are not. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from kube_log_watcher_core.annotations import NotTrueOrFalse, is_excluded, misspelt
from kube_log_watcher_core.models import Container, Layout, LogTarget, Pod, Pods, Reason, Remark, Skipped
from kube_log_watcher_core.resolve.ownership import Evidence, is_anothers, one_for_each_id, pod_of
from kube_log_watcher_core.resolve.rules import Known, Resolution, Rules
from kube_log_watcher_core.resolve.target import id_of, make_target


def resolve(containers: Iterable[Container], pods: Pods, rules: Rules, known: Known) -> Resolution:
    """Return a target or a reason for each container."""
    containers = tuple(containers)
    on_disk = frozenset(container.pod_uid for container in containers if container.pod_uid)
    evidence = Evidence(pods, gone=known.gone, on_disk=on_disk, names_decide=known.names_decide)
    decision = _Decision(evidence, rules, known)
    targets, skipped = [], []
    for container in containers:
        outcome = decision.about(container)
        if isinstance(outcome, LogTarget):
            targets.append(outcome)
        else:
            skipped.append(outcome)
    targets += _unseen(containers, skipped, known)
    targets.sort(key=lambda target: target.id)
    if decision.is_any_new:
        targets, second = one_for_each_id(targets, pods, known)
        skipped += second
    skipped.sort(key=lambda skip: skip.container.key)
    return Resolution(tuple(targets), tuple(skipped), tuple(decision.remarks))


def _unseen(containers: Iterable[Container], skipped: Iterable[Skipped], known: Known) -> list[LogTarget]:
    """Return the known targets below folders that can't be read: unknown is not gone."""
    below = tuple(f"{skip.container.key}/" for skip in skipped if skip.reason is Reason.UNREADABLE)
    if not below:
        return []
    seen = {container.key for container in containers}
    return [target for key, target in known.targets.items() if key.startswith(below) and key not in seen]


class _Decision:
    """Decides about one container after the other, by the same facts."""

    def __init__(self, evidence: Evidence, rules: Rules, known: Known) -> None:
        self._evidence = evidence
        self._rules = rules
        self._known = known
        self.remarks: list[Remark] = []
        self.is_any_new = False
        """Whether any target is not simply the one of before."""

    def about(self, container: Container) -> LogTarget | Skipped:
        """Decide about a container: first what needs no pod, then the pod, then what it asks for."""
        before = self._known.targets.get(container.key)
        if before is not None and self._stays(before, container):
            return before
        if container.obstacle is not None:
            if before is None or container.obstacle.reason is not Reason.UNREADABLE:
                return Skipped(container, container.obstacle.reason, container.obstacle.detail)
            container = before.container  # an earlier process has seen it: unknown is not gone
        namespace, wanted = container.namespace, self._rules.namespaces or ("*",)
        if _fits(namespace, self._rules.exclude_namespaces) or not _fits(namespace, wanted):
            detail = "WATCHER_NAMESPACES or WATCHER_EXCLUDE_NAMESPACES leaves the namespace out"
            return Skipped(container, Reason.NAMESPACE_EXCLUDED, detail)
        pod = pod_of(container, before, self._evidence)
        if isinstance(pod, Pod):
            return self._with_pod(container, pod, before)
        if pod.reason is Reason.POD_UNKNOWN and container.key not in self._known.waited:
            # It may still come: a log precedes its pod by up to 2 s.
            return Skipped(container, Reason.POD_AWAITED, pod.detail)
        return pod

    def _stays(self, before: LogTarget, container: Container) -> bool:
        """Tell at once, for nearly all containers, that nothing has changed from which a target is made."""
        if before.container is not container or container.key not in self._known.current:
            return False
        if self._evidence.pods.by_uid(container.pod_uid or "") is before.pod:
            return True
        return pod_of(container, before, self._evidence) is before.pod

    def _with_pod(self, container: Container, pod: Pod, before: LogTarget | None) -> LogTarget | Skipped:
        if self._excludes(container, pod):
            detail = f"an annotation of pod {pod.namespace}/{pod.name} excludes it"
            return Skipped(container, Reason.EXCLUDED, detail)
        names = {status.name for status in pod.containers}
        for name, detail in misspelt(pod.annotations, self._rules.annotations, names):
            self.remarks.append(Remark(container, name, detail))
        missing = [label for label in self._rules.strict_labels if not pod.labels.get(label)]
        if missing:
            which = f"pod {pod.namespace}/{pod.name} has no label {', '.join(missing)}"
            detail = f"{which}: add it, or change WATCHER_STRICT_LABELS"
            return Skipped(container, Reason.LABEL_MISSING, detail)
        pods, of_docker = self._evidence.pods, container.layout is Layout.DOCKER
        if of_docker and container.id and is_anothers(container.id, container, pod, pods):
            detail = "the API says that this id, and so the log, is another container's"
            return Skipped(container, Reason.TAKEN, detail)
        identity = id_of(container, pod, before, pods, self._known.waited)
        if identity is None:
            detail = "neither a link in the containers folder nor the pod's status tells the container id yet"
            return Skipped(container, Reason.ID_UNKNOWN, detail)
        self.is_any_new = True
        made = make_target(identity, container, pod, self._rules)
        # By other rules or after a moment's absence: what is equal stays the very same object.
        is_as_before = before is not None and before.container is container and before.pod is pod
        return before if is_as_before and made == before else made

    def _excludes(self, container: Container, pod: Pod) -> bool:
        try:
            return is_excluded(pod.annotations, container.name)
        except NotTrueOrFalse as problem:
            self.remarks.append(Remark(container, problem.annotation, str(problem)))
            return False


def _fits(namespace: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(namespace, pattern) for pattern in patterns)
