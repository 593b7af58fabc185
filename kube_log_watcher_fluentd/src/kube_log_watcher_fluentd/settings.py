"""The settings of the agent for Fluentd."""

from __future__ import annotations

from pathlib import Path

import attrs

from kube_log_watcher_core import NAMES, PATH, setting


@attrs.frozen
class FluentdSettings:
    """``WATCHER_FLUENTD_...``, or the section ``fluentd`` of the YAML file."""

    folder: Path = setting(PATH, help="folder of <container id>.json, which Fluentd's configuration names")
    pos_file: Path | None = setting(
        PATH,
        default=None,
        help="Fluentd's pos_file as mounted here (read-only will do): it tells when a segment is read; "
        "unset: segments stay for WATCHER_SPOOL_SECONDS",
    )
    config: Path | None = setting(
        PATH,
        default=None,
        help="Fluentd's configuration as mounted here, for check to see whether it names spool, folder and "
        "pos_file",
    )
    annotations: tuple[str, ...] = setting(
        NAMES, default=(), help="annotations of pods that are told; others may be large, or nobody's business"
    )
