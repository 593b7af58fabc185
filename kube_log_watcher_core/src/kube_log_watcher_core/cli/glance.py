"""How the node's status looks: a headline, what is wrong, and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from kube_log_watcher_core.cli.output import one_line
from kube_log_watcher_core.cli.tables import STYLES, Table, ago, joined, plain, rich_table

if TYPE_CHECKING:
    from rich.console import Group

Document = Mapping[str, Any]


@attrs.frozen
class Glance:
    """What is shown."""

    state: str
    headline: str
    problems: tuple[str, ...]
    tables: tuple[Table, ...]


def glance(found: Document) -> Glance:
    """Make a status document into what is shown."""
    state = "degraded" if found["problems"] else "healthy"
    about = (
        f"kube-log-watcher {found['version']}, up for {ago(found['uptime_seconds'])}, process {found['pid']}"
    )
    tables = [_logs(found), _agents(found), _sources(found)]
    return Glance(state, f"node {found['node']}: {about}", tuple(found["problems"]), tuple(tables))


def _logs(found: Document) -> Table:
    rows = [("followed", str(found["followed"]))]
    if found["draining"]:
        rows.append(("gone, still being read", str(found["draining"])))
    rows += [(f"skipped: {reason}", str(count)) for reason, count in found["skipped"].items()]
    return Table(("CONTAINERS", "COUNT"), rows)


def _agents(found: Document) -> Table:
    rows = [
        (
            agent["name"],
            agent["state"],
            f"{ago(agent['synced_seconds_ago'])} ago" if agent["synced_seconds_ago"] is not None else "never",
            f"{agent['draining']} ({agent['bytes_left']} bytes left)" if agent["draining"] else "",
            joined([agent["error"] or "", agent["obstacle"] or "", _busy(agent)]),
        )
        for agent in found["agents"]
    ]
    return Table(("AGENT", "STATE", "LAST SYNC", "DRAINS", "DETAIL"), rows)


def _busy(agent: Document) -> str:
    busy = agent["busy_seconds"]
    return "" if busy is None else f"at work for {ago(busy)}"


def _sources(found: Document) -> Table:
    watch = found["watch"] or {}
    age = watch.get("age_seconds")
    heard = "nothing heard yet" if age is None else f"heard {ago(age)} ago"
    rows = [
        (
            "Kubernetes API",
            watch.get("state", ""),
            joined([watch.get("url", ""), f"{watch.get('pods', 0)} pods", heard, watch.get("error") or ""]),
        ),
        (
            "folders",
            "polling" if found["polling_reason"] else "inotify",
            joined([found["containers_path"], found["polling_reason"] or ""]),
        ),
        ("settings", "files" if found["settings_files"] else "no files", joined(found["settings_files"])),
    ]
    return Table(("SOURCE", "STATE", "DETAIL"), rows)


def lines_of(seen: Glance) -> Iterator[str]:
    """Give it as plain lines."""
    yield one_line(f"{seen.state}: {seen.headline}")
    for problem in seen.problems:
        yield one_line(f"problem: {problem}")
    for table in seen.tables:
        yield ""
        yield from plain(table)


def renderable_of(seen: Glance) -> Group:
    """Give it for a terminal."""
    # Imported only here: the daemon never needs it.
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    headline = Text.assemble((seen.state, STYLES[seen.state]), f"  {one_line(seen.headline)}")
    problems = [Text(f"! {one_line(problem)}", "bold red") for problem in seen.problems]
    return Group(headline, *problems, *(rich_table(table) for table in seen.tables))
