"""Which containers are followed, as what, and why the others are not."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube_log_watcher_core.models import (
    Container,
    FrozenMap,
    Layout,
    LogTarget,
    NodeContext,
    Obstacle,
    Owner,
    Pod,
    PodContainer,
    Pods,
    Reason,
    UnreadablePod,
)
from kube_log_watcher_core.resolve import Known, Resolution, Rules, resolve
from kube_log_watcher_core.resolve.target import image_parts

ID = "a" * 64
OTHER_ID = "b" * 64
LABELS = {"application": "shop", "version": "v7"}
RULES = Rules(node=NodeContext(cluster_id="c-1", node="node-1"), strict_labels=("application", "version"))


def container(**changes: object) -> Container:
    plain = Container(
        key=ID,
        id=ID,
        layout=Layout.DOCKER,
        name="main",
        pod_name="shop-1",
        namespace="default",
        pod_uid="uid-1",
        log_path=Path("/logs/a.log"),
        image="registry:5000/team/app:2.0",
    )
    return attrs.evolve(plain, **changes)  # type: ignore[arg-type]


def cri(**changes: object) -> Container:
    key = "default/shop-1/uid-1/main/0"
    return container(**{"key": key, "id": None, "layout": Layout.CRI, "image": None, **changes})


def pod(**changes: object) -> Pod:
    plain = Pod(uid="uid-1", name="shop-1", namespace="default", labels=FrozenMap(LABELS))
    return attrs.evolve(plain, **changes)  # type: ignore[arg-type]


HASH = "f" * 32


def mirror(**changes: object) -> Pod:
    """Give what the API shows of a static pod."""
    annotations = {"kubernetes.io/config.hash": HASH, "kubernetes.io/config.mirror": HASH}
    plain = pod(uid="api-1", annotations=annotations, owner=Owner("Node", "node-1"), node="node-1")
    return attrs.evolve(plain, **changes)  # type: ignore[arg-type]


def known(resolution: Resolution, **changes: object) -> Known:
    targets = {target.container.key: target for target in resolution.targets}
    return attrs.evolve(Known(targets), **changes)  # type: ignore[arg-type]


def one(
    containers: list[Container], pods: list[Pod], rules: Rules = RULES, before: Known | None = None
) -> LogTarget:
    resolution = resolve(containers, Pods(pods), rules, before or Known())
    assert len(resolution.targets) == 1, resolution.skipped
    return resolution.targets[0]


def reasons(containers: list[Container], pods: list[Pod], before: Known | None = None) -> list[Reason]:
    resolution = resolve(containers, Pods(pods), RULES, before or Known())
    return [skip.reason for skip in resolution.skipped]


def test_a_container_of_a_labelled_pod_becomes_a_target_with_its_pods_labels() -> None:
    target = one([container()], [pod()])
    assert (target.id, target.application, target.version) == (ID, "shop", "v7")
    assert (target.pod_name, target.namespace, target.container_name) == ("shop-1", "default", "main")
    assert (target.cluster_id, target.node, target.environment) == ("c-1", "node-1", "production")
    assert (target.image, target.image_version) == ("app", "2.0")


def test_a_pod_that_lacks_a_required_label_is_skipped_and_the_label_named() -> None:
    resolution = resolve([container()], Pods([pod(labels={"application": "shop"})]), RULES, Known())
    assert [skip.reason for skip in resolution.skipped] == [Reason.LABEL_MISSING]
    assert "version" in resolution.skipped[0].detail
    assert "WATCHER_STRICT_LABELS" in resolution.skipped[0].detail


def test_an_empty_label_counts_as_missing() -> None:
    assert reasons([container()], [pod(labels={"application": "shop", "version": ""})]) == [
        Reason.LABEL_MISSING
    ]


def test_without_required_labels_every_pod_is_followed_and_what_it_lacks_is_none() -> None:
    target = one([container()], [pod(labels=FrozenMap())], Rules())
    assert (target.application, target.version, target.component, target.release) == (None,) * 4


def test_an_obstacle_on_the_node_is_the_reason() -> None:
    blocked = container(log_path=None, obstacle=Obstacle(Reason.NO_LOG, "no file yet"))
    resolution = resolve([blocked], Pods([pod()]), RULES, Known())
    assert [(skip.reason, skip.detail) for skip in resolution.skipped] == [(Reason.NO_LOG, "no file yet")]


def test_a_container_whose_pod_the_api_does_not_show_is_awaited_and_then_skipped() -> None:
    assert reasons([container()], []) == [Reason.POD_AWAITED]
    assert reasons([container()], [], Known(waited={ID})) == [Reason.POD_UNKNOWN]


def test_only_the_wanted_namespaces_are_followed_and_excluding_beats_including() -> None:
    there = [container(key=name, id=name, namespace=name) for name in ("shop", "shop-test", "cart")]
    pods = [pod(uid=name, namespace=name) for name in ("shop", "shop-test", "cart")]
    rules = attrs.evolve(RULES, namespaces=("shop*",), exclude_namespaces=("*-test",))
    resolution = resolve(
        [attrs.evolve(each, pod_uid=each.namespace) for each in there], Pods(pods), rules, Known()
    )
    assert [target.namespace for target in resolution.targets] == ["shop"]
    assert {skip.reason for skip in resolution.skipped} == {Reason.NAMESPACE_EXCLUDED}


@pytest.mark.parametrize(
    ("annotations", "followed"),
    [
        ({"exclude": "true"}, False),
        ({"exclude": "false"}, True),
        ({"include": "false"}, False),
        ({"exclude": "True "}, False),
        ({"exclude.main": "true"}, False),
        ({"exclude.other": "true"}, True),
        ({"exclude": "true", "include.main": "true"}, True),
        ({"exclude": "true", "exclude.main": "false"}, True),
        ({"include": "true", "exclude.main": "true"}, False),
        ({"exclude": "true", "include": "true"}, False),
    ],
)
def test_an_annotation_of_the_container_beats_that_of_the_pod(
    annotations: dict[str, str], followed: bool
) -> None:
    named = FrozenMap({f"kubernetes-log-watcher/{name}": value for name, value in annotations.items()})
    resolution = resolve([container()], Pods([pod(annotations=named)]), RULES, Known())
    assert bool(resolution.targets) is followed
    assert all(skip.reason is Reason.EXCLUDED for skip in resolution.skipped)


def test_an_exclusion_that_is_neither_true_nor_false_is_ignored_and_told() -> None:
    named = FrozenMap({"kubernetes-log-watcher/exclude": "yes please"})
    resolution = resolve([container()], Pods([pod(annotations=named)]), RULES, Known())
    assert len(resolution.targets) == 1
    assert [remark.annotation for remark in resolution.remarks] == ["kubernetes-log-watcher/exclude"]


def test_same_named_pods_of_two_namespaces_are_kept_apart() -> None:
    there = pod(uid="uid-2", namespace="other", labels=FrozenMap({"application": "cart", "version": "v1"}))
    second = container(key=OTHER_ID, id=OTHER_ID, namespace="other", pod_uid="uid-2")
    resolution = resolve([container(), second], Pods([pod(), there]), RULES, Known())
    assert [target.application for target in resolution.targets] == ["shop", "cart"]


def test_a_static_pod_is_found_by_its_configuration_hash() -> None:
    shown = mirror()
    assert one([container(pod_uid=HASH)], [shown]).pod is shown


def test_a_static_pods_mirror_that_is_made_anew_takes_its_container_over() -> None:
    """Deleting the mirror pod gives a new uid; container and files stay."""
    static = container(pod_uid=HASH)
    first = resolve([static], Pods([mirror()]), RULES, Known())
    assert one([static], [], before=known(first)).pod is first.targets[0].pod, "between the two"
    relabelled = mirror(uid="api-2", labels=LABELS | {"release": "r2"})
    assert one([static], [relabelled], before=known(first)).release == "r2"


def test_of_a_static_pods_mirrors_that_have_left_the_last_one_counts() -> None:
    """Its last state may be one by which the log is not followed any more, or is followed again."""
    static = container(pod_uid=HASH)
    before = known(resolve([static], Pods([mirror()]), RULES, Known()))
    later = mirror(uid="api-2", labels=LABELS | {"release": "r2"})
    gone = {"api-1": mirror(labels=LABELS | {"release": "r1"}), "api-2": later}
    for knows in (attrs.evolve(before, gone=gone), Known(gone=gone)):
        assert one([static], [], before=knows).release == "r2"
    unlabelled = mirror(uid="api-2", labels={})
    assert reasons([static], [], attrs.evolve(before, gone={"api-2": unlabelled})) == [Reason.LABEL_MISSING]


@pytest.mark.parametrize(
    "changes",
    [
        {"annotations": {"kubernetes.io/config.hash": HASH}},
        {"owner": None},
        {"owner": Owner("ReplicaSet", "node-1")},
        {"owner": Owner("Node", "node-2")},
        {"namespace": "other"},
        {"name": "shop-2"},
    ],
    ids=["no mirror", "nobody's", "of a set", "another node's", "other namespace", "other name"],
)
def test_a_configuration_hash_is_believed_only_in_the_mirror_of_that_very_pod(
    changes: dict[str, object],
) -> None:
    stranger = mirror(uid="stranger", **changes)
    static = container(pod_uid=HASH)
    assert reasons([static], [stranger]) == [Reason.POD_AWAITED]
    if "name" in changes or "namespace" in changes:
        for shown in ([mirror(), stranger], [stranger, mirror()]):
            assert one([static], shown).pod == mirror(), "whatever the order"


def test_a_hash_that_is_an_ordinary_pods_uid_is_nobodys() -> None:
    """Whoever may create pods under that name in that namespace could say so."""
    first = resolve([container()], Pods([pod()]), RULES, Known())
    forged = mirror(
        annotations=dict.fromkeys(mirror().annotations, "uid-1"), labels=LABELS | {"release": "x"}
    )
    assert one([container()], [forged], before=known(first)).release is None
    assert one([container()], [forged], before=Known(gone={"uid-1": pod()})).release is None


def test_a_folder_with_the_uid_of_a_pod_of_other_names_is_not_its_folder() -> None:
    assert reasons([container(pod_name="shop-2")], [pod()]) == [Reason.POD_AWAITED]


def test_a_pod_that_left_the_api_stays_its_containers_pod() -> None:
    first = resolve([container()], Pods([pod()]), RULES, Known())
    assert resolve([container()], Pods([]), RULES, known(first)).targets == first.targets


def test_a_successor_of_the_same_name_does_not_relabel_the_old_pods_log() -> None:
    """A StatefulSet uses its pods' names again, while the old pod's files are still there."""
    first = resolve([container()], Pods([pod()]), RULES, Known())
    successor = pod(uid="uid-2", labels={"application": "shop", "version": "v8"})
    assert one([container()], [successor], before=known(first)).version == "v7"


def test_after_a_restart_a_younger_pod_of_the_same_name_is_not_taken_for_the_containers_own() -> None:
    successor = pod(uid="uid-2", created=2000.0)
    assert reasons([container(created=1000.0)], [successor]) == [Reason.POD_REPLACED]


@pytest.mark.parametrize("created", [None, 2000.0], ids=["birth unknown", "younger than the namesake"])
def test_another_uid_is_another_pod_whatever_it_is_called(created: float | None) -> None:
    """While the API is behind it shows the predecessor: its labels, without its successor's rules."""
    predecessor = pod(uid="uid-0", created=1000.0)
    there = container(created=created)
    resolution = resolve([there], Pods([predecessor]), RULES, Known(waited={there.key}))
    assert [skip.reason for skip in resolution.skipped] == [Reason.POD_UNKNOWN]
    assert "uid-0" in resolution.skipped[0].detail
    assert reasons([there], [predecessor]) == [Reason.POD_AWAITED]


