"""What a pod's annotations ask for one of its containers, and what is wrong with them.

Whatever one pod writes concerns only that pod: nothing here raises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import attrs

from kube_log_watcher_core import LogTarget
from kube_log_watcher_scalyr.plain import is_plain, shortened
from kube_log_watcher_scalyr.rules import Checked, Rule, redaction_rules, sampling_rules

PARSER: Final = "kubernetes-log-watcher/scalyr-parser"
SAMPLING: Final = "kubernetes-log-watcher/scalyr-sampling-rules"
REDACTION: Final = "kubernetes-log-watcher/scalyr-redaction-rules"
LONGEST_PARSER: Final = 200
MOST_REASONS: Final = 3
"""Reasons that one warning tells: the pod's author finds the rest by mending these."""


@attrs.frozen
class Fault:
    """Something that a pod's annotation asks for and doesn't get."""

    namespace: str
    pod: str
    container: str
    annotation: str
    value: str = attrs.field(repr=False)
    """The annotation's whole value: another one is another fault."""
    reasons: tuple[str, ...] = attrs.field(eq=False)

    def __str__(self) -> str:
        more = len(self.reasons) - MOST_REASONS
        reasons = "; ".join(self.reasons[:MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
        return f"pod {self.namespace}/{self.pod}, container {self.container}, {self.annotation}: {reasons}"


@attrs.frozen
class Wishes:
    """What a container's pod asks for."""

    parser: str | None = None
    sampling: tuple[Rule, ...] = ()
    redaction: tuple[Rule, ...] = ()
    faults: tuple[Fault, ...] = ()


def read_annotations(target: LogTarget, *, sampling: tuple[Rule, ...] | None = None) -> Wishes:
    """Read the annotations that are about a container; ``sampling`` takes the place of that annotation."""
    parser, parser_reasons = _parser_of(target)
    sampled = Checked(rules=sampling) if sampling is not None else _rules_of(target, SAMPLING)
    redacted = _rules_of(target, REDACTION)
    reasons = {PARSER: parser_reasons, SAMPLING: sampled.reasons, REDACTION: redacted.reasons}
    return Wishes(
        parser=parser,
        sampling=sampled.rules,
        redaction=redacted.rules,
        faults=tuple(_fault(target, name, found) for name, found in reasons.items() if found),
    )


def find_entry(document: object, container: str, member: str) -> tuple[object, tuple[str, ...]]:
    """Find a container's value in a list of objects, and what is odd about the list.

    The first entry for the container counts. None: the list says nothing about it.
    """
    if not isinstance(document, list):
        return None, (f"expected a JSON list of objects, found {shortened(document)}",)
    reasons: list[str] = []
    value: object = None
    named = [entry for entry in document if _is_named(entry)]
    if len(named) < len(document):
        reasons.append("members without the name of a container are ignored")
    mine = next((entry for entry in named if entry["container"] == container), None)
    if mine is not None:
        value = mine.get(member)
        if value is None:
            reasons.append(f"the entry for the container has no {member}")
    return value, tuple(reasons)


def _is_named(entry: object) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("container"), str)


def _value_of(target: LogTarget, annotation: str, member: str) -> tuple[object, tuple[str, ...]]:
    text = target.annotations.get(annotation)
    if text is None:
        return None, ()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        return None, (f"no JSON ({error})",)
    return find_entry(document, target.container_name, member)


def _parser_of(target: LogTarget) -> tuple[str | None, tuple[str, ...]]:
    value, reasons = _value_of(target, PARSER, "parser")
    if value is None:
        return None, reasons
    if not isinstance(value, str) or not value or len(value) > LONGEST_PARSER or not is_plain(value):
        expected = f"text of up to {LONGEST_PARSER} characters, none beyond U+FFFF"
        return None, (*reasons, f"parser must be {expected}, it is {shortened(value)}")
    return value, reasons


def _rules_of(target: LogTarget, annotation: str) -> Checked:
    check, member = {
        SAMPLING: (sampling_rules, "sampling-rules"),
        REDACTION: (redaction_rules, "redaction-rules"),
    }[annotation]
    value, reasons = _value_of(target, annotation, member)
    checked = Checked() if value is None else check(value)
    return attrs.evolve(checked, reasons=(*reasons, *checked.reasons))


def _fault(target: LogTarget, annotation: str, reasons: tuple[str, ...]) -> Fault:
    return Fault(
        namespace=target.namespace,
        pod=target.pod_name,
        container=target.container_name,
        annotation=annotation,
        value=target.annotations.get(annotation, ""),
        reasons=reasons,
    )
