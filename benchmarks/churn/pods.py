"""Pods of the churned node: their containers, labels, annotations, and what the API shows of them."""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import attrs

from benchmarks.churn.ledger import PodFacts, Run
from kube_log_watcher_testing.fake_api import ContainerStatus, FakeApi, pod_object
from kube_log_watcher_testing.fake_node import FakeContainer

PARSER = "kubernetes-log-watcher/scalyr-parser"
SAMPLING = "kubernetes-log-watcher/scalyr-sampling-rules"
REDACTION = "kubernetes-log-watcher/scalyr-redaction-rules"
EXCLUDE = "kubernetes-log-watcher/exclude"
DECODED = "decoded"
"""The parser whose Docker records the Scalyr agent decodes."""


@attrs.define(eq=False)
class Writer:
    """A container that writes, and its log."""

    run: Run
    files: FakeContainer
    rate: float
    """Lines per second."""
    started: float
    """By the clock that never stands still."""
    rotated: float
    """When it was rotated last, by the clock of the shipper."""
    writing: bool = True


@attrs.define(eq=False)
class LivePod:
    """A pod, from its start until its files are gone."""

    facts: PodFacts
    uid: str
    slot: int
    labels: dict[str, str]
    annotations: dict[str, str]
    mask: str | None
    """What its redaction rule puts in the place of the secret; None without a usable rule."""
    writers: list[Writer] = attrs.field(factory=list)
    ended: list[Writer] = attrs.field(factory=list)
    """Runs that were replaced and whose files are still there."""
    withheld: bool = False
    unwanted: bool = False
    """Whether it is excluded, or lacks a label that is asked for."""
    ending: bool = False
    succeeded: bool = False
    """Whether another pod has its name, or will have it."""
    not_before: float = 0.0
    """When it may end at the earliest, by the clock of watcher and shipper."""
    lives_until: float = 0.0
    """The same, for what has to be seen of it; it may be rotated before."""

    def show(self, api: FakeApi, *, ids: bool = True) -> None:
        """Let the API show the pod as it is now."""
        statuses = [
            ContainerStatus(
                name=writer.run.container,
                id=writer.files.id if ids else "",
                restart_count=writer.files.restart,
                image=writer.files.image,
            )
            for writer in self.writers
        ]
        api.update(
            pod_object(
                self.facts.name,
                namespace=self.facts.namespace,
                uid=self.uid,
                labels=self.labels,
                annotations=self.annotations,
                containers=statuses,
            )
        )

    def mark_deleted(self, api: FakeApi) -> None:
        """Let the API show that the pod is to go."""
        pod = api.get(self.facts.namespace, self.facts.name)
        pod["metadata"]["deletionTimestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        pod["metadata"]["deletionGracePeriodSeconds"] = 30
        api.update(pod)

    def mark_ended(self, api: FakeApi, phase: str) -> None:
        """Let the API show that all containers have ended."""
        pod = api.get(self.facts.namespace, self.facts.name)
        pod["status"]["phase"] = phase
        for status in pod["status"].get("containerStatuses", []):
            status["state"] = {"terminated": {"exitCode": 0, "containerID": status.get("containerID", "")}}
        api.update(pod)


def good_annotations(containers: Sequence[str], *, parser: str, mask: str | None) -> dict[str, str]:
    """Return annotations that are in order; the redaction rule, if any, hides the secret."""
    annotations = {PARSER: _listed(containers, "parser", parser)}
    if mask is not None:
        rule = {"match_expression": r"password=\S+", "replacement": f"password={mask}"}
        annotations[REDACTION] = _listed(containers, "redaction-rules", [rule])
    return annotations


def _listed(containers: Sequence[str], member: str, value: object) -> str:
    return json.dumps([{"container": container, member: value} for container in containers])


class Unwanted(enum.Enum):
    """Why a pod must not be followed."""

    EXCLUDED = "excluded by its annotation"
    UNLABELLED = "without a label that is asked for"


class Bad(enum.Enum):
    """What may be wrong with a pod's annotations."""

    NO_JSON = "no JSON"
    NUMBER = "a number for an expression"
    EXPRESSION = "a sampling expression that is none"
    REPLACEMENT = "a redaction rule with a group that its expression lacks"
    REDACTION = "a redaction expression that is none"

    @property
    def withholds(self) -> bool:
        """Whether the redaction rule is unusable, so that nothing may be shipped.

        Where a shipper can't redact, any rule withholds, and these as well.
        """
        return self in (Bad.REPLACEMENT, Bad.REDACTION)


def spoil(good: dict[str, str], bad: Bad, containers: Sequence[str]) -> dict[str, str]:
    """Return annotations of which one is bad."""
    sampling = {"sampling_rate": 0}
    changes = {
        Bad.NO_JSON: {PARSER: "[[{"},
        Bad.NUMBER: {SAMPLING: _listed(containers, "sampling-rules", [{**sampling, "match_expression": 7}])},
        Bad.EXPRESSION: {
            SAMPLING: _listed(containers, "sampling-rules", [{**sampling, "match_expression": "("}])
        },
        Bad.REPLACEMENT: {
            REDACTION: _listed(
                containers,
                "redaction-rules",
                [{"match_expression": r"password=\S+", "replacement": r"password=\2"}],
            )
        },
        Bad.REDACTION: {
            REDACTION: _listed(containers, "redaction-rules", [{"match_expression": "password=("}])
        },
    }
    return {**good, **changes[bad]}
