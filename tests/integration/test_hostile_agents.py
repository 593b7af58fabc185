"""Whatever a pod's author writes, agents' files hold exactly that as data, and nobody else's are touched."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fuzz_support import examples
from hostile_support import FOREIGN_ID, KEY, Crowd, crowd
from kube_log_watcher_core import Layout, LogTarget
from kube_log_watcher_testing import hostile
from kube_log_watcher_testing.factories import NODE, container_id, make_container, make_target
from kube_log_watcher_testing.strategies import label_sets, target_lists, texts

ANNOTATIONS = tuple(
    f"kubernetes-log-watcher/scalyr-{name}" for name in ("parser", "sampling-rules", "redaction-rules")
)
APPDYNAMICS_LABELS = ("appdynamics_tier", "appdynamics_app")
RULE_MEMBERS = {"match_expression", "replacement", "hash_salt", "sampling_rate"}
ENTRY_MEMBERS = {
    "path",
    "copy_from_start",
    "rename_logfile",
    "attributes",
    "redaction_rules",
    "sampling_rules",
    "parse_format",
}
SERVER = {
    "serverHost": NODE.cluster_id,
    "cluster": NODE.cluster_id,
    "cluster_alias": NODE.cluster_alias,
    "cluster_environment": NODE.cluster_environment,
    "environment": NODE.cluster_environment,
    "node": NODE.node,
    "parser": "json",
}
NEVER_LABELS = {"logfile", "filename", "original_file", *SERVER}
"""Attributes of the Scalyr agent's that no label sets."""
FIELDS: dict[str, Callable[[LogTarget], str | None]] = {
    "sourceType": lambda target: f"application-{target.application or target.pod_name}",
    "nodeName": lambda target: target.node,
    "LogFile": lambda target: target.log_path.name,
    "application_id": lambda target: target.application or target.pod_name,
    "application_version": lambda target: target.version or "none",
    "container_name": lambda target: target.container_name,
    "application_pod": lambda target: target.pod_name,
    "application_namespace": lambda target: target.namespace,
    "kubernetes_cluster": lambda target: target.cluster_id,
    "application_release": lambda target: target.release,
    "tierName": lambda target: target.labels.get("appdynamics_tier"),
    "appName": lambda target: target.labels.get("appdynamics_app"),
}
MEANT = {
    *FIELDS,
    *("logMessage", "logStream", "logTag", "logTimestamp"),
    *("eventTimestamp", "pickupTimestamp", "host", "message", "source"),
}
"""Fields that mean something already: no label makes one of them."""
LONGEST_LABEL = 1000
"""Far more than the 63 characters that an API server allows."""


def plain(text: str) -> str:
    """Give a text as the Scalyr agent can read it."""
    return re.sub("[\ud800-\udfff\U00010000-\U0010ffff]", "\ufffd", text)


def expected_attributes(target: LogTarget, parser: str) -> dict[str, str]:
    """Say what a log's attributes are, by the documentation alone."""
    own = {
        "application": target.application,
        "component": target.component,
        "environment": target.environment if target.environment != NODE.cluster_environment else None,
        "version": target.version,
        "release": target.release,
        "pod": target.pod_name,
        "namespace": target.namespace,
        "container": target.container_name,
        "container_id": target.id,
        "parser": parser if parser != "json" else None,
    }
    taken = own.keys() | NEVER_LABELS
    labels = {name: value for name, value in sorted(target.labels.items()) if name not in taken}
    return {plain(name): plain(value) for name, value in {**own, **labels}.items() if value}


def check_agent_json(path: Path, targets: Sequence[LogTarget]) -> None:
    """See whether ``agent.json`` says what the targets say, and nothing more."""
    found = json.loads(path.read_bytes())
    logs = found.pop("logs")
    assert found == {
        "api_key": KEY,
        "config_change_check_interval": 10.0,
        "implicit_metric_monitor": False,
        "implicit_agent_process_metrics_monitor": False,
        "server_attributes": SERVER,
        "monitors": [],
    }
    assert [log["path"] for log in logs] == [str(target.log_path) for target in targets]
    for log, target in zip(logs, targets, strict=True):
        check_entry(log, target)


