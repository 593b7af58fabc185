"""The chain of decisions, made from one moment's facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from kube_log_watcher_core.agents import AgentReport, Question
from kube_log_watcher_core.explain.answers import Sightings
from kube_log_watcher_core.explain.chain import (
    MOST_ASKED,
    MOST_CONTAINERS,
    MOST_SEGMENTS,
    Facts,
    PodSource,
    explanation_of,
    question_about,
    spool_report_of,
)
from kube_log_watcher_core.explain.documents import Explanation, as_plain, explanation_document
from kube_log_watcher_core.explain.query import parse_query
from kube_log_watcher_core.models import (
    Departed,
    LogTarget,
    Obstacle,
    Pod,
    Pods,
    Reason,
    Remark,
    Skipped,
    Work,
)
from kube_log_watcher_core.reconcile import Life, Pass
from kube_log_watcher_core.resolve import Resolution, Rules
from kube_log_watcher_core.segments import Place
from kube_log_watcher_core.spool import Segment, Spooled, SpoolView
from kube_log_watcher_testing import make_container, make_target

RULES = Rules(strict_labels=("application",))


def target(number: int, **options: Any) -> LogTarget:
    return make_target(make_container(number, pod=f"shop-{number}", **options))


class Asked:
    """Stands in for the agents, and keeps what they were asked."""

    def __init__(self) -> None:
        self.targets: list[LogTarget] = []

    def __call__(self, questions: Sequence[Question]) -> Mapping[str, tuple[AgentReport, ...]]:
        self.targets += [each.target for each in questions]
        return {each.target.container.key: (AgentReport(name="one"),) for each in questions}


def facts_of(*targets: LogTarget, **options: Any) -> Facts:
    found: dict[str, Any] = {
        "resolution": Resolution(targets=targets),
        "pods": Pods([each.pod for each in targets]),
        "rules": RULES,
        "pod_source": PodSource(age_seconds=2.0),
        "life_of": lambda _: None,
    }
    return Facts(**(found | options))


def told(facts: Facts, name: str = "", asked: Asked | None = None) -> Explanation:
    return explanation_of(facts, parse_query(name), asked or Asked(), source="watcher", at=1000.0)


def test_agents_are_asked_about_what_is_meant_alone() -> None:
    asked = Asked()
    told(facts_of(target(1), target(2)), "shop-2", asked)
    assert [each.pod_name for each in asked.targets] == ["shop-2"]


def test_agents_are_asked_about_a_hundred_at_most_and_that_is_said() -> None:
    asked = Asked()
    found = told(facts_of(*(target(number) for number in range(1, MOST_ASKED + 3))), "", asked)
    assert len(asked.targets) == MOST_ASKED
    assert len(found.containers) == MOST_ASKED + 2
    assert found.notes == (f"agents are asked about the first {MOST_ASKED} only",)


def test_no_more_than_a_thousand_are_told_and_how_many_are_left_out() -> None:
    container = make_container(1)
    keys = (attrs.evolve(container, key=f"{number:05}") for number in range(MOST_CONTAINERS + 7))
    skipped = tuple(Skipped(each, Reason.NO_LOG) for each in keys)
    found = told(facts_of(resolution=Resolution(skipped=skipped)))
    assert (len(found.containers), found.left_out) == (MOST_CONTAINERS, 7)


def test_a_gone_log_is_draining_and_not_told_twice() -> None:
    gone = target(1)
    departed = Departed(gone, since=900.0, size=77)
    going = Skipped(attrs.evolve(gone.container, obstacle=Obstacle(Reason.NO_LOG)), Reason.NO_LOG)
    (report,) = told(facts_of(resolution=Resolution(skipped=(going,)), departed=(departed,))).containers
    assert (report.state, report.gone_since, report.log_bytes) == ("draining", 900.0, 77)


def test_where_a_pod_is_known_from_is_told() -> None:
    one = target(1)
    assert _source(facts_of(one)) == ("watch", 2.0)
    assert _source(facts_of(one, pod_source=PodSource(age_seconds=2.0, asking_singly=True))) == ("get", 2.0)
    assert _source(facts_of(one, pods=Pods(), pod_source=PodSource(shown={one.pod.uid}))) == ("memory", None)
    offline = PodSource(state_age_seconds=60.0)
    assert _source(facts_of(one, pods=Pods(), pod_source=offline)) == ("state-file", 60.0)


def _source(facts: Facts) -> tuple[str, float | None]:
    (report,) = told(facts).containers
    assert report.pod is not None
    return report.pod.source, report.pod.age_seconds


def test_of_annotations_only_the_watchers_own_are_told() -> None:
    annotations = {"kubernetes-log-watcher/exclude": "maybe", "vault/token": "hidden"}
    one = make_target(make_container(1), annotations=annotations)
    remark = Remark(one.container, "kubernetes-log-watcher/exclude", "'maybe' is neither true nor false")
    life = Life(key=one.container.key, since=0.0, first_seen=900.0, remarks=frozenset({remark}))
    (report,) = told(facts_of(one, life_of=lambda _: life)).containers
    assert report.first_seen == 900.0
    assert report.pod is not None
    assert report.pod.annotations == {"kubernetes-log-watcher/exclude": "maybe"}
    assert report.remarks == ("kubernetes-log-watcher/exclude: 'maybe' is neither true nor false",)


def test_a_container_may_be_named_by_its_id_or_by_its_folder() -> None:
    one = target(1)
    (by_id,) = told(facts_of(one), one.id).containers
    assert by_id.pod_name == "shop-1"
    nameless = attrs.evolve(make_container(2), pod_name="", namespace="", name="", key="odd-folder")
    resolution = Resolution(skipped=(Skipped(nameless, Reason.BROKEN_CONFIG),))
    (by_key,) = told(facts_of(resolution=resolution), "odd-folder").containers
    assert by_key.reason == "broken-config"


def test_the_rules_that_counted_are_told() -> None:
    (report,) = told(facts_of(target(1))).containers
    assert report.rules == (
        "no annotation excludes it",
        "its pod has the labels that are asked for: application",
    )
    excluding = Rules(exclude_namespaces=("x",))
    (report,) = told(facts_of(target(1), rules=excluding)).containers
    assert report.rules[1:] == (
        "WATCHER_NAMESPACES and WATCHER_EXCLUDE_NAMESPACES leave its namespace in",
        "no label is asked for",
    )


def test_a_path_that_is_no_text_can_be_told() -> None:
    one = target(1, log_path=Path("/logs/\udcff.log"))
    plain = explanation_document(told(facts_of(one)))
    assert plain["containers"][0]["log_path"] == "/logs/\\xff.log"


def test_a_document_has_its_kind_and_version() -> None:
    plain = explanation_document(told(facts_of()))
    assert (plain["kind"], plain["version"], plain["containers"]) == ("explanation", 1, [])
    assert as_plain({"a": (Path("/x"), frozenset({1}))}) == {"a": ["/x", [1]]}


def test_pods_that_are_gone_are_forgotten_with_their_containers() -> None:
    sightings = Sightings()
    one, two = target(1), target(2)
    other = Pod(uid="other", name="other", namespace="default")
    both = Work((one,), (Departed(two, since=150.0),))
    sightings.note(Pass(Resolution(), both), Pods([one.pod, two.pod, other]))
    sightings.note(Pass(Resolution(), both), Pods())
    assert sightings.shown == {one.pod.uid, two.pod.uid}
    sightings.note(Pass(Resolution(), Work((one,))), Pods([]))
    assert sightings.shown == {one.pod.uid}


def test_agents_are_asked_about_segments_by_the_shippers_path_and_inode_and_not_about_too_many() -> None:
    spool, place = Path("/spool"), Place("default_shop-1_uid-1", f"main-{'a' * 64}")
    segments = tuple(Segment(number, 1000 + number, closed=1.0) for number in range(1, MOST_SEGMENTS + 4))
    by_path = target(1)
    followed = attrs.evolve(
        by_path,
        container=attrs.evolve(by_path.container, spool=spool),
        pattern=place.pattern(Path("/as/shipper/sees")),
    )
    key = followed.container.key
    view = SpoolView(logs={key: Spooled(key, spool, place, shown=True, segments=segments)})
    asked = question_about(followed, view).segments
    assert [*asked] == [*range(1, 11), *range(14, 24)]
    path = Path("/as/shipper/sees") / place.folder / place.segment(1)
    assert (asked[1].path, asked[1].inode) == (path, 1001)
    found = spool_report_of(key, view, ())
    assert found is not None
    assert (len(found.segments), found.left_out) == (MOST_SEGMENTS, 3)
