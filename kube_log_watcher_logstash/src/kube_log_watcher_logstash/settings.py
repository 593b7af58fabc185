"""The settings of the agent for Logstash."""

from __future__ import annotations

from pathlib import Path

import attrs

from kube_log_watcher_core import NAMES, PATH, seconds, setting


@attrs.frozen
class LogstashSettings:
    """``WATCHER_LOGSTASH_...``, or the section ``logstash`` of the YAML file."""

    folder: Path = setting(
        PATH, help="folder of kube-log-watcher.json, the dictionary that Logstash's configuration names"
    )
    refresh_interval: float = setting(
        seconds(),
        default=2.0,
        help="the refresh_interval of the dictionary in Logstash's configuration: so long, and a second "
        "more, a new log is not shown",
    )
    sincedb: Path | None = setting(
        PATH,
        default=None,
        help="Logstash's sincedb as mounted here (read-only will do): it tells when a segment is read; "
        "unset: segments stay for WATCHER_SPOOL_SECONDS",
    )
    config: Path | None = setting(
        PATH,
        default=None,
        help="Logstash's configuration as mounted here, for check to see whether it names spool, dictionary "
        "and sincedb",
    )
    annotations: tuple[str, ...] = setting(
        NAMES, default=(), help="annotations of pods that are told; others may be large, or nobody's business"
    )