def check_entry(log: dict[str, Any], target: LogTarget) -> None:
    """See whether an entry says what its target says."""
    assert log.keys() <= ENTRY_MEMBERS
    assert log["copy_from_start"] is True
    assert log.get("parse_format") == ("cri" if target.layout is Layout.CRI else None)
    assert re.fullmatch(r"\?[A-Za-z0-9&=%._~+-]*", log["rename_logfile"])
    parser = log["attributes"].get("parser", "json")
    assert parser == "json" or parser in target.annotations[ANNOTATIONS[0]]
    assert log["attributes"] == expected_attributes(target, parser)
    for rule in [*log["redaction_rules"], *log.get("sampling_rules", [])]:
        assert rule.keys() <= RULE_MEMBERS
        re.compile(rule["match_expression"])


def check_job(path: Path, target: LogTarget) -> None:
    """See whether a job file says what its target says, and nothing more."""
    assert path.read_bytes().isascii()
    found = yaml.safe_load(path.read_bytes())
    given = {name: value for name, value in target.labels.items() if value and name not in MEANT}
    own = {name: give(target) for name, give in FIELDS.items()}
    assert found.pop("fields") == {**given, **{name: value for name, value in own.items() if value}}
    assert found.pop("grok").keys() == {"patterns"}
    assert found.pop("eventTimestamp").keys() == {"pattern"}
    assert found == {
        "version": 2,
        "enabled": True,
        "source": {
            "type": "file",
            "path": str(target.log_path.parent),
            "nameGlob": target.log_path.name,
            "startAtEnd": False,
        },
    }


def safe(text: str | None) -> str:
    """Give a text as the symlinker has it in a path."""
    return "".join(each if re.match("[A-Za-z0-9_-]", each) else "_" for each in text or "")[:200] or "none"


def tree_path(target: LogTarget) -> str:
    """Give a target's place in the symlinker's tree, by the documentation alone."""
    parts = (
        target.application,
        target.component or target.application,
        target.namespace,
        target.environment,
        target.version,
        target.container_name,
        target.pod_name,
    )
    return "/".join([target.id, *map(safe, parts)]) + ".log"


def check_everything(place: Crowd, targets: Sequence[LogTarget]) -> None:
    """See whether there is what the targets say, no more, and everything of others as it was."""
    ours = {Path(name).relative_to(place.folder).as_posix(): seen for name, seen in place.ours().items()}
    files = {name for name, seen in ours.items() if seen[0].startswith("-")}
    links = {name: seen[3] for name, seen in ours.items() if seen[0].startswith("l")}
    assert files == {"agent.json", *(f"container-{target.id}-jobfile.job" for target in targets)}
    friendly = {name: end for name, end in links.items() if name.count("/") == 1}
    assert {name: end for name, end in links.items() if name not in friendly} == {
        tree_path(target): str(target.log_path) for target in targets
    }
    assert sorted((name.partition("/")[0], end) for name, end in friendly.items()) == [
        (target.id, str(target.log_path)) for target in targets
    ]
    assert all(re.fullmatch(r"[0-9a-f]{64}/[A-Za-z0-9_-][A-Za-z0-9._-]*\.log", name) for name in friendly)
    assert len(files) + len(links) == len(ours)
    check_agent_json(place.folder / "agent.json", targets)
    for target in targets:
        check_job(place.folder / f"container-{target.id}-jobfile.job", target)
    assert place.foreign() == place.before


def check_life(targets: Sequence[LogTarget]) -> None:
    """Let targets come, stay over a restart and go."""
    with crowd() as place:
        place.sync(targets)
        check_everything(place, targets)
        before = place.ours()
        place.sync(targets)
        assert place.ours() == before
        place.sync([])
        check_everything(place, [])