def test_what_was_once_taken_by_name_is_given_up() -> None:
    """An earlier version may have kept it in its state file."""
    by_name = resolve([container()], Pods([pod(uid="uid-0")]), RULES, Known(names_decide=True))
    assert reasons([container()], [], before=known(by_name)) == [Reason.POD_AWAITED]
    assert (
        one([container()], [pod(labels=LABELS | {"release": "own"})], before=known(by_name)).release == "own"
    )


@pytest.mark.parametrize("uid", ["uid-1", "of-the-mirror-pod"])
def test_a_pod_that_can_not_be_read_is_not_unknown(uid: str) -> None:
    huge = UnreadablePod(uid=uid, name="shop-1", namespace="default", detail="annotations: longer than 9")
    resolution = resolve([container()], Pods([pod(uid="uid-2", name="a")], [huge]), RULES, Known())
    (skip,) = resolution.skipped
    assert skip.reason is Reason.POD_UNREADABLE
    assert "default/shop-1, which can't be read: annotations: longer than 9" in skip.detail


def test_a_pod_that_can_not_be_read_any_more_stays_as_it_was_known() -> None:
    huge = UnreadablePod(uid="uid-1", name="shop-1", namespace="default", detail="too long")
    before = resolve([container()], Pods([pod()]), RULES, Known())
    for pods in (Pods([], [huge]), Pods([pod()], [huge])):
        after = resolve([container()], pods, RULES, known(before))
        assert after.targets == before.targets


