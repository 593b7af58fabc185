"""Where the annotations of a pod say something about one of its containers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from kube_log_watcher_core import LogTarget, annotation_for
from kube_log_watcher_scalyr.plain import shortened


@attrs.frozen
class PodSetting:
    """Something that pods can ask for."""

    name: str
    """The annotation's name after ``kubernetes-log-watcher/``."""
    member: str
    """What it is called in a list with an entry for each container."""
    is_text: bool = False
    """Whether the plain annotation is text and not JSON."""


PARSER = PodSetting("scalyr-parser", "parser", is_text=True)
SAMPLING = PodSetting("scalyr-sampling-rules", "sampling-rules")
REDACTION = PodSetting("scalyr-redaction-rules", "redaction-rules")
ATTRIBUTES = PodSetting("scalyr-attributes", "attributes")
LINE_GROUPERS = PodSetting("scalyr-line-groupers", "line-groupers")

ALL = (PARSER, SAMPLING, REDACTION, ATTRIBUTES, LINE_GROUPERS)


@attrs.frozen
class Said:
    """What the annotation that counts for a container says about it."""

    annotation: str
    text: str = attrs.field(repr=False)
    """All of the annotation."""
    value: object = None
    """None: nothing."""
    reasons: tuple[str, ...] = ()
    """What is odd about it."""


def said_of(target: LogTarget, setting: PodSetting) -> Said | None:
    """Read the annotation that counts: the container's own, else the pod's. None when there is neither."""
    found = annotation_for(target.annotations, setting.name, target.container_name)
    if found is None:
        return None
    annotation, text = found
    value, reasons = _read(text, setting, target.container_name)
    return Said(annotation=annotation, text=text, value=value, reasons=reasons)


def _read(text: str, setting: PodSetting, container: str) -> tuple[object, tuple[str, ...]]:
    if setting.is_text and not text.lstrip().startswith(("[", "{", '"')):
        return text.strip(), ()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        return None, (f"no JSON ({error})",)
    if document is None:
        return None, ("it is null",)
    if document == []:
        return None, ()
    has_an_entry_for_each_container = isinstance(document, list) and any(
        isinstance(entry, Mapping) and "container" in entry for entry in document
    )
    if setting.is_text or has_an_entry_for_each_container:
        return find_entry(document, container, setting.member)
    return document, ()


def find_entry(document: object, container: str, member: str) -> tuple[object, tuple[str, ...]]:
    """Find a container's value in a list of objects, and what is odd about the list.

    The first entry for the container counts. None: the list says nothing about it.
    """
    if not isinstance(document, list):
        return None, (f"expected a JSON list of objects, found {shortened(document)}",)
    reasons: list[str] = []
    value: object = None
    named = [it for it in document if isinstance(it, Mapping) and isinstance(it.get("container"), str)]
    if len(named) < len(document):
        reasons.append("members without the name of a container are ignored")
    mine: Any = next((entry for entry in named if entry["container"] == container), None)
    if mine is not None:
        value = mine.get(member)
        if value is None:
            reasons.append(f"the entry for the container has no {member}")
    return value, tuple(reasons)
