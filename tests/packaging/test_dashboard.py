"""The Grafana dashboard: it asks for metrics that there are, by labels that they have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from deploy_support import CHART, render
from kube_log_watcher_core.observe.metrics import FAMILIES, MetricType

BOARD = json.loads((CHART / "files" / "dashboard.json").read_text())
SUFFIXES = {MetricType.HISTOGRAM: ("_bucket", "_sum", "_count")}
NAMES = {
    f"{family.full_name}{suffix}": family
    for family in FAMILIES
    for suffix in SUFFIXES.get(family.kind, ("",))
}
OF_PROMETHEUS = {"instance", "le"}


def queries() -> Iterator[tuple[str, str]]:
    """Give all queries with their legends."""
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]
    for variable in BOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"], ""


def metrics_in(query: str) -> set[str]:
    return set(re.findall(r"kube_log_watcher_\w+", query))


def test_it_asks_for_metrics_that_there_are_and_for_all_of_them() -> None:
    asked = set().union(*(metrics_in(query) for query, _ in queries()))
    assert asked - NAMES.keys() == set()
    assert {NAMES[name].name for name in asked} == {family.name for family in FAMILIES}


def test_it_groups_and_filters_by_labels_that_these_metrics_have() -> None:
    for query, legend in queries():
        known = OF_PROMETHEUS.union(*(NAMES[name].labels for name in metrics_in(query)))
        grouped = re.findall(r"by \(([^)]*)\)", query)
        used = {label for group in grouped for label in re.split(r",\s*", group)}
        used |= set(re.findall(r"[{,](\w+)[!=]", query)) | set(re.findall(r"\{\{(\w+)\}\}", legend))
        assert used <= known, query


def test_counters_are_shown_as_rates() -> None:
    for query, _ in queries():
        counters = {name for name in metrics_in(query) if NAMES[name].kind is not MetricType.GAUGE}
        assert not counters or re.search(r"(rate|increase)\(", query), query


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at: dict[str, Any] = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_chart_brings_it_where_it_is_asked_for() -> None:
    found = [
        document for document in render({"dashboard": {"enabled": True}}) if document["kind"] == "ConfigMap"
    ]
    (board,) = [
        each["data"]["kube-log-watcher.json"] for each in found if "settings.yaml" not in each["data"]
    ]
    assert json.loads(board) == BOARD