def test_a_pod_whose_own_uid_is_on_the_disk_is_no_other_uids_pod() -> None:
    own = container(key=OTHER_ID, id=OTHER_ID, pod_uid="uid-2")
    resolution = resolve([container(), own], Pods([pod(uid="uid-2")]), RULES, Known())
    assert [target.id for target in resolution.targets] == [OTHER_ID]
    assert [skip.reason for skip in resolution.skipped] == [Reason.POD_REPLACED]


def test_a_container_without_the_pods_uid_is_found_by_name() -> None:
    assert one([container(pod_uid=None, created=1.0)], [pod(created=2.0)]).application == "shop"


def test_a_changed_label_gives_another_target() -> None:
    first = resolve([container()], Pods([pod()]), RULES, Known())
    relabelled = pod(labels={"application": "shop", "version": "v8"})
    assert one([container()], [relabelled], before=known(first, current={ID})).version == "v8"


def test_an_unchanged_container_and_pod_give_the_very_same_target() -> None:
    there, its_pod = container(), pod()
    first = resolve([there], Pods([its_pod]), RULES, Known())
    again = resolve([there], Pods([its_pod]), RULES, known(first, current={ID}))
    assert again.targets[0] is first.targets[0]


def test_changed_rules_apply_to_unchanged_containers() -> None:
    there, its_pod = container(), pod()
    first = resolve([there], Pods([its_pod]), RULES, Known())
    rules = attrs.evolve(RULES, node=NodeContext(cluster_id="c-2"))
    assert resolve([there], Pods([its_pod]), rules, known(first)).targets[0].cluster_id == "c-2"


