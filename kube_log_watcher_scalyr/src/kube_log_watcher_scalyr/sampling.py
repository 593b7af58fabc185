"""Sampling rules from the settings: by application, component and chance."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from kube_log_watcher_core import LogTarget
from kube_log_watcher_scalyr.expressions import Expressions
from kube_log_watcher_scalyr.plain import shortened
from kube_log_watcher_scalyr.pod_settings import find_entry
from kube_log_watcher_scalyr.rules import Checked, Rule, sampling_rules


@attrs.frozen
class SamplingEntry:
    """An entry of the settings: for whom it is, and the rules that it gives to each container."""

    rules: Mapping[str, tuple[Rule, ...]]
    """By container name."""
    application: str | None = None
    component: str | None = None
    probability: float = 1.0
    """The share of containers, from 0 to 1, that it is for."""

    def applies_to(self, target: LogTarget) -> bool:
        """Whether a container is meant. The same container id always gives the same answer."""
        if self.application is not None and self.application != target.application:
            return False
        if self.component is not None and self.component != target.component:
            return False
        return binascii.crc32(target.id.encode()) % 100 + 1 <= self.probability * 100


def rules_for(entries: Iterable[SamplingEntry], target: LogTarget) -> tuple[Rule, ...] | None:
    """Return the rules of the first entry that applies; None when none does, and the annotation counts.

    An entry that applies but does not name the container leaves it without sampling.
    """
    for entry in entries:
        if entry.applies_to(target):
            return entry.rules.get(target.container_name, ())
    return None


def read_entries(entries: Iterable[object]) -> tuple[tuple[SamplingEntry, ...], tuple[str, ...]]:
    """Read the entries of the settings; a faulty one is left out, and reported among the reasons."""
    good: list[SamplingEntry] = []
    reasons: list[str] = []
    for index, entry in enumerate(entries):
        try:
            read, odd = _read_entry(entry)
            good.append(read)
            reasons += [f"sampling_rules[{index}]: {reason}" for reason in odd]
        except ValueError as error:
            reasons.append(f"sampling_rules[{index}] is left out: {error}")
    return tuple(good), tuple(reasons)


def _read_entry(entry: object) -> tuple[SamplingEntry, list[str]]:
    if not isinstance(entry, Mapping):
        raise ValueError(f"expected a mapping, found {shortened(entry)}")
    probability = entry.get("probability", 1)
    if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise ValueError(f"probability must be a number from 0 to 1, it is {shortened(probability)}")
    value = entry.get("value")
    try:
        document = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError) as error:
        raise ValueError(f"value is no JSON ({error})") from error
    if not isinstance(document, list):
        raise ValueError(f"value must be a list as in the annotation, it is {shortened(document)}")
    rules, odd = _rules_by_container(document)
    read = SamplingEntry(
        rules=rules,
        application=_label(entry, "application"),
        component=_label(entry, "component"),
        probability=probability,
    )
    return read, odd


def _label(entry: Mapping[Any, object], name: str) -> str | None:
    value = entry.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} must be text (put it in quotes), it is {shortened(value)}")
    return value


def _rules_by_container(document: list[Any]) -> tuple[dict[str, tuple[Rule, ...]], list[str]]:
    names = [entry.get("container") for entry in document if isinstance(entry, Mapping)]
    rules: dict[str, tuple[Rule, ...]] = {}
    odd: list[str] = []
    for name in dict.fromkeys(name for name in names if isinstance(name, str)):
        value, reasons = find_entry(document, name, "sampling-rules")
        checked = Checked() if value is None else sampling_rules(value, Expressions())
        rules[name] = checked.rules
        odd += [f"container {shortened(name)}: {reason}" for reason in (*reasons, *checked.reasons)]
    if not rules:
        odd.append("value names no container")
    return rules, odd
