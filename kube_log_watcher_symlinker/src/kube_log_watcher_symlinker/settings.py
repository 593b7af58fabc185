"""What the symlinker needs to know."""

from __future__ import annotations

from pathlib import Path

import attrs

from kube_log_watcher_core import PATH, setting


@attrs.frozen
class SymlinkerSettings:
    """``WATCHER_SYMLINK_DIR``, or ``symlink_dir`` in the section ``symlinker`` of the YAML file."""

    symlink_dir: Path = setting(PATH, variable="WATCHER_SYMLINK_DIR", help="folder of the tree of links")
