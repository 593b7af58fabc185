"""What the agent for Fluent Bit needs to know."""

from __future__ import annotations

from pathlib import Path

import attrs

from kube_log_watcher_core import NAMES, PATH, setting


@attrs.frozen
class FluentBitSettings:
    """``WATCHER_FLUENTBIT_...``, or the section ``fluentbit`` of the YAML file."""

    folder: Path = setting(PATH, help="folder of the pods' metadata, which kube_meta_preload_cache_dir names")
    database: Path | None = setting(
        PATH,
        default=None,
        help="the tail's database (db), by which segments go once they are read; "
        "without it they go WATCHER_SPOOL_SECONDS after their end",
    )
    config: Path | None = setting(
        PATH, default=None, help="Fluent Bit's own configuration, which check looks at"
    )
    annotations: tuple[str, ...] = setting(
        NAMES, default=(), help="annotations to ship with each line, besides those that Fluent Bit acts on"
    )