def with_text(text: str, number: int, layout: Layout) -> LogTarget:
    """Give a target in which a text stands everywhere; one that is too long for a label only where it can."""
    if len(text) > LONGEST_LABEL:
        container = make_container(number, layout=layout, image=text)
        return make_target(
            container, annotations=dict.fromkeys((*ANNOTATIONS, text), text), labels_as_attributes=("*",)
        )
    container = make_container(
        number, layout=layout, name=text or "x", pod=text or "x", namespace=text or "x", image=text
    )
    names = (
        "application",
        "component",
        "version",
        "release",
        "environment",
        *APPDYNAMICS_LABELS,
        "team",
        text,
    )
    return make_target(
        container,
        labels=dict.fromkeys(names, text),
        annotations=dict.fromkeys(ANNOTATIONS, text),
        labels_as_attributes=("*",),
    )


@pytest.mark.parametrize("group", hostile.GROUPS)
def test_every_hostile_text_stays_data_wherever_it_stands(group: str) -> None:
    layouts = [*Layout] * len(hostile.GROUPS[group])
    texts_of_group = enumerate(hostile.GROUPS[group], 1)
    check_life([with_text(text, number, layouts[number]) for number, text in texts_of_group])


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_every_hostile_annotation_concerns_its_own_pod_alone() -> None:
    values = list(hostile.annotation_values())
    targets = [
        make_target(
            make_container(number, layout=Layout.CRI),
            annotations={annotation: value},
            labels_as_attributes=("*",),
        )
        for number, (annotation, value) in enumerate(
            ((annotation, value) for value in values for annotation in ANNOTATIONS), 1
        )
    ]
    with crowd() as place:
        agent = place.agents()[0]
        agent.sync(targets)
        check_agent_json(place.folder / "agent.json", targets)


LABELS = label_sets(*APPDYNAMICS_LABELS, *sorted(NEVER_LABELS), *sorted(MEANT))
NOTES = st.dictionaries(st.sampled_from(ANNOTATIONS), texts(large=True), max_size=3)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@examples(40)
@given(targets=target_lists(labels=LABELS, annotations=NOTES))
def test_random_combinations_stay_data(targets: list[LogTarget]) -> None:
    check_life(targets)


PLANTED = (
    "agent.json",
    ".agent.json.0123abcd.klw-tmp",
    f"container-{container_id(1)}-jobfile.job",
    f".container-{container_id(1)}-jobfile.job.0123abcd.klw-tmp",
    container_id(1),
    f"{container_id(1)}/shop",
    f"{container_id(1)}/shop-v7.log",
    f"{container_id(1)}/shop/shop",
    f"{container_id(1)}/shop/shop/default/production/v7/main/shop-1.log",
)


@pytest.mark.parametrize("victim", ["victim.json", "main", ".", "absent"])
@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_link_is_neither_followed_nor_trusted(planted: str, victim: str) -> None:
    """In the place of every file, link and folder of ours, and of every file in the making."""
    target = make_target(labels_as_attributes=("*",))
    with crowd() as place:
        (place.outside / "victim.json").write_text(json.dumps({"api_key": "stolen", "logs": []}))
        before = {name: seen for name, seen in place.foreign().items() if name.startswith(str(place.outside))}
        link = place.folder / planted
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(place.outside / victim)
        for agent in place.agents():
            agent.prepare()
        config = place.folder / "agent.json"
        assert not config.is_symlink()
        assert json.loads(config.read_bytes())["api_key"] == KEY
        place.sync([target])
        check_agent_json(config, [target])
        check_job(place.folder / f"container-{target.id}-jobfile.job", target)
        assert (place.folder / tree_path(target)).readlink() == target.log_path
        place.sync([])
        now = {name: seen for name, seen in place.foreign().items() if name.startswith(str(place.outside))}
        assert now == before


def test_what_others_put_into_our_folders_outlives_a_container() -> None:
    """The folder of a container that is gone already holds files of others, under our very names."""
    container = make_container(0xF0F0F0)
    with crowd() as place:
        assert container.id == FOREIGN_ID
        place.sync([])
        assert place.foreign() == place.before
