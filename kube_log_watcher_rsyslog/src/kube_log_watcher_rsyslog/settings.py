"""The settings of the agent for rsyslog."""

from __future__ import annotations

from pathlib import Path

import attrs

from kube_log_watcher_core import NAMES, PATH, setting


@attrs.frozen
class RsyslogSettings:
    """``WATCHER_RSYSLOG_...``, or the section ``rsyslog`` of the YAML file."""

    folder: Path = setting(
        PATH,
        help="folder of table.json and control, which rsyslog reads, and of ack, which it writes: mounted "
        "read-write here and there",
    )
    state_dir: Path | None = setting(
        PATH,
        default=None,
        help="rsyslog's workDirectory as mounted here (read-only will do): it tells when a segment is read; "
        "unset: segments stay for WATCHER_SPOOL_SECONDS",
    )
    config: Path | None = setting(
        PATH,
        default=None,
        help="rsyslog's configuration as mounted here, for check to see whether it names the folders",
    )
    annotations: tuple[str, ...] = setting(
        NAMES, default=(), help="annotations of pods that are told; others may be large, or nobody's business"
    )
