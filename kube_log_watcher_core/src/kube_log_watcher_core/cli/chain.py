"""The chain of decisions for one container, as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from kube_log_watcher_core.cli.output import one_line, visible
from kube_log_watcher_core.cli.tables import ago, joined

_SOURCES = {
    "watch": "the watch of the Kubernetes API",
    "get": "a question to the Kubernetes API for this pod",
    "memory": "what was known before: the Kubernetes API shows it no more",
    "state-file": "the state file: the Kubernetes API has not shown it since",
}
_WIDTH = 9

Report = Mapping[str, Any]


def name_of(report: Report) -> str:
    """Name a container as far as its name is known."""
    parts = [report["namespace"], report["pod_name"], report["container"]]
    return "/".join(part for part in parts if part) if report["pod_name"] else report["key"]


def chain(report: Report, *, at: float, wide: bool) -> Iterator[str]:
    """Give the lines; ``at`` is when it was told, in epoch seconds."""
    yield one_line(f"{name_of(report)}: {report['state']}")
    yield from _line("found", _found(report, at))
    yield from _line("pod", _pod(report["pod"]))
    if wide and report["pod"]:
        yield from _line("labels", _pairs(report["pod"]["labels"]))
        yield from _line("asks for", _pairs(report["pod"]["annotations"]))
    yield from _line("decision", _decision(report, at))
    yield from _line("remedy", report["remedy"])
    for agent in report["agents"]:
        yield from _agent(agent, report, at=at, wide=wide)


def _line(subject: str, text: str) -> Iterator[str]:
    if text:
        yield f"  {subject:<{_WIDTH}} {one_line(text)}"


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(values.items()))


def _found(report: Report, at: float) -> str:
    if report["state"] == "no-log":
        return "nothing on the disk"
    size = report["log_bytes"]
    return joined(
        [
            report["log_path"] or "on the disk, without a log",
            f"{report['layout']} layout",
            f"run {report['restart_count']}" if report["restart_count"] else "",
            "" if size is None else f"{size} bytes",
            _when("first seen", report["first_seen"], at),
            _when("made", report["created"], at),
        ]
    )


def _when(what: str, time: float | None, at: float) -> str:
    if time is None:
        return ""
    try:
        shown = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # a clock, or a file's time, far from all calendars
        return ""
    return f"{what} {shown} ({ago(at - time)} ago)"


def _pod(pod: Report | None) -> str:
    if pod is None:
        return "not known"
    age = pod["age_seconds"]
    return joined(
        [
            f"uid {pod['uid']}",
            f"known from {_SOURCES.get(pod['source'], pod['source'])}",
            "" if age is None else f"{ago(age)} old at most",
            f"of {pod['owner']}" if pod["owner"] else "",
            "being deleted" if pod["deleted"] is not None else "",
        ]
    )


def _decision(report: Report, at: float) -> str:
    if report["state"] == "draining":
        gone = _when("its log is gone from the disk since", report["gone_since"], at)
        return f"{gone}; it stays configured until its shipper has read it, or time is up"
    if report["state"] == "followed":
        return f"followed: {'; '.join(report['rules'])}"
    return joined(["not followed", report["reason"] or "", report["detail"]], ": ")


def _agent(agent: Report, report: Report, *, at: float, wide: bool) -> Iterator[str]:
    title = f"agent {agent['name']}"
    if agent["trouble"]:
        yield from _line(title, agent["trouble"])
    for item in agent["written"]:
        what = (
            f"link {item['path']} -> {item['content']}" if item["kind"] == "link" else f"file {item['path']}"
        )
        yield from _line(title, what)
        if wide and item["kind"] == "file":
            yield from (f"    | {visible(line)}" for line in item["content"].splitlines())
    if not agent["written"] and not agent["trouble"]:
        yield from _line(title, "has written nothing about it, or can't tell")
    yield from _line(title, _progress(agent, report, at))


def _progress(agent: Report, report: Report, at: float) -> str:
    if agent["read_bytes"] is None:
        return ""
    of = "" if report["log_bytes"] is None else f" of {report['log_bytes']}"
    return (
        f"its shipper has read {agent['read_bytes']}{of} bytes, as it said {ago(at - agent['read_at'])} ago"
    )
