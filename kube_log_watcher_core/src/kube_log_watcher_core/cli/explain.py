"""``explain``: why a pod's log is shipped, or not."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from kube_log_watcher_core.cli.asking import ask_watcher, state_dir_of
from kube_log_watcher_core.cli.commands import SettingsCommand
from kube_log_watcher_core.cli.output import (
    STYLES,
    Table,
    ago,
    joined,
    one_line,
    plain,
    print_document,
    rich_table,
)
from kube_log_watcher_core.configuration import Given, configure
from kube_log_watcher_core.explain import HARMLESS, explanation_document, parse_query
from kube_log_watcher_core.observe.logs import visible

NOT_FOLLOWED, NOT_FOUND = 1, 3
MOST_CHAINS = 10
"""More containers than that are listed only, unless all is asked for."""

_HARMLESS = {reason.value for reason in HARMLESS}
_SOURCES = {
    "watch": "known from the watch of the Kubernetes API",
    "get": "known from a question to the Kubernetes API for this pod",
    "memory": "known from before: the Kubernetes API shows it no more",
    "state-file": "known from the state file: the Kubernetes API has not shown it since",
}

Report = Mapping[str, Any]
Lines = Iterator[tuple[str, str]]
"""Subjects, and what is said of each; an empty subject goes on with the one before."""


@click.command(cls=SettingsCommand, short_help="Tell why a pod's log is shipped, or not.")
@click.argument("name", required=False, default="", metavar="[[NAMESPACE/]POD[/CONTAINER]]")
@click.option("-n", "--namespace", metavar="NAME", help="Look in this namespace only.")
@click.option(
    "-l",
    "--selector",
    default="",
    metavar="SELECTOR",
    help="Look at pods with these labels only, e.g. application=shop,tier!=test,team,!old,zone in (a,b).",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "wide", "json", "yaml"]),
    default="table",
    show_default=True,
    help="How to show it; wide adds labels, and what agents wrote.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0.1),
    default=5.0,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait for the Kubernetes API when no watcher runs.",
)
def explain(
    given: Given, *, name: str, namespace: str | None, selector: str, output: str, timeout_seconds: float
) -> None:
    """Tell the chain of decisions for each container of a pod on this node: names may be globs.

    The running watcher is asked; without one it works from the state file, the disk and the API.

    Exit code 0: all are followed. 1: something is not. 3: nothing was found. 75: nothing could be read.
    """
    try:
        query = parse_query(name, namespace=namespace, selector=selector)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    filters = {"name": name, "namespace": namespace or "", "selector": selector}
    found, trouble = ask_watcher(state_dir_of(given), f"explain {json.dumps(filters)}")
    if found is None:
        # Imported only here: what asks the Kubernetes API is not needed where a watcher answers.
        from kube_log_watcher_core.explain.offline import explain_offline  # noqa: PLC0415

        # What goes wrong on the way is part of the answer.
        logging.disable(logging.ERROR)
        told = explain_offline(configure(given), query, timeout_seconds=timeout_seconds)
        found = explanation_document(told)
        found["notes"] = [trouble, *found["notes"]]
    if output in {"json", "yaml"}:
        print_document(found, output)
    else:
        show(found, wide=output == "wide", asked=joined([namespace or "", name], "/"))
    sys.exit(exit_code(found))


def exit_code(found: Mapping[str, Any]) -> int:
    """Return the exit code, which tells whether all is well."""
    if not found["containers"]:
        return NOT_FOUND
    for report in found["containers"]:
        if report["state"] == "gone" and report["reason"] is None and not report["detail"]:
            if all(agent["ended_well"] for agent in report["agents"]):
                continue
            return NOT_FOLLOWED
        troubled = any(agent["trouble"] for agent in report["agents"])
        fails = bool(report["spool"] and report["spool"]["trouble"])
        if report["reason"] not in _HARMLESS and (
            troubled or fails or report["state"] not in {"followed", "draining"}
        ):
            return NOT_FOLLOWED
    return 0


def show(found: Mapping[str, Any], *, wide: bool, asked: str) -> None:
    """Show an explanation to a person."""
    for note in found["notes"]:
        click.echo(one_line(f"note: {note}"), err=True)
    some = [each for each in found["containers"] if each["reason"] not in _HARMLESS]
    reports = some if some and not wide else found["containers"]
    if not found["containers"]:
        click.echo(one_line(f"nothing on this node matches {asked or 'that'}"))
        for name in found["similar"]:
            click.echo(f"  similar: {one_line(name)}")
        click.echo("is it on another node? `kubectl get pod -o wide` tells which watcher to ask")
        return
    if not wide:
        _show_table(reports, at=found["at"])
    for number, report in enumerate(reports if wide or len(reports) <= MOST_CHAINS else ()):
        if number or not wide:
            click.echo()
        first, *rest = chain(report, at=found["at"], wide=wide)
        click.secho(first, fg=STYLES.get(report["state"], "").rpartition(" ")[2] or None, bold=True)
        for line in rest:
            click.secho(line, fg="yellow" if line.startswith("  remedy ") else None)
    if found["left_out"]:
        click.echo(f"and {found['left_out']} more: name some of them")


def _show_table(reports: Sequence[Report], *, at: float) -> None:
    rows = []
    for report in reports:
        agents = [
            f"{each['name']}{': trouble' if each['trouble'] else ': holds it' if _holds(each) else ''}"
            for each in report["agents"]
        ]
        held_for = {it["annotation"] for each in report["agents"] for it in each["objections"] if it["holds"]}
        seen = report["first_seen"] or report["created"]
        age = "" if seen is None else ago(at - seen)
        rows.append(
            (
                name_of(report),
                report["state"],
                report["reason"] or joined(sorted(held_for)),
                joined(agents),
                age,
            )
        )
    table = Table(("CONTAINER", "STATE", "WHY", "AGENTS", "SEEN"), rows)
    if not sys.stdout.isatty():
        for line in plain(table):
            click.echo(line)
        return
    from rich.console import Console  # noqa: PLC0415 - only people need it

    Console(highlight=False).print(rich_table(table))


def _holds(agent: Report) -> bool:
    return any(objection["holds"] for objection in agent["objections"])


def name_of(report: Report) -> str:
    """Name a container as far as its name is known."""
    parts = [report["namespace"], report["pod_name"], report["container"]]
    return "/".join(part for part in parts if part) if report["pod_name"] else report["key"]


def chain(report: Report, *, at: float, wide: bool) -> Iterator[str]:
    """Yield the lines of a chain of decisions; ``at`` is when it was told, in epoch seconds."""
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
    if report["state"] == "draining":
        gone = _when("its log is gone from the disk since", report["gone_since"], at)
        decision = f"{gone}; it stays configured until its shipper has read it, or time is up"
    elif report["state"] == "gone":
        gone = _when("gone since", report["gone_since"], at)
        decision = joined([gone, "it was not followed" if report["reason"] else "", report["detail"]], ": ")
    elif report["state"] == "held":
        holders = joined(agent["name"] for agent in report["agents"] if _holds(agent))
        decision = f"held by {holders}: nothing of it is shipped until its pod asks for what can be done"
    elif report["reason"] is None and report["rules"]:
        decision = f"{report['state']}: {'; '.join(report['rules'])}"
    else:
        decision = joined(["not followed", report["reason"] or "", report["detail"]], ": ")
    yield "decision", one_line(decision)
    yield "remedy", one_line(report["remedy"])
    if report["spool"] is not None:
        yield from _spool(report["spool"], report["agents"], at=at)
    for agent in report["agents"]:
        yield from _agent(agent, report, at=at, wide=wide)


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(values.items()))


def _found(report: Report, at: float) -> str:
    if report["state"] in {"no-log", "gone"}:
        return "nothing on the disk" if not report["log_path"] else f"it was at {report['log_path']}"
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


def _spool(spool: Report, agents: Sequence[Report], *, at: float) -> Lines:
    if spool["state"] == "by-path":
        yield "spool", one_line(f"its path is followed, not the spool: {spool['detail']}")
        return
    count = len(spool["segments"]) + spool["left_out"]
    size = sum(each["bytes"] or 0 for each in spool["segments"])
    yield "spool", f"{count} segments, {size} bytes{' in those below' if spool['left_out'] else ''}"
    if spool["state"] == "waiting":
        whom = [f"agent {name}" for name in spool["waits_for"]]
        for_whom = (
            f"until {joined(whom)} may show it" if whom else "until the decision and what it needs are there"
        )
        yield "spool", one_line(f"kept, and not shown to shippers {for_whom}")
    if spool["trouble"]:
        yield "trouble", one_line(f"its newest file can't be kept yet: {spool['trouble']}")
    for index, segment in enumerate(spool["segments"]):
        if spool["left_out"] and index == len(spool["segments"]) // 2:
            yield "segment", f"and {spool['left_out']} more"
        yield "segment", one_line(_segment(segment, agents, at))


def _segment(segment: Report, agents: Sequence[Report], at: float) -> str:
    closed = segment["closed"]
    read = [
        f"{agent['name']} has read {reading['read_bytes']}, as it said {ago(at - reading['read_at'])} ago"
        for agent in agents
        for reading in agent["segments"]
        if reading["number"] == segment["number"]
    ]
    return joined(
        [
            segment["path"],
            "not on the disk" if segment["bytes"] is None else f"{segment['bytes']} bytes",
            "being written" if closed is None else f"closed {ago(at - closed)} ago",
            "held by the spool alone" if segment["is_held_alone"] else "",
            *read,
        ]
    )


def _agent(agent: Report, report: Report, *, at: float, wide: bool) -> Lines:
    title = one_line(f"agent {agent['name']}")
    yield title, one_line(agent["trouble"] or "")
    if report["state"] == "gone":
        yield title, one_line(agent["ending"])
        return
    for objection in agent["objections"]:
        what = "holds the log" if objection["holds"] else "leaves out a part"
        yield title, one_line(f"{what}, for {objection['annotation']}: {objection['reason']}")
        yield "remedy", one_line(objection["remedy"])
    for item in agent["written"]:
        link = f" -> {item['content']}" if item["kind"] == "link" else ""
        yield title, one_line(f"{item['kind']} {item['path']}{link}")
        if wide and item["kind"] == "file":
            yield from (("", f"| {visible(line)}") for line in item["content"].splitlines())
    if not agent["written"] and not agent["trouble"] and report["state"] != "held":
        yield title, "has written nothing about it, or can't tell"
    if agent["read_bytes"] is not None:
        of = "" if report["log_bytes"] is None else f" of {report['log_bytes']}"
        when = f"as it said {ago(at - agent['read_at'])} ago"
        yield title, f"its shipper has read {agent['read_bytes']}{of} bytes, {when}"
