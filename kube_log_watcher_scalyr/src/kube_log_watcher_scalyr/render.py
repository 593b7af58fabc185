"""Renders ``agent.json``: pure functions from targets to text, by a JSON serializer alone."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kube_log_watcher_core import Layout, LogTarget, NodeContext
from kube_log_watcher_scalyr import journald
from kube_log_watcher_scalyr.annotations import Wishes
from kube_log_watcher_scalyr.attributes import attributes
from kube_log_watcher_scalyr.decoding import Decoding
from kube_log_watcher_scalyr.links import NONE, application_name
from kube_log_watcher_scalyr.plain import as_plain
from kube_log_watcher_scalyr.rules import JWT_RULE
from kube_log_watcher_scalyr.settings import ScalyrSettings

DEFAULT_PARSER = "json"

_FOR_SEGMENTS = {
    # A rotation shows as a new file: by default the agent looks for those once a minute.
    "max_new_log_detection_time": 1.0,
    # After 15 minutes without its server it would skip to the end of each file, and call that stale.
    "copy_staleness_threshold": 7 * 24 * 3600.0,
}


def server_attributes(node: NodeContext) -> dict[str, str]:
    """Return what all logs of the node share; a cluster without an id is left out.

    Without ``serverHost`` the Scalyr agent puts its own host name there.
    """
    attributes = {
        "serverHost": node.cluster_id,
        "cluster": node.cluster_id,
        "cluster_alias": node.cluster_alias,
        "cluster_environment": node.cluster_environment,
        "environment": node.cluster_environment,
        "node": node.node,
        "parser": DEFAULT_PARSER,
    }
    return {name: as_plain(value) for name, value in attributes.items() if value}


def head(settings: ScalyrSettings, node: NodeContext, journal: Path) -> dict[str, object]:
    """Return all of ``agent.json`` but the logs: it stays the same for the life of an agent."""
    members: dict[str, object] = {
        "api_key": as_plain(settings.api_key.reveal()),
        "config_change_check_interval": settings.config_check_interval,
        # The package from PyPI can't run these two monitors.
        "implicit_metric_monitor": False,
        "implicit_agent_process_metrics_monitor": False,
        "server_attributes": server_attributes(node),
        "monitors": [],
    }
    if node.has_spool:
        members |= _FOR_SEGMENTS
    if settings.server:
        members["scalyr_server"] = as_plain(settings.server)
    if settings.enable_profiling is not None:
        members["enable_profiling"] = settings.enable_profiling
    if settings.parse_lines_json:
        # Else a secret that Docker cuts in two at 16 KiB is not redacted.
        members["merge_json_parsed_lines"] = True
    if settings.journald:
        members["monitors"] = [journald.monitor(settings, node, journal)]
        members["journald_logs"] = [journald.log(settings, node)]
    return members


def entry(
    target: LogTarget, pattern: str, *, wishes: Wishes, decoding: Decoding, server: Mapping[str, str]
) -> dict[str, object]:
    """Return a target's entry among the logs."""
    parser = wishes.parser or DEFAULT_PARSER
    members: dict[str, object] = {
        "path": encodable(pattern),
        "copy_from_start": True,
        "rename_logfile": renamed(target),
        "attributes": attributes(
            target, parser=decoding.parser(parser), server=server, wished=wishes.attributes
        ),
        "redaction_rules": [*wishes.redaction, JWT_RULE],
    }
    if wishes.sampling:
        members["sampling_rules"] = list(wishes.sampling)
    if wishes.line_groupers:
        members["lineGroupers"] = list(wishes.line_groupers)
    if target.layout is Layout.CRI:
        # Never together with parse_lines_as_json: that overrides the format, whatever its value.
        members["parse_format"] = "cri"
    elif decoding.wants(parser):
        members["parse_lines_as_json"] = True
    return members


def encodable(pattern: str) -> str:
    """Return a glob in which a byte that is no UTF-8, and can't be written in JSON, is a question mark."""
    return re.sub("[\ud800-\udfff\U00010000-\U0010ffff]", "?", pattern)


def renamed(target: LogTarget) -> str:
    """Return the name under which the log is shipped.

    The Scalyr agent expands ``$``: percent-encoding leaves none.
    """
    parts = {
        "application": application_name(target),
        "component": target.component or NONE,
        "version": target.version or NONE,
        "container_id": target.id,
    }
    return "?" + urllib.parse.urlencode(parts, quote_via=urllib.parse.quote, safe="", errors="replace")


def as_text(value: object) -> str:
    """Return a value as JSON in ASCII: it reads the same in every locale, and equal values look alike."""
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False)


def document(members: Mapping[str, str], logs: Iterable[str]) -> str:
    """Put ``agent.json`` together from the JSON text of its members and of each log.

    In one go: with 1,000 logs, each copy of it is a megabyte.
    """
    texts = list(_separated(logs))
    whole = {
        **{name: (text,) for name, text in members.items()},
        "logs": ("[", *texts, "\n]" if texts else "]"),
    }
    pieces: list[str] = []
    for name, value in sorted(whole.items()):
        pieces += [",\n" if pieces else "{\n", f"{json.dumps(name)}: ", *value]
    return "".join([*pieces, "\n}\n"])


def _separated(texts: Iterable[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield ",\n" if number else "\n"
        yield text
