"""The chain of decisions for one container, as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from kube_log_watcher_core.cli.output import one_line, visible
from kube_log_watcher_core.cli.tables import ago, joined

_SOURCES = {
    "watch": "known from the watch of the Kubernetes API",
    "get": "known from a question to the Kubernetes API for this pod",
    "memory": "known from before: the Kubernetes API shows it no more",
    "state-file": "known from the state file: the Kubernetes API has not shown it since",
}

Report = Mapping[str, Any]
Lines = Iterator[tuple[str, str]]
"""Subjects, and what is said of each; an empty subject goes on with the one before."""


def name_of(report: Report) -> str:
    """Name a container as far as its name is known."""
    parts = [report["namespace"], report["pod_name"], report["container"]]
    return "/".join(part for part in parts if part) if report["pod_name"] else report["key"]


def chain(report: Report, *, at: float, wide: bool) -> Iterator[str]:
    """Give the lines; ``at`` is when it was told, in epoch seconds."""
    yield one_line(f"{name_of(report)}: {report['state']}")
    lines = [(subject, text) for subject, text in _lines(report, at=at, wide=wide) if text]
    width = max(len(subject) for subject, _ in lines)
    for subject, text in lines:
        yield f"  {subject:<{width}}  {text}"


def _lines(report: Report, *, at: float, wide: bool) -> Lines:
    yield "found", one_line(_found(report, at))
    yield "pod", one_line(_pod(report["pod"]))
    if wide and report["pod"]:
        yield "labels", one_line(_pairs(report["pod"]["labels"]))
        yield "asks for", one_line(_pairs(report["pod"]["annotations"]))
    for remark in report["remarks"]:
        yield "ignored", one_line(remark)
    yield "decision", one_line(_decision(report, at))
    yield "remedy", one_line(report["remedy"])
    for agent in report["agents"]:
        yield from _agent(agent, report, at=at, wide=wide)


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
            _SOURCES.get(pod["source"], str(pod["source"])),
            "" if age is None else f"which is {ago(age)} old at most",
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


def _agent(agent: Report, report: Report, *, at: float, wide: bool) -> Lines:
    title = one_line(f"agent {agent['name']}")
    yield title, one_line(agent["trouble"] or "")
    for item in agent["written"]:
        yield title, one_line(_item(item))
        if wide and item["kind"] == "file":
            yield from (("", f"| {visible(line)}") for line in item["content"].splitlines())
    if not agent["written"] and not agent["trouble"]:
        yield title, "has written nothing about it, or can't tell"
    yield title, _progress(agent, report, at)


def _item(item: Report) -> str:
    if item["kind"] == "link":
        return f"link {item['path']} -> {item['content']}"
    return f"file {item['path']}"


def _progress(agent: Report, report: Report, at: float) -> str:
    if agent["read_bytes"] is None:
        return ""
    of = "" if report["log_bytes"] is None else f" of {report['log_bytes']}"
    return (
        f"its shipper has read {agent['read_bytes']}{of} bytes, as it said {ago(at - agent['read_at'])} ago"
    )
