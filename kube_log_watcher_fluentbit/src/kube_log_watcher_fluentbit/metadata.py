"""One pod's metadata, as Fluent Bit's Kubernetes filter reads it. Pure.

It is a part of what the API says of a pod. Values are data to Fluent Bit, whatever is in them; but all of it
goes with each line, so it is bounded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from kube_log_watcher_core import LogTarget
from kube_log_watcher_static import MOST_BYTES, cut, redaction_asked

MULTILINE_SETTING: Final = "fluentbit-multiline"
MULTILINE: Final = f"kubernetes-log-watcher/{MULTILINE_SETTING}"
"""Asks for one of the kinds of multi-line that the static configuration has, for the whole pod."""
TRUNCATED: Final = "kubernetes-log-watcher/truncated"
"""Says what was too large: ``annotations``, or these and ``labels``."""

_ACTED_ON: Final = re.compile(r"fluentbit\.io/(parser|exclude)(_stdout|_stderr)?(-[a-z0-9-]{1,63})?")
_VALUES: Final = {
    "parser": re.compile(r"[A-Za-z0-9_.-]{1,100}"),
    "exclude": re.compile(r"true|false", re.IGNORECASE),
}
_EXPECTED: Final = {"parser": "a parser's name", "exclude": "true or false"}
_KINDS: Final = frozenset({"java", "python", "go", "ruby"})


def metadata(target: LogTarget, annotations: Collection[str]) -> str:
    """Return the metadata of a log's pod as JSON, with the annotations of these names, if it has them.

    Annotations on which Fluent Bit acts are among them: parsers and exclusions. A container whose log must be
    redacted is excluded, so that nothing of it passes that was shown before its pod asked for that.
    """
    labels = {name: cut(value) for name, value in target.labels.items()}
    acted_on = {**_acted_on(target.annotations), **exclusions(_to_redact(target))}
    chosen = {name: cut(value) for name, value in target.annotations.items() if name in annotations}
    text = _as_json(target, labels, {**chosen, **acted_on})
    if len(text) > MOST_BYTES:
        text = _as_json(target, labels, {TRUNCATED: "annotations", **acted_on})
    if len(text) > MOST_BYTES:
        text = _as_json(target, {}, {TRUNCATED: "annotations, labels", **acted_on})
    return text


def _as_json(target: LogTarget, labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    pod = target.pod
    images = [{"name": each.name, "image": each.image} for each in pod.containers if each.image]
    document: dict[str, Any] = {
        "metadata": {"uid": pod.uid, "labels": labels, "annotations": annotations},
        "spec": {"nodeName": pod.node},
        "status": {"containerStatuses": images},
    }
    return json.dumps(document, sort_keys=True)


def _acted_on(annotations: Mapping[str, str]) -> Mapping[str, str]:
    """Return the annotations by which a pod's author steers Fluent Bit, as far as their values are safe."""
    found = {}
    for name, value in annotations.items():
        match = _ACTED_ON.fullmatch(name)
        if match and _VALUES[match[1]].fullmatch(value):
            found[name] = value
    if annotations.get(MULTILINE) in _KINDS:
        found[MULTILINE] = annotations[MULTILINE]
    return found


def refused(annotations: Mapping[str, str]) -> Mapping[str, str]:
    """Return the annotations that are left out because of their values, and what each would have to be."""
    found = {}
    for name, value in annotations.items():
        match = _ACTED_ON.fullmatch(name)
        if match and not _VALUES[match[1]].fullmatch(value):
            found[name] = _EXPECTED[match[1]]
    if annotations.get(MULTILINE, "java") not in _KINDS:
        found[MULTILINE] = f"one of {', '.join(sorted(_KINDS))}"
    return found


def exclusions(containers: Iterable[str]) -> Mapping[str, str]:
    """Return annotations by which Fluent Bit drops all lines of containers, whatever else a pod says."""
    return {
        f"fluentbit.io/exclude{stream}-{name}": "true"
        for name in containers
        for stream in ("", "_stdout", "_stderr")
    }


def _to_redact(target: LogTarget) -> Iterable[str]:
    """Return the containers of a log's pod whose lines must be redacted."""
    names = {target.container_name, *(each.name for each in target.pod.containers)}
    return [name for name in names if redaction_asked(target, name) is not None]
