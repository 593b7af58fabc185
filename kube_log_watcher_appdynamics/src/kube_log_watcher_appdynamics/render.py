"""What a job file says about a log: pure functions from a target to YAML."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from kube_log_watcher_core import Layout, LogTarget

_HEADER = "# Written by kube-log-watcher, which overwrites every change.\n"

# Strings are never folded: a file holds one line for each value.
_WIDTH = 2**31 - 1

# A Docker record is one line of JSON with its members always in this order. Inside a JSON string
# every quote is escaped, so `","stream":"` can't be part of the message, nor `},"time":"` of an
# attribute: the lazy groups end where the record's own members begin, whatever a container prints.
# They are lazy dots and no `(?:[^"\\]|\\.)*`, on which java.util.regex recurses once for each
# character: a piece of 16 KiB would overflow its stack. A line's own newline, written `\n` at the
# end of the message, is left out of it.
DOCKER_GROK: Final = (
    r'^\{"log":"%{DATA:logMessage}(?:(?<!\\)\\n)?"'
    r',"stream":"%{WORD:logStream}"'
    r'(?:,"attrs":\{%{DATA}\})?'
    r',"time":"%{TIMESTAMP_ISO8601:logTimestamp}"\}'
)
# The tag is F for a whole line or its last piece, P for a piece that goes on in the next record.
CRI_GROK: Final = (
    r"^%{TIMESTAMP_ISO8601:logTimestamp} %{WORD:logStream} %{DATA:logTag} %{GREEDYDATA:logMessage}"
)
_GROK: Final = {Layout.DOCKER: DOCKER_GROK, Layout.CRI: CRI_GROK}

# Joda-Time reads up to as many digits of a fraction as there are S, and keeps the milliseconds:
# runtimes write up to nine and drop zeros at the end, so SSS would stop in the middle of a number.
# Its Z takes an offset, `+0000` or `+00:00`, and also the letter Z; a quoted 'Z' would match the
# letter only and leave the zone unsaid, and without one the agent takes its own local time.
EVENT_TIMESTAMP: Final = "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSSZ"

FIELD_NAMES: Final = frozenset(
    {
        "sourceType",
        "nodeName",
        "tierName",
        "appName",
        "LogFile",
        "application_id",
        "application_version",
        "application_release",
        "application_pod",
        "application_namespace",
        "container_name",
        "kubernetes_cluster",
        "logMessage",
        "logStream",
        "logTag",
        "logTimestamp",
        # What the analytics agent itself puts into each event.
        "eventTimestamp",
        "pickupTimestamp",
        "host",
        "message",
        "source",
    }
)
"""Names that mean something already: a label of the same name is no field, even where the name is unused."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


def _quoting(base: Any) -> Any:
    """Make a dumper that writes strings as strings: ``1.10``, ``yes``, ``2020-01-01`` are something else."""
    dumper = type("Dumper", (base,), {})
    dumper.add_representer(str, _quoted)  # type: ignore[attr-defined]
    return dumper


PLAIN_DUMPER: Final = _quoting(yaml.SafeDumper)
FAST_DUMPER: Final = _quoting(yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper)
"""With libyaml a job file takes a seventh of the time, and has the same bytes."""


def job(target: LogTarget) -> str:
    """Return the text of a target's job file: the same target, the same text."""
    said = document(target)
    try:
        return _HEADER + text_of(said, FAST_DUMPER)
    except UnicodeEncodeError:
        # A byte of a path that is no UTF-8: libyaml takes nothing that can't be encoded.
        return _HEADER + text_of(said, PLAIN_DUMPER)


def text_of(said: Mapping[str, Any], dumper: Any) -> str:
    """Return a job as YAML."""
    text: str = yaml.dump(said, Dumper=dumper, sort_keys=False, width=_WIDTH)
    return text


def document(target: LogTarget) -> dict[str, Any]:
    """Return what the job file says."""
    return {
        "version": 2,
        "enabled": True,
        "source": {
            "type": "file",
            "path": os.path.dirname(target.pattern) if target.is_spooled else str(target.log_path.parent),
            "nameGlob": os.path.basename(target.pattern)
            if target.is_spooled
            else literal_glob(target.log_path.name),
            "startAtEnd": False,
        },
        "fields": fields(target),
        "grok": {"patterns": [_GROK[target.layout]]},
        "eventTimestamp": {"pattern": EVENT_TIMESTAMP},
    }


def fields(target: LogTarget) -> dict[str, str]:
    """Return what is added to every event of this log."""
    own = dict(_own_fields(target))
    return own | {name: target.attributes[name] for name in sorted(target.attributes.keys() - FIELD_NAMES)}


def _own_fields(target: LogTarget) -> Iterator[tuple[str, str]]:
    application = target.application or target.pod_name
    yield "sourceType", f"application-{application}"
    yield "nodeName", target.node
    yield "LogFile", target.log_path.name
    yield "application_id", application
    yield "application_version", target.version or "none"
    yield "container_name", target.container_name
    yield "application_pod", target.pod_name
    yield "application_namespace", target.namespace
    for name, value in (
        ("kubernetes_cluster", target.cluster_id),
        ("application_release", target.release),
        ("tierName", target.labels.get("appdynamics_tier")),
        ("appName", target.labels.get("appdynamics_app")),
    ):
        if value:
            yield name, value


def literal_glob(name: str) -> str:
    """Return a glob for one file name.

    No log of Docker or the kubelet has a special character in its name. One that had gets ``?`` in
    its place, which every dialect of globs takes for any one character; their escapes differ.
    """
    return re.sub(r"[][*?{}!\\]", "?", name)
