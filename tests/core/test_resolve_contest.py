"""Whose a container id is, where links and statuses, or two containers, disagree about it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core.models import (
    Container,
    Layout,
    LogTarget,
    Obstacle,
    Pod,
    PodContainer,
    Pods,
    Reason,
)
from kube_log_watcher_core.resolve import Known, Resolution, Rules, resolve

VICTIMS, THIEFS = "a" * 64, "b" * 64


def log_of(pod: str, *, told: str | None, layout: Layout = Layout.CRI, number: int = 0) -> Container:
    """Give a run as the node shows it; `told` is the id that a link, or Docker's log, tells."""
    return Container(
        key=f"default/{pod}/uid-{pod}/main/{number}",
        layout=layout,
        id=told,
        name="main",
        pod_name=pod,
        namespace="default",
        pod_uid=f"uid-{pod}",
        restart_count=number,
        log_path=Path(f"/logs/{pod}-{number}.log"),
    )


def pod_of(name: str, *ids: str) -> Pod:
    """Give a pod whose status tells these ids of the runs 0, 1, ..."""
    statuses = tuple(PodContainer("main", id=each, restart_count=run) for run, each in enumerate(ids))
    return Pod(uid=f"uid-{name}", name=name, namespace="default", containers=statuses)


def resolved(
    containers: Iterable[Container], *pods: Pod, before: Resolution | None = None, waited: Iterable[str] = ()
) -> Resolution:
    """Resolve, with what the last pass came to in mind."""
    targets = {target.container.key: target for target in before.targets} if before else {}
    known = Known(targets, current=targets.keys(), waited=frozenset(waited))
    return resolve(containers, Pods(pods), Rules(), known)


def ids(resolution: Resolution) -> dict[str, str]:
    return {target.pod_name: target.id for target in resolution.targets}


def reasons(resolution: Resolution) -> dict[str, Reason]:
    return {skip.container.pod_name: skip.reason for skip in resolution.skipped}


def test_an_id_that_the_api_says_is_anothers_is_not_believed_of_a_link() -> None:
    found = resolved(
        [log_of("thief", told=VICTIMS), log_of("victim", told=VICTIMS)],
        pod_of("victim", VICTIMS),
        pod_of("thief", THIEFS),
    )
    assert ids(found) == {"victim": VICTIMS, "thief": THIEFS}


def test_also_while_the_one_whose_it_is_is_not_followed() -> None:
    containers, pods = [log_of("thief", told=VICTIMS)], (pod_of("victim", VICTIMS), pod_of("thief"))
    found = resolved(containers, *pods)
    assert reasons(found) == {"thief": Reason.ID_UNKNOWN}
    made_up = resolved(containers, *pods, waited=[containers[0].key])
    assert ids(made_up)["thief"] not in (VICTIMS, THIEFS)


def test_dockers_log_is_of_the_container_whose_id_it_has() -> None:
    """As cri-dockerd has it: a pod's log is a link, and it can lead to any container's."""
    found = resolved(
        [
            log_of("thief", told=VICTIMS, layout=Layout.DOCKER),
            log_of("victim", told=VICTIMS, layout=Layout.DOCKER),
        ],
        pod_of("victim", VICTIMS),
        pod_of("thief", THIEFS),
    )
    assert ids(found) == {"victim": VICTIMS}
    assert reasons(found) == {"thief": Reason.TAKEN}


def test_of_two_that_have_an_id_whoever_had_it_before_keeps_it() -> None:
    pods = pod_of("victim"), pod_of("thief")
    victim, thief = log_of("victim", told=VICTIMS), log_of("thief", told=VICTIMS)
    before = resolved([victim], *pods)
    found = resolved([thief, victim], *pods, before=before)
    assert found.targets[0] is before.targets[0]
    assert reasons(found) == {"thief": Reason.TAKEN}


def test_of_two_that_come_at_once_it_is_always_the_same() -> None:
    pods = [pod_of(name) for name in "cab"]
    found = [resolved(each, *pods) for each in permutations(log_of(name, told=VICTIMS) for name in "cab")]
    assert all(ids(each) == {"a": VICTIMS} for each in found)
    assert all(reasons(each) == {"b": Reason.TAKEN, "c": Reason.TAKEN} for each in found)


def test_once_the_api_says_whose_it_is_it_changes_hands() -> None:
    victim, thief = log_of("victim", told=VICTIMS), log_of("thief", told=VICTIMS)
    thiefs = pod_of("thief")
    before = resolved([thief], thiefs)
    assert ids(before) == {"thief": VICTIMS}
    found = resolved([thief, victim], pod_of("victim", VICTIMS), thiefs, before=before)
    assert ids(found) == {"victim": VICTIMS}
    assert reasons(found) == {"thief": Reason.TAKEN}
    later = resolved([thief, victim], pod_of("victim", VICTIMS), pod_of("thief", THIEFS), before=found)
    assert ids(later) == {"victim": VICTIMS, "thief": THIEFS}


def test_a_kubelet_that_counts_runs_differently_is_believed_about_its_own_ids() -> None:
    """The status says that the id is of run 1, and the link that it is of run 2 of the same container."""
    run = log_of("web", told=VICTIMS, number=2)
    assert ids(resolved([run], pod_of("web", THIEFS, VICTIMS))) == {"web": VICTIMS}


@pytest.mark.parametrize("below", ["", "/main"])
def test_what_is_below_a_folder_that_can_not_be_read_stays(below: str) -> None:
    """After a restart, the folder's logs are known by the state file alone."""
    logs, pods = [log_of("web", told=VICTIMS), log_of("other", told=THIEFS)], (pod_of("web"), pod_of("other"))
    before = resolved(logs, *pods)
    unread = attrs.evolve(
        logs[0], key=f"default/web/uid-web{below}", log_path=None, obstacle=Obstacle(Reason.UNREADABLE)
    )
    found = resolved([unread, logs[1]], *pods, before=before)
    assert found.targets == before.targets
    assert resolved([logs[1]], *pods, before=before).targets == before.targets[1:]


def test_a_log_that_can_not_be_looked_at_stays_what_it_was() -> None:
    log, pod = log_of("web", told=VICTIMS), pod_of("web")
    before = resolved([log], pod)
    unread = attrs.evolve(log, layout=Layout.DOCKER, log_path=None, obstacle=Obstacle(Reason.UNREADABLE))
    assert resolved([unread], pod, before=before).targets == before.targets
    assert reasons(resolved([unread], pod)) == {"web": Reason.UNREADABLE}


def test_an_unchanged_node_gives_the_very_same_targets_however_many_want_one_id() -> None:
    logs = [log_of(name, told=VICTIMS) for name in "ab"]
    pods = [pod_of(name) for name in "ab"]
    first = resolved(logs, *pods)
    second = resolved(logs, *pods, before=first)
    same: list[LogTarget] = [each for each in second.targets if each in first.targets]
    assert [id(each) for each in same] == [id(each) for each in first.targets]
