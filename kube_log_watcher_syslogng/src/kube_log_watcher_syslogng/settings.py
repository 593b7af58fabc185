"""The settings of the agent for syslog-ng."""

from __future__ import annotations

from pathlib import Path

import attrs

from kube_log_watcher_core import NAMES, PATH, setting


@attrs.frozen
class SyslogngSettings:
    """``WATCHER_SYSLOGNG_...``, or the section ``syslogng`` of the YAML file."""

    folder: Path = setting(
        PATH,
        help="folder of table.xml, which syslog-ng reads, and of ack, which it writes: mounted read-write "
        "here and there",
    )
    persist_file: Path = setting(
        PATH,
        default=Path("/var/lib/syslog-ng/syslog-ng.persist"),
        help="the file in which syslog-ng keeps its positions, as mounted here (read-only will do): a "
        "segment goes when that says that it is read",
    )
    config: Path | None = setting(
        PATH,
        default=None,
        help="syslog-ng's configuration as mounted here, for check to see whether it names the folders",
    )
    annotations: tuple[str, ...] = setting(
        NAMES, default=(), help="annotations of pods that are told; others may be large, or nobody's business"
    )
