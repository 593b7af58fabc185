"""What the log says of decisions."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest

from kube_log_watcher_core.models import Container, FrozenMap, Layout, Pod, Pods, Work
from kube_log_watcher_core.observe.logs import json_formatter
from kube_log_watcher_core.reconcile import Reconciler, Timeouts, log_changes
from kube_log_watcher_core.resolve import Rules

RULES = Rules(strict_labels=("application",))


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def there() -> Container:
    return Container(
        key="a" * 64,
        id="a" * 64,
        layout=Layout.DOCKER,
        name="main",
        pod_name="shop-1",
        namespace="default",
        pod_uid="u",
        log_path=Path("/logs/a.log"),
    )


def pod(labels: dict[str, str], annotations: dict[str, str] | None = None) -> Pod:
    return Pod("u", "shop-1", "default", labels=FrozenMap(labels), annotations=FrozenMap(annotations))


class Told:
    """Says of each pass what has changed."""

    def __init__(self) -> None:
        self._reconciler = Reconciler(Work(), clock=lambda: 0.0, wall=lambda: 0.0)

    def pass_over(self, containers: list[Container], pods: list[Pod]) -> None:
        log_changes(self._reconciler.reconcile(containers, Pods(pods), rules=RULES, timeouts=Timeouts()))


def test_each_change_is_told_once_with_the_pod_and_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    told = Told()
    bare: dict[str, str] = {}
    for labels in (bare, bare, {"application": "shop"}, {"application": "shop"}):
        told.pass_over([there()], [pod(labels)])
    told.pass_over([], [])
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[0] for line in lines] == [
        "skipping default/shop-1/main",
        "following default/shop-1/main at /logs/a.log",
        "no longer following default/shop-1/main",
    ]
    assert "label-missing" in lines[0]
    assert "WATCHER_STRICT_LABELS" in lines[0]


def test_an_annotation_that_is_not_understood_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    told = Told()
    odd = pod({"application": "shop"}, {"kubernetes-log-watcher/exclude": "perhaps"})
    for _ in range(3):
        told.pass_over([there()], [odd])
    assert caplog.text.count("'perhaps' is neither true nor false") == 1


def test_json_lines_tell_the_event_and_whom_it_is_about_as_fields() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(json_formatter())
    log = logging.getLogger("kube_log_watcher_core.reconcile.changelog")
    log.addHandler(handler)
    try:
        Told().pass_over([there()], [pod({})])
    finally:
        log.removeHandler(handler)
    line = json.loads(stream.getvalue())
    about = {
        name: line[name] for name in ("event", "reason", "namespace", "pod", "container", "container_id")
    }
    assert about == {
        "event": "skipping",
        "reason": "label-missing",
        "namespace": "default",
        "pod": "shop-1",
        "container": "main",
        "container_id": "a" * 64,
    }
