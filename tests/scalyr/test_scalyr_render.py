"""What is in agent.json."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs

from kube_log_watcher_core import Layout, NodeContext
from scalyr_support import (
    JWT_RULE,
    PARSER,
    REDACTION,
    SAMPLING,
    a_target,
    an_agent,
    container_id,
    synced,
    written,
)

GOLDEN = Path(__file__).parents[1] / "data" / "scalyr" / "agent.json"


def test_the_whole_file_is_as_the_golden_one(tmp_path: Path) -> None:
    """The folders are the only thing that differs from run to run, and they are not in it."""
    annotations = {
        PARSER: json.dumps([{"container": "web", "parser": "nginx"}]),
        SAMPLING: json.dumps(
            [{"container": "web", "sampling-rules": [{"match_expression": "DEBUG", "sampling_rate": 0.1}]}]
        ),
        REDACTION: json.dumps(
            [
                {
                    "container": "web",
                    "redaction-rules": [{"match_expression": r"card=(\d+)", "replacement": r"card=\H1"}],
                }
            ]
        ),
    }
    labels = {"application": "shop", "version": "v7", "component": "front", "release": "r1"}
    pods = Path("/var/log/pods/default_shop-1_0f1e/web/0.log")
    agent = an_agent(
        tmp_path,
        parse_lines_json=("json",),
        server="https://eu.scalyr.com",
        enable_profiling=True,
        journald=True,
        journald_path=Path("/var/log/journal"),
        journald_attributes={"role": "worker"},
        journald_extra_fields={"_COMM": "process"},
    )
    agent.sync(
        [
            a_target(1, labels={**labels, "environment": "canary"}, attributes={"team": "x"}),
            a_target(2, labels=labels, annotations=annotations, name="web", layout=Layout.CRI, log_path=pods),
        ]
    )
    assert agent.settings.config_path.read_text() == GOLDEN.read_text()


def test_without_targets_the_file_is_whole_and_has_no_logs(tmp_path: Path) -> None:
    assert synced(tmp_path) == {
        "api_key": "key-0001",
        "config_change_check_interval": 10.0,
        "implicit_metric_monitor": False,
        "implicit_agent_process_metrics_monitor": False,
        "monitors": [],
        "logs": [],
        "server_attributes": {
            "serverHost": "cluster-1",
            "cluster": "cluster-1",
            "cluster_alias": "blue",
            "cluster_environment": "staging",
            "environment": "staging",
            "node": "node-1",
            "parser": "json",
        },
    }


def test_a_cluster_without_an_id_is_left_out_of_the_server_attributes(tmp_path: Path) -> None:
    attributes = synced(tmp_path, node=NodeContext(node="node-1"))["server_attributes"]
    assert not attributes.keys() & {"serverHost", "cluster"}


def test_an_entry_has_the_logs_path_and_what_the_node_does_not_share(tmp_path: Path) -> None:
    target = a_target()
    (entry,) = synced(tmp_path, target)["logs"]
    assert entry == {
        "path": str(target.log_path),
        "copy_from_start": True,
        "rename_logfile": f"?application=shop&component=none&version=v7&container_id={target.id}",
        "attributes": {
            "application": "shop",
            "version": "v7",
            "pod": "shop-1",
            "namespace": "default",
            "container": "main",
            "container_id": target.id,
        },
        "redaction_rules": [JWT_RULE],
    }


def test_a_cri_log_has_its_format_and_is_never_decoded_as_json(tmp_path: Path) -> None:
    """The Scalyr agent lets parse_lines_as_json override the format, even when it is false."""
    (entry,) = synced(tmp_path, a_target(layout=Layout.CRI), parse_lines_json=("*",))["logs"]
    assert entry["parse_format"] == "cri"
    assert "parse_lines_as_json" not in entry


def test_docker_lines_are_decoded_for_the_named_parsers_only(tmp_path: Path) -> None:
    def target(number: int, parser: str) -> object:
        value = json.dumps([{"container": "main", "parser": parser}])
        return a_target(number, annotations={PARSER: value})

    targets = [target(1, "plain"), target(2, "fancy"), target(3, "other")]
    document = synced(tmp_path, *targets, parse_lines_json=("plain", "fancy=better"))  # type: ignore[arg-type]
    found = [(entry["attributes"]["parser"], entry.get("parse_lines_as_json")) for entry in document["logs"]]
    assert found == [("plain", True), ("better", True), ("other", None)]
    assert document["merge_json_parsed_lines"] is True


def test_by_default_no_docker_line_is_decoded(tmp_path: Path) -> None:
    document = synced(tmp_path, a_target())
    assert "parse_lines_as_json" not in document["logs"][0]
    assert "merge_json_parsed_lines" not in document


def test_the_shipped_name_survives_the_agents_template_and_a_query_parser(tmp_path: Path) -> None:
    """The Scalyr agent expands `$`, and the server reads the name as a query."""
    labels = {"application": "a&b=$x c", "version": "$$", "component": "ü"}
    (entry,) = synced(tmp_path, a_target(labels=labels))["logs"]
    assert "$" not in entry["rename_logfile"]
    assert parse_qs(entry["rename_logfile"].removeprefix("?")) == {
        "application": ["a&b=$x c"],
        "component": ["ü"],
        "version": ["$$"],
        "container_id": [container_id(1)],
    }


def test_a_pod_without_labels_goes_by_its_own_name(tmp_path: Path) -> None:
    (entry,) = synced(tmp_path, a_target(labels={}))["logs"]
    assert "application=shop-1&component=none&version=none" in entry["rename_logfile"]
    assert not entry["attributes"].keys() & {"application", "component", "version", "release"}


def test_a_pods_own_environment_is_an_attribute_of_its_own(tmp_path: Path) -> None:
    labels = {"application": "shop", "environment": "canary"}
    (entry,) = synced(tmp_path, a_target(labels=labels))["logs"]
    assert entry["attributes"]["environment"] == "canary"


def test_labels_become_attributes_but_replace_none(tmp_path: Path) -> None:
    """Neither what the watcher knows, nor what the node shares, nor what the Scalyr agent sets."""
    foreign = {
        "team": "x",
        "empty": "",
        "pod": "y",
        "version": "y",
        "cluster": "y",
        "logfile": "y",
        "parser": "y",
    }
    labels = {"application": "shop"}
    (entry,) = synced(tmp_path, a_target(labels=labels, attributes=foreign))["logs"]
    assert entry["attributes"]["team"] == "x"
    assert "y" not in entry["attributes"].values()
    assert "empty" not in entry["attributes"]


def test_no_label_replaces_the_cluster_of_a_cluster_without_an_id(tmp_path: Path) -> None:
    target = a_target(attributes={"serverHost": "y", "cluster": "y"})
    (entry,) = synced(tmp_path, target, node=NodeContext())["logs"]
    assert not entry["attributes"].keys() & {"serverHost", "cluster"}


def test_glob_characters_of_a_path_stand_for_themselves(tmp_path: Path) -> None:
    (entry,) = synced(tmp_path, a_target(log_path=Path("/logs/a[1]*?.log")))["logs"]
    assert entry["path"] == "/logs/a[[]1][*][?].log"


def test_server_and_profiling_are_passed_on_when_set(tmp_path: Path) -> None:
    document = synced(tmp_path, server="https://eu.scalyr.com", enable_profiling=False)
    assert document["scalyr_server"] == "https://eu.scalyr.com"
    assert document["enable_profiling"] is False


def test_the_order_of_targets_does_not_matter(tmp_path: Path) -> None:
    agent, targets = an_agent(tmp_path), [a_target(number) for number in range(5)]
    agent.sync(targets)
    first = agent.settings.config_path.read_bytes()
    agent.sync(targets[::-1])
    assert agent.settings.config_path.read_bytes() == first


def test_a_changed_label_reaches_the_entry_of_its_container(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([a_target(1), a_target(2)])
    agent.sync([a_target(1), a_target(2, labels={"application": "cart"})])
    assert [entry["attributes"]["application"] for entry in written(agent)["logs"]] == ["shop", "cart"]


def test_an_unchanged_target_is_not_rendered_again(tmp_path: Path) -> None:
    """What one other changes costs no more than a comparison."""
    agent, targets = an_agent(tmp_path), [a_target(number) for number in range(100)]
    before = [item for item in agent.render(targets) if item.path != agent.settings.config_path]
    after = [item for item in agent.render(targets) if item.path != agent.settings.config_path]
    assert all(old is new for old, new in zip(before, after, strict=True))


def test_nothing_shows_the_key(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    shown = [repr(agent.settings), repr(agent), *(repr(item) for item in agent.render([a_target()]))]
    assert not any("key-0001" in text for text in shown)
