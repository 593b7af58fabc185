"""What a pod asks to be left out of its lines, which not every shipper can promise. Pure."""

from __future__ import annotations

import json
from typing import Final

from kube_log_watcher_core import LogTarget, annotation_for

SETTING: Final = "scalyr-redaction-rules"
"""Named for the shipper that does it; what it asks for holds for all."""


def redaction_asked(target: LogTarget, container: str | None = None) -> str | None:
    """Return the annotation by which a pod asks for redaction of this log; None where it asks for none.

    ``container`` is another container of the pod to ask about.
    Only what surely asks for nothing does: an empty list, or a list by containers without this one. What
    can't be read may ask for anything.
    """
    if not target.annotations:
        return None
    name = container or target.container_name
    found = annotation_for(target.annotations, SETTING, name)
    if found is None:
        return None
    annotation, text = found
    try:
        rules = json.loads(text)
    except (ValueError, RecursionError):
        return annotation
    if not isinstance(rules, list) or not all(_names_container(rule) for rule in rules):
        return annotation
    own = [rule for rule in rules if rule["container"] == name]
    return annotation if own and own[0].get("redaction-rules") != [] else None


def _names_container(rule: object) -> bool:
    return isinstance(rule, dict) and isinstance(rule.get("container"), str)