def test_a_cri_containers_id_comes_from_the_status_of_that_very_run() -> None:
    statuses = (
        PodContainer("main", id=OTHER_ID, restart_count=1),
        PodContainer("main", id=ID, restart_count=0),
    )
    assert one([cri()], [pod(containers=statuses)]).id == ID


def test_a_cri_container_waits_for_its_id() -> None:
    later = (PodContainer("main", id=OTHER_ID, restart_count=1),)
    assert reasons([cri()], [pod(containers=later)]) == [Reason.ID_UNKNOWN]


def test_an_id_that_never_came_is_made_up_from_the_key_and_stays() -> None:
    waited = Known(waited=frozenset({cri().key}))
    first = resolve([cri()], Pods([pod()]), RULES, waited)
    assert len(first.targets[0].id) == 64
    then = one([cri(id=OTHER_ID)], [pod()], before=known(first))
    assert then.id == first.targets[0].id


def test_the_image_comes_from_the_status_where_the_node_knows_only_a_digest() -> None:
    statuses = (PodContainer("main", image="localhost:5000/team/web"),)
    target = one([container(image="sha256:" + "0" * 64)], [pod(containers=statuses)])
    assert (target.image, target.image_version) == ("web", "latest")


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("app", ("app", "latest")),
        ("registry.example.org/team/app:1.0", ("app", "1.0")),
        ("localhost:5000/team/app", ("app", "latest")),
        ("localhost:5000/team/app:2.0@sha256:1a", ("app", "2.0")),
        ("registry.example.org/app@sha256:1a", ("app", "sha256:1a")),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_image_references_are_split_into_name_and_version(
    reference: str | None, parts: tuple[str | None, str | None]
) -> None:
    assert image_parts(reference) == parts


def test_labels_become_attributes_by_name_and_by_glob() -> None:
    labels = LABELS | {"team": "x", "team/owner": "y", "cost": "z", "empty": ""}
    rules = attrs.evolve(RULES, labels_as_attributes=("team*", "empty"))
    assert dict(one([container()], [pod(labels=labels)], rules).attributes) == {
        "team": "x",
        "team/owner": "y",
    }


def test_the_longest_prefix_of_the_path_map_counts_and_only_whole_components() -> None:
    mapping = ((Path("/logs"), Path("/host")), (Path("/logs/deep"), Path("/d")))
    rules = attrs.evolve(RULES, log_path_map=mapping)
    assert one([container()], [pod()], rules).log_path == Path("/host/a.log")
    assert one([container(log_path=Path("/logs/deep/b"))], [pod()], rules).log_path == Path("/d/b")
    assert one([container(log_path=Path("/logs2/b"))], [pod()], rules).log_path == Path("/logs2/b")


@given(st.permutations([container(key=digit * 64, id=digit * 64) for digit in "0123abcd"]))
def test_the_order_of_containers_does_not_matter(containers: list[Container]) -> None:
    resolution = resolve(containers, Pods([pod()]), RULES, Known())
    assert [target.id[0] for target in resolution.targets] == list("0123abcd")


@given(
    st.lists(st.sampled_from(["uid-1", "uid-2", None]), max_size=4),
    st.lists(st.sampled_from(["uid-1", "uid-2"]), max_size=2, unique=True),
)
def test_every_container_is_a_target_or_has_a_reason(uids: list[str | None], api: list[str]) -> None:
    containers = [container(key=f"{n}" * 64, id=f"{n}" * 64, pod_uid=uid) for n, uid in enumerate(uids)]
    resolution = resolve(containers, Pods([pod(uid=uid) for uid in api]), RULES, Known())
    told = {target.container.key for target in resolution.targets}
    told |= {skip.container.key for skip in resolution.skipped}
    assert told == {item.key for item in containers}
